"""Arms: curricula, and what becomes of a learner of known truth that one of them teaches.

Drives the curriculum manager through a world of worlds.py; simulate.py runs many and compares
them. Every attempt is charged, those of groups that are only screened too: a run that screens has
fewer steps. Looks at the anchors are free, and the same for all. `recorded_gain` asks another
question: how much of what a solver has learnt its rating records. Axes: E environments, L levels,
T points of a curve.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from selfplay.curriculum import samplers
from selfplay.curriculum.config import CurriculumConfig
from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.plans import Plan, Purpose, Report
from selfplay.curriculum.samplers import Oracle, Sampler
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Cells, Game
from selfplay.streams import numpy_rng
from selfplay_experiments.worlds import Learner, World

GROUPS = 32
"""Groups of attempts that a step trains on."""
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
    """What a run has come to.

    Accuracy is the mean over all cells, traps included, of the true pass rate on fresh problems.
    Cost is groups attempted, screening included.
    """

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
_NAMES = (
    "uniform", "fixed_easy", "fixed_hard", "ladder", "e2h", "adarft", "sec", "dump", "plr", "sfl",
    "mopps", "greso",
)  # fmt: skip

ARMS: dict[str, Arm] = {
    **{name: Arm(_PUBLISHED, _named(name)) for name in _NAMES},
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


class _Step(NamedTuple):
    """What is noted down of a step; the first is before any attempt."""

    charged: int
    """Groups attempted until now."""
    truth_EL: np.ndarray
    """float [E, L], true pass rates after it."""
    error: float
    """Mean absolute error of the predictions after it."""
    reports: list[Report]


def run(world: World, arm: Arm, steps: int, anchor_every: int = 50) -> Score:
    """A curriculum teaches a learner until `steps` x `GROUPS` groups have been attempted.

    Args:
        world: where.
        arm: who.
        steps: budget, in steps without screening; at least 1.
        anchor_every: steps between looks at the anchors, at least 1; the first is at the start.
    """
    started = time.process_time()
    learner, budget = world.initial(), steps * GROUPS
    sampler = arm.sampler(lambda: world.pass_rate(learner))
    manager = Manager(world.cells, arm.config, generations=steps, count=GROUPS, sampler=sampler)
    standing = look(manager, manager.initial(), world, learner, 0)
    late = deque[list[Report]]([] for _ in range(world.delay))
    record = [_noted(manager, standing, world, learner, 0, [])]
    while (charged := record[-1].charged) < budget:
        generation = len(record)
        rng = numpy_rng(world.seed, generation, "simulate-plan")
        plans = manager.plan(standing, min(GROUPS, budget - charged), generation, rng)
        learner, reports = attempt(world, learner, plans)
        late.append(reports)
        standing = manager.observe(standing, generation, late.popleft())
        if generation % anchor_every == 0:
            standing = look(manager, standing, world, learner, generation)
        record.append(_noted(manager, standing, world, learner, charged + len(plans), reports))
    seconds = time.process_time() - started
    return _score(world, budget, record, standing.reliability.coverage, seconds)


def _noted(
    manager: Manager, standing: Standing, world: World, learner: Learner, charged: int,
    reports: list[Report],
) -> _Step:  # fmt: skip
    truth_EL = world.pass_rate(learner)
    error = float(np.abs(manager.beliefs(standing).predicted_EL - truth_EL).mean())
    return _Step(charged, truth_EL, error, reports)


def _score(
    world: World, budget: int, record: list[_Step], coverage: float, seconds: float
) -> Score:
    charged = [step.charged for step in record]
    accuracy = [float(step.truth_EL.mean()) for step in record]
    each = np.interp(np.arange(0, budget + 1, GROUPS), charged, accuracy)
    reports = [report for step in record for report in step.reports]
    trained = [report for report in reports if report.plan.purpose != Purpose.SCREEN]
    trap_of = dict(zip(world.cells.names, world.trap_E, strict=True))
    final_E = record[-1].truth_EL.mean(axis=1)
    return Score(
        auc=float(np.trapezoid(each, dx=GROUPS / budget)),
        final=float(each[-1]),
        trap_share=float(np.mean([trap_of[report.plan.environment] for report in reports])),
        dead_share=float(np.mean([report.solved in (0, report.graded) for report in trained])),
        worst_3=float(np.sort(final_E[~world.trap_E])[:3].mean()),
        coverage=coverage,
        error=float(np.mean([step.error for step in record])),
        seconds=seconds,
        curve_T=tuple(
            np.interp(np.linspace(0, budget, POINTS + 1), charged, accuracy).round(5).tolist()
        ),
    )


def attempt(world: World, learner: Learner, plans: Sequence[Plan]) -> tuple[Learner, list[Report]]:
    """The learner after what was planned, and the outcomes; what is screened teaches nothing."""
    environment_N = np.array([world.cells.index[plan.environment] for plan in plans])
    level_N = np.array([plan.level for plan in plans])
    trained_N = np.array([plan.purpose != Purpose.SCREEN for plan in plans])
    learner, solved_N = world.step(learner, environment_N, level_N, trained_N)
    return learner, [
        Report(plan, plan.level, solved, world.attempts)
        for plan, solved in zip(plans, solved_N.tolist(), strict=True)
    ]


def look(
    manager: Manager, standing: Standing, world: World, learner: Learner, generation: int
) -> Standing:
    """The standing after a look at all anchors of a world."""
    solved_ELP = world.look_at_anchors(learner, generation)
    games = [
        Game(e, level, solved, world.attempts, trained=False)
        for (e, level, _), solved in zip(
            np.ndindex(solved_ELP.shape), solved_ELP.ravel().tolist(), strict=True
        )
    ]
    return manager.look_at_anchors(standing, generation, games)


def recorded_gain(
    config: CurriculumConfig, seed: int, gain: float = 5.0, steps: int = 1000, anchors: bool = True
) -> float:
    """By how many logits a rating says a solver has improved that has improved by `gain` logits.

    One environment of 10 levels that are as hard as their prior ratings say and do not change; one
    group a step at a level of the manager's choice. The solver rises evenly and
    rests before and after, for a fifth of the steps each, so that lag does not count.
    Where solvers and cells move by equal steps, the cells sink under the rising solver, and the
    rating records less.

    Args:
        config: the rating system and how it is used.
        seed: of the problems and attempts.
        gain: true improvement, in logits.
        steps: of the rise, one group each; at least 5.
        anchors: whether the manager looks at the anchors every 50 steps.
    """
    rating_L = Cells(("rising",), (10,)).prior_EL[0] / POINTS_PER_LOGIT
    hardness_L = rating_L - rating_L.mean()
    world = World(
        seed=seed, start_EL=-gain / 2 - hardness_L[None], rate_E=np.zeros(1), floor_E=np.zeros(1),
        ceiling_E=np.ones(1), transfer_ELL=np.zeros((1, 10, 10)),
    )  # fmt: skip
    rest, learner = steps // 5, world.initial()
    manager = Manager(world.cells, config, generations=steps + 2 * rest, count=1)
    standing, rating = manager.initial(), []
    for generation in range(1, steps + 2 * rest + 1):
        risen = gain * float(np.clip((generation - rest) / steps, 0.0, 1.0))
        learner = learner._replace(ability_EL=world.start_EL + risen)
        if anchors and generation % 50 == 1:
            standing = look(manager, standing, world, learner, generation - 1)
        rng = numpy_rng(seed, generation, "simulate-plan")
        learner, reports = attempt(world, learner, manager.plan(standing, 1, generation, rng))
        standing = manager.observe(standing, generation, reports)
        rating.append(float(manager.beliefs(standing).solver_E[0]) / POINTS_PER_LOGIT)
    # A single rating has the noise of its last groups.
    return float(np.mean(rating[-rest // 2 :]) - np.mean(rating[rest // 2 : rest]))
