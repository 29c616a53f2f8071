"""Simulate: curricula against each other in worlds whose truth is known, in minutes.

Command: python -m selfplay_experiments.simulate --worlds full shuffled --arms uniform ladder

Drives the curriculum manager through the worlds of worlds.py, all arms with the same seeds, and
prints one table a world; `--json` keeps every run. Every attempt is charged, those of groups that
are only screened too: a run that screens has fewer steps. Looks at the anchors are free, and the
same for all. Says which law of the curriculum is better and why, not by how much a language model
would gain. Axes: E environments, L levels, N groups of a step or seeds, T points of a curve.
"""

import json
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table

from selfplay.curriculum import samplers
from selfplay.curriculum.manager import CurriculumConfig, Manager, Plan, Report, Standing
from selfplay.curriculum.samplers import Oracle, Sampler
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Cells, Game
from selfplay.streams import numpy_rng
from selfplay_experiments import worlds
from selfplay_experiments.worlds import ATTEMPTS, Learner, World

GROUPS = 32
"""Groups of attempts that a step trains on."""
REFERENCE = "target-kalman"
"""The arm that all others are compared with."""
POINTS = 40
"""Intervals of equal cost that a curve is cut into."""

Truth = Callable[[], np.ndarray]
"""Gives float [E, L], the true pass rates as they are now."""


@dataclass(frozen=True)
class Arm:
    """A curriculum that takes part."""

    config: CurriculumConfig
    sampler: Callable[[Truth], Sampler]
    """Only the oracle asks for the truth."""


@dataclass(frozen=True)
class Score:
    """What a run has come to. Accuracy is the mean over all cells, traps included, of the true pass
    rate on fresh problems; cost is groups attempted, screening included."""

    auc: float
    """Mean accuracy over the cost of the run, by trapezoids between the steps."""
    final: float
    """Accuracy at the end."""
    trap_share: float
    """Share of the attempts in environments where nothing can be learnt."""
    dead_share: float
    """Share of the groups trained on that were all right or all wrong."""
    worst_3: float
    """Accuracy at the end in the three worst environments in which something can be learnt."""
    coverage: float
    """Share of the groups whose k of G lay within the 90% interval predicted for it."""
    error: float
    """Mean absolute difference of predicted and true pass rate, over all cells and steps."""
    seconds: float
    """Processor time of the run."""
    curve_T: tuple[float, ...]
    """Accuracy at `POINTS` + 1 points of equal cost, from the start to the end."""


def _named(name: str, shared: bool = False) -> Callable[[Truth], Sampler]:
    return lambda truth: samplers.make(name, shared=shared)


_OURS = CurriculumConfig()
# As published: no probes and no quarantine.
_PUBLISHED = CurriculumConfig(probe=0.0, quarantine=False)

ARMS: dict[str, Arm] = {
    **{
        name: Arm(_PUBLISHED, _named(name))
        for name in ("uniform", "ladder", "e2h", "adarft", "sec", "dump", "plr", "sfl", "mopps", "greso")
    },
    **{
        f"{name}-shared": Arm(_PUBLISHED, _named(name, shared=True))
        for name in ("sec", "dump", "plr", "mopps")
    },
    "target-elo": Arm(replace(_OURS, system="elo"), _named("target")),
    "target-glicko2": Arm(replace(_OURS, system="glicko2"), _named("target")),
    "target-kalman": Arm(_OURS, _named("target")),
    "oracle": Arm(_OURS, lambda truth: Oracle(truth)),
}  # fmt: skip
"""The published curricula as they are; `-shared` with environments sharing equally; ours with each
rating system; and ours with the truth in place of predictions."""


@dataclass(frozen=True)
class _Record:
    """What is noted down at each step, in time order."""

    charged: list[int]
    accuracy: list[float]
    errors: list[float]
    trapped: list[int]
    dead: list[int]
    trained: list[int]


def run(world: World, arm: Arm, steps: int, anchor_every: int = 50) -> Score:
    """A curriculum teaches a learner until `steps` x `GROUPS` groups have been attempted.

    Args:
        world: where.
        arm: who.
        steps: budget, in steps without screening; at least 1.
        anchor_every: steps between looks at the anchors, at least 1; the first is at the start.
    """
    started = time.process_time()
    learner = world.initial()
    manager = Manager(
        world.cells, arm.config, generations=steps, count=GROUPS,
        sampler=arm.sampler(lambda: world.pass_rate(learner)),
    )  # fmt: skip
    standing = look(manager, manager.initial(), world, learner, 0)
    waiting: deque[list[Report]] = deque([] for _ in range(world.delay))
    charged, dead, trained, trapped = 0, 0, 0, 0
    costs, rates, errors = [0], [world.pass_rate(learner)], []
    generation = 0
    while charged < steps * GROUPS:
        generation += 1
        predicted_EL = manager.beliefs(standing).predicted_EL
        errors.append(float(np.abs(predicted_EL - rates[-1]).mean()))
        rng = numpy_rng(world.seed, generation, "simulate-plan")
        count = min(GROUPS, steps * GROUPS - charged)
        plans = manager.plan(standing, count, generation, rng)
        learner, reports = attempt(world, learner, plans)
        waiting.append(reports)
        standing = manager.observe(standing, generation, waiting.popleft())
        if generation % anchor_every == 0:
            standing = look(manager, standing, world, learner, generation)
        charged += len(plans)
        games = [report.game for report in reports]
        trapped += sum(bool(world.trap_E[game.environment]) for game in games)
        trained += sum(game.trained for game in games)
        dead += sum(game.trained and game.solved in (0, game.graded) for game in games)
        costs.append(charged)
        rates.append(world.pass_rate(learner))
    accuracy = [float(rate_EL.mean()) for rate_EL in rates]
    at_T = np.linspace(0.0, steps * GROUPS, POINTS + 1)
    every = np.arange(steps + 1) * GROUPS
    return Score(
        auc=float(np.trapezoid(np.interp(every, costs, accuracy), dx=1.0 / steps)),
        final=float(np.interp(steps * GROUPS, costs, accuracy)),
        trap_share=trapped / charged,
        dead_share=dead / trained,
        worst_3=float(np.sort(rates[-1].mean(axis=1)[~world.trap_E])[:3].mean()),
        coverage=standing.reliability.coverage,
        error=float(np.mean(errors)),
        seconds=time.process_time() - started,
        curve_T=tuple(np.interp(at_T, costs, accuracy).round(5).tolist()),
    )


def attempt(world: World, learner: Learner, plans: Sequence[Plan]) -> tuple[Learner, list[Report]]:
    """The learner after what was planned, and the outcomes; what is screened teaches nothing."""
    environment_N = np.array([plan.environment for plan in plans])
    level_N = np.array([plan.level for plan in plans])
    trained_N = np.array([plan.purpose != "screen" for plan in plans])
    learner, solved_N = world.step(learner, environment_N, level_N, trained_N)
    reports = [
        Report(plan, Game(plan.environment, plan.level, solved, ATTEMPTS, plan.purpose != "screen"))
        for plan, solved in zip(plans, solved_N.tolist(), strict=True)
    ]
    return learner, reports
