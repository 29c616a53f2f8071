"""`selfplay bench`: speed of decoding, training and grading beside this machine's measured limit.

The limit is the rate of large float32 matrix products, measured between the repetitions of what is
timed, so that a noisy machine disturbs both alike. Medians over repetitions; compilation apart.
"""

import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from tyro.conf import Positional

from selfplay import environments as installed
from selfplay import streams
from selfplay.cli import auditing, bench_curriculum, bench_grade, leftovers, options
from selfplay.cli.envs import generation_speed
from selfplay.cli.training import variant
from selfplay.config import RunConfig
from selfplay.curriculum.archive import Archive
from selfplay.grading.judge import judge
from selfplay.grading.programs.environment import Interpreter
from selfplay.grading.programs.sandbox import SandboxConfig
from selfplay.learning import warmup
from selfplay.learning.batch import Example
from selfplay.model import decode, sharding
from selfplay.model.decode import Sampling
from selfplay.model.network import parameter_count
from selfplay.parts import Parts, build
from selfplay.problem import Problem

MATMUL = 1024
"""Side of the square matrices behind the limit."""


def bench_command(arguments: Sequence[str]) -> None:
    """`selfplay bench decode|train|grade|curriculum`."""

    def bench(
        what: Positional[Literal["decode", "train", "grade", "curriculum"]],
        experiment: str = "quickstart",
        repetitions: int = 5,
        submissions: int = 10_000,
        problems: int = 1_000_000,
        json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None,
        audit: Path | None = None,
    ) -> None:
        """Time a part with an experiment's shapes, beside this machine's limit.

        Args:
            what: decode: attempts at problems; train: one optimiser step on them; grade: verdicts;
                curriculum: ratings, draws and the archive.
            experiment: whose model and batch to use; not with `curriculum`.
            repetitions: medians are over this many.
            submissions: with `grade`: after so many, all sorts of them, nothing may be left behind.
            problems: with `curriculum`: so many are rated and archived.
            json_file: also write the figures to this file.
            audit: with `grade`: instead of timing, grade the kept attempts of this run again, list
                disagreements with math-verify, and look for signs of cheating.
        """
        if audit is not None and what != "grade":
            raise ValueError(f"--audit goes with `bench grade`, not with `bench {what}`.")
        if audit is not None:
            figures = auditing.audit(audit, Console(highlight=False))
        elif what == "grade":
            figures = bench_grading(variant(experiment, "main"), repetitions, submissions)
        elif what == "curriculum":
            if problems < bench_curriculum.FEWEST:
                raise ValueError(
                    f"--problems {problems} must be at least {bench_curriculum.FEWEST}: so that a "
                    f"draw of {bench_curriculum.BATCH} is one from many."
                )
            figures = bench_curriculum.figures(problems, repetitions)
        else:
            measure = bench_decode if what == "decode" else bench_train
            figures = measure(variant(experiment, "main"), repetitions)
        shapes = "" if what == "curriculum" else f" ({experiment})"
        table = Table(title=f"bench {what}{shapes}", title_justify="left", show_header=False)
        for name, value in figures.items():
            table.add_row(name, _in_words(value))
        Console(highlight=False).print(table)
        if json_file is not None:
            json_file.write_text(json.dumps(figures, indent=2) + "\n")

    options.parse(bench, "bench", arguments, example="bench decode")


def _in_words(value: Any) -> str:
    match value:
        case float():
            return f"{value:,.4g}"
        case int():
            return f"{value:,}"
    return str(value)


def bench_decode(config: RunConfig, repetitions: int) -> dict[str, Any]:
    """Sample attempts with an untrained network: the longest responses there are."""
    parts = build(config, Archive(":memory:"))
    problems = draw(parts, config.rollout.problems)
    prompts = [parts.ring.tokenizer.solver_prompt(p) for p in problems]
    network = parts.network
    attempts = config.rollout.attempts
    repetition = iter(range(1_000_000))

    def work() -> int:
        key_N = streams.row_keys(0, next(repetition), "bench", len(prompts) * attempts)
        samples = decode.sample(
            network, prompts, key_N, attempts=attempts, config=config.decode, sampling=Sampling(),
            end_ids=parts.ring.tokenizer.end_ids,
        )  # fmt: skip
        return int(samples.length_N.sum())

    timed = against_limit(work, repetitions)
    count = parameter_count(network.params)
    return report(timed, count, flops_per_token=2 * count, unit="tokens")


def bench_train(config: RunConfig, repetitions: int) -> dict[str, Any]:
    """Take optimiser steps on worked solutions, as long as real attempts."""
    parts = build(config, Archive(":memory:"))
    timed = against_limit(training(parts, config), repetitions)
    count = parameter_count(parts.network.params)
    return report(timed, count, flops_per_token=6 * count, unit="tokens")


def training(parts: Parts, config: RunConfig) -> Callable[[], int]:
    """One optimiser step a call, on the same worked solutions; returns their tokens."""
    learner = parts.state().learner
    rng = random.Random(0)
    tokenizer, examples = parts.ring.tokenizer, []
    for problem in draw(parts, config.rollout.problems * config.rollout.attempts):
        response = warmup.worked(parts.environments[problem.environment], problem, rng)
        prompt = tokenizer.solver_prompt(problem)
        examples.append(Example(prompt, tokenizer.response(response), rng.choice([-1.0, 1.0])))

    def step() -> int:
        nonlocal learner
        learner, taken = parts.ring.updater.step(learner, examples)
        jax.block_until_ready(learner)
        return taken.tokens

    return step


def bench_grading(config: RunConfig, repetitions: int, submissions: int) -> dict[str, Any]:
    """Grade responses to the experiment's problems, then answers and programs of other kinds.

    Then programs beside the experiment's training, what so many of all sorts leave behind, and how
    fast every installed environment generates.
    """
    parts = build(config, Archive(":memory:"))
    environments = parts.environments
    rng = random.Random(0)
    problems = draw(parts, 1000)
    worked = [warmup.worked(environments[p.environment], p, rng) for p in problems]
    responses = [text + rng.choice(["", "1", " "]) for text in worked]

    def work() -> int:
        for problem, response in zip(problems, responses, strict=True):
            judge(environments[problem.environment], problem, response, True)
        return len(responses)

    timed = against_limit(work, repetitions)
    return {
        "responses_to_problems_per_second": timed["per_second"],
        **bench_grade.figures(repetitions),
        **bench_grade.beside_training(training(parts, config), repetitions),
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


def draw(parts: Parts, count: int) -> list[Problem]:
    """Problems of all environments and the easier two thirds of the levels, in turn."""
    rng = random.Random(0)
    environments = list(parts.environments.values())
    return [
        environment.generate(rng.randrange(2 * environment.level_count // 3), rng)
        for environment in (environments[i % len(environments)] for i in range(count))
    ]


def against_limit(work: Callable[[], int], repetitions: int) -> dict[str, float]:
    """Time `work`, which returns how much it did, in turn with the matrix product."""
    start = time.perf_counter()
    work()
    first = time.perf_counter() - start
    limit = matmul_rate()  # compiles
    seconds, done, limits = [], [], []
    for _ in range(repetitions):
        start = time.perf_counter()
        done.append(work())
        seconds.append(time.perf_counter() - start)
        limits.append(limit())
    return {
        "first_seconds": first,
        "seconds": statistics.median(seconds),
        "per_second": statistics.median(d / s for d, s in zip(done, seconds, strict=True)),
        "limit_flops": statistics.median(limits),
    }


def matmul_rate() -> Callable[[], float]:
    """A function that measures float32 matrix products on all devices at once, in FLOP/s."""
    size, devices = MATMUL, sharding.row_ways()
    rng = np.random.default_rng(0)
    matrices = sharding.split_rows(rng.standard_normal((devices, size, size), np.float32))
    product = jax.jit(jax.vmap(lambda m: m @ m))
    jax.block_until_ready(product(matrices))

    def rate() -> float:
        start = time.perf_counter()
        for _ in range(4):
            jax.block_until_ready(product(matrices))
        return 4 * devices * 2 * size**3 / (time.perf_counter() - start)

    return rate


def report(
    timed: dict[str, float], parameters: int, *, flops_per_token: int, unit: str
) -> dict[str, Any]:
    """Figures by name."""
    flops = timed["per_second"] * flops_per_token
    return {
        "parameters": parameters,
        f"{unit}_per_second": timed["per_second"],
        "seconds": timed["seconds"],
        "first_call_seconds": timed["first_seconds"],
        "gflops": flops / 1e9,
        "matmul_limit_gflops": timed["limit_flops"] / 1e9,
        "share_of_limit": flops / timed["limit_flops"],
    }
