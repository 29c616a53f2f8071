"""Reward of a proposal: valid, solved by some but not all, close to what was asked for, and fresh.

The attempts that train the solver estimate it. Fed by outcomes.py.
"""

import math

CLOSENESS = 174.0
"""Distance to the requested rating, in points, at which a proposal's reward falls to 61%: the
error of a rating from 8 attempts is about as large."""

REPEATS = 100
"""Later proposals that a text should not come back in: about as many as share a beginning with it
in a run of a few hundred generations."""


def learnability(solved: int, graded: int) -> float:
    """Expectation of 4 p (1 - p) after the attempts, if every pass rate p was as likely before.

    Highest where half of the attempts are right. Where all went alike it is small but not 0 (0.33
    after 8 attempts): the problem may still be one that some attempts solve, and an admitted
    problem always has a higher reward than a rejected text.

    Source: mean of 4 p (1 - p) under the Beta(s + 1, n - s + 1) posterior; 4 p (1 - p) as in SFL,
    Rutherford et al. 2024, arXiv:2408.15099.
    """
    return 4.0 * (solved + 1) * (graded - solved + 1) / ((graded + 2) * (graded + 3))


def freshness(surprisal: float) -> float:
    """Chance that none of the next `REPEATS` proposals is the same text, in [0, 1].

    A duplicate has no reward, but by the time there are duplicates the proposer has narrowed down
    to a few forms. What it would soon write again is therefore paid less from the beginning. A text
    of 8 nats gets 97%, one of 3 nats 1%: long texts gain nothing by growing longer.

    Args:
        surprisal: -log P of the whole text when it was drawn, in nats, at least 0.
    Source: (1 - P)^n in its limit exp(-n P).
    """
    return math.exp(-REPEATS * math.exp(-surprisal))


def reward(solved: int, graded: int, rating: float, requested: float, surprisal: float) -> float:
    """Reward of an admitted proposal, in [0, 1]; that of a rejected one is 0, never less.

    A negative reward for invalid proposals teaches to write what is surely valid: trivia.

    Args:
        solved: attempts that were right.
        graded: attempts that were graded.
        rating: the problem's rating after the attempts, in points.
        requested: the rating that was asked for, in points.
        surprisal: of the text, in nats.
    """
    distance = (rating - requested) / CLOSENESS
    closeness = math.exp(-(distance**2) / 2)
    return learnability(solved, graded) * closeness * freshness(surprisal)
