"""`selfplay curriculum` and `board`: look at what a run did."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional

from selfplay import checkpoints, report
from selfplay.cli import options, runs
from selfplay.cli.closing import height
from selfplay.cli.rates import FEW_LEVELS, bars, heading, levels_a_bar
from selfplay.curriculum import replay
from selfplay.curriculum.archive import Archive
from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.plans import UNNUMBERED, Purpose, Report
from selfplay.curriculum.watch import STATES
from selfplay.run import RunFolder

POSED = (
    "generation, slot, problem, environment, level, knobs, text, key, gold, proposer, purpose, "
    "requested, predicted, propensity, solved, graded, rating, rating_sd"
)
"""Columns of the archive for people, in order."""


def curriculum_command(arguments: Sequence[str]) -> None:
    """`selfplay curriculum show|explain|export RUN`."""
    options.subcommands(
        {"show": show_curriculum, "explain": explain, "export": export},
        "curriculum", arguments, example="curriculum show runs/ladder",
    )  # fmt: skip


def show_curriculum(run: Positional[Path]) -> None:
    """The frontier: predicted pass rate and groups played for each environment and level.

    Args:
        run: the run folder.
    """
    console = Console(highlight=False)
    with runs.opened(run) as (folder, parts, _):
        state = checkpoints.restored(folder, parts)
        manager, standing = parts.ring.manager, state.standing
        levels = manager.cells.shape[1]
        few = levels <= FEW_LEVELS
        table = Table(
            title=f"Generation {state.generation}: predicted pass rate"
            + (" in %, groups played below" if few else ", share of the groups played below"),
            title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0),
        )  # fmt: skip
        learned = folder.config.proposing.proposer == "learned"
        table.add_column("rating ± sd: solver" + (", proposer" if learned else ""), no_wrap=True)
        if few:
            for level in range(levels):
                table.add_column(str(level), justify="right")
        else:
            table.add_column("reached", justify="right")
            table.add_column(heading(levels), no_wrap=True)
        reached = report.reached(manager, standing)
        for e, name in enumerate(manager.names):
            cells = _numbers(manager, standing, e) if few else [
                height(parts.environments[name], reached[name]), _bars(manager, standing, e)
            ]  # fmt: skip
            table.add_row(_known_of(manager, standing, e, learned), *cells)
        console.print(table)
        reliability = standing.reliability
        console.print(
            f"Predictions against outcomes: calibration error {reliability.error:.1%}, "
            f"{reliability.coverage:.0%} of {reliability.groups_B.sum():,} groups within their 90% "
            "interval."
        )


def _known_of(manager: Manager, standing: Standing, e: int, learned: bool) -> str:
    """Name, ratings and state of an environment, a line each."""
    beliefs, proposer = manager.beliefs(standing), manager.proposer_beliefs(standing)
    lines = [
        f"[bold]{manager.names[e]}[/]",
        f"{beliefs.solver_E[e]:.0f} ± {beliefs.solver_sd_E[e]:.0f}",
    ]
    if learned:
        lines.append(f"[dim]{proposer.solver_E[e]:.0f} ± {proposer.solver_sd_E[e]:.0f}[/]")
    if (state := STATES[standing.watch.state_E[e]]) != "active":
        lines.append(f"[red]{state}[/]")
    return "\n".join(lines)


def _numbers(manager: Manager, standing: Standing, e: int) -> list[str]:
    """Of each level the predicted pass rate and the groups played."""
    predicted_L = manager.beliefs(standing).predicted_EL[e]
    return [
        "" if np.isnan(p) else f"{_coloured(p)}\n[dim]{n}[/]"
        for p, n in zip(predicted_L, standing.groups_EL[e], strict=True)
    ]


def _bars(manager: Manager, standing: Standing, e: int) -> str:
    """The same as two rows of bars, for many levels; groups relative to the most played level."""
    count, each = manager.cells.level_counts[e], levels_a_bar(manager.cells.shape[1])
    groups_L = standing.groups_EL[e, :count]
    predicted = bars(manager.beliefs(standing).predicted_EL[e, :count].tolist(), each)
    return f"{predicted}\n[dim]{bars((groups_L / max(1, groups_L.max())).tolist(), each)}[/]"


def explain(
    run: Positional[Path],
    generation: Annotated[int | None, tyro.conf.arg(aliases=["--step"])] = None,
    problem: int | None = None,
    text: str | None = None,
) -> None:
    """Why problems were posed: prediction, shares, propensity, what happened, how ratings moved.

    Replays the outcome log up to the generations in question.

    Args:
        run: the run folder.
        generation: everything that was posed and turned away in this generation.
        problem: every visit to the problem of this number.
        text: every time this text was posed.
    """
    given = {"generation": generation, "problem": problem, "text": text}
    given = {column: value for column, value in given.items() if value is not None}
    if len(given) != 1:
        raise ValueError("give one of --generation N, --problem NUMBER and --text TEXT.")
    console = Console(highlight=False)
    ((column, value),) = given.items()
    with runs.opened(run) as (folder, parts, archive):
        query = (
            "SELECT generation, slot, problem, text, gold, proposer, rating, rating_sd FROM posed "
            "WHERE "
        )
        rows = archive.query(f"{query}{column} = ? ORDER BY generation, slot", value)
        if not rows:
            last, number = archive.query("SELECT MAX(generation), MAX(problem) FROM posed")[0]
            raise ValueError(
                f"nothing was posed with {column} {value!r}; generations go to {last}, numbers of "
                f"problems to {number}."
            )
        curriculum = folder.config.curriculum
        sampler = f"The sampler {curriculum.sampler}"
        if curriculum.sampler == "target":
            sampler += f" (which likes a pass rate of {curriculum.target:.0%})"
        turns = _turns(parts.ring.manager, sampler, folder.outcomes(), {row[0] for row in rows})
        for when, slot, number, posed, gold, proposer, rating, sd in rows:
            named = "" if number == UNNUMBERED else f", problem {number}"
            console.print(
                f"[bold]{escape(posed)}[/] (answer {escape(gold)}){named}, written by the "
                f"{proposer} proposer, in slot {slot} of generation {when}.\n"
                f"{turns[when].why(slot)}"
                f" The problem now stands at {rating:.0f} ± {sd:.0f} points.\n"
                f"{turns[when].moved(slot)}"
            )
        if generation is not None:
            turned_away = archive.query(
                "SELECT environment, text, reason FROM rejected WHERE generation = ?", generation
            )
            for name, wrote, reason in turned_away:
                console.print(
                    f"[red]turned away[/] {name}: {escape(repr(wrote))} ({escape(reason)})"
                )


class _Turn:
    """What the curriculum knew before and after the outcomes of a generation."""

    def __init__(
        self,
        manager: Manager,
        sampler: str,
        before: Standing,
        after: Standing,
        reports: Sequence[Report],
    ) -> None:
        self._manager, self._sampler = manager, sampler
        self._before, self._after = manager.beliefs(before), manager.beliefs(after)
        self._share_E = manager.shares(before)
        self._state_E = before.watch.state_E
        self._reports = {report.plan.slot: report for report in reports}

    def why(self, slot: int) -> str:
        """What was asked for, and what came of it."""
        plan, level, solved, graded = self._reports[slot]
        e, name = self._manager.cells.index[plan.environment], plan.environment
        asked = {
            Purpose.TARGET: f"{self._sampler} drew level {plan.level} of {name}",
            Purpose.PROBE: f"A probe, of any cell, fell on level {plan.level} of {name}",
            Purpose.REVISIT: f"An earlier problem of level {plan.level} of {name} was due again",
            Purpose.SCREEN: f"Level {plan.level} of {name} was looked at, not trained on",
        }[plan.purpose]
        revisit = plan.purpose == Purpose.REVISIT
        stood, drawn = ("it", "problem") if revisit else ("problems there", "cell")
        state = STATES[self._state_E[e]]
        watched = "" if state == "active" else f" ({state})"
        other = "" if level == plan.level else f" It came out as one of level {level}."
        return (
            f"  {asked}: {stood} stood at {plan.rating:.0f} points and the solver at "
            f"{self._before.solver_E[e]:.0f} ± {self._before.solver_sd_E[e]:.0f}, so it was "
            f"predicted to pass {plan.predicted:.0%} ± {plan.predicted_sd:.0%}. {name} had "
            f"{self._share_E[e]:.0%} of the problems{watched}; this {drawn} came up with "
            f"probability {plan.propensity:.2g} a slot.{other}\n"
            f"  The solver solved {solved} of {graded}."
        )

    def moved(self, slot: int) -> str:
        """How the whole generation moved the ratings that this problem is about."""
        report = self._reports[slot]
        cell = self._manager.cells.index[report.plan.environment], report.level
        before, after = self._before, self._after
        return (
            f"  After this generation: solver {before.solver_E[cell[0]]:.0f} -> "
            f"{after.solver_E[cell[0]]:.0f} points, level {cell[1]} {before.cell_EL[cell]:.0f} -> "
            f"{after.cell_EL[cell]:.0f}, predicted pass rate {before.predicted_EL[cell]:.0%} -> "
            f"{after.predicted_EL[cell]:.0%}."
        )


def _turns(
    manager: Manager, sampler: str, lines: Sequence[dict[str, Any]], wanted: set[int]
) -> dict[int, _Turn]:
    """The wanted generations by number, from the outcome log."""
    standing, turns = manager.initial(), {}
    for line in lines:
        after = replay.after(manager, standing, line)
        if "outcomes" in line and line["generation"] in wanted:
            turns[line["generation"]] = _Turn(
                manager, sampler, standing, after, replay.reports(line)
            )
        standing = after
    return turns


def export(run: Positional[Path], file: Positional[Path]) -> None:
    """Everything that was posed, as CSV.

    Args:
        run: the run folder.
        file: the file to make, NAME.csv; must not exist.
    """
    if file.suffix != ".csv":
        raise ValueError(f"{file} must end in .csv: what is written is CSV.")
    archive = _archive(run)
    query = f"SELECT {POSED} FROM posed LEFT JOIN cells USING (environment, level)"  # noqa: S608
    with file.open("x", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(POSED.split(", "))
        writer.writerows(archive.query(f"{query} ORDER BY generation, slot"))
    archive.close()
    print(f"written to {file}")


def board_command(arguments: Sequence[str]) -> None:
    """`selfplay board RUN...`."""

    def board(runs: Positional[tuple[Path, ...]], port: int = 6006) -> None:
        """Open TensorBoard on runs.

        Args:
            runs: run folders.
            port: where TensorBoard listens.
        """
        from tensorboard import program

        if not runs:
            raise ValueError("name at least one run folder: selfplay board runs/ladder")
        for run in runs:
            RunFolder.open(run)
        server = program.TensorBoard()
        spec = ",".join(f"{run.name}:{run}" for run in runs)
        server.configure(argv=["tensorboard", "--logdir_spec", spec, "--port", str(port)])
        sys.exit(server.main())

    options.parse(board, "board", arguments, example="board runs/ladder runs/ladder-uniform")


def _archive(run: Path) -> Archive:
    return Archive(RunFolder.open(run).archive_path)


def _coloured(rate: float) -> str:
    colour = "green" if rate > 0.8 else "yellow" if rate > 0.2 else "red"
    return f"[{colour}]{100 * rate:.0f}[/]"
