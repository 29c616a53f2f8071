"""Arms against each other: reads run folders, pairs them by seed, writes one JSON file.

Command: python -m selfplay_experiments.paired RUN... --json FILE

Runs are compared at equal optimiser steps (their ends) and at equal generated tokens (on the curve
of looks at held-out problems, up to where the cheaper one ends). Reads files only; nothing is run.
A file that this command wrote stands for the runs in it: new runs are compared with old ones.
Axes: N seeds, G looks of a run.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306}
"""97.5% quantile of Student's distribution by the number of pairs, up to 9; 1.96 beyond."""


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The configuration of a run and its progress, a line each generation.

    Raises:
        ValueError: the folder is none of a run, or no generation is done.
    """
    config, progress = folder / "config.json", folder / "progress.jsonl"
    if not config.is_file() or not progress.is_file() or not progress.stat().st_size:
        raise ValueError(f"{folder} is no folder of a run that has done a generation.")
    return json.loads(config.read_text()), [
        json.loads(line) for line in progress.read_text().splitlines()
    ]


def gathered(folder: Path) -> dict[str, Any]:
    """What a finished run has come to, as JSON data.

    Raises:
        ValueError: it is no run, or not finished.
    """
    config, progress = read(folder)
    last = progress[-1]["generation"]
    file = folder / f"evaluation-{last:06d}.json"
    if not file.exists():
        raise ValueError(f"{folder} is not finished: it has no full evaluation at its end.")
    start = json.loads((folder / "evaluation-000000.json").read_text())
    end = json.loads(file.read_text())
    names = ("pass@1", "greedy", "by_level", "greedy_by_level", "frontier")
    looks = [line for line in progress if line["held_out"] is not None]
    return {
        "arm": config["arm"],
        "seed": config["seed"],
        "generations": last,
        "optimiser_steps": last * _steps(config["update"]),
        "generated_tokens": progress[-1]["generated_tokens"],
        "trained_tokens": progress[-1]["trained_tokens"],
        "seconds": round(progress[-1]["seconds"], 1),
        "start": {name: start[name] for name in names},
        "end": {name: end[name] for name in names},
        "curve": {
            "generation": [0, *(line["generation"] for line in looks), last],
            "generated_tokens": [
                0, *(line["generated_tokens"] for line in looks), progress[-1]["generated_tokens"],
            ],
            "held_out": [
                start["pass@1"]["mean"], *(round(line["held_out"], 4) for line in looks),
                end["pass@1"]["mean"],
            ],
        },
        "passed": passed(progress),
    }  # fmt: skip


def all_of(sources: Iterable[Path]) -> list[dict[str, Any]]:
    """What the runs have come to, in the order of arms and seeds; of two alike the later source.

    Args:
        sources: folders of finished runs, and files that `main` wrote.
    Raises:
        ValueError: one is neither.
    """
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for source in sources:
        for run in _kept(source) if source.is_file() else [gathered(source)]:
            found[run["arm"], run["seed"]] = run
    return [found[key] for key in sorted(found)]


def _kept(file: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(file.read_text())["runs"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file} is neither the folder of a run nor a file that this command wrote."
        ) from error


def _steps(update: dict[str, Any]) -> int:
    rehearses = update["rule"] in ("rehearsal", "mixture")
    return update["rehearsal"]["steps"] if rehearses else update["minibatches"]


def passed(progress: Sequence[dict[str, Any]]) -> dict[str, list[int]]:
    """By environment: generated tokens at which each level was first believed to be passed.

    Of levels that were reached only; the first ones may have been passed after the warm-up.
    """
    tokens: dict[str, list[int]] = {}
    for line in progress:
        for name, levels in line["reached"].items():
            own = tokens.setdefault(name, [])
            own += [line["generated_tokens"]] * (levels - len(own))
    return tokens


def at_tokens(run: dict[str, Any], tokens: float) -> float:
    """Held-out pass@1 after so many generated tokens, between looks in a straight line."""
    curve = run["curve"]
    return float(np.interp(tokens, curve["generated_tokens"], curve["held_out"]))


def tokens_to(run: dict[str, Any], accuracy: float) -> float | None:
    """Generated tokens after which the curve first reaches an accuracy; None if never."""
    tokens, rates = run["curve"]["generated_tokens"], run["curve"]["held_out"]
    if rates[0] >= accuracy:
        return 0.0
    for at in range(1, len(rates)):
        if rates[at] >= accuracy:
            share = (accuracy - rates[at - 1]) / (rates[at] - rates[at - 1])
            return tokens[at - 1] + share * (tokens[at] - tokens[at - 1])
    return None


def interval(difference_N: Sequence[float]) -> list[float | None]:
    """Mean of paired differences with its 95% interval by Student's t; of one, the mean alone."""
    mean, count = fmean(difference_N), len(difference_N)
    if count < 2:
        return [mean, None, None]
    half = STUDENT.get(count, 1.96) * stdev(difference_N) / count**0.5
    return [mean, mean - half, mean + half]


def compared(runs: Sequence[dict[str, Any]], reference: str) -> dict[str, dict[str, Any]]:
    """Each arm beside the reference, over the seeds that both have."""
    by_arm: dict[str, dict[int, dict[str, Any]]] = {}
    for run in runs:
        by_arm.setdefault(run["arm"], {})[run["seed"]] = run
    found = {}
    for arm, own in by_arm.items():
        pairs = [(by_arm[reference][seed], own[seed]) for seed in own if seed in by_arm[reference]]
        budgets = [min(a["generated_tokens"], b["generated_tokens"]) for a, b in pairs]
        final = [(a["end"]["pass@1"]["mean"], b["end"]["pass@1"]["mean"]) for a, b in pairs]
        found[arm] = {
            "seeds": sorted(own),
            "start": fmean(run["start"]["pass@1"]["mean"] for run in own.values()),
            "end": fmean(run["end"]["pass@1"]["mean"] for run in own.values()),
            "greedy_end": fmean(run["end"]["greedy"]["mean"] for run in own.values()),
            "generated_tokens": fmean(run["generated_tokens"] for run in own.values()),
            "ahead_at_equal_steps": interval([a - b for a, b in final]),
            "ahead_at_equal_tokens": interval(
                [
                    at_tokens(a, budget) - at_tokens(b, budget)
                    for (a, b), budget in zip(pairs, budgets, strict=True)
                ]
            ),
            "tokens_to_its_end": _mean_share(
                (tokens_to(a, end), b["generated_tokens"])
                for (a, b), (_, end) in zip(pairs, final, strict=True)
            ),
        }
    return found


def _mean_share(spent: Iterable[tuple[float | None, int]]) -> float | None:
    """Mean of shares of tokens; None if one was never reached."""
    shares = [None if tokens is None else tokens / of for tokens, of in spent]
    return None if None in shares else fmean(share for share in shares if share is not None)


def table(found: dict[str, dict[str, Any]], reference: str) -> Table:
    """The comparison for people, best first, in per cent."""
    shown = Table("arm", title=f"Held-out pass@1 in %; {reference} minus the arm, 95% over seeds")
    columns = ("seeds", "start", "end", "greedy", "M tokens", "equal steps", "equal tokens")
    for title in (*columns, f"tokens of {reference} to its end"):
        shown.add_column(title, justify="right", no_wrap=True)
    for arm, row in sorted(found.items(), key=lambda item: -item[1]["end"]):
        ahead = [
            "" if arm == reference else _points(row[name])
            for name in ("ahead_at_equal_steps", "ahead_at_equal_tokens")
        ]
        spent = row["tokens_to_its_end"]
        share = "" if arm == reference else "never" if spent is None else f"{spent:.0%}"
        shown.add_row(
            arm, str(len(row["seeds"])), f"{100 * row['start']:.1f}", f"{100 * row['end']:.1f}",
            f"{100 * row['greedy_end']:.1f}", f"{row['generated_tokens'] / 1e6:.2f}", *ahead, share,
        )  # fmt: skip
    return shown


def _points(found: Sequence[float | None]) -> str:
    mean, *ends = [None if x is None else f"{100 * x:+.1f}" for x in found]
    return f"{mean}" if None in ends else f"{mean} [{ends[0]}, {ends[1]}]"


def main(
    runs: tyro.conf.Positional[tuple[Path, ...]],
    reference: str = "main",
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None,
) -> None:
    """Arms of an experiment beside each other, paired by seed.

    Args:
        runs: finished run folders, of several arms and seeds, and files written before.
        reference: the arm that the others are compared with.
        json_file: also write the runs and the comparison to this file.
    """
    try:
        gathered_runs = all_of(runs)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    if reference not in {run["arm"] for run in gathered_runs}:
        raise SystemExit(f"There is no run of the arm {reference!r} among these.")
    found = compared(gathered_runs, reference)
    console = Console(highlight=False)
    console.width = max(console.width, 150)  # 80 where the output is no terminal: it would fold
    console.print(table(found, reference))
    if json_file is not None:
        text = json.dumps({"reference": reference, "arms": found, "runs": gathered_runs})
        json_file.write_text(text + "\n")


if __name__ == "__main__":
    tyro.cli(main)
