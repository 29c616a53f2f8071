"""What the manager asks for and what it is told: a plan, and a report on it."""

from typing import NamedTuple

from selfplay.curriculum.scale import Game

UNNUMBERED = -1
"""In place of the number of a problem that is never posed again."""


class Plan(NamedTuple):
    """One problem that is to be posed, and why."""

    generation: int
    """When it was planned."""
    slot: int
    """Its place among the plans of the generation; the two identify it."""
    environment: int
    """Index of the environment."""
    level: int
    rating: float
    """Of the cell, or of the earlier problem, in points."""
    predicted: float
    """Predicted pass rate."""
    predicted_sd: float
    """Standard deviation of the pass rate of the problem around it."""
    propensity: float
    """Probability with which a slot of this generation gets this cell, or this earlier problem."""
    purpose: str
    """`target` (the sampler's law), `probe` (kept up everywhere), `revisit` (an earlier problem,
    for its own rating) or `screen` (looked at only)."""
    problem: int
    """Number of the problem in its run; that of an earlier plan if it is posed again, `UNNUMBERED`
    if it is only looked at."""


class Report(NamedTuple):
    """What has become of a plan so far."""

    plan: Plan
    game: Game
    """All attempts that are known by now, not only new ones; its level is that of the problem that
    was posed, which may differ from the one asked for."""
