"""Advantages: by hand, sums, proportions, what was not graded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from selfplay.learning.advantage import centred_by, group_centred, scaled

GROUPS = npst.array_shapes(min_dims=2, max_dims=2, max_side=8)


def test_group_centred_by_hand():
    reward = np.array([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 0.0]])
    graded = np.array([[True] * 4, [True] * 4, [True, True, False, False]])
    assert np.allclose(
        group_centred(reward, graded),
        [[0.75, -0.25, -0.25, -0.25], [0.0] * 4, [0.5, -0.5, 0.0, 0.0]],
    )


@given(data=st.data(), shape=GROUPS)
def test_graded_attempts_sum_to_zero_and_the_others_are_zero(data, shape):
    reward = data.draw(npst.arrays(float, shape, elements=st.floats(0, 1)))
    graded = data.draw(npst.arrays(bool, shape))
    advantage = group_centred(reward, graded)
    assert np.allclose(advantage.sum(axis=1), 0.0, atol=1e-12)
    assert (advantage[~graded] == 0.0).all()
    garbage = np.where(graded, reward, np.nan)
    assert np.array_equal(group_centred(garbage, graded), advantage)


@given(npst.arrays(float, (5, 2), elements=st.floats(0, 1)))
def test_with_two_attempts_it_is_half_the_difference(reward):
    advantage = group_centred(reward, np.ones((5, 2), bool))
    half = (reward[:, 0] - reward[:, 1]) / 2
    assert np.allclose(advantage, np.stack([half, -half], axis=1))


def test_no_grades_at_all_is_zero():
    assert np.array_equal(group_centred(np.ones((2, 3)), np.zeros((2, 3), bool)), np.zeros((2, 3)))


def test_centred_by_hand():
    label = np.array([7, 2, 7, 2, 5])
    reward = np.array([1.0, 0.5, 0.0, 0.0, 0.9])
    assert np.allclose(centred_by(label, reward), [0.5, 0.25, -0.5, -0.25, 0.0])


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=20))
def test_every_label_sums_to_zero(pairs):
    label, reward = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    centred = centred_by(label, reward)
    for one in set(label.tolist()):
        assert centred[label == one].sum() == pytest.approx(0.0, abs=1e-12)


def test_scaled_by_hand():
    """Mean square over tokens: (1 * 4 + 3 * 0) / 4 = 1, so 2 stays 2; without lengths it were 1."""
    assert np.allclose(scaled(np.array([2.0, 0.0]), np.array([1, 3])), [2.0, 0.0])


@given(st.lists(st.tuples(st.floats(-3, 3), st.integers(0, 50)), min_size=1, max_size=20))
def test_scaled_has_mean_square_one_over_tokens_and_keeps_proportions(pairs):
    advantage, length = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    result = scaled(advantage, length)
    power = (length * advantage**2).sum() / max(1, length.sum())
    if power > 1e-11:
        assert (length * result**2).sum() / length.sum() == pytest.approx(1.0)
        assert np.allclose(result * np.sqrt(power), advantage)
    elif power < 1e-13:
        assert not result.any()


def test_scaled_of_nothing_is_nothing():
    assert scaled(np.array([]), np.array([])).size == 0
    assert np.array_equal(scaled(np.zeros(3), np.array([4, 5, 6])), np.zeros(3))
