"""Simulate: curricula against each other in worlds whose truth is known, in minutes.

Command: python -m selfplay_experiments.simulate --worlds full shuffled --arms uniform ladder

Runs the arms of arms.py in the worlds of worlds.py, all with the same seeds, and prints one table
a world. With `--file` every run is kept, so that a table can be made in several calls. Says which
law of the curriculum is better and why, not by how much a language model would gain. Axes: N seeds,
R resamples.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table

from selfplay.streams import numpy_rng
from selfplay_experiments import arms as curricula
from selfplay_experiments import worlds
from selfplay_experiments.arms import ARMS, Score
from selfplay_experiments.worlds import NAMES, Name

REFERENCE = "target-kalman"
"""The arm that all others are compared with."""
_COLUMNS = {
    "final": ("final", 100.0), "worst 3": ("worst_3", 100.0), "traps": ("trap_share", 100.0),
    "dead": ("dead_share", 100.0), "cover": ("coverage", 100.0), "error": ("error", 100.0),
    "s": ("seconds", 1.0),
}  # fmt: skip
"""Title in the table to field of the score and factor."""
_CONSOLE = Console(highlight=False)


class Job(NamedTuple):
    """A run that is asked for; what it comes to follows from this and the code alone."""

    world: Name
    arm: str
    seed: int
    """Of the world: all arms meet the same problems and the same luck."""
    steps: int
    """Budget, in steps without screening."""
    anchor_every: int
    """Steps between looks at the anchors."""


Runs = dict[Job, Score]
"""In the order in which they were asked for."""


def simulate(jobs: Sequence[Job], file: Path | None = None, processes: int = 1) -> Runs:
    """Run what is asked for, but for what is in the file already.

    Args:
        jobs: each of them once.
        file: of JSON lines, one a run, written as soon as it is done; need not exist. Nothing in
            it tells which code its runs were made by.
        processes: runs at a time, at least 1.
    """
    known = {} if file is None or not file.exists() else _read(file)
    missing = [job for job in jobs if job not in known]
    for job, score in zip(missing, _scores(missing, processes), strict=True):
        known[job] = score
        if file is not None:
            with file.open("a") as lines:
                lines.write(json.dumps({**job._asdict(), **asdict(score)}) + "\n")
    return {job: known[job] for job in jobs}


def _scores(jobs: Sequence[Job], processes: int) -> Iterator[Score]:
    # spawn: a fork of a process in which jax runs its threads may hang. imap: in order, and the
    # first run that fails ends them all.
    with get_context("spawn").Pool(processes) as pool:
        yield from track(pool.imap(_score, jobs), "simulating", len(jobs), console=_CONSOLE)


def _score(job: Job) -> Score:
    world = worlds.make(job.world, job.seed)
    return curricula.run(world, ARMS[job.arm], job.steps, job.anchor_every)


def _read(file: Path) -> Runs:
    runs: Runs = {}
    for line in file.read_text().splitlines():
        row = json.loads(line)
        job = Job(**{field: row.pop(field) for field in Job._fields})
        runs[job] = Score(**{**row, "curve_T": tuple(row["curve_T"])})
    return runs


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


def table(runs: Runs, world: Name) -> Table:
    """A world's arms, best first, each against the reference; in per cent but for the seconds.

    Args:
        runs: the same seeds for each arm, in the same order.
        world: one of those that they were in.
    """
    found = Table("arm", title=f"{world} (per cent; {REFERENCE} less the arm with 95% interval)")
    for title in ("AUC", "difference", *_COLUMNS):
        found.add_column(title, justify="right", no_wrap=True)
    scores: dict[str, list[Score]] = {}
    for job, score in runs.items():
        if job.world == world:
            scores.setdefault(job.arm, []).append(score)
    auc = {arm: np.array([score.auc for score in scores[arm]]) for arm in scores}
    for arm in sorted(auc, key=lambda arm: -auc[arm].mean()):
        lead_N = 100.0 * (auc[REFERENCE] - auc[arm])
        low, high = interval(lead_N)
        found.add_row(
            arm,
            f"{100.0 * auc[arm].mean():.2f}",
            "" if arm == REFERENCE else f"{lead_N.mean():+.2f} [{low:+.2f}, {high:+.2f}]",
            *(
                f"{np.mean([unit * getattr(score, field) for score in scores[arm]]):.1f}"
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
    file: Path | None = None,
    processes: int = os.cpu_count() or 1,
) -> None:
    """Curricula against each other in worlds whose truth is known.

    Args:
        worlds: where; `worlds.make` says what each is.
        arms: who; target-kalman always takes part, since the others are compared with it.
        seeds: runs of each arm in each world, paired between arms.
        steps: of 32 groups of 8 attempts, what a run may cost.
        anchor_every: steps between looks at the anchors.
        file: keep every run in this file of JSON lines, and do not run again what it has; a file
            that another version of the code has written must be deleted first.
        processes: runs at a time.
    """
    if unknown := set(arms) - ARMS.keys():
        raise SystemExit(f"There is no arm {', '.join(unknown)}; there are {', '.join(ARMS)}.")
    if min(seeds, steps, anchor_every, processes) < 1:
        raise SystemExit("--seeds, --steps, --anchor-every, --processes must be at least 1.")
    jobs = [
        Job(world, arm, seed, steps, anchor_every)
        for seed in range(seeds)
        for world in worlds
        for arm in dict.fromkeys((*arms, REFERENCE))
    ]
    runs = simulate(jobs, file, processes)
    _CONSOLE.width = max(_CONSOLE.width, 110)  # 80 where the output is no terminal: it would fold
    for world in worlds:
        _CONSOLE.print(table(runs, world))


if __name__ == "__main__":
    tyro.cli(main)
