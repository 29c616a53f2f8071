"""Fit: the learner of the simulator's world `long` to the outcomes of real runs.

Command: python -m selfplay_experiments.fit RUN... where the runs began with one warm-up
Time: about a minute for five runs of `ladder_arms`.

For each environment one start, slope, rate and reach has to explain every attempt of all the runs:
they began as the same learner and differ in what they were asked. The second table has the levels
that each run reached by the end, as its own ratings have it, beside those of the fitted learner
after the same outcomes. Axes: G groups of a generation, L levels.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize

from selfplay.curriculum import replay
from selfplay_experiments import paired, worlds
from selfplay_experiments.worlds import Learner, World

FIRST = (1.0, 0.5, 0.01, 30.0)
"""Where the search begins: start, slope, rate and reach."""
_UNSURE = 1e-4
"""No pass rate is taken for less, nor for more than 1 less this: one slip is no proof."""


class Outcomes(NamedTuple):
    """What a run was asked of one environment, and how it went."""

    level_G: np.ndarray
    """int [G], of one generation."""
    solved_G: np.ndarray
    """int [G], attempts that were right."""
    graded_G: np.ndarray
    """int [G], attempts that were graded."""


class Fitted(NamedTuple):
    """A learner on one ladder; see `worlds.ladders`."""

    start: float
    slope: float
    rate: float
    reach: float

    def world(self, levels: int) -> World:
        """Of this ladder alone."""
        start, slope, rate = (np.array([x]) for x in (self.start, self.slope, self.rate))
        return worlds.ladders(0, start, slope, rate, self.reach, levels)


def outcomes(run: Path, environment: str) -> list[Outcomes]:
    """The outcomes of a run in one environment, generation by generation.

    Raises:
        ValueError: they are of another version of this package.
    """
    found = []
    for line in (run / "outcomes.jsonl").read_text().splitlines():
        own = [
            (level, solved, graded)
            for plan, level, solved, graded in replay.reports(json.loads(line))
            if plan.environment == environment
        ]
        if own:
            found.append(Outcomes(*np.array(own).T))
    return found


def followed(world: World, generations: Sequence[Outcomes]) -> tuple[Learner, float]:
    """The learner after a run, and the log-likelihood of the run's attempts, in nats."""
    learner, likelihood = world.initial(), 0.0
    for level_G, solved_G, graded_G in generations:
        rate_L = np.clip(world.pass_rate(learner)[0], _UNSURE, 1.0 - _UNSURE)
        right_G, wrong_G = np.log(rate_L[level_G]), np.log(1.0 - rate_L[level_G])
        likelihood += float(solved_G @ right_G + (graded_G - solved_G) @ wrong_G)
        lesson_G = world.lesson(solved_G, rate_L[level_G])
        learner = world.taught(learner, np.zeros_like(level_G), level_G, lesson_G)
    return learner, likelihood


def fitted(runs: Sequence[Sequence[Outcomes]], levels: int) -> tuple[Fitted, float]:
    """The learner under which runs on one ladder are most likely, and their log-likelihood.

    Args:
        runs: of each the outcomes of its generations.
        levels: of the ladder.
    """

    def learner(at: np.ndarray) -> Fitted:
        return Fitted(float(at[0]), *np.exp(at[1:]).tolist())

    def unlikely(at: np.ndarray) -> float:
        world = learner(at).world(levels)
        return -sum(followed(world, run)[1] for run in runs)

    first = np.array([FIRST[0], *np.log(FIRST[1:])])
    # A reach far beyond the ladder cannot be told from one twice as far: stop there.
    within = [(-5.0, 5.0), (-4.0, 2.0), (-9.0, 0.0), (0.0, float(np.log(4 * levels)))]
    found = minimize(unlikely, first, method="Nelder-Mead", bounds=within, options={"fatol": 0.1})
    return learner(found.x), -float(found.fun)


def main(runs: Annotated[tuple[Path, ...], tyro.conf.Positional]) -> None:
    """Fit the learner of the world `long` to runs that began with one warm-up.

    Args:
        runs: run folders with the same environments and seed.
    """
    try:
        configs, progress = zip(*map(paired.read, runs), strict=True)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    names = configs[0]["environments"]
    if any((c["environments"], c["seed"]) != (names, configs[0]["seed"]) for c in configs):
        raise SystemExit("The runs have different environments or seeds; give those of one seed.")
    learners = Table("environment", title="Fitted learners")
    for title in ("start", "slope", "rate", "reach", "nats an attempt"):
        learners.add_column(title, justify="right")
    reached: list[list[str]] = [[config["arm"]] for config in configs]
    for name in names:
        found = [outcomes(run, name) for run in runs]
        levels = _levels(runs[0], name)
        learner, likelihood = fitted(found, levels)
        world = learner.world(levels)
        attempts = sum(int(g.graded_G.sum()) for own in found for g in own)
        learners.add_row(
            name, f"{learner.start:.2f}", f"{learner.slope:.2f}", f"{learner.rate:.4f}",
            f"{learner.reach:.0f}", f"{likelihood / attempts:.3f}",
        )  # fmt: skip
        for row, own, lines in zip(reached, found, progress, strict=True):
            there = _reached(world, followed(world, own)[0])
            row.append(f"{lines[-1]['reached'][name]} | {there}")
    runs_table = Table("arm", title="Levels reached at the end: of the run | of the learner")
    for name in names:
        runs_table.add_column(name, justify="right")
    for row in reached:
        runs_table.add_row(*row)
    console = Console(highlight=False)
    console.print(learners)
    console.print(runs_table)


def _levels(run: Path, environment: str) -> int:
    """Levels of an environment: the look at the anchors before the first generation plays all."""
    with (run / "outcomes.jsonl").open() as lines:
        looked = json.loads(next(lines))["anchors"]
    at = zip(looked["environment"], looked["level"], strict=True)
    return 1 + max(level for name, level in at if name == environment)


def _reached(world: World, learner: Learner) -> int:
    """Levels that a learner passes at 50% or more, from the lowest without a gap."""
    passed_L = world.pass_rate(learner)[0] >= 0.5
    return int(np.cumprod(passed_L).sum())


if __name__ == "__main__":
    tyro.cli(main)
