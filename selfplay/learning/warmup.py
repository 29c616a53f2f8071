"""The cold start: a network from scratch learns to read and write both roles from worked solutions.

Solver examples are demonstrated problems of the lowest levels; the others are left to
reinforcement. Proposer examples are procedural problems of every level, as their environment poses
them, with their rating as the request. Fed by the environments, feeds the first generation; its
demonstrations are rehearsed later, too.
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

COOLING = 0.5
"""Steps over which the learning rate falls once all is mastered, as a share of those before. What
was learnt at a high rate carries over to longer problems much less far."""
LONGEST_RISE = 100
"""Most steps over which the learning rate rises."""
LAST_PACE = 0.1
"""Factor on the learning rate at the end."""
MAX_DRAWS = 10_000
"""Draws of held-out problems in a row after which a level is taken to hold no other."""


@dataclass(frozen=True)
class WarmupConfig:
    """How the cold start is done."""

    steps: int = 400
    """Most optimiser steps."""
    mastery: float = 0.0
    """Share of fresh problems of the demonstrated levels, in the weakest environment, that the
    solver has to solve greedily for the warm-up to end before `steps`: the learning rate then
    falls over half as many steps again; 0: it takes all its steps."""
    look_every: int = 100
    """Steps between two such looks."""
    shown: float = 2 / 3
    """Share of an environment's levels, the lowest ones, that are demonstrated."""
    thinning: float = 0.75
    """How often a level is demonstrated, relative to the one below it; 1: all alike."""
    learning_rate: float = 4e-3
    """Highest step size of Adam; it rises over the first tenth, 100 steps at most, and falls to a
    tenth of it."""
    rows: int = 32
    """Packed rows in a step."""
    row_length: int = 128
    """Tokens in a packed row; longer examples are left out."""
    proposer_share: float = 0.15
    """Share of the examples that are proposals; they are shorter than solutions."""

    def __post_init__(self) -> None:
        shares = self.mastery, self.proposer_share
        if self.steps < 0 or min(shares) < 0.0 or max(shares) > 1.0 or self.look_every < 1:
            raise ValueError(
                f"warmup.steps={self.steps} must be at least 0, warmup.look_every="
                f"{self.look_every} at least 1, warmup.mastery={self.mastery} and "
                f"warmup.proposer_share={self.proposer_share} within [0, 1]."
            )
        if not (0.0 < self.shown <= 1.0 and 0.0 < self.thinning <= 1.0):
            raise ValueError(
                f"warmup.shown={self.shown} and warmup.thinning={self.thinning} must lie within "
                "(0, 1]; the defaults are 2/3 and 0.75, long ladders take 0.1 and 1."
            )
        if not 0.0 < self.learning_rate < 1.0 or self.rows < 1 or self.row_length < 64:
            raise ValueError(
                f"warmup.learning_rate={self.learning_rate} must lie in (0, 1), warmup.rows="
                f"{self.rows} be at least 1 and warmup.row_length={self.row_length} at least 64 "
                "tokens, for which every environment has examples."
            )


def shown_levels(environment: Environment, share: float) -> int:
    """How many levels of an environment are demonstrated, the lowest ones; an only level is.

    Raises:
        ValueError: the share leaves none.
    """
    count = environment.level_count
    shown = math.floor(share * count + 1e-9)
    if count > 1 and not shown:
        raise ValueError(
            f"warmup.shown={share} leaves none of the {count} levels of {environment.name} to "
            f"demonstrate; a model from scratch has to be shown some: at least {1 / count:.3f}."
        )
    return max(1, shown)


def level_weights(shown: int, thinning: float) -> list[float]:
    """How often each shown level is demonstrated: `thinning` times the one below it; sums to 1."""
    weights = [thinning**level for level in range(shown)]
    total = sum(weights)
    return [weight / total for weight in weights]


class Teacher:
    """Draws warm-up examples; never of a frozen environment or with a key in `frozen`."""

    def __init__(
        self,
        config: WarmupConfig,
        environments: Mapping[str, Environment],
        tokenizer: Tokenizer,
        frozen: Container[str],
        rating_of: Callable[[Problem], float],
    ) -> None:
        """Prepare.

        Raises:
            ValueError: the demonstrated share of an environment's levels leaves none.
        """
        self._environments = [one for one in environments.values() if not one.frozen]
        self._tokenizer = tokenizer
        self._frozen = frozen
        self._rating_of = rating_of
        self._proposer_share = config.proposer_share
        self._weights = {
            environment.name: level_weights(
                shown_levels(environment, config.shown), config.thinning
            )
            for environment in self._environments
        }

    def example(self, rng: random.Random) -> Example:
        """One worked solution, or one proposal."""
        if rng.random() < self._proposer_share:
            return self.proposal(rng)
        return self.demonstration(rng)

    def proposal(self, rng: random.Random) -> Example:
        """A problem of any level, as the answer to a request for its rating."""
        environment = rng.choice(self._environments)
        problem = self._draw(environment, rng.randrange(environment.level_count), rng)
        prompt = self._tokenizer.proposer_prompt(problem.environment, self._rating_of(problem))
        posed = self._tokenizer.response(environment.pose(problem))
        return Example(prompt, posed, role=PROPOSER)

    def demonstration(self, rng: random.Random) -> Example:
        """A worked solution of a problem of a shown level."""
        environment = rng.choice(self._environments)
        weights = self._weights[environment.name]
        level = rng.choices(range(len(weights)), weights)[0]
        problem = self._draw(environment, level, rng)
        prompt = self._tokenizer.solver_prompt(problem)
        return Example(prompt, self._tokenizer.response(worked(environment, problem, rng)))

    def fresh(self, each: int, rng: random.Random) -> list[Problem]:
        """So many problems of each shown level, to see whether it is mastered."""
        return [
            self._draw(environment, level, rng)
            for environment in self._environments
            for level in range(len(self._weights[environment.name]))
            for _ in range(each)
        ]

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


def pace(config: WarmupConfig, step: int) -> float:
    """Factor on the learning rate at a step: rises over a tenth of all, then falls as a cosine."""
    rise = max(1, min(LONGEST_RISE, config.steps // 10))
    if step < rise:
        return step / rise
    return _fallen(1.0, (step - rise) / max(1, config.steps - rise))


def _fallen(first: float, share: float) -> float:
    """A cosine from a factor down to LAST_PACE, after a share of the way."""
    return LAST_PACE + (first - LAST_PACE) * (1.0 + math.cos(math.pi * min(1.0, share))) / 2.0


def run(
    network: Network,
    teacher: Teacher,
    config: WarmupConfig,
    seed: int,
    mastered: Callable[[Learner, int], bool],
) -> Iterator[tuple[Learner, StepReport]]:
    """Take the steps one by one, so that the caller can show progress or stop.

    Args:
        network: where to start from.
        teacher: draws the examples.
        config: how many steps, and how.
        seed: of the run.
        mastered: whether the demonstrated levels are, by a learner after so many steps; asked every
            `config.look_every` steps, if `config.mastery` is set, until it says yes. Then the
            learning rate falls over another COOLING of the steps that were taken.
    Yields:
        the learner and the report of each step; the last learner is the result. Each learner is
        used up by the next step.
    """
    updater = Updater(
        network, optimizer(optax.constant_schedule(config.learning_rate), max_norm=1.0), imitation,
        row_lengths=[config.row_length], tokens=config.rows * config.row_length,
    )  # fmt: skip
    learner, since, last = updater.start(network.params), 0, config.steps
    for step in range(config.steps):
        if step >= last:
            return
        now = pace(config, step)
        if since:
            now = _fallen(pace(config, since), (step - since) / (last - since))
        rng = streams.python_rng(seed, 0, "warmup", step)
        learner, report = updater.step(learner, _full_batch(teacher, config, rng), now)
        yield learner, report
        done = step + 1
        if config.mastery and not since and done % config.look_every == 0:
            if mastered(learner, done):
                since, last = done, min(config.steps, done + math.ceil(COOLING * done))


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
