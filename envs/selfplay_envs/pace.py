"""What the environments share: the level that knobs allow, drawing at a level, the pace of working.

All knobs are upper bounds, so a problem belongs to the first level that allows all it demands.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from selfplay.problem import Environment, Knob, Problem, ProposalError

MAX_DRAWS = 10_000
"""Rejected drafts after which a generator is taken to be wrong; usual are 0 to 5."""


def easiest(knobs: Mapping[str, Knob], *demands: int) -> int:
    """The first level whose knobs all allow the demands.

    Args:
        knobs: the environment's knobs.
        demands: for each knob, in their order, the least value that the problem needs.
    Returns:
        The level.
    Raises:
        ProposalError: no level allows it.
    """
    for level, values in enumerate(zip(*(knob.values for knob in knobs.values()), strict=True)):
        if all(map(int.__ge__, values, demands)):
            return level
    needed = ", ".join(f"{name} {demand}" for name, demand in zip(knobs, demands, strict=True))
    raise ProposalError(f"beyond the top level: {needed}")


def draw(
    environment: Environment,
    level: int,
    rng: random.Random,
    draft: Callable[[dict[str, int], random.Random], str],
) -> Problem:
    """The first of the random drafts that is a problem of exactly that level.

    Raises:
        ValueError: the environment has no such level.
    """
    at = environment.at(level)
    for _ in range(MAX_DRAWS):
        try:
            problem = environment.parse(draft(at, rng))
        except ProposalError:
            continue
        if problem.level == level:
            return problem
    raise AssertionError(f"{environment.name}: {MAX_DRAWS} drafts, none of level {level}")


class Pace(StrEnum):
    """How much of the working a demonstration writes down, as people differ in it.

    Imitation reproduces the mixture, whatever the problem. How much thinking a problem needs is
    left for reinforcement to find out.
    """

    CAREFUL = "every line"
    BRISK = "every second line, the others done in the head"
    AT_A_GLANCE = "the answer alone"

    @classmethod
    def draw(cls, rng: random.Random) -> "Pace":
        """Careful half of the time, else one of the other two."""
        return rng.choice((cls.CAREFUL, cls.CAREFUL, cls.BRISK, cls.AT_A_GLANCE))

    def skim(self, lines: Sequence[str]) -> Sequence[str]:
        """The lines of working that are written down at this pace."""
        match self:
            case Pace.CAREFUL:
                return lines
            case Pace.BRISK:
                return lines[1::2]
            case Pace.AT_A_GLANCE:
                return []
