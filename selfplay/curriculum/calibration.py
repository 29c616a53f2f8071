"""The honest self-check: were the predicted pass rates right, and their errors?

Every group's outcome is held against what was predicted when it was planned: a reliability curve,
its expected calibration error, and how much of the outcomes lay within the predicted 90% interval.
Pure. Axis: B bins of the predicted pass rate.

Source: expected calibration error of Naeini, Cooper, Hauskrecht 2015; probability transform of
Czado, Gneiting, Held 2009 for counts, not randomised.
"""

import math
from typing import NamedTuple

import numpy as np

BINS = 10
INTERVAL = 0.9
"""Probability of the interval whose coverage is counted."""


class Reliability(NamedTuple):
    """Sums over the groups whose predicted pass rate lay in a bin of width 0.1."""

    groups_B: np.ndarray
    """int [B], groups."""
    predicted_B: np.ndarray
    """float [B], sum of the predicted pass rates."""
    observed_B: np.ndarray
    """float [B], sum of the shares solved."""
    covered_B: np.ndarray
    """float [B], sum of the shares of the groups that lay within their interval."""

    @property
    def error(self) -> float:
        """Expected calibration error, the mean difference of the two; NaN without groups."""
        total = self.groups_B.sum()
        return (
            float(np.abs(self.predicted_B - self.observed_B).sum() / total) if total else math.nan
        )

    @property
    def coverage(self) -> float:
        """Share of the groups that lay within their 90% interval; NaN without any."""
        total = self.groups_B.sum()
        return float(self.covered_B.sum() / total) if total else math.nan


def initial() -> Reliability:
    """No groups."""
    return Reliability(np.zeros(BINS, np.int64), np.zeros(BINS), np.zeros(BINS), np.zeros(BINS))


def after(
    reliability: Reliability, predicted: float, sd: float, solved: int, graded: int
) -> Reliability:
    """With one more group.

    Args:
        reliability: of the groups before.
        predicted: pass rate, in [0, 1].
        sd: of the pass rate of the problem, the prediction's own error and the spread of problems.
        solved: attempts that were right.
        graded: attempts, at least 1.
    """
    at = min(int(predicted * BINS), BINS - 1)
    groups_B, predicted_B, observed_B, covered_B = (values.copy() for values in reliability)
    groups_B[at] += 1
    predicted_B[at] += predicted
    observed_B[at] += solved / graded
    covered_B[at] += within(solved, graded, predicted, sd)
    return Reliability(groups_B, predicted_B, observed_B, covered_B)


def within(solved: int, graded: int, predicted: float, sd: float) -> float:
    """How much of an outcome lies in the middle 90% of what was predicted, in [0, 1].

    An outcome of k right answers takes the probabilities from that of fewer to that of at most
    k; its share within 0.05 and 0.95 counts. Few attempts allow few outcomes, and whole ones would
    make right predictions look too unsure. The pass rate of the problem is Beta distributed with
    the given mean and standard deviation, so the count is beta-binomial.
    """
    mean = min(max(predicted, 1e-4), 1.0 - 1e-4)
    # A Beta distribution cannot be wider than a coin that is always heads or always tails.
    variance = min(max(sd**2, 1e-6), 0.95 * mean * (1.0 - mean))
    strength = mean * (1.0 - mean) / variance - 1.0
    a, b = mean * strength, (1.0 - mean) * strength

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    def mass(k: int) -> float:
        choices = math.log(math.comb(graded, k))
        return math.exp(choices + log_beta(k + a, graded - k + b) - log_beta(a, b))

    own, tail = mass(solved), (1.0 - INTERVAL) / 2.0
    below = sum(map(mass, range(solved)))
    inside = min(below + own, 1.0 - tail) - max(below, tail)
    return min(max(inside / own, 0.0), 1.0) if own > 0.0 else 0.0
