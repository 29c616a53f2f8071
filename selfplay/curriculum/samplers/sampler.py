"""What all samplers have in common: predictions and their own memory in, a law over the cells out.

Pure: a sampler object holds its settings only; what it remembers of outcomes is a state, a
NamedTuple of arrays that is given to it and that it gives back. The manager adds the shares, the
probes and the propensities. Axes: E environments, L levels.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from selfplay.curriculum.scale import Cells, Game


class View(NamedTuple):
    """What a sampler may look at when it makes its law."""

    cells: Cells
    predicted_EL: np.ndarray
    """float [E, L], predicted pass rates of the rating system; NaN beyond."""
    logit_sd_EL: np.ndarray
    """float [E, L], their standard deviation in logits; NaN beyond."""
    progress: float
    """Share of the run that is done, in [0, 1]."""
    rng: np.random.Generator
    """For samplers that draw from a posterior; the manager draws the cells itself."""


class Sampler(Protocol):
    """A law over the cells."""

    @property
    def within_environments(self) -> bool:
        """Whether the law is one for each environment, rather than one over all cells.

        True: each row sums to 1, and the manager shares the problems between environments. False:
        the whole sums to 1, and the sampler decides on the shares too, as published.
        """
        ...

    def initial(self, cells: Cells) -> Any:
        """The state before any outcome: a NamedTuple of arrays of fixed shapes."""
        ...

    def law(self, state: Any, view: View) -> np.ndarray:
        """Probabilities float [E, L], 0 beyond an environment's levels."""
        ...

    def screen(self, state: Any, view: View) -> np.ndarray:
        """int [E, L], groups to be attempted in each cell before the law is made.

        Only looked at, not trained on, but charged; they come back in `after` as untrained games.
        """
        ...

    def after(self, state: Any, cells: Cells, games: Sequence[Game]) -> Any:
        """The state after the outcomes of a generation.

        Games without a graded attempt change nothing.
        """
        ...


class Nothing(NamedTuple):
    """The state of a sampler that remembers nothing."""


class NoScreening:
    """A sampler that has no groups attempted only to look at them."""

    def screen(self, state: Any, view: View) -> np.ndarray:
        """None."""
        del state
        return np.zeros(view.cells.shape, np.int64)


class Memoryless(NoScreening):
    """A sampler that looks at predictions only."""

    within_environments = True

    def initial(self, cells: Cells) -> Nothing:
        """Nothing."""
        del cells
        return Nothing()

    def after(self, state: Nothing, cells: Cells, games: Sequence[Game]) -> Nothing:
        """Nothing again."""
        del cells, games
        return state


def rows_summing_to_one(weight_EL: np.ndarray) -> np.ndarray:
    """Each environment's weights divided by their sum; NaN counts as 0."""
    weight_EL = np.nan_to_num(weight_EL)
    return weight_EL / weight_EL.sum(axis=1, keepdims=True)


def all_summing_to_one(weight_EL: np.ndarray) -> np.ndarray:
    """All weights divided by their sum; NaN counts as 0."""
    weight_EL = np.nan_to_num(weight_EL)
    return weight_EL / weight_EL.sum()
