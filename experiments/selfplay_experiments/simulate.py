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
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table

from selfplay.curriculum import samplers
from selfplay.curriculum.config import CurriculumConfig
from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.plans import Plan, Report
from selfplay.curriculum.samplers import Oracle, Sampler
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Cells, Game
from selfplay.streams import numpy_rng
from selfplay_experiments import worlds
from selfplay_experiments.worlds import ATTEMPTS, NAMES, Learner, Name, World

GROUPS = 32
"""Groups of attempts that a step trains on."""
REFERENCE = "target-kalman"
"""The arm that all others are compared with."""
POINTS = 40
"""Intervals of equal cost that a curve is cut into."""
_COLUMNS = {
    "final": ("final", 100.0), "worst 3": ("worst_3", 100.0), "traps": ("trap_share", 100.0),
    "dead": ("dead_share", 100.0), "cover": ("coverage", 100.0), "error": ("error", 100.0),
    "s": ("seconds", 1.0),
}  # fmt: skip
"""Title in the table to field of the score and factor."""
_CONSOLE = Console(highlight=False)

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
_NAMES = ("uniform", "ladder", "e2h", "adarft", "sec", "dump", "plr", "sfl", "mopps", "greso")

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


Runs = dict[tuple[Name, str], list[Score]]
"""(world, arm) to the scores of all seeds, in order."""


class _Step(NamedTuple):
    """What is noted down of a step; the first is before any attempt."""

    charged: int
    """Groups attempted until now."""
    truth_EL: np.ndarray
    """float [E, L], true pass rates after it."""
    error: float
    """Mean absolute error of the predictions after it."""
    games: list[Game]


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
        games = [report.game for report in reports]
        record.append(_noted(manager, standing, world, learner, charged + len(plans), games))
    seconds = time.process_time() - started
    return _score(world, budget, record, standing.reliability.coverage, seconds)


def _noted(
    manager: Manager, standing: Standing, world: World, learner: Learner, charged: int,
    games: list[Game],
) -> _Step:  # fmt: skip
    truth_EL = world.pass_rate(learner)
    error = float(np.abs(manager.beliefs(standing).predicted_EL - truth_EL).mean())
    return _Step(charged, truth_EL, error, games)


def _score(
    world: World, budget: int, record: list[_Step], coverage: float, seconds: float
) -> Score:
    charged = [step.charged for step in record]
    accuracy = [float(step.truth_EL.mean()) for step in record]
    each = np.interp(np.arange(0, budget + 1, GROUPS), charged, accuracy)
    games = [game for step in record for game in step.games]
    trained = [game for game in games if game.trained]
    final_E = record[-1].truth_EL.mean(axis=1)
    return Score(
        auc=float(np.trapezoid(each, dx=GROUPS / budget)),
        final=float(each[-1]),
        trap_share=float(np.mean([world.trap_E[game.environment] for game in games])),
        dead_share=float(np.mean([game.solved in (0, game.graded) for game in trained])),
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
    environment_N = np.array([plan.environment for plan in plans])
    level_N = np.array([plan.level for plan in plans])
    trained_N = np.array([plan.purpose != "screen" for plan in plans])
    learner, solved_N = world.step(learner, environment_N, level_N, trained_N)
    reports = [
        Report(plan, Game(plan.environment, plan.level, solved, ATTEMPTS, plan.purpose != "screen"))
        for plan, solved in zip(plans, solved_N.tolist(), strict=True)
    ]
    return learner, reports


def look(
    manager: Manager, standing: Standing, world: World, learner: Learner, generation: int
) -> Standing:
    """The standing after a look at all anchors of a world."""
    solved_ELP = world.look_at_anchors(learner, generation)
    games = [
        Game(e, level, solved, ATTEMPTS, trained=False)
        for (e, level, _), solved in zip(
            np.ndindex(solved_ELP.shape), solved_ELP.ravel().tolist(), strict=True
        )
    ]
    return manager.look_at_anchors(standing, generation, games)


def interval(difference_N: np.ndarray, resamples: int = 10_000) -> tuple[float, float]:
    """95% bootstrap interval of a mean of paired differences: percentiles of resampled means.

    Args:
        difference_N: float [N], one for each seed.
        resamples: draws of N seeds with replacement; the same draws at every call.
    """
    rng = numpy_rng(0, 0, "simulate-bootstrap")
    pick_RN = rng.integers(len(difference_N), size=(resamples, len(difference_N)))
    low, high = np.quantile(difference_N[pick_RN].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


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
    cells = Cells(("rising",), (10,))
    rating_L = cells.prior_EL[0] / POINTS_PER_LOGIT
    hardness_L = rating_L - rating_L.mean()
    world = World(
        seed=seed, start_EL=-gain / 2 - hardness_L[None], rate_E=np.zeros(1), floor_E=np.zeros(1),
        ceiling_E=np.ones(1), transfer_ELL=np.zeros((1, 10, 10)),
    )  # fmt: skip
    rest, learner = steps // 5, world.initial()
    manager = Manager(cells, config, generations=steps + 2 * rest, count=1)
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


def simulate(
    names: Sequence[Name], arms: Sequence[str], seeds: int, steps: int, anchor_every: int
) -> Runs:
    """Run all arms in all worlds with seeds 0 to `seeds` - 1, on all cores."""
    jobs = [
        _Job(world, arm, seed, steps, anchor_every)
        for seed in range(seeds)
        for world in names
        for arm in arms
    ]
    found: Runs = {(world, arm): [] for world in names for arm in arms}
    # spawn: a fork of a process in which jax runs its threads may hang. imap: in order, and the
    # first run that fails ends them all.
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        scores = track(pool.imap(_score_of, jobs), "simulating", len(jobs), console=_CONSOLE)
        for job, score in zip(jobs, scores, strict=True):
            found[job.world, job.arm].append(score)
    return found


class _Job(NamedTuple):
    world: Name
    arm: str
    seed: int
    steps: int
    anchor_every: int


def _score_of(job: _Job) -> Score:
    return run(worlds.make(job.world, job.seed), ARMS[job.arm], job.steps, job.anchor_every)


def table(runs: Runs, world: Name) -> Table:
    """A world's arms, best first, each against the reference; in per cent but for the seconds."""
    found = Table("arm", title=f"{world} (per cent; {REFERENCE} less the arm with 95% interval)")
    for title in ("AUC", "difference", *_COLUMNS):
        found.add_column(title, justify="right", no_wrap=True)
    auc = {arm: np.array([score.auc for score in runs[at, arm]]) for at, arm in runs if at == world}
    for arm in sorted(auc, key=lambda arm: -auc[arm].mean()):
        lead_N = 100.0 * (auc[REFERENCE] - auc[arm])
        low, high = interval(lead_N)
        found.add_row(
            arm,
            f"{100.0 * auc[arm].mean():.2f}",
            "" if arm == REFERENCE else f"{lead_N.mean():+.2f} [{low:+.2f}, {high:+.2f}]",
            *(
                f"{np.mean([unit * getattr(score, field) for score in runs[world, arm]]):.1f}"
                for field, unit in _COLUMNS.values()
            ),
        )
    return found


def main(
    worlds: tuple[Name, ...] = NAMES,
    arms: tuple[str, ...] = tuple(ARMS),
    seeds: int = 10,
    steps: int = 800,
    anchor_every: int = 50,
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None,
) -> None:
    """Curricula against each other in worlds whose truth is known.

    Args:
        worlds: where; `worlds.make` says what each is.
        arms: who; target-kalman always takes part, since the others are compared with it.
        seeds: runs of each arm in each world, paired between arms.
        steps: of 32 groups of 8 attempts, what a run may cost.
        anchor_every: steps between looks at the anchors.
        json_file: also write every run to this file.
    """
    if unknown := set(arms) - ARMS.keys():
        raise SystemExit(f"There is no arm {', '.join(unknown)}; there are {', '.join(ARMS)}.")
    if min(seeds, steps, anchor_every) < 1:
        raise SystemExit("--seeds, --steps and --anchor-every must be at least 1.")
    runs = simulate(worlds, tuple(dict.fromkeys((*arms, REFERENCE))), seeds, steps, anchor_every)
    _CONSOLE.width = max(_CONSOLE.width, 110)  # 80 where the output is no terminal: it would fold
    for world in worlds:
        _CONSOLE.print(table(runs, world))
    if json_file is not None:
        rows = [
            {"world": world, "arm": arm, "seed": seed, **asdict(score)}
            for (world, arm), scores in runs.items()
            for seed, score in enumerate(scores)
        ]
        settings = {"steps": steps, "groups": GROUPS, "anchor_every": anchor_every}
        json_file.write_text(json.dumps({**settings, "runs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    tyro.cli(main)
