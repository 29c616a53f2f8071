"""The cold start: a network from scratch learns to read and write both roles from worked solutions.

Solver examples are demonstrated problems, plenty at the easy levels, thinning out upwards and none
at the top third, which is left to reinforcement. Proposer examples are procedural problems of every
level, as their environment poses them, with their rating as the request. Fed by the environments,
feeds the first generation.
"""

import math
import random
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

import optax

from selfplay import streams
from selfplay.learning.batch import Example, pack
from selfplay.learning.loss import imitation
from selfplay.learning.optimizer import optimizer
from selfplay.learning.update import Learner, StepReport, Updater
from selfplay.model.network import PROPOSER, Network
from selfplay.model.tokens import Tokenizer
from selfplay.problem import ANSWER_OPEN, Environment, Problem

THINNING = 0.75
"""How often a level is demonstrated, relative to the one below it."""
MAX_DRAWS = 10_000
"""Draws of held-out problems in a row after which a level is taken to hold no other."""


@dataclass(frozen=True)
class WarmupConfig:
    """How the cold start is done."""

    steps: int = 400
    """Optimiser steps."""
    learning_rate: float = 4e-3
    """Highest step size of Adam; it rises over the first tenth and falls to a tenth of it."""
    rows: int = 32
    """Packed rows in a step."""
    row_length: int = 128
    """Tokens in a packed row; longer examples are left out."""
    proposer_share: float = 0.15
    """Share of the examples that are proposals; they are shorter than solutions."""

    def __post_init__(self) -> None:
        if self.steps < 0 or not 0.0 <= self.proposer_share <= 1.0:
            raise ValueError(
                f"warmup.steps={self.steps} must be at least 0 and warmup.proposer_share="
                f"{self.proposer_share} within [0, 1]."
            )
        if not 0.0 < self.learning_rate < 1.0 or self.rows < 1 or self.row_length < 64:
            raise ValueError(
                f"warmup.learning_rate={self.learning_rate} must lie in (0, 1), warmup.rows="
                f"{self.rows} be at least 1 and warmup.row_length={self.row_length} at least 64 "
                "tokens, for which every environment has examples."
            )


def level_weights(level_count: int) -> list[float]:
    """How often each level is demonstrated; sums to 1.

    Each THINNING times as often as the one below it, the top third not at all; an only level is
    shown.
    """
    shown = max(1, level_count - math.ceil(level_count / 3))
    weights = [THINNING**level if level < shown else 0.0 for level in range(level_count)]
    total = sum(weights)
    return [weight / total for weight in weights]


class Teacher:
    """Draws warm-up examples; never a problem whose key is in `frozen`."""

    def __init__(
        self,
        environments: Mapping[str, Environment],
        tokenizer: Tokenizer,
        frozen: Container[str],
        rating_of: Callable[[Problem], float],
        proposer_share: float,
    ) -> None:
        self._environments = list(environments.values())
        self._tokenizer = tokenizer
        self._frozen = frozen
        self._rating_of = rating_of
        self._proposer_share = proposer_share

    def example(self, rng: random.Random) -> Example:
        """One worked solution, or one proposal."""
        environment = rng.choice(self._environments)
        count = environment.level_count
        if rng.random() < self._proposer_share:
            problem = self._draw(environment, rng.randrange(count), rng)
            prompt = self._tokenizer.proposer_prompt(problem.environment, self._rating_of(problem))
            posed = self._tokenizer.response(environment.pose(problem))
            return Example(prompt, posed, role=PROPOSER)
        level = rng.choices(range(count), level_weights(count))[0]
        problem = self._draw(environment, level, rng)
        prompt = self._tokenizer.solver_prompt(problem)
        return Example(prompt, self._tokenizer.response(worked(environment, problem, rng)))

    def _draw(self, environment: Environment, level: int, rng: random.Random) -> Problem:
        for _ in range(MAX_DRAWS):
            if (problem := environment.generate(level, rng)).key not in self._frozen:
                return problem
        raise ValueError(
            f"level {level} of {environment.name} has no problem that is not held out "
            f"({MAX_DRAWS} draws); lower suites.held_out or give the level more problems."
        )


def worked(environment: Environment, problem: Problem, rng: random.Random) -> str:
    """A worked solution; where there is none the answer alone shows at least its form."""
    return environment.demonstrate(problem, rng) or f"{ANSWER_OPEN}{problem.gold}"


def schedule(config: WarmupConfig) -> optax.Schedule:
    """Rise over a tenth of the steps, then a cosine down to a tenth of the highest rate."""
    return optax.warmup_cosine_decay_schedule(
        0.0, config.learning_rate, max(1, config.steps // 10), max(2, config.steps),
        end_value=0.1 * config.learning_rate,
    )  # fmt: skip


def run(
    network: Network, teacher: Teacher, config: WarmupConfig, seed: int
) -> Iterator[tuple[Learner, StepReport]]:
    """Take the steps one by one, so that the caller can show progress or stop.

    Yields:
        the learner and the report of each step; the last learner is the result. Each learner is
        used up by the next step.
    """
    updater = Updater(
        network, optimizer(schedule(config), max_norm=1.0), imitation,
        row_lengths=[config.row_length], tokens=config.rows * config.row_length,
    )  # fmt: skip
    learner = updater.start(network.params)
    for step in range(config.steps):
        rng = streams.python_rng(seed, 0, "warmup", step)
        learner, report = updater.step(learner, _full_batch(teacher, config, rng))
        yield learner, report


def _full_batch(teacher: Teacher, config: WarmupConfig, rng: random.Random) -> list[Example]:
    """Examples that fill the rows of one micro-batch; what would start another row is left out."""
    examples, tokens = [], 0
    while tokens < config.rows * config.row_length:
        example = teacher.example(rng)
        length = len(example.prompt) + len(example.response)
        if length <= config.row_length:
            examples.append(example)
            tokens += length
    rows = pack(examples, config.row_length)
    return [example for row in rows[: config.rows] for example in row]
