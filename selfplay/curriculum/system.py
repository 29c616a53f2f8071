"""What the rating systems have in common: outcomes in, beliefs on the anchored scale out.

elo.py, glicko2.py and kalman.py implement it. Pure: a system holds its settings and the cells; what
it believes is a state, a NamedTuple of arrays that is given to it and that it gives back. Axes: E
environments, L levels.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from selfplay.curriculum.scale import Beliefs, Game


class System(Protocol):
    """A rating system over fixed cells."""

    def initial(self) -> Any:
        """The state before any outcome: a NamedTuple of arrays of fixed shapes."""
        ...

    def aged(self, state: Any, generations: int) -> Any:
        """The state after so many generations of which no outcome is known yet.

        Solvers drift, problems do not.
        """
        ...

    def after(self, state: Any, games: Sequence[Game]) -> Any:
        """The state after outcomes; games without a graded attempt change nothing."""
        ...

    def anchored(
        self, state: Any, games: Sequence[Game], performance_E: np.ndarray, first: bool
    ) -> Any:
        """The state after a look at the anchors.

        Args:
            state: before it.
            games: one for each anchor.
            performance_E: float [E], what the anchors alone say of the solver, in points.
            first: whether nothing but anchors was seen until now.
        """
        ...

    def beliefs(self, state: Any) -> Beliefs:
        """What the state says."""
        ...
