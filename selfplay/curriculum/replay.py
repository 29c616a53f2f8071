"""The outcome log: what a standing is made of, line by line, and made again.

A line is what a generation's outcomes were, with their plans, what came of its requests to the
proposer, or a look at the anchors. Nothing else changes a standing, so the lines of a run give its
standing to the last bit. Fed by train.py, which keeps the lines in the run folder. Outcomes are a
table: columns by name, a value for each problem.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.plans import Plan, Purpose, Report
from selfplay.curriculum.scale import Cells, Game

_OUTCOME = ("posed_level", "solved", "graded")
"""Columns beside those of the plan; `posed_level` is that of the problem, `level` was asked for."""
_COLUMNS = (*Plan._fields, *_OUTCOME)
_CELL = ("environment", "level", "solved", "graded")
"""Columns of games at cells: looks at the anchors, requests to the proposer."""


def outcomes_line(generation: int, reports: Iterable[Report]) -> dict[str, Any]:
    """A generation's outcomes as JSON data."""
    rows = [(*plan, *outcome) for plan, *outcome in reports]
    return {"generation": generation, "outcomes": _table(_COLUMNS, rows)}


def requests_line(cells: Cells, generation: int, games: Iterable[Game]) -> dict[str, Any]:
    """What came of a generation's requests to the proposer as JSON data."""
    return {"generation": generation, "requests": _of_games(cells, games)}


def anchors_line(cells: Cells, generation: int, games: Iterable[Game]) -> dict[str, Any]:
    """A look at the anchors as JSON data."""
    return {"generation": generation, "anchors": _of_games(cells, games)}


def after(manager: Manager, standing: Standing, line: dict[str, Any]) -> Standing:
    """The standing after one line.

    Raises:
        ValueError: it is no such line.
    """
    if "anchors" in line:
        games = _games(manager.cells, line["anchors"])
        return manager.look_at_anchors(standing, line["generation"], games)
    if "requests" in line:
        games = _games(manager.cells, line["requests"])
        return manager.observe_requests(standing, line["generation"], games)
    return manager.observe(standing, line["generation"], reports(line))


def reports(line: dict[str, Any]) -> list[Report]:
    """The outcomes in a line; none if it is about anchors or requests.

    Raises:
        ValueError: the line is of another version of this package.
    """
    kinds = {"outcomes", "requests", "anchors"} & line.keys()
    table: dict[str, list[Any]] = line.get("outcomes", dict.fromkeys(_COLUMNS, []))
    if len(kinds) != 1 or set(table) != set(_COLUMNS):
        raise ValueError(
            f"the outcome log's line of generation {line.get('generation')} is not of this version "
            "of selfplay: look at the run with the version that made it."
        )
    rows = zip(*(table[name] for name in _COLUMNS), strict=True)
    return [_report(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def replayed(manager: Manager, lines: Iterable[dict[str, Any]]) -> Standing:
    """The standing after all lines, from nothing; cost grows with their number."""
    standing = manager.initial()
    for line in lines:
        standing = after(manager, standing, line)
    return standing


def _report(row: dict[str, Any]) -> Report:
    plan = Plan(**{name: row[name] for name in Plan._fields})
    plan = plan._replace(purpose=Purpose(plan.purpose))
    return Report(plan, *(row[name] for name in _OUTCOME))


def _of_games(cells: Cells, games: Iterable[Game]) -> dict[str, list[Any]]:
    rows = [(cells.names[g.environment], g.level, g.solved, g.graded) for g in games]
    return _table(_CELL, rows)


def _games(cells: Cells, table: dict[str, list[Any]]) -> list[Game]:
    return [
        Game(cells.index[name], level, solved, graded)
        for name, level, solved, graded in zip(*(table[name] for name in _CELL), strict=True)
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: [row[at] for row in rows] for at, name in enumerate(columns)}
