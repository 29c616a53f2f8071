"""`selfplay bench grade`: verdicts a second, beside math-verify and a cold process a submission.

The rivals get the same rows and are timed in turn with ours, so that a noisy machine disturbs both
alike. Rivals are slow, so they get the first rows only. Medians over repetitions. Also what the
jail costs the training beside it; leftovers.py counts what it leaves behind.
"""

import itertools
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from selfplay import environments as installed
from selfplay.cli import bench_model, leftovers
from selfplay.cli.envs import generation_speed
from selfplay.config import RunConfig
from selfplay.curriculum.archive import Archive
from selfplay.grading import kinds, programs, second_opinion
from selfplay.grading.judge import judge
from selfplay.grading.programs.environment import Interpreter
from selfplay.grading.programs.pool import Pool
from selfplay.grading.programs.sandbox import SandboxConfig, open_pool
from selfplay.grading.worker import HelperError
from selfplay.learning import warmup
from selfplay.parts import build
from selfplay.problem import Outcome

GOLDS, ANSWERS = 250, 16
"""Problems, and answers to each: as a generation has them."""
SUBMISSIONS = 500
RIVAL_ROWS = {"integer": 400, "polynomial": 40, "submission": 10}
"""Rows that a rival gets in a repetition."""
ROUND_TRIPS = 300
"""Submissions that are sent one at a time, for the overhead of a single one."""
SOURCE = "def add(a, b):\n    return a + b\n"
"""The submission that is timed."""


class Row(NamedTuple):
    """An answer to grade."""

    gold: str
    answer: str
    right: bool


def experiment_figures(config: RunConfig, repetitions: int, submissions: int) -> dict[str, Any]:
    """Grade responses to the experiment's problems, then answers and programs of other kinds.

    Then programs beside the experiment's training, what so many of all sorts leave behind, and how
    fast every installed environment generates.
    """
    parts = build(config, Archive(":memory:"))
    environments = parts.environments
    rng = random.Random(0)
    problems = bench_model.draw(parts, 1000)
    worked = [warmup.worked(environments[p.environment], p, rng) for p in problems]
    responses = [text + rng.choice(["", "1", " "]) for text in worked]

    def judged() -> None:
        for problem, response in zip(problems, responses, strict=True):
            judge(environments[problem.environment], problem, response, ended=True)

    rate, _ = in_turn(judged, len(problems), None, 0, repetitions)
    return {
        "responses_to_problems_per_second": rate,
        **figures(repetitions),
        **beside_training(bench_model.steps(bench_model.experiment_training(parts)), repetitions),
        **leftovers.leftovers(submissions),
        **generation(repetitions, config.sandbox),
    }


def generation(repetitions: int, config: SandboxConfig) -> dict[str, float]:
    """Problems a second that each installed environment generates at its middle level."""
    interpreter = Interpreter(config)
    loaded = [installed.load(name, interpreter) for name in installed.names()]
    return {
        f"generate_{environment.name}_per_second": statistics.median(
            generation_speed(environment) for _ in range(repetitions)
        )
        for environment in loaded
    }


def figures(repetitions: int) -> dict[str, Any]:
    """Speed of answers and programs, by name."""
    return {**answer_figures(repetitions), **program_figures(repetitions)}


def answer_figures(repetitions: int) -> dict[str, Any]:
    """Answers a second in this process, and ratios to math-verify."""
    found: dict[str, Any] = {}
    other = second_opinion.helper()
    for name, rows in (("integer", integers()), ("polynomial", polynomials())):
        kind = kinds.declare({"kind": name})

        def ours(rows: Sequence[Row] = rows, kind: kinds.Kind = kind) -> None:
            for row in rows:
                verdict = kinds.grade_answer(kind, row.gold, row.answer)
                assert verdict.outcome is (Outcome.CORRECT if row.right else Outcome.WRONG), row

        few = rows[:: len(rows) // RIVAL_ROWS[name]][: RIVAL_ROWS[name]]

        def theirs(few: Sequence[Row] = few) -> None:
            second_opinion.opinions(other, [(row.gold, row.answer) for row in few])

        try:
            second_opinion.opinions(other, [("1", "1")])
        except HelperError:  # not installed
            rate, _ = in_turn(ours, len(rows), None, 0, repetitions)
            found[f"{name}_answers_per_second"] = rate
            continue
        rate, rival = in_turn(ours, len(rows), theirs, len(few), repetitions)
        found[f"{name}_answers_per_second"] = rate
        found[f"{name}_math_verify_per_second"] = rival
        found[f"{name}_ratio_to_math_verify"] = rate / rival
    other.close()
    return found


def program_figures(repetitions: int) -> dict[str, Any]:
    """Submissions a second through the whole jail, and ratios to a cold process for each."""
    problem = addition()
    cold, name = cold_command()
    with open_pool(SandboxConfig()) as pool:

        def ours() -> None:
            attempts = [(problem, f"{SOURCE}# {number}") for number in range(SUBMISSIONS)]
            for graded in programs.grade_all(pool, attempts):
                assert graded.verdict.correct, graded

        def theirs() -> None:
            for _ in range(RIVAL_ROWS["submission"]):
                script = f"{SOURCE}assert [add(1, 2), add(5, 2), add(9, 9)] == [3, 7, 18]"
                subprocess.run([*cold, script], check=True)

        rate, rival = in_turn(ours, SUBMISSIONS, theirs, RIVAL_ROWS["submission"], repetitions)
        trips = round_trips(pool, lambda: programs.grade_program(pool, problem, SOURCE))
        recovery = statistics.median(
            recovered(pool, lambda: programs.grade_program(pool, problem, SOURCE))
            for _ in range(repetitions)
        )
        return {
            "sandbox_level": str(pool.backend.level),
            "sandbox_workers": pool.workers,
            "submissions_per_second": rate,
            f"cold_{name}_per_second": rival,
            f"ratio_to_cold_{name}": rate / rival,
            "one_submission_median_ms": 1000 * statistics.median(trips),
            "one_submission_p99_ms": 1000 * sorted(trips)[int(0.99 * len(trips))],
            "recovery_ms": 1000 * recovery,
        }


def beside_training(train: Callable[[], int], repetitions: int) -> dict[str, Any]:
    """What a pool that is never idle costs training on the same cores, timed in turn.

    Args:
        train: trains for a while, on the same amount each time; returns how many tokens.
        repetitions: medians are over this many; the first round is not counted.
    """
    alone, beside, submissions = [], [], []
    with open_pool(SandboxConfig()) as pool:
        for repetition in range(repetitions + 1):
            rate = _rate(train)
            slower, done = saturated(pool, lambda: _rate(train))
            if repetition:
                alone.append(rate)
                beside.append(slower)
                submissions.append(done)
    return {
        "train_tokens_per_second_alone": statistics.median(alone),
        "train_tokens_per_second_beside_submissions": statistics.median(beside),
        "train_ratio_beside_submissions": statistics.median(
            slower / rate for slower, rate in zip(beside, alone, strict=True)
        ),
        "submissions_per_second_beside_training": statistics.median(submissions),
    }


def saturated(pool: Pool, work: Callable[[], float]) -> tuple[float, float]:
    """Work while a thread keeps the pool full; what the work returns, and submissions a second."""
    problem, stop = addition(), threading.Event()
    numbers = itertools.takewhile(lambda number: not stop.is_set(), itertools.count())
    attempts = ((problem, f"{SOURCE}# {number}") for number in numbers)
    graded = programs.grade_all(pool, attempts)
    next(graded)  # the pool is full from here on
    start = time.perf_counter()
    with ThreadPoolExecutor(1) as feeder:
        feeding = feeder.submit(lambda: sum(one.verdict.correct for one in graded))
        try:
            found = work()
        finally:
            stop.set()
        done = feeding.result()
    return found, done / (time.perf_counter() - start)


def _rate(train: Callable[[], int]) -> float:
    start = time.perf_counter()
    tokens = train()
    return tokens / (time.perf_counter() - start)


def addition() -> programs.ProgramProblem:
    """A small problem with three tests."""
    return programs.from_row(
        {
            "function": {"name": "add", "params": ["a: int", "b: int"], "returns": "int"},
            "tests": [
                {"args": [1, 2], "expected": 3},
                {"args": [5, 2], "expected": 7},
                {"args": [9, 9], "expected": 18},
            ],
        }
    )


def integers() -> list[Row]:
    """Integers, every second one off by one."""
    rng = random.Random(0)
    golds = [rng.randrange(-(10**6), 10**6) for _ in range(GOLDS)]
    return [
        Row(str(gold), str(gold + number % 2), number % 2 == 0)
        for gold in golds
        for number in range(ANSWERS)
    ]


def polynomials() -> list[Row]:
    """Products of two linear factors for expanded golds, every second one with a slip."""
    rng = random.Random(0)
    rows = []
    for _ in range(GOLDS):
        a, b = rng.randrange(1, 50), rng.randrange(1, 50)
        gold = f"x^2+{a + b}x+{a * b}"
        rows += [
            Row(gold, f"(x+{a})(x+{b + number % 2})", number % 2 == 0) for number in range(ANSWERS)
        ]
    return rows


def cold_command() -> tuple[list[str], str]:
    """What starts a fresh Python for one script, in bubblewrap where it is installed; its name."""
    python = [sys.executable, "-I", "-S", "-c"]
    if shutil.which("bwrap") is None:
        return python, "python"
    walls = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent"]
    return [*walls, *python], "bwrap_python"


def in_turn(
    ours: Callable[[], None],
    our_rows: int,
    theirs: Callable[[], None] | None,
    their_rows: int,
    repetitions: int,
) -> tuple[float, float]:
    """Rows a second of both, medians, timed in turn; the first round is not counted."""
    rates: tuple[list[float], list[float]] = ([], [])
    for repetition in range(repetitions + 1):
        for work, rows, kept in ((ours, our_rows, rates[0]), (theirs, their_rows, rates[1])):
            if work is None:
                continue
            start = time.perf_counter()
            work()
            if repetition:
                kept.append(rows / (time.perf_counter() - start))
    return statistics.median(rates[0]), statistics.median(rates[1] or [float("nan")])


def round_trips(pool: Pool, grade: Callable[[], object]) -> list[float]:
    """Seconds of single submissions, nothing else being under way."""
    seconds = []
    for _ in range(ROUND_TRIPS):
        start = time.perf_counter()
        grade()
        seconds.append(time.perf_counter() - start)
    return seconds


def recovered(pool: Pool, grade: Callable[[], object]) -> float:
    """Seconds by which the slowest of the next submissions is late after a zygote was killed."""
    usual = statistics.median(round_trips(pool, grade)[:50])
    before = set(pool.worker_pids())
    os.kill(min(before), signal.SIGKILL)
    seconds = []
    for _ in range(2 * pool.workers + 2):  # the dead worker is among the next in line
        start = time.perf_counter()
        grade()
        seconds.append(time.perf_counter() - start)
    return max(seconds) - usual
