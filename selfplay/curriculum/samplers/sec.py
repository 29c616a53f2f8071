"""SEC: a bandit over cells that is paid in absolute advantage.

Each cell has a value, an exponential moving average of the mean |A| of its attempts; the law is a
Boltzmann distribution over the values. A here is the reward minus the mean of its group, not
divided by the standard deviation: k of n solved is 2k(n - k)/n^2, about 2p(1 - p). Shares nothing
between cells, does not explore what it has no value for beyond the temperature, and cannot tell a
coin flip from a cell that is half learnt.

Source: Chen et al. 2025, arXiv:2505.14970.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.samplers.laws import OverAllCells, softmax, total_advantage
from selfplay.curriculum.samplers.sampler import View
from selfplay.curriculum.scale import Cells, Game


class SECState(NamedTuple):
    """What each cell paid."""

    value_EL: np.ndarray
    """float [E, L], moving average of the mean |A|, in [0, 0.5]."""


@dataclass(frozen=True, kw_only=True)
class SEC(OverAllCells):
    """Boltzmann over moving averages of the mean absolute advantage."""

    step: float = 0.5
    """Weight of the latest generation in the moving average, in (0, 1]."""
    temperature: float = 0.2
    """Temperature of the Boltzmann distribution, in |A|, at least 0.001."""

    def __post_init__(self) -> None:
        if not (0.0 < self.step <= 1.0 and 0.001 <= self.temperature < np.inf):
            raise ValueError(
                f"sec: step={self.step} must lie within (0, 1], or nothing is learnt, and "
                f"temperature={self.temperature} be at least 0.001; the defaults are 0.5 and 0.2."
            )

    def initial(self, cells: Cells) -> SECState:
        """All values 0."""
        return SECState(np.zeros(cells.shape))

    def law(self, state: SECState, view: View) -> np.ndarray:
        """Proportional to exp(value / temperature)."""
        return softmax(state.value_EL, view.cells.there_EL, self.shared, self.temperature)

    def after(self, state: SECState, cells: Cells, games: Sequence[Game]) -> SECState:
        """One step for each cell that was seen, by the mean over all its attempts."""
        total_EL, graded_EL = np.zeros(cells.shape), np.zeros(cells.shape)
        for game in games:
            if game.graded > 0:
                total_EL[game.environment, game.level] += total_advantage(game)
                graded_EL[game.environment, game.level] += game.graded
        surprise_EL = total_EL / np.maximum(graded_EL, 1.0) - state.value_EL
        return SECState(state.value_EL + np.where(graded_EL > 0, self.step * surprise_EL, 0.0))
