"""`selfplay bench curriculum`: ratings, draws and the archive at a million problems.

The limit is what the machine needs to look up as many numbers in a small table and to draw as many
random ones: no draw from all of them can do with less. It is measured in turn with what is timed.
Medians over repetitions.
"""

import itertools
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from selfplay.curriculum import pool
from selfplay.curriculum.archive import Archive
from selfplay.curriculum.config import CurriculumConfig
from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.plans import Plan, Posed, Purpose, Report
from selfplay.curriculum.pool import Batch, Pool
from selfplay.curriculum.scale import Cells
from selfplay.problem import Problem

CELLS = Cells(tuple(f"environment-{e}" for e in range(24)), (10,) * 24)
BATCH = 4096
"""Problems that are rated, drawn and looked up at once."""
ATTEMPTS = 8
"""Attempts at a problem."""
FEWEST = 20 * BATCH
"""Problems that a draw of `BATCH` needs to choose from."""
PAGE_ROWS = 20_000
"""Problems that are written in a transaction."""


def figures(problems: int, repetitions: int) -> dict[str, Any]:
    """Speed and memory by name; the archive is a file in the temporary folder."""
    return {
        "problems": problems,
        **pool_figures(problems, repetitions),
        **archive_figures(problems, repetitions),
        "pool_memory_megabytes": allocated(lambda: pool_figures(problems, 1)) / 2**20,
    }


def pool_figures(problems: int, repetitions: int) -> dict[str, Any]:
    """Rating updates and draws from a full pool, and the whole step of the manager."""
    rng = np.random.default_rng(0)
    config = CurriculumConfig(pool=problems, revisit=0.5, width=0.2)
    manager = Manager(CELLS, config, generations=100, count=BATCH)
    known = full_pool(problems, rng)
    standing = manager.initial()._replace(pool=known)
    beliefs = manager.beliefs(standing)
    batches = [outcomes(known, rng) for _ in range(8)]
    turn = itertools.count(200)

    def update() -> None:
        pool.rated(known, beliefs, batches[next(turn) % len(batches)])

    def update_and_keep() -> None:
        pool.after(known, beliefs, batches[next(turn) % len(batches)], next(turn))

    def draw() -> None:
        weight_N = pool.weights(known, beliefs, 1_000, 0.5, 0.2)
        assert pool.draw(weight_N, BATCH, rng).size == BATCH

    def limit() -> None:
        rng.standard_exponential(problems)
        beliefs.cell_EL[known.environment_N, known.level_N]

    def step() -> None:
        stepped(manager, standing, rng)

    seconds = in_turn(
        {"update": update, "keep": update_and_keep, "draw": draw, "limit": limit, "step": step},
        repetitions,
    )
    return {
        "rating_updates_per_second": BATCH / seconds["update"],
        "rating_updates_kept_per_second": BATCH / seconds["keep"],
        "draw_of_4096_milliseconds": 1e3 * seconds["draw"],
        "draw_ratio_to_limit": seconds["draw"] / seconds["limit"],
        "plan_and_observe_4096_milliseconds": 1e3 * seconds["step"],
    }


def full_pool(problems: int, rng: np.random.Generator) -> Pool:
    """As many problems as it holds, each visited once, with residuals as problems have."""
    return Pool(
        number_N=np.arange(problems),
        environment_N=rng.integers(0, len(CELLS.names), problems).astype(np.int16),
        level_N=rng.integers(0, CELLS.shape[1], problems).astype(np.int16),
        residual_N=rng.normal(0.0, 0.5, problems),
        variance_N=np.full(problems, 0.2),
        generation_N=np.ones(problems, np.int32),
    )


def outcomes(known: Pool, rng: np.random.Generator) -> Batch:
    """Attempts at problems of the pool."""
    place = rng.choice(known.number_N.size, BATCH, replace=False)
    return Batch(
        known.number_N[place], known.environment_N[place].astype(np.int64),
        known.level_N[place].astype(np.int64), rng.integers(0, ATTEMPTS + 1, BATCH),
        np.full(BATCH, ATTEMPTS),
    )  # fmt: skip


def stepped(manager: Manager, standing: Standing, rng: np.random.Generator) -> Standing:
    """The standing after one generation, half of it problems of the pool."""
    plans: list[Plan] = manager.plan(standing, BATCH, 200, rng)
    solved = rng.integers(0, ATTEMPTS + 1, len(plans)).tolist()
    return manager.observe(
        standing, 200,
        [
            Report(plan, plan.level, right, ATTEMPTS)
            for plan, right in zip(plans, solved, strict=True)
        ],
    )  # fmt: skip


def archive_figures(problems: int, repetitions: int) -> dict[str, Any]:
    """Writing, opening, and looking up; a file of `problems` rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.sqlite"
        archive, began = Archive(path), time.perf_counter()
        for rows in pages(problems):
            archive.add(rows, [])
        written = time.perf_counter() - began
        archive.close()

        def reopen() -> None:
            opened = Archive(path)
            assert key(problems - 1) in opened
            opened.close()

        opened = Archive(path)
        wanted = np.random.default_rng(0).integers(0, 2 * problems, BATCH).tolist()

        def look_up() -> None:
            assert sum(key(n) in opened for n in wanted) < BATCH

        def fetch() -> None:
            for n in wanted:
                if n < problems:
                    opened.problem(n)

        seconds = in_turn({"open": reopen, "look up": look_up, "fetch": fetch}, repetitions)
        opened.close()
        return {
            "archive_rows_written_per_second": problems / written,
            "archive_open_and_look_up_milliseconds": 1e3 * seconds["open"],
            "archive_lookups_per_second": BATCH / seconds["look up"],
            "archive_fetches_per_second": sum(n < problems for n in wanted) / seconds["fetch"],
            "archive_file_megabytes": path.stat().st_size / 2**20,
        }


def pages(problems: int) -> Iterator[list[Posed]]:
    """Problems to write, a transaction at a time."""
    for first in range(0, problems, PAGE_ROWS):
        yield [posed(n) for n in range(first, min(first + PAGE_ROWS, problems))]


def posed(number: int) -> Posed:
    """A problem as long as those of quickstart."""
    problem = Problem(
        CELLS.names[number % 24], number % 10, f"({number}+17)*(3-{number})", f"sum of {number}",
        str(number),
    )  # fmt: skip
    plan = Plan(
        1 + number // BATCH, number % BATCH, problem.environment, problem.level, 1500.0, 0.5, 0.1,
        0.01, Purpose.TARGET, number,
    )  # fmt: skip
    return Posed(plan, problem, "procedural", 4, ATTEMPTS, 1510.0, 60.0)


def key(number: int) -> str:
    """The key of `posed(number)`."""
    return f"{CELLS.names[number % 24]}:sum of {number}"


def in_turn(parts: dict[str, Callable[[], None]], repetitions: int) -> dict[str, float]:
    """Median seconds of each part; all of them in every repetition."""
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for repetition in range(repetitions + 1):
        for name, part in parts.items():
            began = time.perf_counter()
            part()
            if repetition:  # the first one warms the caches
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def allocated(work: Callable[[], object]) -> int:
    """Most bytes that Python and numpy held at once during a call, which takes longer for it."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
