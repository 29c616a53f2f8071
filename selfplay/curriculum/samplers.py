"""Samplers: which level of an environment comes next. Objects with one method, pure.

Fed with predicted pass rates by manager.py. Axis: L levels of one environment.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Sampler(Protocol):
    """A law over the levels of one environment."""

    def law(self, predicted_L: np.ndarray) -> np.ndarray:
        """Probabilities float [L] that sum to 1, from predicted pass rates float [L]."""
        ...


@dataclass(frozen=True)
class Target:
    """Levels whose predicted pass rate is near a target: there the solver learns most."""

    rate: float = 0.5
    """Pass rate to aim at."""
    width: float = 0.2
    """Standard deviation of the window around it, in pass rate. Narrower is better where levels
    pass smoothly into each other; but where demonstrations end, one level is nearly solved and the
    next nearly hopeless, and a window of 0.1 would stay below that step."""

    def law(self, predicted_L: np.ndarray) -> np.ndarray:
        """Normal density of the distance to the target, normalised; never all zero."""
        log_weight_L = -(((predicted_L - self.rate) / self.width) ** 2) / 2
        weight_L = np.exp(log_weight_L - log_weight_L.max())
        return weight_L / weight_L.sum()


@dataclass(frozen=True)
class Uniform:
    """Every level equally often: the control arm."""

    def law(self, predicted_L: np.ndarray) -> np.ndarray:
        """1 / L each."""
        return np.full(predicted_L.shape, 1.0 / predicted_L.size)
