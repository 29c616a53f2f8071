"""What the manager asks for, what it is told, what is kept: plans, reports, posed problems."""

from enum import StrEnum
from typing import NamedTuple

from selfplay.problem import Problem

UNNUMBERED = -1
"""In place of the number of a problem that is never posed again."""


class Purpose(StrEnum):
    """Why a problem is posed."""

    TARGET = "target"
    """Drawn from the sampler's distribution."""
    PROBE = "probe"
    """Drawn from all cells alike, so that none is forgotten."""
    REVISIT = "revisit"
    """An earlier problem again, for its own rating."""
    SCREEN = "screen"
    """Attempted to see how hard the cell is, not trained on."""


class Plan(NamedTuple):
    """One problem that is to be posed, and why: what the curriculum asks a proposer for."""

    generation: int
    """When it was planned."""
    slot: int
    """Its place among the plans of the generation; the two identify it."""
    environment: str
    """Name of the environment."""
    level: int
    """The level that a procedural problem is drawn from."""
    rating: float
    """Of the cell, or of the earlier problem, in points on the anchored scale."""
    predicted: float
    """Predicted pass rate."""
    predicted_sd: float
    """Standard deviation of the pass rate of the problem around it."""
    propensity: float
    """Probability with which a slot of this generation gets this cell, or this earlier problem."""
    purpose: Purpose
    problem: int
    """Number of the problem in its run; that of an earlier plan if it is posed again, `UNNUMBERED`
    if it is only looked at."""


class Report(NamedTuple):
    """What has become of a plan so far."""

    plan: Plan
    level: int
    """Of the problem that was posed; may differ from the one that was asked for."""
    solved: int
    """Attempts that were right, of all that are known by now, not only of new ones."""
    graded: int
    """Attempts that were graded, likewise."""


class Posed(NamedTuple):
    """A problem that was posed, and what became of it."""

    plan: Plan
    problem: Problem
    """Its level may differ from the one that was asked for."""
    proposer: str
    """Who wrote it: `learned` or `procedural`."""
    solved: int
    """Attempts that were right."""
    graded: int
    """Attempts that were graded."""
    rating: float
    """Rating after the attempts, in points."""
    rating_sd: float
    """Standard deviation of `rating`, in points."""

    @property
    def report(self) -> Report:
        """What the manager is told of it."""
        return Report(self.plan, self.problem.level, self.solved, self.graded)
