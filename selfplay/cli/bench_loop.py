"""`selfplay bench loop`: where the wall time of a generation goes, part by part.

Plays the first generations of an experiment as `selfplay train` does, in a folder that is thrown
away: the archive, the outcome log and TensorBoard are written, evaluations and checkpoints are left
out. A stopwatch listens.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from selfplay.cli import bench_limits
from selfplay.config import RunConfig
from selfplay.listener import Listener, Progress
from selfplay.run import RunFolder
from selfplay.train import train

PARTS = ("propose", "decode", "grade", "train")
COMPILING = 2
"""Generations that are left out: the first ones meet most shapes for the first time."""
WARMUP_STEPS = 100
"""So many teach the form, so that most responses end."""


class Stopwatch(Listener):
    """Remembers when each generation was over, and what its parts took."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.spent: list[dict[str, float]] = []
        """Seconds by part of each generation."""
        self.tokens: list[int] = []
        """Generated so far, after each generation."""

    def on_progress(self, progress: Progress) -> None:
        """Note the time: all that a run keeps and draws of the generation is written by now."""
        self.ends.append(time.perf_counter())
        self.spent.append({part: progress.done.seconds[part] for part in PARTS})
        self.tokens.append(progress.state.counts.generated_tokens)


def figures(config: RunConfig, generations: int, warmup_steps: int) -> dict[str, Any]:
    """Shares of the wall time, over `generations` that follow those that compile.

    Args:
        config: of the experiment.
        generations: how many are measured, at least 1.
        warmup_steps: before the first one, at least 0.
    Raises:
        ValueError: a number out of range.
    """
    if generations < 1 or warmup_steps < 0:
        raise ValueError(
            f"--generations {generations} must be at least 1 and --warmup-steps {warmup_steps} at "
            f"least 0; the defaults are 4 and {WARMUP_STEPS}."
        )
    watch = _played(_shortened(config, COMPILING + generations, warmup_steps))
    wall = watch.ends[-1] - watch.ends[COMPILING - 1]
    spent = {part: sum(turn[part] for turn in watch.spent[COMPILING:]) for part in PARTS}
    spent["rest"] = wall - sum(spent.values())
    drawn = watch.tokens[-1] - watch.tokens[COMPILING - 1]
    return {
        "generations": generations,
        "seconds_per_generation": wall / generations,
        "generated_tokens_per_second": drawn / wall,
        **{f"share_of_{part}": seconds / wall for part, seconds in spent.items()},
        "share_of_decode_and_train": (spent["decode"] + spent["train"]) / wall,
        "peak_memory_megabytes": bench_limits.peak_memory() / 1e6,
        **bench_limits.here(),
    }


def _shortened(config: RunConfig, generations: int, warmup_steps: int) -> RunConfig:
    """The same generations, fewer of them, and as little around them as there can be."""
    return replace(
        config,
        generations=generations,
        token_budget=0,
        checkpoint_every=generations + 1,
        warmup=replace(config.warmup, steps=warmup_steps),
        suites=replace(config.suites, held_out=2, anchors=1),
        evaluation=replace(config.evaluation, every=0, samples=1, live=1, live_samples=1),
    )


def _played(config: RunConfig) -> Stopwatch:
    with tempfile.TemporaryDirectory() as scratch:
        watch = Stopwatch()
        train(RunFolder.create(Path(scratch) / "run", config), watch)
    return watch
