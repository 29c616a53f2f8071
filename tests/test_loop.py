"""Pieces of a turn that need no model."""

from selfplay import loop
from selfplay.curriculum.plans import Plan, Report
from selfplay.curriculum.scale import Game
from selfplay.problem import Problem, Request
from selfplay.proposing.proposal import Proposal


def proposal(environment, level, *, valid=True):
    request = Request(environment, level, 1500.0, 0.5, 0.1, "target")
    problem = Problem(environment, level, "1+2", "1+2", "3") if valid else None
    return Proposal(request, "learned", "1+2", problem)


def report(slot, solved, graded):
    plan = Plan(1, slot, 0, 1, 1500.0, 0.5, 0.1, 0.1, "target", slot)
    return Report(plan, Game(0, 1, solved, graded))


def test_what_the_proposer_wins():
    """Two levels of one environment and one of another; 7 of 8 is too easy, (7 + 1) / 10."""
    good, easy, ungraded, elsewhere = (proposal("a", 1) for _ in range(4))
    turned_away, hard = proposal("a", 1, valid=False), proposal("a", 2)
    other = proposal("b", 0)
    written = proposal("a", 1)  # by a generator: no game of the learned proposer
    posed = [good, easy, ungraded, hard, other, written]
    reports = [
        report(0, 4, 8), report(1, 7, 8), report(2, 0, 0), report(3, 0, 8), report(4, 2, 8),
        report(5, 4, 8),
    ]  # fmt: skip
    asked = [good, easy, ungraded, elsewhere, turned_away, hard, other]
    assert loop.request_games(["a", "b"], asked, posed, reports) == [
        Game(0, 1, 1, 4), Game(0, 2, 0, 1), Game(1, 0, 1, 1),
    ]  # fmt: skip
