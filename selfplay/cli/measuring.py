"""`selfplay eval`: held-out accuracy of a run, beside another's, and as a result file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from tyro.conf import Positional

from selfplay import checkpoints, machine, report
from selfplay.cli import options, runs
from selfplay.cli.display import MANY_CUT
from selfplay.evaluate import Interval
from selfplay.loop import State
from selfplay.run import RunFolder

ENDS = 10
"""Generations at the end of a run over which the valid-proposal rate is averaged."""
STARTS = 3
"""Generations at its start: few, because the proposer changes with each."""


def eval_command(arguments: Sequence[str]) -> None:
    """`selfplay eval RUN`."""

    def evaluate(
        run: Positional[Path],
        against: Path | None = None,
        samples: int | None = None,
        json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None,
    ) -> None:
        """Held-out accuracy after the warm-up and now, with 95% intervals; paired differences.

        Args:
            run: the run folder.
            against: another run; prints the paired difference, this one minus that one.
            samples: sampled attempts at each problem; as the run's configuration by default.
            json_file: also write the figures to this file.
        """
        console = Console(highlight=False)
        figures = measure(run, samples)
        print_figures(console, run, figures)
        if against is not None:
            other = measure(against, samples)
            print_figures(console, against, other)
            difference = report.gain(other["end"], figures["end"])
            assert difference is not None
            console.print(f"{run} minus {against}, paired: {difference.points()} (95%)")
            figures["against"] = {"run": against.name, "difference": vars(difference)}
        if json_file is not None:
            json_file.write_text(json.dumps(_without_rates(figures), indent=2) + "\n")
            console.print(f"written to {json_file}")

    options.parse(
        evaluate,
        "eval",
        arguments,
        example="eval runs/ladder --against runs/ladder-uniform",
    )


def measure(run: Path, samples: int | None) -> dict[str, Any]:
    """Evaluate the checkpoints after the warm-up and the latest; gather the run's figures."""
    with runs.opened(run) as (folder, parts, _):
        if samples is not None:
            parts = _with_samples(parts, samples)
        there = folder.generations()
        if not there:
            raise ValueError(f"{run} has no checkpoint yet; its warm-up was not finished.")
        first = checkpoints.restored(folder, parts, 0) if 0 in there else None
        last = checkpoints.restored(folder, parts)
        start = report.full_evaluation(parts, first) if first else None
        end = report.full_evaluation(parts, last)
        config = folder.config
        return {
            "experiment": config.experiment,
            "arm": config.arm,
            "seed": config.seed,
            "generations": last.generation,
            "versions": machine.versions(),
            "machine": machine.description(),
            "wall_seconds": round(last.counts.seconds, 1),
            "generated_tokens": last.counts.generated_tokens,
            "trained_tokens": last.counts.trained_tokens,
            "start": start,
            "end": end,
            "gain": vars(gained) if (gained := report.gain(start, end)) else None,
            "rating": {
                "start": ratings(first) if first else None,
                "end": ratings(last),
                "names": list(config.environments),
            },
            "valid_proposals": valid_proposals(folder),
        }


def ratings(state: State) -> dict[str, Any]:
    """The solver's ratings on the anchors, in points."""
    rated = state.standing
    return {
        "by_environment": [round(value, 1) for value in rated.anchored_E.tolist()],
        "sd": [round(value, 1) for value in rated.anchored_sd_E.tolist()],
        "mean": round(float(rated.anchored_E.mean()), 1),
        "mean_sd": round(
            float(np.sqrt(np.square(rated.anchored_sd_E).sum())) / rated.anchored_E.size, 1
        ),
    }


def valid_proposals(folder: RunFolder) -> dict[str, float | None]:
    """Share of the learned proposals that the gate admitted, first and last generations."""

    def rate(lines: list[dict[str, Any]]) -> float | None:
        asked = sum(line["proposals"] for line in lines)
        return round(sum(line["admitted"] for line in lines) / asked, 4) if asked else None

    lines = [line for line in folder.outcomes() if "proposals" in line]  # not looks at anchors
    return {"start": rate(lines[:STARTS]), "end": rate(lines[-ENDS:])}


def print_figures(console: Console, run: Path, figures: dict[str, Any]) -> None:
    """A run's evaluation for people."""
    start, end = figures["start"], figures["end"]
    table = Table(
        title=f"{run}: held-out pass@1 [95%], {end['problems']} problems", title_justify="left"
    )
    for name in ("", "after warm-up", f"generation {figures['generations']}"):
        table.add_column(name)
    rows = [("mean", "pass@1", None), ("greedy", "greedy", None)]
    rows += [(name, "by_environment", name) for name in end["by_environment"]]
    for title, key, name in rows:
        cells = [
            "-"
            if full is None
            else Interval(**(full[key] if name is None else full[key][name])).percent()
            for full in (start, end)
        ]
        table.add_row(title, *cells)
    console.print(table)
    if figures["gain"]:
        console.print(f"gain, paired: {Interval(**figures['gain']).points()} (95%)")
    if (cut := end.get("cut_at_limit", 0.0)) > MANY_CUT:  # absent from older evaluations
        console.print(
            f"{cut:.0%} of the attempts reached the token limit before their end and earned "
            "nothing; --decode.max-tokens is that limit."
        )
    rated = figures["rating"]
    if rated["start"]:
        console.print(
            f"mean rating: {rated['start']['mean']:.0f} ± {rated['start']['mean_sd']:.0f} -> "
            f"{rated['end']['mean']:.0f} ± {rated['end']['mean_sd']:.0f} points"
        )


def _with_samples(parts: Any, samples: int) -> Any:
    from dataclasses import replace

    evaluation = replace(parts.config.evaluation, samples=samples)
    return replace(parts, config=replace(parts.config, evaluation=evaluation))


def _without_rates(figures: dict[str, Any]) -> dict[str, Any]:
    """Result files keep the means; the rate of each problem can be had again from the run."""
    return {
        name: {k: v for k, v in value.items() if k != "rates"} if isinstance(value, dict) else value
        for name, value in figures.items()
    }
