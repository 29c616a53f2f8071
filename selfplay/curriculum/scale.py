"""The scale of all ratings, and the cells that the curriculum is made of.

1500 is the mean of the anchors, 173.72 points are one logit of P(solved). A cell is an environment
at a level. Axes: E environments, L levels; NaN, or 0 in a law, beyond an environment's levels.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from selfplay.problem import Environment

MEAN = 1500.0
"""Rating of the mean anchor, in points."""
POINTS_PER_LOGIT = 400.0 / math.log(10.0)
"""173.72 rating points are one logit of P(solved)."""
LEVEL_SPACING = 0.75 * POINTS_PER_LOGIT
"""Rating points between neighbouring levels, by definition for anchors and at first for cells."""

PROBLEM_SD = 0.5
"""Standard deviation of the problems of a cell around its mean, in logits, before it is learnt."""


def pass_rate(solver: np.ndarray | float, problem: np.ndarray | float) -> np.ndarray:
    """P(solved) = 1 / (1 + 10 ** ((problem - solver) / 400)); ratings in points, broadcast."""
    return 1.0 / (1.0 + np.power(10.0, (np.asarray(problem) - np.asarray(solver)) / 400.0))


def sigmoid(logit: np.ndarray | float) -> np.ndarray:
    """1 / (1 + exp(-logit)), broadcast."""
    return 1.0 / (1.0 + np.exp(-np.asarray(logit)))


def level_rating(level: int, level_count: int) -> float:
    """Frozen rating of the anchors of a level, in points; the mean over the levels is 1500."""
    return MEAN + LEVEL_SPACING * (level - (level_count - 1) / 2)


@dataclass(frozen=True)
class Cells:
    """Environments and how many levels each has."""

    names: tuple[str, ...]
    """E environments."""
    level_counts: tuple[int, ...]
    """How many levels each has."""
    frozen: frozenset[str] = frozenset()
    """Those of them whose problems only measure."""

    @classmethod
    def of(cls, environments: Mapping[str, Environment]) -> "Cells":
        """All levels of the given environments."""
        counts = tuple(environment.level_count for environment in environments.values())
        frozen = (name for name, environment in environments.items() if environment.frozen)
        return cls(tuple(environments), counts, frozenset(frozen))

    @cached_property
    def index(self) -> dict[str, int]:
        """Index of each environment by name."""
        return {name: e for e, name in enumerate(self.names)}

    def number(self, environment: str, level: int) -> int:
        """Number of a cell, counted over environments x levels with those beyond, from 0."""
        return self.index[environment] * self.shape[1] + level

    @property
    def shape(self) -> tuple[int, int]:
        """E and L."""
        return len(self.names), max(self.level_counts)

    @cached_property
    def there_EL(self) -> np.ndarray:
        """bool [E, L], whether there is such a level."""
        return np.arange(max(self.level_counts))[None] < np.array(self.level_counts)[:, None]

    @cached_property
    def prior_EL(self) -> np.ndarray:
        """float [E, L], rating of each cell by its level alone, in points; NaN beyond."""
        rating_EL = np.full(self.shape, np.nan)
        for e, count in enumerate(self.level_counts):
            rating_EL[e, :count] = [level_rating(level, count) for level in range(count)]
        return rating_EL


class Game(NamedTuple):
    """The outcome of one group of attempts at a problem."""

    environment: int
    """Index of the environment."""
    level: int
    """Level of the problem."""
    solved: int
    """Attempts that were right."""
    graded: int
    """Attempts that were graded at all; the others are the grader's failures and count for
    nobody."""
    trained: bool = True
    """False: attempted only to see how hard the cell is."""


class Beliefs(NamedTuple):
    """What a rating system believes, on the anchored scale."""

    solver_E: np.ndarray
    """float [E], the solver's rating in each environment, in points."""
    solver_sd_E: np.ndarray
    """float [E], its standard deviation, in points."""
    cell_EL: np.ndarray
    """float [E, L], mean rating of the problems of each cell, in points; NaN beyond."""
    logit_sd_EL: np.ndarray
    """float [E, L], standard deviation of the logit of the pass rate of a cell, in logits; NaN
    beyond."""
    problem_sd_E: np.ndarray
    """float [E], standard deviation of the problems of a cell around its mean, in logits."""
    predicted_EL: np.ndarray
    """float [E, L], predicted pass rate of each cell, over its problems; NaN beyond."""
