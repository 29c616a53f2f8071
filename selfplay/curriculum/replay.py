"""The outcome log: what a standing is made of, line by line, and made again.

A line is what a generation's outcomes were, with their plans, or a look at the anchors. Nothing
else changes a standing, so the lines of a run give its standing to the last bit. Fed by train.py,
which keeps the lines in the run folder.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from selfplay.curriculum.manager import Manager, Plan, Report, Standing
from selfplay.curriculum.scale import Game


def outcomes_line(generation: int, reports: Iterable[Report]) -> dict[str, Any]:
    """A generation's outcomes as JSON data."""
    return {"generation": generation, "reports": [[*plan, *game] for plan, game in reports]}


def anchors_line(generation: int, games: Iterable[Game]) -> dict[str, Any]:
    """A look at the anchors as JSON data."""
    return {"generation": generation, "anchors": [list(game) for game in games]}


def after(manager: Manager, standing: Standing, line: dict[str, Any]) -> Standing:
    """The standing after one line.

    Raises:
        ValueError: it is no such line.
    """
    if "anchors" in line:
        games = [Game(*game) for game in line["anchors"]]
        return manager.look_at_anchors(standing, line["generation"], games)
    return manager.observe(standing, line["generation"], reports(line))


def reports(line: dict[str, Any]) -> list[Report]:
    """The outcomes in a line; none if it is a look at the anchors.

    Raises:
        ValueError: the line is of another version of this package.
    """
    plan, game = len(Plan._fields), len(Game._fields)
    rows: Sequence[Sequence[Any]] = line.get("reports", [])
    if ("reports" in line) == ("anchors" in line) or any(len(row) != plan + game for row in rows):
        raise ValueError(
            f"the outcome log's line of generation {line.get('generation')} is not of this version "
            "of selfplay: look at the run with the version that made it."
        )
    return [Report(Plan(*row[:plan]), Game(*row[plan:])) for row in rows]


def replayed(manager: Manager, lines: Iterable[dict[str, Any]]) -> Standing:
    """The standing after all lines, from nothing; cost grows with their number."""
    standing = manager.initial()
    for line in lines:
        standing = after(manager, standing, line)
    return standing
