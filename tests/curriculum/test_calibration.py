"""Calibration: hand counts, coverage of outcomes that are as predicted, and of others."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.curriculum import calibration
from selfplay.curriculum.calibration import after, below, initial


def test_bins_by_hand():
    """In bin 2: predicted 0.25 and 0.27, observed 0.5 and 0.0; in the last: 1.0 and 1.0."""
    found = initial()
    for predicted, solved in ((0.25, 4), (0.27, 0), (1.0, 8)):
        found = after(found, predicted, 0.1, solved, 8)
    assert found.groups_B.tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 0, 1]
    assert found.predicted_B[2] == pytest.approx(0.52)
    assert found.observed_B[2] == pytest.approx(0.5)
    assert found.error == pytest.approx(0.02 / 3)
    assert math.isnan(initial().error)
    assert math.isnan(initial().coverage)


def test_without_spread_it_is_the_binomial():
    """P(0 of 2) + P(1 of 2) / 2 at p = 1/2: 1/4 + 1/4."""
    assert below(1, 2, 0.5, 0.0) == pytest.approx(0.5, abs=1e-4)
    assert below(0, 3, 0.25, 0.0) == pytest.approx(0.75**3 / 2, abs=1e-4)


@given(
    graded=st.integers(1, 30), predicted=st.floats(0, 1), sd=st.floats(0, 1)
)  # fmt: skip
def test_the_probabilities_are_probabilities(graded, predicted, sd):
    found = [below(k, graded, predicted, sd) for k in range(graded + 1)]
    assert found == sorted(found)
    assert found[0] > 0.0
    assert found[-1] < 1.0 + 1e-9


def coverage(predicted, sd, rate_N, seed=0):
    rng = np.random.default_rng(seed)
    found = initial()
    for rate in rate_N:
        found = after(found, predicted, sd, int(rng.binomial(16, rate)), 16)
    return found.coverage


@pytest.mark.parametrize("predicted", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("sd", [0.02, 0.1, 0.2])
def test_outcomes_that_are_as_predicted_are_covered_as_promised(predicted, sd):
    strength = predicted * (1 - predicted) / sd**2 - 1
    rng = np.random.default_rng(1)
    rate_N = rng.beta(predicted * strength, (1 - predicted) * strength, 4000)
    assert coverage(predicted, sd, rate_N) == pytest.approx(calibration.INTERVAL, abs=0.05)


def test_errors_that_are_too_small_or_too_large_show():
    rate_N = np.random.default_rng(2).beta(2, 2, 2000)  # sd 0.22
    assert coverage(0.5, 0.03, rate_N) < 0.75
    assert coverage(0.5, 0.45, np.full(2000, 0.5)) > 0.97
    assert coverage(0.8, 0.05, np.full(2000, 0.4)) < 0.2
