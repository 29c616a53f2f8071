"""DUMP: mean absolute advantage of a window, and a bonus for cells that were seen little.

The score of a cell is the mean |A| of the last groups plus sqrt(2 ln(N + 1) / (n + 1)), with n of
all N groups there; the law is its softmax. A here is the reward minus the mean of its group, not
divided by the standard deviation: k of n solved is 2k(n - k)/n^2. Outcomes leave the window and
are forgotten, and a success is an attempt that was graded right, whatever points a reward function
gives; the counts of the bonus forget nothing, as published. With many cells the bonus dominates.

Source: Wang et al. 2025, arXiv:2504.09710.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.samplers.laws import OverAllCells, softmax, total_advantage
from selfplay.curriculum.samplers.sampler import View
from selfplay.curriculum.scale import Cells, Game


class DUMPState(NamedTuple):
    """The last W groups of each cell, in no order."""

    total_ELW: np.ndarray
    """float [E, L, W], sum of |A| over the attempts of each group."""
    graded_ELW: np.ndarray
    """float [E, L, W], attempts of each group; 0 where there was no group yet."""
    groups_EL: np.ndarray
    """int [E, L], groups since the beginning."""


@dataclass(frozen=True, kw_only=True)
class DUMP(OverAllCells):
    """Softmax over upper confidence bounds of the mean absolute advantage.

    With `shared`, N counts the groups of an environment: each is a bandit of its own.
    """

    window: int = 38
    """Groups of a cell that are remembered, at least 1; 38 groups of 8 are the published 300
    attempts."""
    temperature: float = 0.1
    """Temperature of the softmax, in |A|, at least 0.001."""

    def __post_init__(self) -> None:
        if not (self.window >= 1 and 0.001 <= self.temperature < np.inf):
            raise ValueError(
                f"dump: window={self.window} must be at least 1 group, and temperature="
                f"{self.temperature} at least 0.001; the defaults are 38 and 0.1."
            )

    def initial(self, cells: Cells) -> DUMPState:
        """Nothing seen."""
        empty_ELW = np.zeros((*cells.shape, self.window))
        return DUMPState(empty_ELW, empty_ELW, np.zeros(cells.shape, np.int64))

    def law(self, state: DUMPState, view: View) -> np.ndarray:
        """Proportional to exp((mean |A| + bonus) / temperature)."""
        mean_EL = state.total_ELW.sum(axis=2) / np.maximum(state.graded_ELW.sum(axis=2), 1.0)
        all_groups = state.groups_EL.sum(axis=1 if self.shared else None, keepdims=True)
        bonus_EL = np.sqrt(2.0 * np.log(all_groups + 1.0) / (state.groups_EL + 1.0))
        return softmax(mean_EL + bonus_EL, view.cells.there_EL, self.shared, self.temperature)

    def after(self, state: DUMPState, cells: Cells, games: Sequence[Game]) -> DUMPState:
        """Each group takes the place of the oldest one of its cell."""
        del cells
        total_ELW, graded_ELW, groups_EL = (array.copy() for array in state)
        for game in games:
            if game.graded == 0:
                continue
            cell = game.environment, game.level
            slot = groups_EL[cell] % self.window
            total_ELW[cell][slot] = total_advantage(game)
            graded_ELW[cell][slot] = game.graded
            groups_EL[cell] += 1
        return DUMPState(total_ELW, graded_ELW, groups_EL)
