"""MoPPS: a Beta posterior of each cell's pass rate, and a Thompson draw near the target.

Earlier outcomes fade towards the prior by a discount whenever a cell is seen. Each law draws a
pass rate for every cell and weighs it by its closeness to the target, by the same window as
`target`, so that the two differ in where the pass rate comes from; published code takes the
nearest of a list of candidates. A group counts as many attempts as were graded, also when that is
one. Shares nothing between cells: what one level teaches about the next is lost.

Source: Qu et al. 2025, arXiv:2507.04632.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.samplers.laws import OverAllCells, check_window, counts, window
from selfplay.curriculum.samplers.sampler import View
from selfplay.curriculum.scale import Cells, Game

PRIOR = 1.0
"""Both parameters of the Beta prior: every pass rate equally likely."""


class MoPPSState(NamedTuple):
    """Beta posteriors."""

    solved_EL: np.ndarray
    """float [E, L], first parameter (alpha): discounted successes and the prior."""
    failed_EL: np.ndarray
    """float [E, L], second parameter (beta): discounted failures and the prior."""


@dataclass(frozen=True, kw_only=True)
class MoPPS(OverAllCells):
    """Thompson sampling of pass rates near the target."""

    target: float = 0.5
    """Pass rate to aim at, in (0, 1)."""
    width: float = 0.1
    """Standard deviation of the window around it, in pass rate."""
    discount: float = 0.5
    """Weight (lambda) of what was known before, for each generation that saw the cell, in [0, 1];
    1 forgets nothing and lags behind a solver that learns."""

    def __post_init__(self) -> None:
        check_window(self.target, self.width)
        if not 0.0 <= self.discount <= 1.0:
            raise ValueError(
                f"mopps: discount={self.discount} is outside [0, 1]: above 1 old outcomes would "
                "gain weight. The default is 0.5."
            )

    def initial(self, cells: Cells) -> MoPPSState:
        """The prior."""
        prior_EL = np.full(cells.shape, PRIOR)
        return MoPPSState(prior_EL, prior_EL)

    def law(self, state: MoPPSState, view: View) -> np.ndarray:
        """Window around the target over one draw from each posterior; another call, another law."""
        draw_EL = view.rng.beta(state.solved_EL, state.failed_EL)
        return window(draw_EL, view.cells.there_EL, self.shared, self.target, self.width)

    def after(self, state: MoPPSState, cells: Cells, games: Sequence[Game]) -> MoPPSState:
        """Parameter <- discount * parameter + (1 - discount) * prior + attempts, where seen."""
        solved_EL, graded_EL = counts(cells, games)
        failed_EL = graded_EL - solved_EL
        faded = (1.0 - self.discount) * PRIOR
        return MoPPSState(
            *(
                np.where(graded_EL > 0, self.discount * old_EL + faded + new_EL, old_EL)
                for old_EL, new_EL in zip(state, (solved_EL, failed_EL), strict=True)
            )
        )
