"""E2H: a Gaussian that wanders from the easiest to the hardest level as the run goes on.

An open loop: looks at the progress of the run, never at outcomes, so a run that learns more slowly
than planned is taken to levels that it cannot solve. Every level keeps a least probability; the
reference implementation wants one too, but its documented example leaves it out and raises.

Source: Parashar et al. 2025, arXiv:2506.06632 (E2H-G): mean (t/T)^a (L - 1).
"""

from dataclasses import dataclass

import numpy as np

from selfplay.curriculum.samplers.laws import softmax
from selfplay.curriculum.samplers.sampler import Memoryless, Nothing, View


@dataclass(frozen=True)
class E2H(Memoryless):
    """Easy to hard by the clock."""

    exponent: float = 0.5
    """Power of the progress, above 0; below 1 leaves the easy levels early."""
    width: float = 0.5
    """Standard deviation of the Gaussian, in levels, at least 0.01."""
    floor: float = 2.0
    """Least probability of a level times L (L + 1), in [0, 2]: as shipped, each of L levels keeps
    at least 2 / (L (L + 1)), with one level all of it; 0 is a bare Gaussian."""

    def __post_init__(self) -> None:
        if not (0.0 < self.exponent < np.inf and 0.01 <= self.width < np.inf):
            raise ValueError(
                f"e2h: exponent={self.exponent} must be above 0, or the mean would not move, and "
                f"width={self.width} at least 0.01 levels; the defaults are 0.5 and 0.5."
            )
        if not 0.0 <= self.floor <= 2.0:
            raise ValueError(
                f"e2h: floor={self.floor} is outside [0, 2]: above 2 the least probabilities of an "
                "environment with one level would sum to more than 1. The default is 2."
            )

    def law(self, state: Nothing, view: View) -> np.ndarray:
        """Gaussian over levels around the scheduled one, and the floor; each row sums to 1."""
        del state
        there_EL = view.cells.there_EL
        count_E1 = there_EL.sum(axis=1, keepdims=True)
        mean_E1 = view.progress**self.exponent * (count_E1 - 1)
        distance_EL = (np.arange(there_EL.shape[1]) - mean_E1) / self.width
        gaussian_EL = softmax(-(distance_EL**2) / 2, there_EL, rows=True)
        least_E1 = self.floor / (count_E1 * (count_E1 + 1))
        return np.where(there_EL, least_E1 + (1.0 - count_E1 * least_E1) * gaussian_EL, 0.0)
