"""Elo: hand values, conservation, what changes nothing, how anchors shift the scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.curriculum.elo import Elo, EloConfig
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Cells, Game, pass_rate

RATINGS = st.floats(0, 3000)


def one(solver=1500.0, cell=1500.0, **config):
    """One environment, one level."""
    elo = Elo(Cells(("a",), (1,)), EloConfig(**config))
    state = elo.initial()._replace(solver_E=np.array([solver]), cell_EL=np.array([[cell]]))
    return elo, state


@given(problem=RATINGS)
def test_400_points_are_odds_of_10_to_1_and_a_logit_is_173_72(problem):
    assert float(pass_rate(problem + 400, problem)) == pytest.approx(10 / 11)
    assert float(pass_rate(problem - 400, problem)) == pytest.approx(1 / 11)
    assert float(pass_rate(problem, problem)) == 0.5
    assert float(pass_rate(problem + 173.7178, problem)) == pytest.approx(1 / (1 + np.exp(-1)))
    assert pytest.approx(173.7178, abs=1e-4) == POINTS_PER_LOGIT


def test_one_game_by_hand():
    """Expected 1/2, solved 6 of 8: surprise 1/4. The cell has played 20: step 52 / (1 + 1) = 26."""
    elo, before = one(step=52.0, settle=0.05)
    before = before._replace(games_EL=np.array([[20]]))
    after = elo.after(before, [Game(0, 0, 6, 8)])
    assert after.solver_E[0] == pytest.approx(1513.0)
    assert after.cell_EL[0, 0] == pytest.approx(1493.5)
    assert after.games_EL[0, 0] == 21
    assert before.solver_E[0] == 1500.0  # the state that went in is as it was


@given(
    solver=RATINGS, cell=RATINGS,
    games=st.lists(st.tuples(st.integers(0, 8), st.just(8)), max_size=20),
)  # fmt: skip
def test_games_move_ratings_but_create_none(solver, cell, games):
    elo, before = one(solver, cell, settle=0.0)
    after = elo.after(before, [Game(0, 0, *game) for game in games])
    assert after.solver_E[0] + after.cell_EL[0, 0] == pytest.approx(solver + cell)


@given(solver=RATINGS, cell=RATINGS, solved=st.integers(0, 8))
def test_a_game_moves_the_prediction_towards_what_was_seen(solver, cell, solved):
    elo, before = one(solver, cell, step=10.0)
    after = elo.after(before, [Game(0, 0, solved, 8)])
    old, new = (float(elo.beliefs(state).predicted_EL[0, 0]) for state in (before, after))
    assert abs(new - solved / 8) <= abs(old - solved / 8)


def test_games_touch_their_own_environment_and_level_only():
    elo = Elo(Cells(("a", "b"), (2, 1)), EloConfig())
    before = elo.initial()
    after = elo.after(before, [Game(0, 1, 8, 8), Game(0, 1, 0, 0)])
    assert after.solver_E[0] > 1500.0 == after.solver_E[1]
    assert after.cell_EL[0, 1] < before.cell_EL[0, 1]
    assert after.cell_EL[0, 0] == before.cell_EL[0, 0]
    assert after.cell_EL[1, 0] == before.cell_EL[1, 0]
    assert after.games_EL.tolist() == [[0, 1], [0, 0]]


def test_groups_without_a_grade_change_nothing():
    elo, before = one(1600.0)
    after = elo.after(before, [Game(0, 0, 0, 0)] * 3)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_error_is_that_of_the_steady_state():
    """A solver that neither learns nor forgets, at a cell of known difficulty: K = 0.3 logits,
    sqrt(0.3 / (16 (1 - 0.3 / 8))) = 0.1396."""
    elo, state = one(step=0.3 * POINTS_PER_LOGIT, settle=1e9)
    state = state._replace(games_EL=np.array([[1]]))
    rng = np.random.default_rng(0)
    seen = []
    for _ in range(20_000):
        state = elo.after(state, [Game(0, 0, int(rng.binomial(8, 0.5)), 8)])
        seen.append(state.solver_E[0])
    said = float(elo.beliefs(state).logit_sd_EL[0, 0])
    assert said == pytest.approx(0.1396, abs=1e-4)
    assert np.std(seen) / POINTS_PER_LOGIT == pytest.approx(said, rel=0.1)


@given(solver=RATINGS, found=st.floats(500, 2500), gain=st.floats(0, 1))
def test_anchors_shift_the_scale_and_keep_predictions(solver, found, gain):
    elo = Elo(Cells(("a", "b"), (9, 3)), EloConfig(anchor_gain=gain))
    before = elo.initial()._replace(solver_E=np.array([solver, 1500.0]))
    after = elo.anchored(before, [], np.array([found, 1500.0]), first=False)
    assert np.allclose(
        elo.beliefs(after).predicted_EL, elo.beliefs(before).predicted_EL, equal_nan=True
    )
    assert after.solver_E[0] == pytest.approx((1 - gain) * solver + gain * found)
    assert np.array_equal(after.cell_EL[1], before.cell_EL[1], equal_nan=True)


def test_the_first_look_at_the_anchors_is_taken_whole_and_moves_the_solver_only():
    elo = Elo(Cells(("a",), (3,)), EloConfig(anchor_gain=0.25))
    after = elo.anchored(elo.initial(), [], np.array([1900.0]), first=True)
    assert after.solver_E.tolist() == [1900.0]
    assert np.array_equal(after.cell_EL, elo.initial().cell_EL)


@pytest.mark.parametrize(
    ("field", "value"),
    [("step", 0.0), ("step", 701.0), ("settle", -0.1), ("anchor_gain", -1.0),
     ("anchor_gain", 1.5), ("step", float("nan"))],
)  # fmt: skip
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"elo\.{field}={value}"):
        EloConfig(**{field: value})
