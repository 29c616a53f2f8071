"""Elo ratings: the solver's strength per environment against the difficulty of cells.

A group of G attempts is one game whose score is the share solved. The steps are fixed and do not
know how certain a rating is; its error is that of the steady state. Axes: E environments, L levels.

Source: Elo 1978; shrinking item steps of Pelanek 2016 (Computers & Education 98).
"""

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
    pass_rate,
)  # fmt: skip


class Ratings(NamedTuple):
    """All that Elo believes about strength and difficulty."""

    solver_E: np.ndarray
    """float [E], the solver's rating in each environment, in points."""
    cell_EL: np.ndarray
    """float [E, L], mean rating of the problems of each cell, in points; NaN beyond."""
    games_EL: np.ndarray
    """int [E, L], groups played in each cell."""
    attempts: np.ndarray
    """float [], attempts in a group, lately."""


@dataclass(frozen=True)
class EloConfig:
    """Step sizes of Elo."""

    step: float = 52.0
    """Largest move of the solver after one group of attempts, in points."""
    settle: float = 0.05
    """A cell's step is `step` / (1 + settle x groups played): difficulties are static, solvers are
    not, so cells come to rest. 0 is the plain joint Elo."""
    anchor_gain: float = 0.5
    """Share of the difference to the anchors by which the scale is shifted at each look at them;
    below 1 it averages out their sampling error, 0 leaves the scale adrift."""

    def __post_init__(self) -> None:
        if not 0.0 < self.step <= 700.0:
            raise ValueError(
                f"curriculum.elo.step={self.step} is outside (0, 700] rating points a group. "
                "Above 700 one lucky group moves the solver past every anchor; the default is 52."
            )
        if self.settle < 0.0 or not 0.0 <= self.anchor_gain <= 1.0:
            raise ValueError(
                f"curriculum.elo.settle={self.settle} must be at least 0 and "
                f"curriculum.elo.anchor_gain={self.anchor_gain} within [0, 1]; the defaults are "
                "0.05 and 0.5."
            )


class Elo:
    """The rating system `elo`."""

    def __init__(self, cells: Cells, config: EloConfig) -> None:
        self._cells, self._config = cells, config

    def initial(self) -> Ratings:
        """The solver stands at the scale's mean, cells at their prior ratings."""
        return Ratings(
            solver_E=np.full(len(self._cells.names), MEAN),
            cell_EL=self._cells.prior_EL,
            games_EL=np.zeros(self._cells.shape, np.int64),
            attempts=np.array(8.0),
        )

    def aged(self, state: Ratings, generations: int) -> Ratings:
        """The same: steps of one size assume drift already."""
        del generations
        return state

    def after(self, state: Ratings, games: Sequence[Game]) -> Ratings:
        """Play the games one by one; cost grows with their number.

        The solver moves by step x (share solved - predicted), the cell the other way by a step that
        shrinks with its games.
        """
        solver_E, cell_EL = state.solver_E.copy(), state.cell_EL.copy()
        games_EL, attempts = state.games_EL.copy(), state.attempts
        step = self._config.step
        for game in games:
            if game.graded == 0:
                continue
            at, cell = game.environment, (game.environment, game.level)
            surprise = game.solved / game.graded - float(pass_rate(solver_E[at], cell_EL[cell]))
            cell_EL[cell] -= step / (1.0 + self._config.settle * games_EL[cell]) * surprise
            solver_E[at] += step * surprise
            games_EL[cell] += 1
            attempts = 0.9 * attempts + 0.1 * game.graded
        return Ratings(solver_E, cell_EL, games_EL, np.asarray(attempts))

    def anchored(
        self, state: Ratings, games: Sequence[Game], performance_E: np.ndarray, first: bool
    ) -> Ratings:
        """Shift solver and cells of each environment towards its rating on the anchors.

        Predicted pass rates stay as they are; only the scale moves. The first time the cells stay:
        there is no record yet that they and the solver could share.
        """
        del games
        if first:
            return state._replace(solver_E=performance_E)
        shift_E = self._config.anchor_gain * (performance_E - state.solver_E)
        return state._replace(
            solver_E=state.solver_E + shift_E, cell_EL=state.cell_EL + shift_E[:, None]
        )

    def beliefs(self, state: Ratings) -> Beliefs:
        """Ratings with the error of the steady state, K / (2 G (1 - K/8)) logits squared.

        A group has four times less effect on a rating far from its cell, so this is a lower bound.
        """
        step = self._config.step / POINTS_PER_LOGIT
        sd = np.sqrt(step / (2.0 * float(state.attempts) * (1.0 - min(step, 7.0) / 8.0)))
        count, shape = len(self._cells.names), self._cells.shape
        return Beliefs(
            solver_E=state.solver_E,
            solver_sd_E=np.full(count, POINTS_PER_LOGIT * sd),
            cell_EL=state.cell_EL,
            logit_sd_EL=np.where(self._cells.there_EL, np.full(shape, sd), np.nan),
            problem_sd_E=np.full(count, PROBLEM_SD),
            predicted_EL=pass_rate(state.solver_E[:, None], state.cell_EL),
        )
