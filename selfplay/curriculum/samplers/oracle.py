"""The oracle: the window of `target` on the true pass rates, for the simulator only.

What remains of the distance between it and `target` is what better predictions could gain. A run
with a language model has no such truth, so it cannot be made by name. It knows pass rates, not
which environments can be learnt at all.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from selfplay.curriculum.samplers.laws import check_window, window
from selfplay.curriculum.samplers.sampler import Memoryless, Nothing, View


@dataclass(frozen=True)
class Oracle(Memoryless):
    """Levels whose true pass rate is near a target."""

    truth: Callable[[], np.ndarray]
    """Gives float [E, L], the pass rate of the solver as it is now in each cell; any value beyond
    an environment's levels."""
    rate: float = 0.5
    """Pass rate to aim at, in (0, 1)."""
    width: float = 0.1
    """Standard deviation of the window around it, in pass rate; as of `target`, to compare."""

    def __post_init__(self) -> None:
        check_window(self.rate, self.width)

    def law(self, state: Nothing, view: View) -> np.ndarray:
        """The window around the target; each row sums to 1."""
        del state
        truth_EL = self.truth()
        if truth_EL.shape != view.cells.shape:
            raise ValueError(
                f"oracle: the truth has shape {truth_EL.shape}, but the cells have "
                f"{view.cells.shape}; it must be one pass rate for each environment and level."
            )
        return window(truth_EL, view.cells.there_EL, True, self.rate, self.width)
