"""Ours: a window on the predicted pass rate, within each environment.

Reads the predictions of the rating system and prefers levels whose pass rate is near a target,
where the solver learns most. Remembers nothing: all that outcomes teach is in the ratings. Does
not look at how sure the predictions are.

Source: the score of LILO (arXiv:2502.12272) and SPEED (arXiv:2506.09016), p (1 - p), says why the
middle; the window on a rating's prediction is ours.
"""

from dataclasses import dataclass

import numpy as np

from selfplay.curriculum.samplers.laws import check_window, window
from selfplay.curriculum.samplers.sampler import Memoryless, Nothing, View


@dataclass(frozen=True)
class Target(Memoryless):
    """Levels whose predicted pass rate is near a target: there the solver learns most."""

    rate: float = 0.5
    """Pass rate to aim at, in (0, 1)."""
    width: float = 0.1
    """Standard deviation of the window around it, in pass rate. Narrower is better where levels
    pass smoothly into each other; where one level is nearly solved and the next nearly hopeless, a
    window of 0.1 stays below that step, and 0.2 does not."""

    def __post_init__(self) -> None:
        check_window(self.rate, self.width)

    def law(self, state: Nothing, view: View) -> np.ndarray:
        """The window around the target; each row sums to 1."""
        del state
        return window(view.predicted_EL, view.cells.there_EL, True, self.rate, self.width)
