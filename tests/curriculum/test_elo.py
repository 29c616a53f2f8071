"""Elo: hand values, conservation, what changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.curriculum import elo
from selfplay.curriculum.elo import EloConfig, Game, initial, pass_rate, problem_rating

RATINGS = st.floats(0, 3000)


def ratings(solver=1500.0, cell=1500.0):
    """One environment, one level."""
    return initial(np.array([[cell]]))._replace(solver_E=np.array([solver]))


@given(problem=RATINGS)
def test_400_points_are_odds_of_10_to_1_and_a_logit_is_173_72(problem):
    assert float(pass_rate(problem + 400, problem)) == pytest.approx(10 / 11)
    assert float(pass_rate(problem - 400, problem)) == pytest.approx(1 / 11)
    assert float(pass_rate(problem, problem)) == 0.5
    assert float(pass_rate(problem + 173.7178, problem)) == pytest.approx(1 / (1 + np.exp(-1)))
    assert pytest.approx(173.7178, abs=1e-4) == elo.POINTS_PER_LOGIT


def test_one_game_by_hand():
    """Expected 1/2, solved 6 of 8: surprise 1/4. The cell has played 20: step 52 / (1 + 1) = 26."""
    before = ratings()._replace(games_EL=np.array([[20]]))
    after = elo.after(before, [Game(0, 0, 6, 8)], EloConfig(step=52.0, settle=0.05))
    assert after.solver_E[0] == pytest.approx(1513.0)
    assert after.cell_EL[0, 0] == pytest.approx(1493.5)
    assert after.games_EL[0, 0] == 21
    assert before.solver_E[0] == 1500.0  # the state that went in is as it was


@given(
    solver=RATINGS, cell=RATINGS,
    games=st.lists(st.tuples(st.integers(0, 8), st.just(8)), max_size=20),
)  # fmt: skip
def test_games_move_ratings_but_create_none(solver, cell, games):
    before = ratings(solver, cell)
    after = elo.after(before, [Game(0, 0, *game) for game in games], EloConfig(settle=0.0))
    assert after.solver_E[0] + after.cell_EL[0, 0] == pytest.approx(solver + cell)


@given(solver=RATINGS, cell=RATINGS, solved=st.integers(0, 8))
def test_a_game_moves_the_prediction_towards_what_was_seen(solver, cell, solved):
    before = ratings(solver, cell)
    after = elo.after(before, [Game(0, 0, solved, 8)], EloConfig(step=10.0))
    old = float(pass_rate(solver, cell))
    new = float(pass_rate(after.solver_E[0], after.cell_EL[0, 0]))
    assert abs(new - solved / 8) <= abs(old - solved / 8)


def test_games_touch_their_own_environment_and_level_only():
    before = initial(np.array([[1400.0, 1600.0], [1500.0, np.nan]]))
    after = elo.after(before, [Game(0, 1, 8, 8), Game(0, 1, 0, 0)], EloConfig())
    assert after.solver_E[0] > 1500.0 == after.solver_E[1]
    assert after.cell_EL[0, 1] < 1600.0
    assert (after.cell_EL[0, 0], after.cell_EL[1, 0]) == (1400.0, 1500.0)
    assert after.games_EL.tolist() == [[0, 1], [0, 0]]


def test_groups_without_a_grade_change_nothing():
    before = ratings(1600.0)
    after = elo.after(before, [Game(0, 0, 0, 0)] * 3, EloConfig())
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert problem_rating(before, Game(0, 0, 0, 0), EloConfig()) == 1500.0


def test_problem_rating_by_hand():
    config = EloConfig(problem_step=174.0)
    assert problem_rating(ratings(), Game(0, 0, 8, 8), config) == pytest.approx(1500 - 87)
    assert problem_rating(ratings(), Game(0, 0, 0, 8), config) == pytest.approx(1500 + 87)
    assert problem_rating(ratings(1900.0), Game(0, 0, 10, 11), config) == pytest.approx(1500)


@pytest.mark.parametrize(
    ("field", "value"),
    [("step", 0.0), ("step", 701.0), ("settle", -0.1), ("problem_step", -1.0),
     ("step", float("nan"))],
)  # fmt: skip
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"elo\.{field}={value}"):
        EloConfig(**{field: value})
