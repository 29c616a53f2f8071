"""Calibration: hand counts, coverage of outcomes that are as predicted, and of others."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.curriculum import calibration
from selfplay.curriculum.calibration import after, initial, within


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
    """Of one fair coin, heads has the probabilities from 1/2 to 1: 0.05 of its 0.5 lie above 0.95.

    Three tails at P(heads) = 1/4 have 0 to 27/64.
    """
    assert within(1, 1, 0.5, 0.0) == pytest.approx(0.9, abs=1e-4)
    assert within(0, 3, 0.25, 0.0) == pytest.approx((27 / 64 - 0.05) / (27 / 64), abs=1e-3)
    assert within(1, 3, 0.25, 0.0) == pytest.approx(1.0)
    assert within(3, 3, 0.25, 0.0) == 0.0


@given(
    graded=st.integers(1, 30), predicted=st.floats(0, 1), sd=st.floats(0, 1)
)  # fmt: skip
def test_it_is_a_share(graded, predicted, sd):
    assert all(0.0 <= within(k, graded, predicted, sd) <= 1.0 for k in range(graded + 1))


@pytest.mark.parametrize("graded", [1, 4, 8])
@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.97])
def test_a_right_prediction_is_covered_at_90_percent_however_few_attempts(graded, rate):
    chance_K = [
        math.comb(graded, k) * rate**k * (1.0 - rate) ** (graded - k) for k in range(graded + 1)
    ]
    share_K = [within(k, graded, rate, 0.0) for k in range(graded + 1)]
    assert np.dot(chance_K, share_K) == pytest.approx(calibration.INTERVAL, abs=1e-3)


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
    assert coverage(predicted, sd, rate_N) == pytest.approx(calibration.INTERVAL, abs=0.02)


def test_errors_that_are_too_small_or_too_large_show():
    rate_N = np.random.default_rng(2).beta(2, 2, 2000)  # sd 0.22
    assert coverage(0.5, 0.03, rate_N) < 0.75
    assert coverage(0.5, 0.45, np.full(2000, 0.5)) > 0.97
    assert coverage(0.8, 0.05, np.full(2000, 0.4)) < 0.2
