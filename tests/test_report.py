"""What is told of a run: problems to try at its end, attempts that are cut off on the way."""

from types import SimpleNamespace

import pytest

from selfplay import report
from selfplay.cli.display import summary_line
from selfplay.problem import Problem
from selfplay.report import Snapshot


def posed(environment, level):
    return Problem(environment, level, f"{environment}{level}", "", "")


def parts(steps=10):
    """Two ladders of ten levels, one held-out problem of each, a fifth shown."""
    ladders = {
        name: SimpleNamespace(name=name, level_count=10, frozen=False) for name in ("low", "high")
    }
    return SimpleNamespace(
        environments=ladders,
        suites=SimpleNamespace(held_out=[posed(n, level) for n in ladders for level in range(10)]),
        config=SimpleNamespace(warmup=SimpleNamespace(steps=steps, shown=0.2)),
    )


def full(low, high):
    """Greedily all is solved up to the frontier and nothing beyond."""
    rates = [float(level < reached) for reached in (low, high) for level in range(10)]
    return {"frontier": {"low": low, "high": high}, "greedy_rates": rates}


@pytest.mark.parametrize(
    ("low", "high", "solved", "ahead"),
    [
        (3, 7, ("high", 6), ("high", 7)),
        (7, 3, ("low", 6), ("low", 7)),
        (4, 10, ("high", 9), ("low", 4)),  # one is mastered: the frontier is that of the other
    ],
)
def test_a_problem_that_is_solved_and_one_at_the_frontier(low, high, solved, ahead):
    found = report.suggested(parts(), full(low, high))
    assert [(p.environment, p.level) for p in (found.solved, found.ahead)] == [solved, ahead]


def test_where_there_is_none_there_is_none():
    assert report.suggested(parts(), full(10, 10)).ahead is None
    nothing = report.suggested(parts(), full(0, 0))
    assert (nothing.solved, nothing.ahead.level) == (None, 0)


def test_levels_shown():
    assert report.shown_levels(parts()) == {"low": 2, "high": 2}
    assert report.shown_levels(parts(steps=0)) == {"low": 0, "high": 0}


@pytest.mark.parametrize(("cut", "told"), [(0.08, True), (0.05, False), (0.0, False)])
def test_attempts_that_are_cut_off_are_told_when_they_are_many(cut, told):
    snapshot = Snapshot(
        generation=1, generations=2, held_out=0.5, rating=1500.0, rating_sd=20.0, valid_rate=1.0,
        reached={"low": 3}, mixed_rate=0.3, cut_rate=cut, tokens_per_second=1000.0,
        time_shares={"decode": 1.0}, seconds_left=1.0,
    )  # fmt: skip
    assert ("cut 8%" in summary_line(snapshot)) is told
    assert ("cut" in summary_line(snapshot)) is told
