"""Anchors: the solver's rating from its attempts at them, and what it does to the scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.curriculum import elo
from selfplay.curriculum.anchors import level_rating, performance, prior_cells, refix
from selfplay.curriculum.elo import EloConfig, Game, pass_rate

LEVELS = 9
RATING_N = np.repeat(prior_cells([LEVELS])[0], 6)
"""Six anchors a level."""


def log_posterior(rating, rating_N, solved_N, graded_N):
    """Of Rasch with a prior N(1500, 700^2), written without elo.py."""
    odds = (rating - rating_N) / (400 / np.log(10))
    likelihood = -solved_N * np.logaddexp(0, -odds) - (graded_N - solved_N) * np.logaddexp(0, odds)
    return likelihood.sum() - ((rating - 1500) / 700) ** 2 / 2


def test_level_ratings_by_hand():
    assert level_rating(4, 9) == 1500.0
    assert level_rating(0, 1) == 1500.0
    assert level_rating(1, 2) - level_rating(0, 2) == pytest.approx(0.75 * 173.7178, abs=1e-3)
    cells = prior_cells([3, 1])
    assert cells[0].mean() == pytest.approx(1500.0)
    assert cells[1, 0] == 1500.0
    assert np.isnan(cells[1, 1:]).all()


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


@given(
    solver=st.floats(500, 2500), found=st.floats(500, 2500), gain=st.floats(0, 1),
)  # fmt: skip
def test_refix_shifts_the_scale_and_keeps_predictions(solver, found, gain):
    before = elo.initial(prior_cells([9, 3]))._replace(solver_E=np.array([solver, 1500.0]))
    after = refix(before, np.array([found, 1500.0]), np.array([30.0, 30.0]), gain)
    assert np.allclose(
        pass_rate(after.solver_E[:, None], after.cell_EL),
        pass_rate(before.solver_E[:, None], before.cell_EL), equal_nan=True,
    )  # fmt: skip
    assert after.solver_E[0] == pytest.approx((1 - gain) * solver + gain * found)
    assert np.array_equal(after.cell_EL[1], before.cell_EL[1], equal_nan=True)
    assert after.anchored_E.tolist() == [found, 1500.0]


def simulated(gain, seed):
    """A solver that starts 300 points below its rating and rises by 400 in 300 generations of 16
    groups at the frontier; the error of its rating at the end, in points."""
    rng = np.random.default_rng(seed)
    ratings = elo.initial(prior_cells([LEVELS]))
    for generation in range(300):
        true = 1200.0 + 400.0 * generation / 299
        frontier = int(np.abs(ratings.cell_EL[0] - ratings.solver_E[0]).argmin())
        chosen = np.clip(frontier + rng.integers(-1, 2, size=16), 0, LEVELS - 1)
        solved = rng.binomial(8, pass_rate(true, prior_cells([LEVELS])[0, chosen]))
        games = [Game(0, int(c), int(s), 8) for c, s in zip(chosen, solved, strict=True)]
        ratings = elo.after(ratings, games, EloConfig())
        if generation % 10 == 9:
            graded_N = np.full(RATING_N.size, 4)
            solved_N = rng.binomial(graded_N, pass_rate(true, RATING_N))
            found, sd = performance(RATING_N, solved_N, graded_N)
            ratings = refix(ratings, np.array([found]), np.array([sd]), gain)
    return float(ratings.solver_E[0] - true)


def test_anchors_stop_the_drift():
    """Alone, games share the wrong start out between solver and cells, and it stays there."""
    drifting = [simulated(0.0, seed) for seed in range(5)]
    anchored = [simulated(0.5, seed) for seed in range(5)]
    assert np.mean(drifting) > 40.0
    assert np.abs(anchored).max() < 60.0
    assert abs(np.mean(anchored)) < 25.0
