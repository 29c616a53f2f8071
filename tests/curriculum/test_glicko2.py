"""Glicko-2: the published example, and what solvers and cells do to each other."""

import math

import numpy as np
import pytest

from selfplay.curriculum.glicko2 import Glicko2, Glicko2Config, Player, moved, period
from selfplay.curriculum.scale import MEAN, POINTS_PER_LOGIT, Cells, Game


def points(mu):
    return MEAN + POINTS_PER_LOGIT * mu


def test_the_published_example_at_full_precision():
    """Glickman 2022: 1500 (200) meets 1400 (30), wins; 1550 (100), loses; 1700 (300), loses.

    He prints 1464.06 and 151.52, from rounded intermediate values.
    """
    phi, sigma = 200 / POINTS_PER_LOGIT, 0.06
    aged = Player(0.0, math.hypot(phi, sigma), sigma)
    mu_N = (np.array([1400.0, 1550.0, 1700.0]) - MEAN) / POINTS_PER_LOGIT
    phi_N = np.array([30.0, 100.0, 300.0]) / POINTS_PER_LOGIT
    after = period(aged, mu_N, phi_N, np.array([1.0, 0.0, 0.0]), np.ones(3), tau=0.5)
    assert after.sigma == pytest.approx(0.05999598, abs=1e-7)
    assert after.phi == pytest.approx(0.872199, abs=1e-6)
    assert after.mu == pytest.approx(-0.206941, abs=1e-6)
    assert points(after.mu) == pytest.approx(1464.0507, abs=1e-4)
    assert POINTS_PER_LOGIT * after.phi == pytest.approx(151.5165, abs=1e-4)


def test_several_games_against_one_opponent_are_as_many_opponents():
    player, mu, phi = Player(0.3, 1.1, 0.06), np.array([-0.4]), np.array([0.5])
    once = period(player, mu, phi, np.array([2.0]), np.array([3.0]), 0.5)
    thrice = period(
        player, np.repeat(mu, 3), np.repeat(phi, 3), np.array([1.0, 1.0, 0.0]), np.ones(3), 0.5
    )
    assert once == pytest.approx(thrice)


def test_a_player_without_volatility_by_hand():
    """phi = 1, an equal opponent known exactly: g = 1, E = 1/2, information 4/4 = 1, so phi'^2 =
    1/2; 3 of 4 won: mu' = 1/2 (3 - 2) = 1/2."""
    mu, phi = moved(0.0, 1.0, np.zeros(1), np.zeros(1), np.array([3.0]), np.array([4.0]))
    assert (mu, phi) == pytest.approx((0.5, math.sqrt(0.5)))


def test_a_game_that_was_decided_before_tells_nothing():
    player = Player(60.0, 1.0, 0.06)
    assert period(player, np.zeros(1), np.zeros(1), np.ones(1), np.ones(1), 0.5) == player


def made():
    cells = Cells(("a", "b"), (3, 2))
    glicko2 = Glicko2(cells, Glicko2Config())
    return glicko2, glicko2.initial()


def test_outcomes_move_both_sides_and_make_them_surer():
    glicko2, before = made()
    after = glicko2.after(before, [Game(0, 1, 8, 8), Game(0, 2, 0, 0)])
    old, new = glicko2.beliefs(before), glicko2.beliefs(after)
    assert new.solver_E[0] > 1500.0 == new.solver_E[1]
    assert new.cell_EL[0, 1] < 1500.0
    assert np.array_equal(new.cell_EL[0, [0, 2]], old.cell_EL[0, [0, 2]])
    assert new.solver_sd_E[0] < old.solver_sd_E[0]
    assert new.logit_sd_EL[0, 1] < new.logit_sd_EL[0, 0] < old.logit_sd_EL[0, 0]
    assert np.isnan(new.cell_EL[1, 2])
    assert np.isnan(new.logit_sd_EL[1, 2])


def test_only_the_solver_ages():
    glicko2, before = made()
    after = glicko2.aged(before, 4)
    grown = after.solver_E3[:, 1] ** 2 - before.solver_E3[:, 1] ** 2
    assert grown == pytest.approx([4 * 0.06**2] * 2)
    assert np.array_equal(after.cell_phi_EL, before.cell_phi_EL, equal_nan=True)


def test_the_rating_of_a_steady_solver_settles_where_it_is():
    glicko2, state = made()
    rng = np.random.default_rng(0)
    for _ in range(200):
        state = glicko2.aged(state, 1)
        solved = rng.binomial(8, 1 / (1 + math.exp(-1.0)), 2)
        state = glicko2.after(state, [Game(0, 1, int(k), 8) for k in solved])
    beliefs = glicko2.beliefs(state)
    assert beliefs.predicted_EL[0, 1] == pytest.approx(0.731, abs=0.05)
    assert beliefs.solver_sd_E[0] < 150.0


@pytest.mark.parametrize("first", [True, False])
def test_anchors_shift_the_scale(first):
    glicko2, before = made()
    after = glicko2.anchored(before, [], np.array([1700.0, 1500.0]), first)
    assert glicko2.beliefs(after).solver_E == pytest.approx([1700.0 if first else 1600.0, 1500.0])
    shifted = glicko2.beliefs(after).cell_EL - glicko2.beliefs(before).cell_EL
    assert shifted[0] == pytest.approx([0.0 if first else 100.0] * 3)


@pytest.mark.parametrize(
    ("field", "value"),
    [("tau", 0.0), ("volatility", -1.0), ("solver_sd", 0.0), ("cell_sd", float("nan")),
     ("anchor_gain", 2.0)],
)  # fmt: skip
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"glicko2\.{field}={value}"):
        Glicko2Config(**{field: value})
