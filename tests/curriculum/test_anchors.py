"""Anchors: the solver's rating from its attempts at them, on the scale of all ratings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.curriculum.anchors import performance
from selfplay.curriculum.scale import Cells, level_rating, pass_rate

LEVELS = 9
RATING_N = np.repeat(Cells(("a",), (LEVELS,)).prior_EL[0], 6)
"""Six anchors a level."""


def log_posterior(rating, rating_N, solved_N, graded_N):
    """Of Rasch with a prior N(1500, 700^2), written without our code."""
    odds = (rating - rating_N) / (400 / np.log(10))
    likelihood = -solved_N * np.logaddexp(0, -odds) - (graded_N - solved_N) * np.logaddexp(0, odds)
    return likelihood.sum() - ((rating - 1500) / 700) ** 2 / 2


def test_level_ratings_by_hand():
    assert level_rating(4, 9) == 1500.0
    assert level_rating(0, 1) == 1500.0
    assert level_rating(1, 2) - level_rating(0, 2) == pytest.approx(0.75 * 173.7178, abs=1e-3)
    cells = Cells(("a", "b"), (3, 1))
    assert cells.shape == (2, 3)
    assert cells.prior_EL[0].mean() == pytest.approx(1500.0)
    assert cells.prior_EL[1, 0] == 1500.0
    assert np.isnan(cells.prior_EL[1, 1:]).all()
    assert cells.there_EL.tolist() == [[True] * 3, [True, False, False]]


def test_performance_by_hand():
    """Half solved of many attempts at one rating: that rating; sd = 1 logit / sqrt(n / 4)."""
    rating, sd = performance(np.array([1500.0]), np.array([5000]), np.array([10_000]))
    assert rating == pytest.approx(1500.0)
    assert sd == pytest.approx(173.7178 / 50, rel=1e-3)
    rating, _ = performance(np.array([1500.0]), np.array([10_000]), np.array([11_000]))
    assert rating == pytest.approx(1900.0, abs=1.0)


@given(
    st.lists(
        st.tuples(st.floats(500, 2500), st.integers(0, 40), st.integers(0, 40)),
        min_size=1, max_size=30,
    )
)  # fmt: skip
def test_performance_is_the_mode_of_the_posterior(attempts):
    rating_N, solved_N, wrong_N = (np.array(column) for column in zip(*attempts, strict=True))
    rating, sd = performance(rating_N, solved_N, solved_N + wrong_N)
    at, below, above = (
        log_posterior(r, rating_N, solved_N, solved_N + wrong_N)
        for r in (rating, rating - 0.5, rating + 0.5)
    )
    assert (above - below) / 1.0 == pytest.approx(0.0, abs=1e-6)  # derivative
    assert sd == pytest.approx((-(above - 2 * at + below) / 0.5**2) ** -0.5, rel=1e-2)


@pytest.mark.parametrize("true", [900.0, 1300.0, 1500.0, 1800.0, 2200.0])
def test_performance_recovers_a_known_rating(true):
    rng = np.random.default_rng(int(true))
    graded = np.full(RATING_N.size, 4)
    errors = []
    for _ in range(40):
        rating, sd = performance(RATING_N, rng.binomial(graded, pass_rate(true, RATING_N)), graded)
        errors.append((rating - true) / sd)
        assert abs(rating - true) < 3.5 * sd
    assert 0.6 < np.std(errors) < 1.4  # the reported sd is the sd that there is


def test_nothing_and_everything_solved_stay_finite():
    graded = np.full(RATING_N.size, 4)
    low, low_sd = performance(RATING_N, 0 * graded, graded)
    high, high_sd = performance(RATING_N, graded, graded)
    assert 0 < low < RATING_N.min() < RATING_N.max() < high < 3500
    assert low - 1500 == pytest.approx(1500 - high)
    assert 50 < low_sd < 700
    assert low_sd == pytest.approx(high_sd)


def test_without_attempts_it_is_the_prior():
    rating, sd = performance(RATING_N, 0 * RATING_N, 0 * RATING_N)
    assert (rating, sd) == pytest.approx((1500.0, 700.0))


def test_two_wins_of_three_are_the_odds_of_open_spiel():
    """open_spiel 2.0.2 rates [[0, 2], [1, 0]] without smoothing 120.411998 apart: 400 log10(2)."""
    rating, _ = performance(np.array([1500.0]), np.array([2 * 10**9]), np.array([3 * 10**9]))
    assert rating - 1500 == pytest.approx(120.411998, abs=1e-3)


@pytest.mark.parametrize(
    ("wins", "draws", "ratings"),
    [
        ([[0, 2], [1, 0]], [[0, 0], [0, 0]], [119.549873, 0]),
        ([[0, 2], [1, 0]], [[0, 1], [1, 0]], [88.278710, 0]),
        ([[0, 4, 2], [1, 0, 2], [3, 3, 0]], np.zeros((3, 3)), [146.532065, 0, 146.532065]),
        ([[0, 5, 2], [0, 0, 2], [3, 3, 0]], np.zeros((3, 3)), [267.089468, 0, 214.359828]),
    ],
)
def test_each_player_performs_as_open_spiel_rates_it(wins, draws, ratings):
    """open_spiel 2.0.2, `elo.compute_ratings_from_matrices`, smoothing 0.01: each player's rating
    is its performance against the others. A draw is half a win; the smoothing is added to wins."""
    others_KK = ~np.eye(len(ratings), dtype=bool)
    won_KK = (np.array(wins) + 0.5 * np.array(draws) + 0.01) * others_KK
    rating_K = 1500.0 - np.mean(ratings) + np.array(ratings)
    for player, own in enumerate(others_KK):
        won, games = won_KK[player, own], (won_KK + won_KK.T)[player, own]
        rating, _ = performance(rating_K[own], 1e9 * won, 1e9 * games)  # the prior drowns
        assert rating == pytest.approx(rating_K[player], abs=1e-4)
