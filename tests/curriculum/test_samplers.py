"""Laws over levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.curriculum.samplers import Target, Uniform

RATES = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(np.array)


def test_target_by_hand():
    """One standard deviation off weighs exp(-1/2), two weigh exp(-2)."""
    law = Target(rate=0.5, width=0.1).law(np.array([0.5, 0.4, 0.7]))
    weight = np.array([1.0, np.exp(-0.5), np.exp(-2.0)])
    assert np.allclose(law, weight / weight.sum())


@given(predicted=RATES, rate=st.floats(0.05, 0.95))
def test_laws_are_probabilities_and_prefer_the_nearest(predicted, rate):
    law = Target(rate=rate).law(predicted)
    assert law.sum() == pytest.approx(1.0)
    assert (law >= 0).all()
    distance = np.abs(predicted - rate)
    assert law[distance.argmin()] == pytest.approx(law.max())
    assert np.allclose(Uniform().law(predicted), 1 / predicted.size)


def test_hopeless_levels_all_far_away_still_give_a_law():
    law = Target(rate=0.5, width=0.001).law(np.array([0.0, 1e-6, 1e-5]))
    assert law.sum() == pytest.approx(1.0)
    assert law.argmax() == 2
