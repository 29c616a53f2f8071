"""The control arms: every level alike, or a third of the levels for ever.

Neither looks at predictions, outcomes or progress.

Source: the baselines that every curriculum paper compares with, e.g. arXiv:2506.06632.
"""

from dataclasses import dataclass

import numpy as np

from selfplay.curriculum.samplers.laws import normalised
from selfplay.curriculum.samplers.sampler import Memoryless, Nothing, View


@dataclass(frozen=True)
class Uniform(Memoryless):
    """Every level of an environment equally often."""

    def law(self, state: Nothing, view: View) -> np.ndarray:
        """1 / L each; each row sums to 1."""
        del state
        return normalised(view.cells.there_EL.astype(float), rows=True)


@dataclass(frozen=True)
class Fixed(Memoryless):
    """The easiest or the hardest third of an environment's levels, rounded up, equally often."""

    hard: bool = False
    """False: the easiest third."""

    def law(self, state: Nothing, view: View) -> np.ndarray:
        """1 / ceil(L / 3) each; each row sums to 1."""
        del state
        there_EL = view.cells.there_EL
        count_E1 = there_EL.sum(axis=1, keepdims=True)
        third_E1 = -(-count_E1 // 3)
        level_L = np.arange(there_EL.shape[1])
        chosen_EL = level_L >= count_E1 - third_E1 if self.hard else level_L < third_E1
        return normalised((chosen_EL & there_EL).astype(float), rows=True)
