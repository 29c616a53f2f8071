"""The outcome log: what a standing is made of, line by line, and made again.

A line is what a generation's outcomes were, with their plans, what came of its requests to the
proposer, or a look at the anchors. Nothing else changes a standing, so the lines of a run give its
standing to the last bit. Fed by train.py, which keeps the lines in the run folder.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.plans import Plan, Report
from selfplay.curriculum.scale import Game


def outcomes_line(generation: int, reports: Iterable[Report]) -> dict[str, Any]:
    """A generation's outcomes as JSON data."""
    return {"generation": generation, "reports": [[*plan, *game] for plan, game in reports]}


def requests_line(generation: int, games: Iterable[Game]) -> dict[str, Any]:
    """What came of a generation's requests to the proposer as JSON data."""
    return {"generation": generation, "requests": [list(game) for game in games]}


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
    if "requests" in line:
        games = [Game(*game) for game in line["requests"]]
        return manager.observe_requests(standing, line["generation"], games)
    return manager.observe(standing, line["generation"], reports(line))


def reports(line: dict[str, Any]) -> list[Report]:
    """The outcomes in a line; none if it is about anchors or requests.

    Raises:
        ValueError: the line is of another version of this package.
    """
    plan, game = len(Plan._fields), len(Game._fields)
    rows: Sequence[Sequence[Any]] = line.get("reports", [])
    kinds = {"reports", "requests", "anchors"} & line.keys()
    if len(kinds) != 1 or any(len(row) != plan + game for row in rows):
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
