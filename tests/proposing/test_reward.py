"""Rewards of proposals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.proposing.reward import REPEATS, freshness, learnability, reward

ATTEMPTS = st.integers(0, 16).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_learnability_by_hand():
    assert learnability(4, 8) == pytest.approx(4 * 5 * 5 / 110)
    assert learnability(1, 8) == learnability(7, 8) == pytest.approx(4 * 2 * 8 / 110)
    assert learnability(0, 8) == learnability(8, 8) == pytest.approx(4 * 9 / 110)
    assert learnability(0, 0) == pytest.approx(2 / 3)  # nothing known: the mean over all p


@given(ATTEMPTS)
def test_learnability_is_symmetric_highest_in_the_middle_and_never_0(attempts):
    solved, graded = attempts
    value = learnability(solved, graded)
    assert 0.0 < value <= learnability(graded // 2, graded) <= 1.0
    assert value == pytest.approx(learnability(graded - solved, graded))


@given(ATTEMPTS)
def test_learnability_is_the_mean_under_the_posterior(attempts):
    solved, graded = attempts
    p = (np.arange(20_000) + 0.5) / 20_000
    likelihood = p**solved * (1 - p) ** (graded - solved)
    mean = (likelihood * 4 * p * (1 - p)).sum() / likelihood.sum()
    assert learnability(solved, graded) == pytest.approx(mean, rel=1e-4)


def test_freshness_by_hand():
    assert freshness(0.0) == pytest.approx(0.0, abs=1e-40)  # it writes nothing else
    assert freshness(math.log(REPEATS)) == pytest.approx(math.exp(-1.0))
    assert freshness(8.0) == pytest.approx(0.967, abs=1e-3)


@given(st.floats(0.01, 1.0))
def test_freshness_is_the_chance_not_to_come_back(probability):
    chance = (1.0 - probability) ** REPEATS
    assert freshness(-math.log(probability)) == pytest.approx(chance, abs=0.01)


def test_reward_by_hand():
    most = 100 / 110
    assert reward(4, 8, 1500.0, 1500.0, 50.0) == pytest.approx(most)
    assert reward(4, 8, 1500.0, 1326.0, 50.0) == pytest.approx(most * math.exp(-0.5))
    once = math.log(REPEATS)  # the text is expected once among the next
    assert reward(4, 8, 1500.0, 1326.0, once) == pytest.approx(most * math.exp(-1.5))
    assert reward(8, 8, 1500.0, 1500.0, 50.0) == pytest.approx(36 / 110)


@given(
    ATTEMPTS, st.floats(0, 3000), st.floats(0, 3000), st.floats(0, 500), st.floats(0, 50),
    st.floats(0, 1),
)  # fmt: skip
def test_reward_is_within_0_and_1_and_falls_with_distance_and_repetition(
    attempts, rating, wanted, further, surprisal, share
):
    near = reward(*attempts, rating, wanted, surprisal)
    away = wanted + math.copysign(further, wanted - rating)
    assert 0.0 <= reward(*attempts, rating, away, surprisal) <= near <= 1.0
    assert reward(*attempts, rating, wanted, share * surprisal) <= near
