"""AdaRFT: one target difficulty for all environments, raised when too much is solved.

Levels are spread evenly over the published scale of 0 (easiest of an environment) to 100 (hardest).
After each generation the target moves by a squashed difference between the mean reward and the
wanted one. The law is equal weight on the level of each environment that is nearest to the target,
both when two are: published code sorts all problems by distance and takes the first ones, which is
the same batch again and again while the target rests, and starves environments whose labels miss
it. Knows nothing about a single cell: one number for all environments, labels taken on trust.

Source: Shi et al. 2025, arXiv:2504.05520.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.samplers.laws import OverAllCells, counts, normalised
from selfplay.curriculum.samplers.sampler import View
from selfplay.curriculum.scale import Cells, Game

HARDEST = 100.0
"""Difficulty of the hardest level of an environment; the easiest has 0."""


class AdaRFTState(NamedTuple):
    """The target."""

    difficulty: np.ndarray
    """float [], wanted difficulty, in [0, 100]."""


@dataclass(frozen=True, kw_only=True)
class AdaRFT(OverAllCells):
    """Cells nearest a difficulty that follows the mean reward.

    `shared` changes only who decides that environments are equal: the law, or the manager.
    """

    reward: float = 0.5
    """Mean reward (beta) at which the target rests, in (0, 1)."""
    step: float = 50.0
    """Largest move of the target in one generation (eta), in difficulty, in (0, 100]."""
    sensitivity: float = 2.0
    """Steepness of the squashing (alpha), per unit of reward, above 0."""

    def __post_init__(self) -> None:
        if not (0.0 < self.reward < 1.0 and 0.0 < self.step <= HARDEST):
            raise ValueError(
                f"adarft: reward={self.reward} must lie inside (0, 1), or the target would run to "
                f"one end, and step={self.step} within (0, 100]; the defaults are 0.5 and 50."
            )
        if not 0.0 < self.sensitivity < np.inf:
            raise ValueError(
                f"adarft: sensitivity={self.sensitivity} must be above 0: otherwise the target "
                "rests, or goes down after success. The default is 2."
            )

    def initial(self, cells: Cells) -> AdaRFTState:
        """The easiest."""
        del cells
        return AdaRFTState(np.array(0.0))

    def law(self, state: AdaRFTState, view: View) -> np.ndarray:
        """Equal weight on each environment's nearest level."""
        there_EL = view.cells.there_EL
        last_E1 = np.maximum(there_EL.sum(axis=1, keepdims=True) - 1, 1)
        difficulty_EL = HARDEST * np.arange(there_EL.shape[1]) / last_E1
        distance_EL = np.where(there_EL, np.abs(difficulty_EL - state.difficulty), np.inf)
        # Two levels at the same distance differ by rounding: a part in 1e9 is far above it.
        nearest_EL = distance_EL <= distance_EL.min(axis=1, keepdims=True) + HARDEST * 1e-9
        law_EL = normalised(nearest_EL.astype(float), rows=True)
        return law_EL if self.shared else law_EL / len(law_EL)

    def after(self, state: AdaRFTState, cells: Cells, games: Sequence[Game]) -> AdaRFTState:
        """One move for the whole generation, by the mean reward of all its attempts."""
        solved_EL, graded_EL = counts(cells, games)
        if not graded_EL.any():
            return state
        surplus = solved_EL.sum() / graded_EL.sum() - self.reward
        moved = state.difficulty + self.step * np.tanh(self.sensitivity * surplus)
        return AdaRFTState(np.asarray(np.clip(moved, 0.0, HARDEST)))
