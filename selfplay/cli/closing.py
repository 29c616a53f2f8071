"""What `selfplay train` says at the end: how far the solver got, and what to try next."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfplay import environments
from selfplay.cli.display import duration
from selfplay.cli.rates import FEW_LEVELS, bars, heading, levels_a_bar
from selfplay.config import RunConfig
from selfplay.evaluate import Interval
from selfplay.grading.programs.environment import Interpreter
from selfplay.problem import Environment, Problem
from selfplay.train import Result


def show(console: Console, config: RunConfig, result: Result, path: Path) -> None:
    """Print tables before and after self-play, and commands that go on from here."""
    before, after = result.before, result.after
    if before is None or after is None:
        return
    console.print(_by_level(before, after))
    loaded = environments.load_all(config.environments, Interpreter(config.sandbox))
    console.print(_reached(loaded, result.shown, before, after))
    never = [n for n, one in loaded.items() if one.frozen or n in config.curriculum.withheld]
    if never:
        console.print(
            f"Never posed, only measured: {', '.join(never)}.\n",
            highlight=False,
        )
    console.print(
        f"Held-out pass@1: {Interval(**before['pass@1']).percent()} after the warm-up, "
        f"{Interval(**after['pass@1']).percent()} now"
        + (f"; paired difference {result.gain.points()} (95%)." if result.gain else ".")
        + f"\nGreedy: {100 * before['greedy']['mean']:.1f}% after the warm-up, "
        f"{100 * after['greedy']['mean']:.1f}% now.",
        highlight=False,
    )
    counts = result.state.counts
    console.print(
        f"{counts.generated_tokens:,} tokens generated, {counts.trained_tokens:,} trained on, "
        f"{duration(counts.seconds)} of warm-up and generations.\n\n"
        "Next:\n"
        f"  selfplay board {path}\n"
        f"  selfplay curriculum show {path}",
        highlight=False,
    )
    if result.suggested is None:
        return
    solved, ahead = result.suggested
    for problem, what in ((solved, "a problem that it solves"), (ahead, "one at its frontier")):
        if problem is not None:
            console.print(_to_solve(path, problem, what), highlight=False, soft_wrap=True)


def _to_solve(path: Path, problem: Problem, what: str) -> str:
    command = f"selfplay solve {path} --env {problem.environment} -- {shlex.quote(problem.text)}"
    return f"  {escape(command)}  # {what}, level {problem.level}"


def _by_level(before: dict[str, Any], after: dict[str, Any]) -> Table:
    """Pass rates by level: numbers for few levels, a bar each for many."""
    levels = max(len(rates) for rates in after["by_level"].values())
    table = Table(
        title="Held-out pass@1 in %, before and after self-play",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),  # fits 80 columns
    )
    table.add_column("environment", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("mean", justify="right")
    few, each = levels <= FEW_LEVELS, levels_a_bar(levels)
    for column in [f"L{level}" for level in range(levels)] if few else [heading(levels)]:
        table.add_column(column, justify="right" if few else "left", no_wrap=True)
    for name in after["by_level"]:
        for when, full in (("before", before), ("after", after)):
            rates = full["by_level"][name]
            cells = [f"{100 * rate:.0f}" for rate in rates] if few else [bars(rates, each)]
            mean = f"{100 * full['by_environment'][name]['mean']:.0f}"
            table.add_row(name if full is before else "", when, mean, *cells)
    table.add_section()
    for when, full in (("before", before), ("after", after)):
        lengths = full["tokens_per_attempt_by_level"].values()
        by_level = [
            f"{fmean(own[level] for own in lengths if level < len(own)):.0f}"
            for level in range(levels)
        ]
        cells = by_level if few else [f"{by_level[0]} to {by_level[-1]}"]
        name = "tokens an attempt" if full is before else ""
        table.add_row(name, when, f"{full['tokens_per_attempt']:.0f}", *cells)
    return table


def _reached(
    loaded: dict[str, Environment],
    shown: dict[str, int],
    before: dict[str, Any],
    after: dict[str, Any],
) -> Table:
    """What was shown, what is reached, and what lies beyond what was shown."""
    table = Table(
        title="Shown in the warm-up | reached: every level to it passes at 50% or more | beyond",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("environment", no_wrap=True)
    for column in ("shown", "reached before", "now", "pass@1 beyond shown before", "now"):
        table.add_column(column, justify="right")
    for name, environment in loaded.items():
        table.add_row(
            name,
            height(environment, shown[name]),
            height(environment, before["frontier"][name]),
            height(environment, after["frontier"][name]),
            *(_beyond(full["by_level"][name], shown[name]) for full in (before, after)),
        )
    return table


def _beyond(rates: Sequence[float], shown: int) -> str:
    """Mean pass rate of the levels that were not shown, for people."""
    return f"{fmean(rates[shown:]):.0%}" if rates[shown:] else "-"


def height(environment: Environment, levels: int) -> str:
    """So many levels, for people: in the unit of the environment's knob, if it has only one."""
    value, unit = environment.height(levels)
    return f"{value} {unit}" if levels else "none"
