"""`selfplay bench`: speed of each part beside what this machine can do at most.

Only the commands: bench_model.py measures decoding and training, bench_loop.py whole generations,
bench_grade.py grading, bench_curriculum.py ratings and the archive. Medians over repetitions.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from selfplay.cli import auditing, bench_curriculum, bench_grade, bench_loop, bench_model, options
from selfplay.cli.bench_presets import DecodeShape, PresetName, TrainShape
from selfplay.cli.training import variant
from selfplay.config import RunConfig
from selfplay.curriculum.archive import Archive
from selfplay.model.architecture import Precision
from selfplay.parts import build

EXPERIMENT = "quickstart"
"""Whose shapes are measured if nothing else is asked for."""

JsonFile = Annotated[Path | None, tyro.conf.arg(name="json")]


def bench_command(arguments: Sequence[str]) -> None:
    """`selfplay bench decode|train|loop|grade|curriculum`."""
    options.subcommands(
        {
            "decode": bench_decode, "train": bench_train, "loop": bench_whole_loop,
            "grade": bench_grading, "curriculum": bench_ratings,
        },
        "bench", arguments, example="bench decode",
    )  # fmt: skip


def bench_decode(
    experiment: str | None = None,
    preset: PresetName | None = None,
    rows: int | None = None,
    prompt: int | None = None,
    tokens: int | None = None,
    precision: Precision | None = None,
    cached: bool = False,
    repetitions: int = 5,
    json_file: JsonFile = None,
) -> None:
    """Attempts at problems, beside this machine's limits.

    Args:
        experiment: whose model and batch to use (quickstart).
        preset: this shape with random weights instead; the last two are meant for accelerators.
        rows: of a preset: responses (64).
        prompt: of a preset: tokens of a prompt (16).
        tokens: of a preset: tokens of a response (120).
        precision: multiply matrices in this instead of what the preset or experiment has.
        cached: take programs that were compiled before from the disk, as runs do; the second such
            call shows a start with a warm cache.
        repetitions: medians are over this many.
        json_file: also write the figures to this file.
    """
    shape = _shape(experiment, preset, rows=rows, prompt=prompt, tokens=tokens)

    def make() -> bench_model.Decoding:
        if preset is None:
            return bench_model.experiment_decoding(_config(experiment, precision))
        return bench_model.preset_decoding(preset, DecodeShape(**shape), precision)

    figures = bench_model.decode_figures(make, _checked(repetitions), cached=cached)
    _tell("decode", preset or experiment or EXPERIMENT, figures, json_file)


def bench_train(
    experiment: str | None = None,
    preset: PresetName | None = None,
    sequences: int | None = None,
    length: int | None = None,
    attempts: int | None = None,
    precision: Precision | None = None,
    cached: bool = False,
    repetitions: int = 5,
    json_file: JsonFile = None,
) -> None:
    """One optimiser step on attempts at problems, beside this machine's limits.

    Args:
        experiment: whose model and batch to use (quickstart).
        preset: this shape with random weights instead; the last two are meant for accelerators.
        sequences: of a preset: prompts with responses (64).
        length: of a preset: tokens of each (48).
        attempts: of a preset: responses to each prompt (8).
        precision: multiply matrices in this instead of what the preset or experiment has.
        cached: take programs that were compiled before from the disk, as runs do; the second such
            call shows a start with a warm cache.
        repetitions: medians are over this many.
        json_file: also write the figures to this file.
    """
    shape = _shape(experiment, preset, sequences=sequences, length=length, attempts=attempts)

    def make() -> bench_model.Training:
        if preset is None:
            parts = build(_config(experiment, precision), Archive(":memory:"))
            return bench_model.experiment_training(parts)
        return bench_model.preset_training(preset, TrainShape(**shape), precision)

    figures = bench_model.train_figures(make, _checked(repetitions), cached=cached)
    _tell("train", preset or experiment or EXPERIMENT, figures, json_file)


def bench_whole_loop(
    experiment: str = EXPERIMENT,
    precision: Precision | None = None,
    generations: int = 4,
    warmup_steps: int = bench_loop.WARMUP_STEPS,
    json_file: JsonFile = None,
) -> None:
    """Where the time of whole generations goes, by part.

    Args:
        experiment: which one's.
        precision: multiply matrices in this instead of what the experiment has.
        generations: how many are measured.
        warmup_steps: optimiser steps before the first generation.
        json_file: also write the figures to this file.
    """
    config = _config(experiment, precision)
    _tell("loop", experiment, bench_loop.figures(config, generations, warmup_steps), json_file)


def bench_grading(
    experiment: str = EXPERIMENT,
    repetitions: int = 5,
    submissions: int = 10_000,
    json_file: JsonFile = None,
    audit: Path | None = None,
) -> None:
    """Verdicts a second, of all sorts, and what they leave behind.

    Args:
        experiment: whose problems are graded too.
        repetitions: medians are over this many.
        submissions: after so many, all sorts of them, nothing may be left behind.
        json_file: also write the figures to this file.
        audit: instead of timing, grade the kept attempts of this run again, list disagreements
            with math-verify, and look for signs of cheating.
    """
    if audit is not None:
        figures = auditing.audit(audit, Console(highlight=False))
    else:
        if submissions < 1:
            raise ValueError(f"--submissions {submissions} must be at least 1.")
        config = _config(experiment, None)
        figures = bench_grade.experiment_figures(config, _checked(repetitions), submissions)
    _tell("grade", experiment, figures, json_file)


def bench_ratings(
    problems: int = 1_000_000, repetitions: int = 5, json_file: JsonFile = None
) -> None:
    """Ratings, draws from many problems, and the archive.

    Args:
        problems: so many are rated and archived, at least 81,920.
        repetitions: medians are over this many.
        json_file: also write the figures to this file.
    """
    if problems < bench_curriculum.FEWEST:
        raise ValueError(
            f"--problems {problems} must be at least {bench_curriculum.FEWEST}: so that a draw of "
            f"{bench_curriculum.BATCH} is one from many."
        )
    figures = bench_curriculum.figures(problems, _checked(repetitions))
    _tell("curriculum", "", figures, json_file)


def _config(experiment: str | None, precision: Precision | None) -> RunConfig:
    """The main arm of an experiment, in another precision if one is given."""
    config = variant(experiment or EXPERIMENT, "main")
    return replace(config, precision=precision or config.precision)


def _shape(
    experiment: str | None, preset: PresetName | None, **sizes: int | None
) -> dict[str, int]:
    """The sizes that were given; an option that would be ignored is an error."""
    if preset is not None and experiment is not None:
        raise ValueError("--preset and --experiment are two sources of one shape; give one.")
    given = {name: size for name, size in sizes.items() if size is not None}
    if preset is None and given:
        ignored = " and ".join(f"--{name}" for name in given)
        raise ValueError(f"{ignored}: only with --preset; an experiment has its own sizes.")
    return given


def _checked(repetitions: int) -> int:
    """A number of repetitions that medians can be over."""
    if repetitions < 1:
        raise ValueError(f"--repetitions {repetitions} must be at least 1; the default is 5.")
    return repetitions


def _tell(what: str, of: str, figures: dict[str, Any], json_file: Path | None) -> None:
    """Print the figures, and write them to the file if there is one."""
    title = f"bench {what} ({of})" if of else f"bench {what}"
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in figures.items():
        if not isinstance(value, dict):  # versions and layers of the sandbox: for the file
            table.add_row(name, _in_words(value))
    Console(highlight=False).print(table)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n")


def _in_words(value: Any) -> str:
    match value:
        case float():
            return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
        case int():
            return f"{value:,}"
    return str(value)
