"""Kalman ratings: the solver's ability in an environment as a function of difficulty, with errors.

Each environment has one knot a level: the logit of the pass rate on the mean problem there. The
knots start with a common prior (an unsure height, an unsure slope, a little shape), so that one
level tells of the others; the solver drifts, with a trend that lasts some generations, problems do
not. The step of an update is no setting: it follows from how sure the rating is. How much the
problems of a cell differ is learnt. Several filters that differ in the drift run side by side, and
the one that has predicted best speaks. Axes: Q drifts, E environments, L levels, K = L + 1 of them
and their trend, N games.

Source: the Kalman filter, with the binomial likelihood met by its mode (Laplace; West, Harrison,
Migon 1985); Gaussian-process prior over the levels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.scale import (
    MEAN,
    POINTS_PER_LOGIT,
    PROBLEM_SD,
    Beliefs,
    Cells,
    Game,
    sigmoid,
)  # fmt: skip

DRIFTS = (0.02, 0.05, 0.1, 0.2)
"""Standard deviations of the drift in a generation that are tried, in logits."""
USUAL_DRIFT = 1
"""The one that speaks at first."""
DRIFT_REACH = 4.0
"""Levels over which the solver's drifts at two levels are alike."""
TREND_SD = 0.15
"""Standard deviation of what all levels of an environment gain in a generation, in logits."""
TREND_MEMORY = 0.9
"""Share of the gain of a generation that is expected of the next; a trend that nothing confirms is
forgotten."""
MEMORY = 0.99
"""Share of a filter's record that is kept with each new outcome of a cell."""
NEWTON_STEPS = 20
SPREAD_GROUPS = 50.0
"""Groups that the prior on the spread of problems is worth."""
MAX_SPREAD = 2.0
"""Largest standard deviation of the problems of a cell, in logits."""


class Ratings(NamedTuple):
    """All that the filters believe."""

    mean_QEK: np.ndarray
    """float [Q, E, K], logit of the pass rate on the mean problem of each level; beyond an
    environment's levels it stands for levels that are never played. The last one is the trend: what
    all levels gain in a generation."""
    cov_QEKK: np.ndarray
    """float [Q, E, K, K], its covariance."""
    fit_QE: np.ndarray
    """float [Q, E], log-density that each filter gave to what happened, old outcomes fading."""
    spread_2E: np.ndarray
    """float [2, E], sums of which the ratio is the variance of the problems of a cell, in square
    logits."""


@dataclass(frozen=True)
class KalmanConfig:
    """Priors on the ability at first; in logits."""

    height_sd: float = 1.5
    """Of the mean over the levels."""
    slope_sd: float = 3.0
    """Of the difference between the top level and level 0."""
    shape_sd: float = 0.5
    """Of what height and slope leave."""
    shape_reach: float = 2.0
    """Levels over which the shape is alike."""

    def __post_init__(self) -> None:
        for name in ("height_sd", "slope_sd", "shape_sd", "shape_reach"):
            if not getattr(self, name) > 0.0:
                raise ValueError(
                    f"curriculum.kalman.{name}={getattr(self, name)} must be above 0; the default "
                    f"is {getattr(KalmanConfig, name)}."
                )


class Kalman:
    """The rating system `kalman`."""

    def __init__(self, cells: Cells, config: KalmanConfig) -> None:
        self._cells, self._config = cells, config
        distance_LL = np.abs(np.subtract.outer(*[np.arange(cells.shape[1])] * 2))
        self._distance_LL = distance_LL
        # A generation: every level gains the trend, which lasts.
        self._step_KK = np.eye(cells.shape[1] + 1)
        self._step_KK[:, -1] = 1.0
        self._step_KK[-1, -1] = TREND_MEMORY
        self._drift_QKK = np.zeros((len(DRIFTS), *self._step_KK.shape))
        self._drift_QKK[:, :-1, :-1] = np.square(DRIFTS)[:, None, None] * np.exp(
            -distance_LL / DRIFT_REACH
        )
        self._drift_QKK[:, -1, -1] = (1.0 - TREND_MEMORY**2) * TREND_SD**2

    def initial(self) -> Ratings:
        """The prior: a solver that stands at the scale's mean, levels at their distance."""
        (count, levels), config = self._cells.shape, self._config
        level_L = np.arange(levels)
        mean_EK, cov_EKK = np.zeros((count, levels + 1)), np.zeros((count, levels + 1, levels + 1))
        for e, own in enumerate(self._cells.level_counts):
            x_L = (level_L - (own - 1) / 2) / max(own - 1, 1)
            mean_EK[e, :-1] = self._expected(own)
            cov_EKK[e, :-1, :-1] = (
                config.height_sd**2
                + config.slope_sd**2 * np.outer(x_L, x_L)
                + config.shape_sd**2 * np.exp(-self._distance_LL / config.shape_reach)
            )
        cov_EKK[:, -1, -1] = TREND_SD**2
        worth = SPREAD_GROUPS * 0.25**4
        return Ratings(
            mean_QEK=np.tile(mean_EK, (len(DRIFTS), 1, 1)),
            cov_QEKK=np.tile(cov_EKK, (len(DRIFTS), 1, 1, 1)),
            fit_QE=np.zeros((len(DRIFTS), count)),
            spread_2E=np.tile([[worth * PROBLEM_SD**2], [worth]], (1, count)),
        )

    def aged(self, state: Ratings, generations: int) -> Ratings:
        """The solver drifts; problems do not.

        Cost grows with the generations, and with environments x levels cubed.
        """
        mean_QEK, cov_QEKK = state.mean_QEK, state.cov_QEKK
        for _ in range(generations):
            mean_QEK = mean_QEK @ self._step_KK.T
            cov_QEKK = self._step_KK @ cov_QEKK @ self._step_KK.T + self._drift_QKK[:, None]
        return state._replace(mean_QEK=mean_QEK, cov_QEKK=cov_QEKK)

    def after(self, state: Ratings, games: Sequence[Game]) -> Ratings:
        """Update with all games of a cell at once, level by level.

        Cost grows with the games, and with environments x levels cubed for the update.
        """
        # Sorted: a sum of floats depends on the order, and that of the games must not matter.
        graded = sorted(game for game in games if game.graded)
        if not graded:
            return state
        e_N, level_N, solved_N, graded_N = np.array([game[:4] for game in graded]).T
        spread_2E = self._spread(state, e_N, level_N, solved_N, graded_N)
        cell_N = np.ravel_multi_index((e_N, level_N), self._cells.shape)
        solved_EL, attempts_EL, squares_EL = (
            np.bincount(cell_N, value_N, self._cells.there_EL.size).reshape(self._cells.shape)
            for value_N in (solved_N, graded_N, np.square(graded_N))
        )
        variance_E = state.spread_2E[0] / state.spread_2E[1]
        flat_E = flatness(variance_E)
        mean_QEK, cov_QEKK, fit_QE = state.mean_QEK, state.cov_QEKK, state.fit_QE
        for level in np.flatnonzero(attempts_EL.any(axis=0)).tolist():
            n_E = attempts_EL[:, level]
            played_E = n_E > 0
            share_E = solved_EL[:, level] / np.maximum(n_E, 1)
            uneven_E = variance_E * squares_EL[:, level] / np.square(np.maximum(n_E, 1))
            uneven_E = np.square(flat_E) * uneven_E
            # To the logit of the pass rate over all problems, and back at the end.
            column_QEK = flat_E[:, None] * cov_QEKK[:, :, :, level]
            old_QE, var_QE = flat_E * mean_QEK[:, :, level], flat_E * column_QEK[:, :, level]
            density_QE = _log_density(share_E, n_E, uneven_E, old_QE, var_QE)
            fit_QE = np.where(played_E, MEMORY * fit_QE + density_QE, fit_QE)
            new_QE, information_QE = mode(share_E, n_E, uneven_E, old_QE, var_QE)
            move_QE = np.where(played_E, (new_QE - old_QE) / var_QE, 0.0)
            shrink_QE = np.where(played_E, information_QE / (1.0 + information_QE * var_QE), 0.0)
            mean_QEK = mean_QEK + column_QEK * move_QE[..., None]
            outer_QEKK = column_QEK[..., :, None] * column_QEK[..., None, :]
            cov_QEKK = cov_QEKK - outer_QEKK * shrink_QE[..., None, None]
        return Ratings(mean_QEK, cov_QEKK, fit_QE, spread_2E)

    def anchored(
        self, state: Ratings, games: Sequence[Game], performance_E: np.ndarray, first: bool
    ) -> Ratings:
        """Anchors are outcomes like any other: the knots' difficulty is theirs, nothing sinks."""
        del performance_E, first
        return self.after(state, games)

    def beliefs(self, state: Ratings) -> Beliefs:
        """What the filter with the best record says; the rating is the mean over the levels."""
        best_E = best(state)
        every_E = np.arange(best_E.size)
        mean_EL = state.mean_QEK[best_E, every_E, :-1]
        cov_ELL = state.cov_QEKK[best_E, every_E, :-1, :-1]
        there_EL = self._cells.there_EL
        weight_EL = there_EL / there_EL.sum(axis=1, keepdims=True)
        solver_E = MEAN + POINTS_PER_LOGIT * (weight_EL * mean_EL).sum(axis=1)
        variance_E = np.einsum("el,elm,em->e", weight_EL, cov_ELL, weight_EL)
        sd_EL = np.sqrt(np.einsum("ell->el", cov_ELL))
        problem_variance_E = state.spread_2E[0] / state.spread_2E[1]
        flat_E1 = flatness(problem_variance_E)[:, None]
        return Beliefs(
            solver_E=solver_E,
            solver_sd_E=POINTS_PER_LOGIT * np.sqrt(variance_E),
            cell_EL=np.where(there_EL, solver_E[:, None] - POINTS_PER_LOGIT * mean_EL, np.nan),
            logit_sd_EL=np.where(there_EL, sd_EL, np.nan),
            problem_sd_E=np.sqrt(problem_variance_E),
            predicted_EL=np.where(there_EL, sigmoid(flat_E1 * mean_EL), np.nan),
        )

    def _expected(self, level_count: int) -> np.ndarray:
        """float [L], logit of the pass rate of a solver at the scale's mean; past the top too."""
        prior_EL = self._cells.prior_EL
        own_L = prior_EL[self._cells.level_counts.index(level_count), :level_count]
        step = own_L[1] - own_L[0] if level_count > 1 else 0.0
        beyond = own_L[-1] + step * np.arange(1, self._cells.shape[1] - level_count + 1)
        return (MEAN - np.concatenate([own_L, beyond])) / POINTS_PER_LOGIT

    def _spread(
        self,
        state: Ratings,
        e_N: np.ndarray,
        level_N: np.ndarray,
        solved_N: np.ndarray,
        graded_N: np.ndarray,
    ) -> np.ndarray:
        """float [2, E], the sums with the squared surprises of these games.

        A group's squared surprise exceeds what chance and the filter's own error explain by the
        spread of problems times the squared slope of the pass rate; averaged with the squared
        slope as the weight.
        """
        chosen_N = best(state)[e_N]
        flat_N = flatness(state.spread_2E[0] / state.spread_2E[1])[e_N]
        p_N = sigmoid(flat_N * state.mean_QEK[chosen_N, e_N, level_N])
        chance_N = p_N * (1.0 - p_N)
        slope_N = flat_N * chance_N
        own_N = np.square(slope_N) * state.cov_QEKK[chosen_N, e_N, level_N, level_N]
        excess_N = np.square(solved_N / graded_N - p_N) - chance_N / graded_N - own_N
        count = len(self._cells.names)
        top_E = np.bincount(e_N, np.square(slope_N) * excess_N, count)
        bottom_E = np.bincount(e_N, slope_N**4, count)
        sums_2E = state.spread_2E + np.stack([top_E, bottom_E])
        # Chance may push the sum below 0, and a wrong prior far above.
        return np.stack([np.clip(sums_2E[0], 0.0, MAX_SPREAD**2 * sums_2E[1]), sums_2E[1]])


def best(state: Ratings) -> np.ndarray:
    """int [E], the filter of each environment that has predicted best."""
    ahead_QE = state.fit_QE + 1e-9 * (np.arange(len(DRIFTS)) == USUAL_DRIFT)[:, None]
    return ahead_QE.argmax(axis=0)


def flatness(variance: np.ndarray) -> np.ndarray:
    """How much flatter the pass rate over all problems of a cell is than that on one of them.

    The mean of sigmoid(x + z) over normal z of that variance, in square logits, is nearly
    sigmoid(flatness x).

    Source: MacKay 1992, "The evidence framework applied to classification networks".
    """
    return 1.0 / np.sqrt(1.0 + math.pi / 8.0 * variance)


def mode(
    share: np.ndarray, count: np.ndarray, uneven: np.ndarray, mean: np.ndarray, var: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The most probable logit of a pass rate, after some attempts; arguments broadcast.

    Args:
        share: of the attempts that were right.
        count: of the attempts.
        uneven: variance, in square logits, by which the mean of the problems that were drawn
            differs from that of the cell.
        mean: of the normal prior, in logits.
        var: of the prior.
    Returns:
        the mode, and the information of the attempts there, in 1 / square logits.
    """
    # Steps of at most a logit: far from the mode the curve is flat and a full one overshoots.
    logit = mean
    information = np.zeros_like(mean)
    for _ in range(NEWTON_STEPS):
        p = sigmoid(logit)
        slope = np.maximum(p * (1.0 - p), 1e-9)
        # p (1-p) / worth is the variance of the share: chance, and problems that differ.
        worth = count / (1.0 + count * slope * uneven)
        information = worth * slope
        gradient = worth * (share - p) - (logit - mean) / var
        logit = logit + np.clip(gradient / (information + 1.0 / var), -1.0, 1.0)
    return logit, information


def _log_density(
    share_E: np.ndarray,
    count_E: np.ndarray,
    uneven_E: np.ndarray,
    mean_QE: np.ndarray,
    var_QE: np.ndarray,
) -> np.ndarray:
    """float [Q, E], of a share under a filter, by a normal approximation."""
    p_QE = sigmoid(mean_QE)
    slope_QE = np.maximum(p_QE * (1.0 - p_QE), 1e-4)
    chance_QE = slope_QE / np.maximum(count_E, 1)
    variance_QE = chance_QE + np.square(slope_QE) * (var_QE + uneven_E)
    return -0.5 * (np.square(share_E - p_QE) / variance_QE + np.log(variance_QE))
