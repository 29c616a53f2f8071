"""What proposals are worth."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.proposing.reward import learnability, worth

ATTEMPTS = st.integers(0, 16).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_learnability_by_hand():
    assert learnability(1, 8) == pytest.approx(4 * 7 / 56)
    assert learnability(2, 8) == pytest.approx(4 * 12 / 56)
    assert learnability(4, 8) == 1.0  # 64 / 56, capped
    assert (learnability(1, 1), learnability(0, 0)) == (0.0, 0.0)


@given(ATTEMPTS)
def test_learnability_is_symmetric_and_nothing_where_all_went_alike(attempts):
    solved, graded = attempts
    value = learnability(solved, graded)
    assert 0.0 <= value <= 1.0
    assert value == learnability(graded - solved, graded)
    assert (value > 0.0) == (0 < solved < graded)


@pytest.mark.parametrize("p", [0.02, 0.05, 0.95])
def test_learnability_is_unbiased_where_the_cap_is_far(p):
    mean = sum(math.comb(8, s) * p**s * (1 - p) ** (8 - s) * learnability(s, 8) for s in range(9))
    assert mean == pytest.approx(4 * p * (1 - p), rel=1e-2)


def test_worth_by_hand():
    assert worth(1, 8, 1500.0, 1500.0) == pytest.approx(0.5)
    assert worth(1, 8, 1500.0, 1326.0) == pytest.approx(0.5 * math.exp(-0.5))
    assert worth(8, 8, 1500.0, 1500.0) == 0.0


@given(ATTEMPTS, st.floats(0, 3000), st.floats(0, 3000), st.floats(0, 500))
def test_worth_is_within_0_and_1_and_falls_with_the_distance(attempts, rating, wanted, further):
    near = worth(*attempts, rating, wanted)
    away = wanted + math.copysign(further, wanted - rating)
    assert 0.0 <= worth(*attempts, rating, away) <= near <= 1.0
