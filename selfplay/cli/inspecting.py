"""`selfplay curriculum` and `board`: look at what a run did."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional

from selfplay.cli import options, runs
from selfplay.curriculum.archive import Archive
from selfplay.curriculum.watch import STATES
from selfplay.run import RunFolder

POSED = (
    "generation, slot, environment, level, text, gold, proposer, purpose, requested, predicted, "
    "propensity, solved, graded, rating"
)
"""Columns of the archive for people, in order."""


def curriculum_command(arguments: Sequence[str]) -> None:
    """`selfplay curriculum show|explain|export RUN`."""
    options.subcommands(
        {"show": show_curriculum, "explain": explain, "export": export},
        "curriculum", arguments, example="curriculum show runs/quickstart",
    )  # fmt: skip


def show_curriculum(run: Positional[Path]) -> None:
    """The frontier: predicted pass rate and groups played for each environment and level.

    Args:
        run: the run folder.
    """
    console = Console(highlight=False)
    with runs.opened(run) as (folder, parts, _):
        state = runs.state_of(folder, parts)
        manager, standing = parts.ring.manager, state.standing
        beliefs = manager.beliefs(standing)
        predicted_EL = beliefs.predicted_EL
        table = Table(
            title=f"Generation {state.generation}: predicted pass rate in % (groups played)",
            title_justify="left",
        )
        table.add_column("environment")
        table.add_column("solver rating")
        table.add_column("on the anchors")
        table.add_column("state")
        for level in range(predicted_EL.shape[1]):
            table.add_column(f"level {level}", justify="right")
        for e, name in enumerate(manager.names):
            cells = [
                "" if np.isnan(p) else f"{_coloured(p)} ({n})"
                for p, n in zip(predicted_EL[e], standing.groups_EL[e], strict=True)
            ]
            rating = f"{beliefs.solver_E[e]:.0f} ± {beliefs.solver_sd_E[e]:.0f}"
            anchored = f"{standing.anchored_E[e]:.0f} ± {standing.anchored_sd_E[e]:.0f}"
            table.add_row(name, rating, anchored, STATES[standing.watch.state_E[e]], *cells)
        console.print(table)
        reliability = standing.reliability
        console.print(
            f"Predictions against outcomes: calibration error {reliability.error:.1%}, "
            f"{reliability.coverage:.0%} of {reliability.groups_B.sum():,} groups within their 90% "
            "interval."
        )


def explain(
    run: Positional[Path], generation: int | None = None, problem: str | None = None
) -> None:
    """Why problems were posed: prediction, propensity, what happened, how the rating moved.

    Args:
        run: the run folder.
        generation: everything that was posed and turned away in this generation.
        problem: every time this text was posed.
    """
    if (generation is None) == (problem is None):
        raise ValueError("give either --generation N or --problem TEXT.")
    console = Console(highlight=False)
    archive = _archive(run)
    column, value = ("generation", generation) if problem is None else ("text", problem)
    rows = archive.query(
        f"SELECT {POSED} FROM posed WHERE {column} = ? ORDER BY generation, slot",  # noqa: S608
        value,
    )
    if not rows:
        last = archive.query("SELECT MAX(generation) FROM posed")[0][0]
        raise ValueError(f"nothing was posed with {column} {value!r}; generations go to {last}.")
    for (when, slot, name, level, text, gold, proposer, purpose, wanted, predicted, propensity,
         solved, graded, rating) in rows:  # fmt: skip
        console.print(
            f"[bold]{escape(text)}[/] (answer {escape(gold)}): {name} level {level}, written by "
            f"the {proposer} proposer for slot {slot} of generation {when}.\n"
            f"  Asked for as a {purpose}: at {wanted:.0f} points the solver was predicted to pass "
            f"{predicted:.0%}; the sampler drew this cell with probability {propensity:.2f}.\n"
            f"  The solver solved {solved} of {graded}; the problem now stands at {rating:.0f} "
            "points."
        )
    if generation is not None:
        turned_away = archive.query(
            "SELECT environment, text, reason FROM rejected WHERE generation = ?", generation
        )
        for name, text, reason in turned_away:
            console.print(f"[red]turned away[/] {name}: {escape(repr(text))} ({escape(reason)})")
    archive.close()


def export(run: Positional[Path], file: Positional[Path]) -> None:
    """Everything that was posed, as CSV.

    Args:
        run: the run folder.
        file: the CSV file to make; must not exist.
    """
    archive = _archive(run)
    with file.open("x", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(POSED.split(", "))
        writer.writerows(archive.query(f"SELECT {POSED} FROM posed"))  # noqa: S608 (fixed text)
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
            raise ValueError("name at least one run folder: selfplay board runs/quickstart")
        for run in runs:
            RunFolder.open(run)
        server = program.TensorBoard()
        spec = ",".join(f"{run.name}:{run}" for run in runs)
        server.configure(argv=["tensorboard", "--logdir_spec", spec, "--port", str(port)])
        sys.exit(server.main())

    options.parse(
        board, "board", arguments, example="board runs/quickstart runs/quickstart-uniform"
    )


def _archive(run: Path) -> Archive:
    return Archive(RunFolder.open(run).archive_path)


def _coloured(rate: float) -> str:
    colour = "green" if rate > 0.8 else "yellow" if rate > 0.2 else "red"
    return f"[{colour}]{100 * rate:.0f}[/]"
