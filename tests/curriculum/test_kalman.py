"""Kalman ratings: against exact posteriors, honest errors, what levels tell of each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay.curriculum import kalman
from selfplay.curriculum.kalman import DRIFTS, Kalman, KalmanConfig, mode
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Cells, Game, sigmoid

CELLS = Cells(("a", "b"), (9, 4))
GAMES = st.lists(
    st.tuples(
        st.integers(0, 1), st.integers(0, 3), st.integers(0, 8), st.integers(0, 8)
    ).map(lambda g: Game(g[0], g[1], min(g[2], g[3]), g[3])),
    max_size=12,
)  # fmt: skip


def made(**config):
    system = Kalman(CELLS, KalmanConfig(**config))
    return system, system.initial()


def test_the_prior_is_a_solver_at_the_mean_of_the_scale():
    system, state = made()
    beliefs = system.beliefs(state)
    assert beliefs.solver_E == pytest.approx([1500.0, 1500.0])
    assert beliefs.cell_EL == pytest.approx(CELLS.prior_EL, nan_ok=True)
    # Problems differ by half a logit: the pass rate over all is 1 / sqrt(1 + pi/32) as steep.
    flat = (1 + np.pi / 32) ** -0.5
    assert beliefs.predicted_EL[0, 3] == pytest.approx(float(sigmoid(0.75 * flat)))
    # Height and slope: 1.5^2 + (3 x 1/2)^2 at the ends, and 0.5^2 of shape.
    assert beliefs.logit_sd_EL[0, 0] == pytest.approx(np.sqrt(1.5**2 + 1.5**2 + 0.25))
    assert beliefs.logit_sd_EL[0, 4] == pytest.approx(np.sqrt(1.5**2 + 0.25))


@settings(deadline=None)
@given(
    solved=st.integers(0, 40), graded=st.integers(1, 40), mean=st.floats(-4, 4),
    var=st.floats(0.01, 9),
)  # fmt: skip
def test_the_mode_is_that_of_the_exact_posterior(solved, graded, mean, var):
    solved = min(solved, graded)
    logit = np.linspace(-15, 15, 300_001)
    wins = solved * -np.logaddexp(0, -logit) + (graded - solved) * -np.logaddexp(0, logit)
    exact = logit[(wins - (logit - mean) ** 2 / (2 * var)).argmax()]
    found, information = mode(
        np.array(solved / graded), np.array(graded), np.array(0.0), np.array(mean), np.array(var)
    )
    assert float(found) == pytest.approx(exact, abs=2e-4)
    p = float(sigmoid(found))
    assert float(information) == pytest.approx(graded * max(p * (1 - p), 1e-9), rel=1e-6)


def test_one_cell_by_hand():
    """A single level known to 1 logit, a pass rate of 1/2 seen in 16 of 32 attempts.

    Nothing moves. On one problem the information would be 32/4 = 8; over problems that differ by
    s^2 = 1/4 the pass rate is flatter by f^2 = 1 / (1 + pi/8 s^2), and the four problems that were
    drawn differ from all: f^2 8 / (1 + 8 f^2 s^2/4) = f^2 8 / (1 + f^2 / 2).
    """
    system = Kalman(Cells(("a",), (1,)), KalmanConfig(0.6, 1.0, 0.8))  # 0.6^2 + 0.8^2 = 1
    after = system.after(system.initial(), [Game(0, 0, 4, 8)] * 4)
    beliefs = system.beliefs(after)
    assert beliefs.solver_E[0] == pytest.approx(1500.0)
    flat = 1 / (1 + np.pi / 32)
    assert beliefs.logit_sd_EL[0, 0] ** 2 == pytest.approx(1 / (1 + flat * 8 / (1 + flat / 2)))
    assert beliefs.solver_sd_E[0] == pytest.approx(POINTS_PER_LOGIT * beliefs.logit_sd_EL[0, 0])


def test_outcomes_far_from_the_prediction_do_not_overshoot():
    """A linearised step from 95% predicted to 0 of 64 seen would go down by some ten logits."""
    system, state = made()
    after = system.after(state, [Game(0, 0, 0, 8)] * 8)
    assert 0.001 < system.beliefs(after).predicted_EL[0, 0] < 0.1


@pytest.mark.parametrize("variance", [0.0, 0.25, 1.0, 4.0])
def test_how_flat_the_pass_rate_over_problems_is(variance):
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    for logit in (-2.0, 0.5, 3.0):
        exact = (sigmoid(logit + variance**0.5 * node) * weight).sum() / weight.sum()
        flat = kalman.flatness(np.array(variance))
        assert float(sigmoid(flat * logit)) == pytest.approx(exact, abs=0.02)


def test_levels_tell_of_each_other_and_environments_do_not():
    system, state = made()
    before = system.beliefs(state)
    after = system.beliefs(system.after(state, [Game(0, 4, 8, 8)]))
    before_L, after_L = (b.solver_E[0] - b.cell_EL[0] for b in (before, after))
    assert (after_L > before_L).all()
    assert (after_L - before_L).argmax() == 4
    assert (after.logit_sd_EL[0] < before.logit_sd_EL[0]).all()
    assert np.array_equal(after.cell_EL[1], before.cell_EL[1], equal_nan=True)


def test_a_level_that_is_out_of_order_is_learnt():
    """Nothing forces pass rates to fall: level 6 is easy, level 5 is hard."""
    system, state = made()
    for _ in range(40):
        state = system.after(system.aged(state, 1), [Game(0, 5, 1, 8), Game(0, 6, 7, 8)])
    predicted_L = system.beliefs(state).predicted_EL[0]
    assert predicted_L[5] < 0.25 < 0.75 < predicted_L[6]


@settings(deadline=None, max_examples=40)
@given(games=GAMES, seed=st.integers(0, 99))
def test_the_order_of_the_games_makes_no_difference_to_the_last_bit(games, seed):
    system, state = made()
    shuffled = [games[i] for i in np.random.default_rng(seed).permutation(len(games))]
    one, other = system.after(state, games), system.after(state, shuffled)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@settings(deadline=None, max_examples=40)
@given(batches=st.lists(GAMES, max_size=6))
def test_covariances_stay_covariances(batches):
    system, state = made()
    for games in batches:
        state = system.after(system.aged(state, 1), games)
    for cov in state.cov_QEKK.reshape(-1, 10, 10):
        assert np.allclose(cov, cov.T)
        assert np.linalg.eigvalsh(cov).min() > -1e-9
    assert np.isfinite(state.mean_QEK).all()


def test_only_time_and_only_for_solvers_adds_uncertainty():
    system, state = made()
    after = system.aged(state, 3)
    grown = after.cov_QEKK[:, 0, 2, 2] - state.cov_QEKK[:, 0, 2, 2]
    # A trend that lasts three generations, beside the steps of each.
    assert np.diff(grown) == pytest.approx(3 * np.diff(np.square(DRIFTS)))
    assert (grown > 3 * np.square(DRIFTS)).all()
    assert np.array_equal(after.mean_QEK, state.mean_QEK)


def test_a_steady_gain_is_expected_to_go_on_and_forgotten_when_it_stops():
    """A solver that gains 0.15 logits a generation, level by level, is met where it will be."""
    rng, (system, state) = np.random.default_rng(0), made()
    ahead, gain = [], 0.15
    for generation in range(60):
        rate_L = sigmoid(gain * generation - np.arange(9))
        state = system.aged(state, 1)
        predicted_L = system.beliefs(state).predicted_EL[0]
        near = int(np.abs(rate_L - 0.5).argmin())
        ahead.append(predicted_L[near] - rate_L[near])
        games = [Game(0, level, int(rng.binomial(8, rate_L[level])), 8) for level in range(9)]
        state = system.after(state, games)
    assert abs(np.mean(ahead[20:])) < 0.04
    assert 0.5 * gain < state.mean_QEK[kalman.best(state)[0], 0, -1] < gain
    for _ in range(100):
        state = system.aged(state, 1)
    assert abs(state.mean_QEK[kalman.best(state)[0], 0, -1]) < 0.01


def simulate(gain, generations=300, spread=0.5, seed=0, jolts=0.0):
    """A solver that gains so many logits a generation, with jolts of that deviation.

    The share of levels within two standard deviations, the mean error of the pass rates, and the
    state at the end.
    """
    rng = np.random.default_rng(seed)
    system = Kalman(Cells(("a",), (9,)), KalmanConfig())
    state, ability, within, errors = system.initial(), -1.0, [], []
    for generation in range(generations):
        state = system.aged(state, 1)
        true_L = ability - 0.75 * (np.arange(9) - 4)
        beliefs = system.beliefs(state)
        logit_L = (beliefs.solver_E[0] - beliefs.cell_EL[0]) / POINTS_PER_LOGIT
        if generation >= 20:
            within.append(np.abs(logit_L - true_L) < 2 * beliefs.logit_sd_EL[0])
            errors.append(np.abs(beliefs.predicted_EL[0] - sigmoid(true_L)))
        near_L = np.exp(-(((beliefs.predicted_EL[0] - 0.5) / 0.2) ** 2) / 2)
        levels = rng.choice(9, 8, p=near_L / near_L.sum())
        rate = sigmoid(true_L[levels] + spread * rng.normal(size=8))
        solved = rng.binomial(16, rate)
        state = system.after(
            state, [Game(0, int(at), int(k), 16) for at, k in zip(levels, solved, strict=True)]
        )
        ability += gain + jolts * rng.normal()
    return np.mean(within), np.mean(errors), system, state


def test_errors_are_honest_and_small_while_the_solver_learns():
    within, error, _, _ = simulate(gain=0.01)
    assert within > 0.8
    assert error < 0.04


def test_the_drift_that_fits_is_found():
    still = kalman.best(simulate(gain=0.0)[-1])[0]
    unsteady = kalman.best(simulate(gain=0.0, generations=80, jolts=1.0)[-1])[0]
    assert DRIFTS[still] <= 0.05 < DRIFTS[unsteady]


def test_how_much_problems_differ_is_learnt():
    """Wide spreads come out narrower: near 0 and 1 a logit makes little difference."""
    found = []
    for spread in (0.0, 0.5, 1.2):
        _, _, system, state = simulate(gain=0.0, spread=spread)
        found.append(float(system.beliefs(state).problem_sd_E[0]))
    assert found == pytest.approx([0.0, 0.5, 1.0], abs=0.3)
    assert found == sorted(found)


def test_a_gain_is_recorded_as_the_gain_that_it_is():
    _, _, system, state = simulate(gain=0.01)
    assert system.beliefs(state).solver_E[0] == pytest.approx(
        1500 + POINTS_PER_LOGIT * (-1.0 + 0.01 * 299), abs=60
    )


@pytest.mark.parametrize("field", ["height_sd", "slope_sd", "shape_sd", "shape_reach"])
def test_values_out_of_range(field):
    with pytest.raises(ValueError, match=rf"kalman\.{field}=0.0 must be above 0"):
        KalmanConfig(**{field: 0.0})
