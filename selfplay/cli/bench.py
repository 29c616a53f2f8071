"""`selfplay bench`: speed of each part beside what this machine can do at most.

Only the command: bench_model.py measures decoding and training, bench_loop.py whole generations,
bench_grade.py grading, bench_curriculum.py ratings and the archive. Medians over repetitions.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.table import Table
from tyro.conf import Positional

from selfplay.cli import auditing, bench_curriculum, bench_grade, bench_loop, bench_model, options
from selfplay.cli.bench_presets import DecodeShape, PresetName, TrainShape
from selfplay.cli.training import variant
from selfplay.curriculum.archive import Archive
from selfplay.model.architecture import Precision
from selfplay.parts import build

EXPERIMENT = "quickstart"
"""Whose shapes are measured if nothing else is asked for."""


def bench_command(arguments: Sequence[str]) -> None:
    """`selfplay bench decode|train|loop|grade|curriculum`."""

    def bench(
        what: Positional[Literal["decode", "train", "loop", "grade", "curriculum"]],
        experiment: str | None = None,
        preset: PresetName | None = None,
        rows: int | None = None,
        prompt: int | None = None,
        tokens: int | None = None,
        sequences: int | None = None,
        length: int | None = None,
        attempts: int | None = None,
        precision: Precision | None = None,
        cached: bool = False,
        generations: int = 4,
        warmup_steps: int = bench_loop.WARMUP_STEPS,
        repetitions: int = 5,
        submissions: int = 10_000,
        problems: int = 1_000_000,
        json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None,
        audit: Path | None = None,
    ) -> None:
        """Time a part with an experiment's shapes, beside this machine's limits.

        Args:
            what: decode: attempts at problems; train: one optimiser step on them; loop: whole
                generations, by part; grade: verdicts; curriculum: ratings, draws and the archive.
            experiment: whose model and batch to use (quickstart); not with `curriculum`.
            preset: with `decode` and `train`: this shape with random weights instead; the last two
                are meant for accelerators.
            rows: with `decode --preset`: responses (64).
            prompt: with `decode --preset`: tokens of a prompt (16).
            tokens: with `decode --preset`: tokens of a response (120).
            sequences: with `train --preset`: prompts with responses (64).
            length: with `train --preset`: tokens of each (48).
            attempts: with `train --preset`: responses to each prompt (8).
            precision: with `decode`, `train` and `loop`: multiply matrices in this instead of what
                the preset or experiment has.
            cached: with `decode` and `train`: take programs that were compiled before from the
                disk, as runs do; the second such call shows a start with a warm cache.
            generations: with `loop`: how many are measured.
            warmup_steps: with `loop`: optimiser steps before the first generation.
            repetitions: medians are over this many.
            submissions: with `grade`: after so many, all sorts of them, nothing may be left behind.
            problems: with `curriculum`: so many are rated and archived, at least 81,920.
            json_file: also write the figures to this file.
            audit: with `grade`: instead of timing, grade the kept attempts of this run again, list
                disagreements with math-verify, and look for signs of cheating.
        """
        decoded = {"rows": rows, "prompt": prompt, "tokens": tokens}
        trained = {"sequences": sequences, "length": length, "attempts": attempts}
        _refuse_misplaced(what, experiment, preset, decoded, trained)
        if cached and what not in ("decode", "train"):
            raise ValueError(
                f"--cached goes with `bench decode` and `bench train`, not with {what}."
            )
        if precision is not None and what not in ("decode", "train", "loop"):
            raise ValueError(
                f"--precision goes with `bench decode`, `train` and `loop`, not with {what}."
            )
        if repetitions < 1:
            raise ValueError(f"--repetitions {repetitions} must be at least 1; the default is 5.")
        if audit is not None and what != "grade":
            raise ValueError(f"--audit goes with `bench grade`, not with `bench {what}`.")
        if audit is not None:
            figures = auditing.audit(audit, Console(highlight=False))
        elif what == "curriculum":
            if problems < bench_curriculum.FEWEST:
                raise ValueError(
                    f"--problems {problems} must be at least {bench_curriculum.FEWEST}: so that a "
                    f"draw of {bench_curriculum.BATCH} is one from many."
                )
            figures = bench_curriculum.figures(problems, repetitions)
        elif preset is not None and what == "decode":
            shape = DecodeShape(**_given(decoded))
            figures = bench_model.decode_figures(
                lambda: bench_model.preset_decoding(preset, shape, precision),
                repetitions,
                cached=cached,
            )
        elif preset is not None:
            batch = TrainShape(**_given(trained))
            figures = bench_model.train_figures(
                lambda: bench_model.preset_training(preset, batch, precision),
                repetitions,
                cached=cached,
            )
        else:
            config = variant(experiment or EXPERIMENT, "main")
            config = replace(config, precision=precision or config.precision)
            match what:
                case "decode":
                    figures = bench_model.decode_figures(
                        lambda: bench_model.experiment_decoding(config), repetitions, cached=cached
                    )
                case "train":
                    figures = bench_model.train_figures(
                        lambda: bench_model.experiment_training(build(config, Archive(":memory:"))),
                        repetitions,
                        cached=cached,
                    )
                case "loop":
                    figures = bench_loop.figures(config, generations, warmup_steps)
                case "grade":
                    figures = bench_grade.experiment_figures(config, repetitions, submissions)
        of = "" if what == "curriculum" else f" ({preset or experiment or EXPERIMENT})"
        _show(f"bench {what}{of}", figures)
        if json_file is not None:
            json_file.write_text(json.dumps(figures, indent=2) + "\n")

    options.parse(bench, "bench", arguments, example="bench decode")


def _refuse_misplaced(
    what: str,
    experiment: str | None,
    preset: str | None,
    decoded: dict[str, int | None],
    trained: dict[str, int | None],
) -> None:
    """An option that would be ignored is an error."""
    if preset is not None and what not in ("decode", "train"):
        raise ValueError(f"--preset goes with `bench decode` and `bench train`, not with {what}.")
    if preset is not None and experiment is not None:
        raise ValueError("--preset and --experiment are two sources of one shape; give one.")
    for verb, shape in (("decode", decoded), ("train", trained)):
        for name in _given(shape):
            if preset is None or what != verb:
                raise ValueError(f"--{name} goes with `bench {verb} --preset`.")


def _given(shape: dict[str, int | None]) -> dict[str, int]:
    return {name: value for name, value in shape.items() if value is not None}


def _show(title: str, figures: dict[str, Any]) -> None:
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in figures.items():
        if not isinstance(value, dict):  # versions and layers of the sandbox: for the file
            table.add_row(name, _in_words(value))
    Console(highlight=False).print(table)


def _in_words(value: Any) -> str:
    match value:
        case float():
            return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
        case int():
            return f"{value:,}"
    return str(value)
