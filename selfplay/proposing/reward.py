"""What a proposal was worth: valid x solved by some but not all x close to the requested rating.

The attempts that train the solver estimate it. Feeds the proposer's advantages.
"""

import math

CLOSENESS = 174.0
"""Distance to the requested rating, in points, at which a proposal's worth falls to 61%: the error
of a rating from 8 attempts is about as large."""


def learnability(solved: int, graded: int) -> float:
    """Estimate of 4 p (1 - p), unbiased but for the cap at 1: 0 where all attempts went alike.

    The plain estimate is low by the factor (n - 1) / n.

    Source: the variance of a Bernoulli sample; SFL, Rutherford et al. 2024, arXiv:2408.15099.
    """
    if graded < 2:
        return 0.0
    return min(1.0, 4.0 * solved * (graded - solved) / (graded * (graded - 1)))


def worth(solved: int, graded: int, rating: float, requested: float) -> float:
    """Reward of an admitted proposal, in [0, 1]; a rejected one is worth 0, never less.

    A negative reward for invalid proposals teaches to write what is surely valid: trivia.

    Args:
        solved: attempts that were right.
        graded: attempts that were graded.
        rating: the problem's rating after the attempts, in points.
        requested: the rating that was asked for, in points.
    """
    distance = (rating - requested) / CLOSENESS
    return learnability(solved, graded) * math.exp(-(distance**2) / 2)
