"""`selfplay envs`: browse environments, check that they keep their promises, start a new one."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table
from tyro.conf import Positional

from selfplay import conformance
from selfplay import environments as installed
from selfplay.cli import gallery, options, scaffold
from selfplay.cli.options import Count
from selfplay.cli.rates import FEW_LEVELS
from selfplay.conformance import Fault, Size
from selfplay.grading.problem_file import SUFFIXES, ProblemFile
from selfplay.grading.programs.environment import Interpreter
from selfplay.grading.programs.sandbox import SandboxConfig
from selfplay.problem import Environment

TIMED = 0.05
"""Seconds that the generator of each environment is timed for, at least."""
SAMPLED = 10
"""Levels that are shown of an environment with many."""
PATIENCE = 30.0
"""Seconds that a published program may take on its own tests, on a machine that is busy."""
FEWEST = 20
"""Problems a level that a check draws at least."""


def envs_command(arguments: Sequence[str]) -> None:
    """`selfplay envs list|show|check|new|gallery`."""
    options.subcommands(
        {
            "list": list_environments, "show": show_environment, "check": check_environment,
            "new": scaffold.new_environment, "gallery": gallery.write_gallery,
        },
        "envs", arguments, example="envs show countdown --level 3 -n 5",
    )  # fmt: skip


def list_environments() -> None:
    """The installed environments: levels, verifier, what guessing gets, generation speed; bridges.

    The guess bound is the highest share of a level's problems that one constant answer, or one rule
    for copying the answer from the statement, may get right. The speed is that of the middle level,
    in problems a second on one core.
    """
    console = Console(highlight=False, emoji=False)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("environment", "levels", "verifier", "guess", "a second", "what it is"):
        right = column in ("levels", "guess", "a second")
        table.add_column(column, justify="right" if right else "left", no_wrap=column[-1] == "t")
    interpreter = Interpreter(SandboxConfig())
    for name in track(installed.names(), "timing generators", console=console, transient=True):
        environment = installed.load(name, interpreter)
        try:
            speed = f"{generation_speed(environment):,.0f}"
        except ValueError:  # it runs programs, and the sandbox does not hold here
            speed = "-"
        table.add_row(
            f"[bold]{name}[/]", str(environment.level_count), escape(environment.verifier),
            f"{environment.guess_bound:.0%}", speed, escape(environment.summary),
        )  # fmt: skip
    console.print(table)
    through = ", ".join(f"{bridge}:TASK" for bridge in installed.bridges())
    console.print(f"Through bridges to other libraries also: {through or 'nothing'}")


def generation_speed(environment: Environment, seconds: float = TIMED) -> float:
    """Problems a second at the middle level; times at least three and at least so long."""
    level, rng = environment.level_count // 2, random.Random(0)
    environment.generate(level, rng)  # what is only made once is made now
    count, began = 0, time.perf_counter()
    while count < 3 or time.perf_counter() - began < seconds:
        environment.generate(level, rng)
        count += 1
    return count / (time.perf_counter() - began)


def show_environment(
    name: Positional[str], level: int | None = None, n: Count = 2, seed: int = 0
) -> None:
    """Knobs of an environment, then problems with gold and worked solution.

    Args:
        name: the environment, or a Python file that defines one.
        level: this level only; by default all, or ten of more than twelve.
        n: samples of each level.
        seed: of the samples.
    """
    console = Console(highlight=False, emoji=False)
    environment = installed.load(name)
    console.print(
        f"[bold]{environment.name}[/]: {escape(environment.summary)}\n"
        f"{escape(environment.instruction)}"
    )
    console.print(_knobs(environment))
    rng = random.Random(seed)
    for at in _sampled(environment.level_count) if level is None else [level]:
        environment.at(at)  # a level that does not exist: the error that lists them
        for _ in range(n):
            problem = environment.generate(at, rng)
            worked = environment.demonstrate(problem, rng)
            console.print(f"\n[bold]level {at}[/]  {escape(problem.text)}")
            console.print(f"   gold  {escape(problem.gold)}")
            if worked is not None:
                console.print(f" worked  {escape(worked)}")


def _knobs(environment: Environment) -> Table:
    """The value of every knob at every level; of many levels the first few and the top."""
    levels = _sampled(environment.level_count)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("knob", no_wrap=True)
    for at in levels:
        table.add_column(f"L{at}", justify="right", no_wrap=True)
    table.add_column("meaning")
    for name, knob in environment.knobs.items():
        values = (str(knob.values[at]) for at in levels)
        table.add_row(f"{name} ({knob.unit})", *values, escape(knob.meaning))
    return table


def _sampled(level_count: int) -> list[int]:
    """The levels to show: all of a few, else some at even distances, with both ends."""
    if level_count <= FEW_LEVELS:
        return list(range(level_count))
    return [round(at * (level_count - 1) / (SAMPLED - 1)) for at in range(SAMPLED)]


def check_environment(
    names: Positional[tuple[str, ...]], level: int | None = None, n: Count = 2_000
) -> None:
    """Check that environments keep the contract, with the suite that ours have to pass.

    Prints for every promise that is broken an example and what to change; exits with 2 if there is
    any. For a bridge it goes through all tasks and prints one line, the first fault, for each that
    breaks the contract.

    Args:
        names: environments, Python files that define one, files of problems (.jsonl), or bridges
            to other libraries; all environments that are installed by default.
        level: this level only.
        n: problems drawn at each level; a tenth of them are graded, five times as many broken texts
            are parsed (a tenth for a bridge's task: all of a bridge have the same parser).
    """
    if n < FEWEST:
        raise ValueError(f"-n {n} must be at least {FEWEST}: with fewer nothing can be said.")
    console = Console(highlight=False, emoji=False)
    interpreter = Interpreter(SandboxConfig())
    wanted = _with_tasks(names or installed.names())
    broken = 0
    for name, most in wanted.items():
        patient = Interpreter(SandboxConfig(seconds=PATIENCE))
        is_file = name.endswith(SUFFIXES)
        environment = installed.load(name, patient if is_file else interpreter)
        if isinstance(environment, ProblemFile):
            broken += _check_file(environment, console)
            continue
        faults = list(islice(_checked(environment, level, n, console), most))
        if level is None and not faults and ":" not in environment.name:
            faults = list(elsewhere(name))
        broken += bool(faults)
        for fault in faults:
            console.print(f"[red]{environment.name}[/] {escape(str(fault))}", soft_wrap=True)
        if not faults:
            what = (
                f"{environment.level_count} levels keep"
                if level is None
                else f"level {level} keeps"
            )
            console.print(f"[green]{environment.name}[/]: {what} the contract ({n} problems)")
    if broken:
        raise ValueError(f"{broken} of {len(wanted)} break the contract.")


def _check_file(environment: ProblemFile, console: Console) -> bool:
    """Frozen problems are as many and as they are: whether a gold of them is wrong."""
    faults = list(environment.faults())
    for fault in faults:
        console.print(f"[yellow]{environment.name}[/] {escape(fault)}", soft_wrap=True)
    wrong = len(faults) - len(environment.refused)
    console.print(
        f"{environment.name}: {environment.summary}; "
        + (f"{wrong} golds are not right" if wrong else "every gold that is given is right")
    )
    return wrong > 0


def elsewhere(name: str) -> Iterator[Fault]:
    """Problems of the same seed in two processes, whose sets and hashes are in other orders."""
    command = [sys.executable, "-m", "selfplay", "envs", "show", name, "-n", "3"]
    one, other = (
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True,
            check=False,
        )
        for seed in ("1", "2")
    )  # fmt: skip
    for done in (one, other):
        if done.returncode:
            yield Fault(
                "is the same in every process", "all levels", done.stderr.strip()[-500:],
                "a process of its own cannot show its problems: see `selfplay envs show`",
            )  # fmt: skip
            return
    for line, line_there in zip_longest(one.stdout.splitlines(), other.stdout.splitlines()):
        if line != line_there:
            yield Fault(
                "is the same in every process", "all levels", f"{line!r}, {line_there!r}",
                "two processes made other problems of one seed: iterate over no set, and use "
                "neither hash() nor id()",
            )  # fmt: skip
            return


def _with_tasks(names: Sequence[str]) -> dict[str, int | None]:
    """The names, a bridge's replaced by those of its tasks -> the faults to look for; None: all."""
    wanted: dict[str, int | None] = {}
    for name in names:
        if name in installed.bridges():
            wanted |= dict.fromkeys(installed.names_of_bridge(name), 1)
        else:
            wanted[name] = None
    return wanted


def _checked(
    environment: Environment, level: int | None, n: int, console: Console
) -> Iterator[Fault]:
    """The faults, with progress shown while they are looked for."""
    size = Size(n, max(20, n // 10), n // 10 if ":" in environment.name else 5 * n)
    if level is not None:
        environment.at(level)  # a level that does not exist: the error that lists them
        yield from conformance.check_level(environment, level, size)
        return
    levels = range(environment.level_count)
    for at in track(levels, environment.name, console=console, transient=True):
        yield from conformance.check_level(environment, at, size)
    yield from conformance.check_whole(environment, size)
