"""Frozen suites of problems: held-out ones that measure, anchors that fix the rating scale.

They are drawn from a published seed, the same in every run, and disjoint by signature from each
other; warm-up and gate keep them out of everything that is trained on.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from selfplay import streams
from selfplay.problem import Environment, Problem

SUITE_SEED = 20240912
"""Of the frozen suites; never that of a run."""
PATIENCE = 10_000
"""Draws in a row that may bring nothing new before a level is taken to be exhausted."""


@dataclass(frozen=True)
class SuiteConfig:
    """Sizes of the frozen suites."""

    held_out: int = 24
    """Held-out problems for each environment and level."""
    anchors: int = 6
    """Anchor problems for each environment and level."""

    def __post_init__(self) -> None:
        if self.held_out < 2 or self.anchors < 1:
            raise ValueError(
                f"suites.held_out={self.held_out} must be at least 2 (an interval needs two) and "
                f"suites.anchors={self.anchors} at least 1."
            )


@dataclass(frozen=True)
class Suites:
    """Problems that are never trained on."""

    held_out: tuple[Problem, ...]
    """Measure progress."""
    anchors: tuple[Problem, ...]
    """Fix the rating scale."""
    keys: frozenset[str]
    """Keys of all of them."""

    @property
    def digest(self) -> str:
        """Identifies the problems: ratings and accuracies of runs compare only if it is equal."""
        lines = "\n".join(problem.to_json() for problem in (*self.held_out, *self.anchors))
        return hashlib.sha256(lines.encode()).hexdigest()[:16]


def build(environments: Mapping[str, Environment], config: SuiteConfig) -> Suites:
    """Draw both suites; cost grows with environments x levels x problems.

    Raises:
        ValueError: a level has too few different problems.
    """
    keys: set[str] = set()
    held_out = _draw(environments, "held-out", config.held_out, keys)
    anchors = _draw(environments, "anchors", config.anchors, keys)
    return Suites(tuple(held_out), tuple(anchors), frozenset(keys))


def _draw(
    environments: Mapping[str, Environment], name: str, per_cell: int, keys: set[str]
) -> list[Problem]:
    problems = []
    for environment in environments.values():
        for level in range(environment.level_count):
            rng = streams.python_rng(SUITE_SEED, 0, f"{name}/{environment.name}", level)
            drawn = misses = 0
            while drawn < per_cell:
                problem = environment.generate(level, rng)
                if problem.key not in keys:
                    keys.add(problem.key)
                    problems.append(problem)
                    drawn, misses = drawn + 1, 0
                elif (misses := misses + 1) >= PATIENCE:
                    raise ValueError(
                        f"{environment.name} has too few different problems of level {level} for "
                        f"the frozen suites ({drawn} of {per_cell} found for {name}). Lower "
                        "suites.held_out and suites.anchors, or widen the level."
                    )
    return problems
