"""`selfplay curriculum`, `envs` and `board`: look at what is there."""

import csv
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional

from selfplay import environments as installed
from selfplay.cli import options, runs
from selfplay.cli.options import Count
from selfplay.curriculum.archive import Archive
from selfplay.problem import Environment, Outcome, ProposalError
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
        manager, rated = parts.ring.manager, state.ratings
        predicted_EL = manager.predicted(rated)
        table = Table(
            title=f"Generation {state.generation}: predicted pass rate in % (groups played)",
            title_justify="left",
        )
        table.add_column("environment")
        table.add_column("solver rating")
        for level in range(predicted_EL.shape[1]):
            table.add_column(f"level {level}", justify="right")
        for e, name in enumerate(manager.names):
            cells = [
                "" if np.isnan(p) else f"{_coloured(p)} ({n})"
                for p, n in zip(predicted_EL[e], rated.games_EL[e], strict=True)
            ]
            table.add_row(name, f"{rated.solver_E[e]:.0f} ± {rated.anchored_sd_E[e]:.0f}", *cells)
        console.print(table)


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


def envs_command(arguments: Sequence[str]) -> None:
    """`selfplay envs list|show|check`."""
    options.subcommands(
        {"list": list_environments, "show": show_environment, "check": check_environment},
        "envs", arguments, example="envs show countdown --level 3",
    )  # fmt: skip


def list_environments() -> None:
    """The installed environments."""
    console = Console(highlight=False)
    for name in installed.names():
        environment = installed.load(name)
        console.print(
            f"[bold]{name:<18}[/] {escape(environment.summary)} ({environment.level_count} levels)"
        )


def show_environment(
    name: Positional[str], level: int | None = None, n: Count = 2, seed: int = 0
) -> None:
    """Knobs of an environment, sample problems and worked solutions.

    Args:
        name: the environment.
        level: this level only.
        n: samples of each level.
        seed: of the samples.
    """
    console = Console(highlight=False)
    environment = installed.load(name)
    console.print(f"[bold]{name}[/]: {escape(environment.summary)}")
    table = Table()
    table.add_column("knob")
    levels = range(environment.level_count)
    for at in levels:
        table.add_column(f"level {at}", justify="right")
    table.add_column("meaning")
    for knob_name, knob in environment.knobs.items():
        table.add_row(f"{knob_name} ({knob.unit})", *map(str, knob.values), escape(knob.meaning))
    console.print(table)
    rng = random.Random(seed)
    for at in levels if level is None else [level]:
        environment.at(at)  # a level that does not exist: the error that lists them
        for _ in range(n):
            problem = environment.generate(at, rng)
            console.print(f"  level {at}  [bold]{escape(problem.text)}[/]")
            console.print(f"           {escape(environment.demonstrate(problem, rng))}")


def check_environment(name: Positional[str], n: Count = 50) -> None:
    """Check that an environment keeps the contract at every level.

    Args:
        name: the environment.
        n: problems drawn at each level.
    """
    environment = installed.load(name)
    faults = [
        f"level {level}: {fault}"
        for level in range(environment.level_count)
        for fault in conformance_faults(environment, level, n)
    ]
    if faults:
        raise ValueError(f"{name} breaks the contract:\n  " + "\n  ".join(faults))
    print(f"{name}: {environment.level_count} levels x {n} problems keep the contract")


def conformance_faults(environment: Environment, level: int, n: int) -> list[str]:
    """What is wrong with a level, in words; empty if nothing."""
    faults = []
    for seed in range(n):
        problem = environment.generate(level, random.Random(seed))
        shown = repr(problem.text)
        if environment.generate(level, random.Random(seed)) != problem:
            faults.append(f"{shown}: the same seed gave another problem")
        if problem.level != level:
            faults.append(f"{shown}: says it is of level {problem.level}")
        try:
            if environment.parse(problem.text) != problem:
                faults.append(f"{shown}: parse gives another problem")
        except ProposalError as error:
            faults.append(f"{shown}: parse refuses it ({error})")
        worked = environment.demonstrate(problem, random.Random(seed))
        if not environment.grade(problem, worked).correct:
            faults.append(f"{shown}: the worked solution {worked!r} is not graded correct")
        for garbage in ("", "<answer>", "<answer>nothing", "x" * 100_000):
            if environment.grade(problem, garbage).outcome in (Outcome.CORRECT, Outcome.ERROR):
                faults.append(f"{shown}: {garbage[:20]!r} is graded correct or breaks the grader")
    return faults


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
