"""What the environments of this package share: the level that knobs allow, and drawing at a level.

All knobs are upper bounds, so a problem belongs to the first level that allows all it demands.
"""

import random
from collections.abc import Callable, Mapping

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
