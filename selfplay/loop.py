"""One generation: the ring, in order. The only module that knows the order.

State goes in, a new State and a record of the generation come out. Axes: P problems, G attempts a
problem, N proposals.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay import streams
from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.plans import Posed, Purpose, Report
from selfplay.curriculum.scale import Game
from selfplay.learning import examples, rehearsal
from selfplay.learning.rehearsal import Memory
from selfplay.learning.trainer import Learning, Trainer
from selfplay.learning.update import Learner
from selfplay.model.network import Network
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.tokens import Tokenizer
from selfplay.problem import Environment
from selfplay.proposing import outcomes
from selfplay.proposing.proposal import Proposal
from selfplay.proposing.slots import Slots, admitted
from selfplay.rollout.attempts import Attempts, RolloutConfig, attempt


class Counts(NamedTuple):
    """Running totals of a run."""

    generated_tokens: int = 0
    """Response tokens drawn for training: attempts, proposals and looks at the anchors."""
    trained_tokens: int = 0
    """Prompt and response tokens that optimiser steps were taken on, warm-up included."""
    seconds: float = 0.0
    """Wall time of warm-up and generations with their looks at the frozen problems."""

    def plus(
        self, *, generated_tokens: int = 0, trained_tokens: int = 0, seconds: float = 0.0
    ) -> "Counts":
        """The totals after some more."""
        return Counts(
            self.generated_tokens + generated_tokens,
            self.trained_tokens + trained_tokens,
            self.seconds + seconds,
        )


class State(NamedTuple):
    """All that changes from generation to generation, and all that a resumed run needs."""

    generation: int
    """Generations done; 0 is the end of the warm-up."""
    learner: Learner
    standing: Standing
    memory: Memory
    """Right attempts that are imitated again."""
    counts: Counts


@dataclass(frozen=True)
class Ring:
    """The parts that a generation runs through; none of them changes."""

    seed: int
    network: Network
    """Untrained; what is trained is in the state."""
    tokenizer: Tokenizer
    environments: Mapping[str, Environment]
    manager: Manager
    slots: Slots
    trainer: Trainer
    rollout: RolloutConfig
    decode: DecodeConfig


@dataclass(frozen=True)
class Generation:
    """What happened in one generation, for the log, the board and the archive."""

    number: int
    posed: list[Posed]
    """P problems with what became of them, in the order of their slots."""
    proposals: list[Proposal]
    """What the learned proposer wrote, admitted or not; empty if it was not asked."""
    reward_N: np.ndarray
    """float [N], reward of each of `proposals`, in [0, 1]."""
    requests: list[Game]
    """By environment and level that was asked for: how many proposals were asked, and won."""
    attempts: Attempts
    """At the P problems."""
    learning: Learning
    generated_tokens: int
    """Response tokens of attempts and proposals."""
    seconds: dict[str, float]
    """Wall time of propose, decode, grade (what is left of it after decode), rate and train."""

    @property
    def mixed_groups(self) -> int:
        """Problems that some but not all attempts solved: those that teach."""
        return sum(0 < posed.solved < posed.graded for posed in self.posed)

    @property
    def valid_rate(self) -> float:
        """Share of the learned proposals that the gate admitted; NaN if there were none."""
        valid = [proposal.problem is not None for proposal in self.proposals]
        return float(np.mean(valid)) if valid else float("nan")


def generation(ring: Ring, state: State) -> tuple[State, Generation]:
    """One generation: plan, propose, attempt, rate, reward, learn."""
    number = state.generation + 1
    network = ring.network.with_params(state.learner.params)
    manager, trainer, clock = ring.manager, ring.trainer, Clock()

    with clock("propose"):
        # The state of the ratings is that before this generation: plans are predictions.
        rng = streams.numpy_rng(ring.seed, number, "plan")
        plans = manager.plan(state.standing, ring.rollout.problems, number, rng)
        answered = ring.slots.answer(plans, network, number)
        problems = [admitted(proposal) for proposal in answered.posed]

    # Each response is graded while others are still being drawn: decoding waits for no grader.
    each = ring.rollout.attempts
    attempts = attempt(
        network, ring.tokenizer, ring.environments, problems,
        streams.row_keys(ring.seed, number, "solve", len(problems) * each),
        attempts=each, decode_config=ring.decode, sampling=Sampling(ring.rollout.temperature),
        precompile=True,
    )  # fmt: skip
    clock.seconds |= {"decode": attempts.decode_seconds, "grade": attempts.grade_seconds}

    with clock("rate"):
        # An attempt that could not be graded counts for nobody: it is in neither sum.
        reports = [
            Report(plan, problem.level, int(solved), int(graded))
            for plan, problem, solved, graded in zip(
                plans, problems, attempts.correct_PG.sum(axis=1), attempts.graded_PG.sum(axis=1),
                strict=True,
            )
        ]  # fmt: skip
        posed = [
            Posed(report.plan, problem, proposal.proposer, report.solved, report.graded, *rated)
            for report, problem, proposal, rated in zip(
                reports, problems, answered.posed,
                manager.problem_ratings(state.standing, reports), strict=True,
            )
        ]  # fmt: skip
        # What was asked of the proposer, and whether it won, rates it as a player of its own.
        requests = outcomes.games(manager.cells, answered.learned, posed)
        standing = manager.observe(state.standing, number, reports)
        standing = manager.observe_requests(standing, number, requests)

    with clock("train"):
        # What is only screened teaches nothing, or the screening would choose the training data.
        trained_P = np.array([plan.purpose != Purpose.SCREEN for plan in plans])
        lessons = examples.of_attempts(trainer.config.rule, attempts, trained_P)
        reward_N = np.zeros(0)
        if answered.responses is not None:
            surprisal_N = answered.responses.samples.surprisal_N
            reward_N = outcomes.rewards(answered.learned, surprisal_N, posed)
            lessons += examples.of_proposals(
                answered.responses,
                [proposal.plan.environment for proposal in answered.learned],
                reward_N,
                ring.slots.config.loss_weight,
            )
        memory = state.memory
        if trainer.config.rehearses:
            cells = [manager.cells.number(p.environment, p.level) for p in problems]
            memory = rehearsal.remembered(memory, examples.to_keep(attempts, trained_P, cells))
        learner, learning = trainer.learn(state.learner, lessons, memory, number)

    drawn = attempts.responses.generated_tokens
    drawn += answered.responses.generated_tokens if answered.responses else 0
    counts = state.counts.plus(generated_tokens=drawn, trained_tokens=learning.tokens)
    return State(number, learner, standing, memory, counts), Generation(
        number, posed, answered.learned, reward_N, requests, attempts, learning, drawn,
        clock.seconds,
    )  # fmt: skip


class Clock:
    """Wall seconds of named sections."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time the body."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
