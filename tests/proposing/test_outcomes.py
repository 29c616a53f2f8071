"""What became of learned proposals: their rewards and the games that the proposer is rated by."""

import numpy as np
import pytest

from selfplay.curriculum.plans import Plan, Posed, Purpose
from selfplay.curriculum.scale import Cells, Game
from selfplay.problem import Problem
from selfplay.proposing import outcomes
from selfplay.proposing.proposal import Proposal
from selfplay.proposing.reward import reward

CELLS = Cells(("a", "b"), (3, 1))


def proposal(slot, environment, level, *, valid=True):
    plan = Plan(1, slot, environment, level, 1500.0, 0.5, 0.1, 0.1, Purpose.TARGET, slot)
    problem = Problem(environment, level, f"{slot}+2", f"{slot}+2", "3") if valid else None
    return Proposal(plan, "learned", f"{slot}+2", problem)


def became(own, solved, graded, proposer="learned", problem=None):
    return Posed(own.plan, problem or own.problem, proposer, solved, graded, 1600.0, 60.0)


def generation():
    """Two levels of one environment and one of another; 7 of 8 is too easy, (7 + 1) / 10.

    The last three proposals were not posed: one is off its level, one was turned away, and one
    came to be written by the generator word for word.
    """
    cells = [("a", 1), ("a", 1), ("a", 1), ("a", 2), ("b", 0), ("a", 1)]
    written = [proposal(slot, *cell) for slot, cell in enumerate(cells)]
    written += [proposal(6, "a", 1, valid=False), proposal(7, "a", 0)]
    attempts = [(4, 8), (7, 8), (0, 0), (0, 8), (2, 8)]
    posed = [became(own, *of) for own, of in zip(written, attempts, strict=False)]
    other = Problem("a", 1, "9+9", "9+9", "18")
    posed.append(became(written[5], 4, 8, "procedural", other))
    posed.append(became(written[6], 4, 8, "procedural", other))
    posed.append(became(written[7], 4, 8, "procedural"))
    return written, posed


def test_what_the_proposer_wins():
    written, posed = generation()
    assert outcomes.games(CELLS, written, posed) == [
        Game(0, 0, 0, 1), Game(0, 1, 1, 4), Game(0, 2, 0, 1), Game(1, 0, 1, 1),
    ]  # fmt: skip


def test_rewards_are_those_of_the_attempts_and_0_for_what_was_not_posed():
    written, posed = generation()
    surprisal = np.linspace(5.0, 50.0, len(written))
    found = outcomes.rewards(written, surprisal, posed)
    assert found[5:].tolist() == [0.0, 0.0, 0.0]
    expected = [
        reward(own.solved, own.graded, 1600.0, 1500.0, s)
        for own, s in zip(posed[:5], surprisal.tolist(), strict=False)
    ]
    assert found[:5] == pytest.approx(expected)
    assert found[0] > 0.0
