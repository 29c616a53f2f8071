"""Glicko-2: ratings with an error that shrinks with games and a volatility that is learnt.

Every attempt is a game, a generation is a rating period. The solver is one player an environment;
cells are players whose strength does not change, so their error only shrinks. Attempts at one
problem are taken as independent, which they are not: the errors are too small where the problems of
a cell differ much. Axes: E environments, L levels, N games.

Source: Glickman, "Example of the Glicko-2 system" (2022), steps 2 to 8.
"""

import math
from collections import defaultdict
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

CONVERGED = 1e-6
"""Of the logarithm of the squared volatility."""


class Player(NamedTuple):
    """A rating on Glicko-2's own scale, in logits."""

    mu: float
    """Strength; 0 is 1500 points."""
    phi: float
    """Its standard deviation."""
    sigma: float
    """Volatility: standard deviation of the change in a period."""


class Ratings(NamedTuple):
    """All that Glicko-2 believes, in logits."""

    solver_E3: np.ndarray
    """float [E, 3], the solver's mu, phi and sigma in each environment."""
    cell_mu_EL: np.ndarray
    """float [E, L], difficulty of each cell; NaN beyond."""
    cell_phi_EL: np.ndarray
    """float [E, L], its standard deviation; NaN beyond."""


@dataclass(frozen=True)
class Glicko2Config:
    """Priors of Glicko-2."""

    tau: float = 0.5
    """How fast the volatility may change; 0.3 to 1.2 is usual."""
    volatility: float = 0.06
    """At first, in logits a generation."""
    solver_sd: float = 350.0
    """Of the solver's rating at first, in points."""
    cell_sd: float = 130.0
    """Of a cell's rating around that of its level, at first, in points."""
    anchor_gain: float = 0.5
    """Share of the difference to the anchors by which the scale is shifted at each look at them."""

    def __post_init__(self) -> None:
        for name in ("tau", "volatility", "solver_sd", "cell_sd"):
            if not getattr(self, name) > 0.0:
                raise ValueError(
                    f"curriculum.glicko2.{name}={getattr(self, name)} must be above 0; the default "
                    f"is {getattr(Glicko2Config, name)}."
                )
        if not 0.0 <= self.anchor_gain <= 1.0:
            raise ValueError(
                f"curriculum.glicko2.anchor_gain={self.anchor_gain} is a share, within [0, 1]; the "
                "default is 0.5."
            )


class Glicko2:
    """The rating system `glicko2`."""

    def __init__(self, cells: Cells, config: Glicko2Config) -> None:
        self._cells, self._config = cells, config

    def initial(self) -> Ratings:
        """The solver stands at the scale's mean, cells at the ratings of their levels."""
        config, cells = self._config, self._cells
        solver = (0.0, config.solver_sd / POINTS_PER_LOGIT, config.volatility)
        return Ratings(
            solver_E3=np.tile(solver, (len(cells.names), 1)),
            cell_mu_EL=(cells.prior_EL - MEAN) / POINTS_PER_LOGIT,
            cell_phi_EL=np.where(cells.there_EL, config.cell_sd / POINTS_PER_LOGIT, np.nan),
        )

    def aged(self, state: Ratings, generations: int) -> Ratings:
        """Phi grows by the volatility of each period (step 6); cells do not age."""
        mu_E, phi_E, sigma_E = state.solver_E3.T
        phi_E = np.sqrt(np.square(phi_E) + generations * np.square(sigma_E))
        return state._replace(solver_E3=np.stack([mu_E, phi_E, sigma_E], axis=1))

    def after(self, state: Ratings, games: Sequence[Game]) -> Ratings:
        """A rating period of each environment with games; both sides move from where they stood."""
        solver_E3 = state.solver_E3.copy()
        mu_EL, phi_EL = state.cell_mu_EL.copy(), state.cell_phi_EL.copy()
        tally: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
        for game in games:
            tally[game.environment, game.level][0] += game.solved
            tally[game.environment, game.level][1] += game.graded
        for e in sorted({e for (e, _), (_, graded) in tally.items() if graded}):
            levels = sorted(level for (at, level), (_, n) in tally.items() if at == e and n)
            solved_N, graded_N = np.array([tally[e, level] for level in levels], float).T
            solver = Player(*state.solver_E3[e])
            mu_N, phi_N = state.cell_mu_EL[e, levels], state.cell_phi_EL[e, levels]
            solver_E3[e] = period(solver, mu_N, phi_N, solved_N, graded_N, self._config.tau)
            for n, level in enumerate(levels):
                against = np.array([solver.mu]), np.array([solver.phi])
                score = (
                    graded_N[n : n + 1] - solved_N[n : n + 1]
                )  # the cell wins what is not solved
                mu_EL[e, level], phi_EL[e, level] = moved(
                    mu_N[n], phi_N[n], *against, score, graded_N[n : n + 1]
                )
        return Ratings(solver_E3, mu_EL, phi_EL)

    def anchored(
        self, state: Ratings, games: Sequence[Game], performance_E: np.ndarray, first: bool
    ) -> Ratings:
        """Shift solver and cells of each environment towards its rating on the anchors.

        The first time the cells stay where they are.
        """
        del games
        solver_E3 = state.solver_E3.copy()
        gain = 1.0 if first else self._config.anchor_gain
        shift_E = gain * ((performance_E - MEAN) / POINTS_PER_LOGIT - solver_E3[:, 0])
        solver_E3[:, 0] += shift_E
        if first:
            return state._replace(solver_E3=solver_E3)
        return state._replace(solver_E3=solver_E3, cell_mu_EL=state.cell_mu_EL + shift_E[:, None])

    def beliefs(self, state: Ratings) -> Beliefs:
        """Ratings in points, with the errors of solver and cell put together."""
        mu_E, phi_E, _ = state.solver_E3.T
        return Beliefs(
            solver_E=MEAN + POINTS_PER_LOGIT * mu_E,
            solver_sd_E=POINTS_PER_LOGIT * phi_E,
            cell_EL=MEAN + POINTS_PER_LOGIT * state.cell_mu_EL,
            logit_sd_EL=np.hypot(phi_E[:, None], state.cell_phi_EL),
            problem_sd_E=np.full(len(self._cells.names), PROBLEM_SD),
            predicted_EL=sigmoid(mu_E[:, None] - state.cell_mu_EL),
        )


def period(
    player: Player,
    mu_N: np.ndarray,
    phi_N: np.ndarray,
    score_N: np.ndarray,
    games_N: np.ndarray,
    tau: float,
) -> Player:
    """A player after one rating period, without the growth of phi by the volatility before it.

    Args:
        player: before the period, already aged by the old volatility.
        mu_N: float [N], strengths of the opponents, in logits.
        phi_N: float [N], their standard deviations.
        score_N: float [N], games won against each.
        games_N: float [N], games played against each.
        tau: see Glicko2Config.
    """
    g_N, expected_N = _expected(player.mu, mu_N, phi_N)
    information = float((games_N * g_N**2 * expected_N * (1.0 - expected_N)).sum())
    if information < 1e-12:  # games that were decided before they began tell nothing
        return player
    delta = float((g_N * (score_N - games_N * expected_N)).sum()) / information
    # The published order ages by the new volatility; the difference to the old one is added here.
    before = math.sqrt(max(player.phi**2 - player.sigma**2, 0.0))
    sigma = _volatility(before, player.sigma, 1.0 / information, delta, tau)
    aged = before**2 + sigma**2
    phi = 1.0 / math.sqrt(1.0 / aged + information)
    return Player(player.mu + phi**2 * information * delta, phi, sigma)


def moved(
    mu: float,
    phi: float,
    mu_N: np.ndarray,
    phi_N: np.ndarray,
    score_N: np.ndarray,
    games_N: np.ndarray,
) -> tuple[float, float]:
    """Mu and phi of a player without volatility after a period; arguments as for `period`."""
    g_N, expected_N = _expected(mu, mu_N, phi_N)
    information = float((games_N * g_N**2 * expected_N * (1.0 - expected_N)).sum())
    after = 1.0 / (1.0 / phi**2 + information)
    return mu + after * float((g_N * (score_N - games_N * expected_N)).sum()), math.sqrt(after)


def _expected(mu: float, mu_N: np.ndarray, phi_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps 2 and 3: how much each opponent's error flattens the odds, and the expected score."""
    g_N = 1.0 / np.sqrt(1.0 + 3.0 * np.square(phi_N) / math.pi**2)
    return g_N, 1.0 / (1.0 + np.exp(-g_N * (mu - mu_N)))


def _volatility(phi: float, sigma: float, variance: float, delta: float, tau: float) -> float:
    """Step 5: the new volatility, by the Illinois variant of regula falsi."""
    start = math.log(sigma**2)

    def slope(x: float) -> float:
        spread = phi**2 + variance + math.exp(x)
        gain = math.exp(x) * (delta**2 - spread) / (2.0 * spread**2)
        return gain - (x - start) / tau**2

    low, high = start, start - tau
    if delta**2 > phi**2 + variance:
        high = math.log(delta**2 - phi**2 - variance)
    else:
        while slope(high) < 0.0:
            high -= tau
    at_low, at_high = slope(low), slope(high)
    while abs(high - low) > CONVERGED:
        new = low + (low - high) * at_low / (at_high - at_low)
        at_new = slope(new)
        if at_new * at_high <= 0.0:
            low, at_low = high, at_high
        else:
            at_low /= 2.0
        high, at_high = new, at_new
    return math.exp(low / 2.0)
