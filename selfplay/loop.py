"""One generation: the ring, in order. The only module that knows the order.

State goes in, a new State and a record of the turn come out. Axes: P problems, G attempts a
problem, N samples of one role.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay import streams
from selfplay.curriculum.archive import Archive
from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.plans import Plan, Report
from selfplay.curriculum.scale import Game
from selfplay.grading.judge import Judging
from selfplay.learning import rehearsal, rollout
from selfplay.learning.advantage import centred_by, group_centred, scaled
from selfplay.learning.batch import Example
from selfplay.learning.rehearsal import Kept, Memory
from selfplay.learning.rollout import Rollout, RolloutConfig
from selfplay.learning.update import Learner, UpdateConfig, Updater, check_finite
from selfplay.learning.warmup import Teacher
from selfplay.model.network import Network
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.tokens import Tokenizer
from selfplay.problem import Environment, Outcome, Problem, Request, Verdict
from selfplay.proposing.learned import Learned
from selfplay.proposing.procedural import Procedural
from selfplay.proposing.proposal import Proposal, ProposingConfig
from selfplay.proposing.reward import worth

LEVEL_TOLERANCE = 1
"""Levels by which a learned problem may miss its request and still be posed."""
PASSED_SOMETIMES = 0.25, 0.75
"""Pass rates within which a problem is one to learn from, for the proposer's rating."""


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
    """The parts that a turn runs through; none of them changes."""

    seed: int
    network: Network
    """Untrained; what is trained is in the state."""
    tokenizer: Tokenizer
    environments: Mapping[str, Environment]
    archive: Archive
    """Where the text of an earlier problem is."""
    manager: Manager
    learned: Learned
    procedural: Procedural
    teacher: Teacher
    """Draws the demonstrations that are rehearsed beside right attempts."""
    updater: Updater
    update: UpdateConfig
    rollout: RolloutConfig
    decode: DecodeConfig
    proposing: ProposingConfig


@dataclass(frozen=True)
class Turn:
    """What happened in one generation, for the log, the board and the archive."""

    generation: int
    posed: list[Proposal]
    """P admitted proposals, each with its problem."""
    proposals: list[Proposal]
    """What the learned proposer wrote, admitted or not; empty if it was not asked."""
    reports: list[Report]
    """P outcomes, each with its plan."""
    requests: list[Game]
    """By environment and level that was asked for: how many proposals were asked, and won."""
    ratings_after: list[tuple[float, float]]
    """P problem ratings after the outcomes and their standard deviations, in points."""
    worths: list[float]
    """Reward of each of `proposals`, in [0, 1]."""
    attempts: Rollout
    verdicts: list[Verdict]
    """P times G verdicts on the attempts, in their order."""
    mixed_groups: int
    """Problems that some but not all attempts solved: those that teach."""
    generated_tokens: int
    trained_tokens: int
    loss: float
    gradient_norm: float
    first_ratio_gap: float
    """Largest |importance ratio - 1| before the first optimiser step: what sampling and training
    disagree on."""
    step_length: float
    """Mean share of an optimiser step that the trust region let it take."""
    seconds: dict[str, float]
    """Wall time of propose, decode, grade (what is left of it after decode), rate and train."""

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Number of attempts by outcome."""
        return Counter(verdict.outcome for verdict in self.verdicts)

    @property
    def valid_rate(self) -> float:
        """Share of the learned proposals that the gate admitted; NaN if there were none."""
        admitted = [proposal.problem is not None for proposal in self.proposals]
        return float(np.mean(admitted)) if admitted else float("nan")


def generation(ring: Ring, state: State) -> tuple[State, Turn]:
    """One turn: plan, propose, roll out, grade, compare, learn, rate."""
    number = state.generation + 1
    network = ring.network.with_params(state.learner.params)
    clock = Clock()

    with clock("propose"):
        plan_rng = streams.numpy_rng(ring.seed, number, "plan")
        plans = ring.manager.plan(state.standing, ring.rollout.problems, number, plan_rng)
        posed, proposals, proposer_rollout = propose(ring, network, plans, number)
        problems = [admitted(proposal) for proposal in posed]
    each = ring.rollout.attempts
    with Judging(ring.environments, problems, each) as judging:
        with clock("decode"):  # and grade, meanwhile
            attempts = rollout.collect(
                network, ring.tokenizer, problems,
                streams.row_keys(ring.seed, number, "solve", len(problems) * each),
                attempts=each, decode_config=ring.decode,
                sampling=Sampling(ring.rollout.temperature), hear=judging.hear, often=True,
            )  # fmt: skip
        with clock("grade"):
            verdicts = judging.verdicts()
    with clock("rate"):
        correct_PG, graded_PG = by_problem(verdicts, len(problems))
        reports = [
            Report(plan, Game(plan.environment, problem.level, int(solved), int(graded)))
            for plan, problem, solved, graded in zip(
                plans, problems, correct_PG.sum(axis=1), graded_PG.sum(axis=1), strict=True
            )
        ]
        ratings_after = ring.manager.problem_ratings(
            state.standing, [(plan.problem, game) for plan, game in reports]
        )
    with clock("train"):
        trained_P = np.array([plan.purpose != "screen" for plan in plans])
        examples = solver_examples(
            ring.update.rule, attempts, correct_PG, graded_PG & trained_P[:, None]
        )
        memory = state.memory
        if ring.update.rehearses:
            cell_P = cells_of(ring.manager, problems)
            memory = rehearsal.remembered(
                memory, right_attempts(attempts, correct_PG & trained_P[:, None], cell_P)
            )
        worths = []
        if proposer_rollout is not None:
            worths = proposal_worths(
                proposals, proposer_rollout.samples.surprisal_N, posed, reports, ratings_after
            )
            examples += proposer_examples(
                proposals, worths, proposer_rollout, ring.proposing.loss_weight
            )
        learner, learning = learn(ring, state.learner, examples, memory, number)
    standing = ring.manager.observe(state.standing, number, reports)
    requests = request_games(ring.manager.names, proposals, posed, reports)
    standing = ring.manager.observe_requests(standing, number, requests)

    drawn = attempts.generated_tokens
    drawn += proposer_rollout.generated_tokens if proposer_rollout else 0
    turn = Turn(
        generation=number, posed=posed, proposals=proposals, reports=reports,
        requests=requests,
        ratings_after=ratings_after, worths=worths, attempts=attempts, verdicts=verdicts,
        mixed_groups=sum(0 < game.solved < game.graded for _, game in reports),
        generated_tokens=drawn, trained_tokens=learning.tokens, loss=learning.loss,
        gradient_norm=learning.gradient_norm, first_ratio_gap=learning.first_ratio_gap,
        step_length=learning.step_length, seconds=clock.seconds,
    )  # fmt: skip
    counts = state.counts.plus(generated_tokens=drawn, trained_tokens=learning.tokens)
    return State(number, learner, standing, memory, counts), turn


def propose(
    ring: Ring, network: Network, plans: Sequence[Plan], number: int
) -> tuple[list[Proposal], list[Proposal], Rollout | None]:
    """Have every plan answered: by the learned proposer where it may and can, else procedurally.

    A learned problem more than LEVEL_TOLERANCE levels away from the plan is not posed: its worth is
    0 without spending attempts on it. What is screened is procedural: it is about the cell. What is
    posed again comes from the archive.

    Returns:
        one admitted proposal for each plan; what the learned proposer wrote; its samples.
    """
    requests = [request(ring, plan) for plan in plans]
    wanted = len(requests)
    answered = {
        slot: earlier(ring.archive, plan, requests[slot])
        for slot, plan in enumerate(plans)
        if plan.purpose == "revisit"
    }
    asked = []
    if ring.proposing.proposer == "learned":
        trained = [s for s, plan in enumerate(plans) if plan.purpose in ("target", "probe")]
        share = 1.0 - ring.proposing.procedural_share
        rng = streams.numpy_rng(ring.seed, number, "share")
        asked = sorted(rng.permutation(trained)[: round(share * len(trained))].tolist())
    in_batch = {admitted(proposal).key for proposal in answered.values()}
    proposals, samples = [], None
    if asked:
        proposals, samples = ring.learned.propose(
            [requests[slot] for slot in asked], network, number, in_batch
        )
    answered |= {
        slot: proposal
        for slot, proposal in zip(asked, proposals, strict=True)
        if proposal.problem is not None and on_level(proposal)
    }
    open_slots = [slot for slot in range(wanted) if slot not in answered]
    filled, _ = ring.procedural.propose(
        [requests[slot] for slot in open_slots], network, number, in_batch
    )
    answered.update(zip(open_slots, filled, strict=True))
    return [answered[slot] for slot in range(wanted)], proposals, samples


def on_level(proposal: Proposal) -> bool:
    """Whether the problem of an admitted proposal is near the level that was asked for."""
    return abs(admitted(proposal).level - proposal.request.level) <= LEVEL_TOLERANCE


def earlier(archive: Archive, plan: Plan, request: Request) -> Proposal:
    """The problem that a plan wants posed again, by whoever wrote it."""
    problem, proposer = archive.problem(plan.problem)
    return Proposal(request, proposer, problem.text, problem)


def request(ring: Ring, plan: Plan) -> Request:
    """A plan in a proposer's words."""
    return Request(
        environment=ring.manager.names[plan.environment], level=plan.level, rating=plan.rating,
        predicted=plan.predicted, propensity=plan.propensity, purpose=plan.purpose,
    )  # fmt: skip


def admitted(proposal: Proposal) -> Problem:
    """The problem of a proposal that passed the gate."""
    assert proposal.problem is not None, proposal
    return proposal.problem


def by_problem(verdicts: Sequence[Verdict], problem_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which attempts were right and which were graded, bool [P, G] each."""
    correct = np.array([verdict.correct for verdict in verdicts])
    graded = np.array([verdict.graded for verdict in verdicts])
    return correct.reshape(problem_count, -1), graded.reshape(problem_count, -1)


def solver_examples(
    rule: str, attempts: Rollout, correct_PG: np.ndarray, graded_PG: np.ndarray
) -> list[Example]:
    """Attempts at problems that some but not all of their siblings solved, for `update.rule`.

    None where the rule is rehearsal alone; only those that did better where it is `positive`.
    """
    if rule == "rehearsal":
        return []
    advantage_N = group_centred(correct_PG.astype(np.float64), graded_PG).ravel()
    if rule == "positive":
        advantage_N = np.maximum(advantage_N, 0.0)
    lengths = np.where(advantage_N != 0.0, attempts.samples.length_N, 0)
    return attempts.examples(scaled(advantage_N, lengths))


def cells_of(manager: Manager, problems: Sequence[Problem]) -> list[int]:
    """Index of the cell of each problem among environments x levels."""
    levels = manager.cells.shape[1]
    return [manager.names.index(p.environment) * levels + p.level for p in problems]


def right_attempts(attempts: Rollout, right_PG: np.ndarray, cells: Sequence[int]) -> list[Kept]:
    """The first right attempt at each problem that was solved at all, to be kept."""
    each = right_PG.shape[1]
    return [
        Kept(
            cells[p], attempts.prompts[p],
            attempts.samples.response(p * each + int(right_PG[p].argmax())),
        )
        for p in np.flatnonzero(right_PG.any(axis=1)).tolist()
    ]  # fmt: skip


def proposal_worths(
    proposals: Sequence[Proposal],
    surprisal_N: np.ndarray,
    posed: Sequence[Proposal],
    reports: Sequence[Report],
    ratings_after: Sequence[tuple[float, float]],
) -> list[float]:
    """Reward of each learned proposal: 0 for a rejected one, else from the solver's attempts."""
    slot_of = {id(proposal): slot for slot, proposal in enumerate(posed)}
    worths = []
    for proposal, surprisal in zip(proposals, surprisal_N.tolist(), strict=True):
        slot = slot_of.get(id(proposal))
        if slot is None:
            worths.append(0.0)
            continue
        game, (rating, _) = reports[slot].game, ratings_after[slot]
        worths.append(worth(game.solved, game.graded, rating, proposal.request.rating, surprisal))
    return worths


def request_games(
    names: Sequence[str],
    proposals: Sequence[Proposal],
    posed: Sequence[Proposal],
    reports: Sequence[Report],
) -> list[Game]:
    """The learned proposer's games: one for each environment and level that was asked for.

    It wins if its problem is valid, near the level, and passed sometimes; one whose attempts could
    not be graded is no game.
    """
    game_of = {id(p): report.game for p, report in zip(posed, reports, strict=True)}
    won, asked = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    least, most = PASSED_SOMETIMES
    for proposal in proposals:
        cell = names.index(proposal.request.environment), proposal.request.level
        game = game_of.get(id(proposal))
        if game is None:
            asked[cell] += 1
        elif game.graded:
            asked[cell] += 1
            # The mean of the posterior from a flat prior: 1 of 1 is no proof of an easy problem.
            won[cell] += least <= (game.solved + 1) / (game.graded + 2) <= most
    return [Game(*cell, won[cell], asked[cell]) for cell in sorted(asked)]


def proposer_examples(
    proposals: Sequence[Proposal], worths: Sequence[float], samples: Rollout, weight: float
) -> list[Example]:
    """Proposals, each compared with those for the same environment."""
    names = sorted({proposal.request.environment for proposal in proposals})
    label_N = np.array([names.index(proposal.request.environment) for proposal in proposals])
    advantage_N = centred_by(label_N, np.array(worths))
    return samples.examples(weight * scaled(advantage_N, samples.samples.length_N))


class Learning(NamedTuple):
    """What the optimiser steps of a generation did."""

    tokens: int
    loss: float
    gradient_norm: float
    first_ratio_gap: float
    step_length: float


def learn(
    ring: Ring, learner: Learner, examples: list[Example], memory: Memory, number: int
) -> tuple[Learner, Learning]:
    """Take the generation's optimiser steps, each on a random share of the examples.

    Where attempts are rehearsed each step imitates some of them too. A step without anything to
    learn from (every group all right or all wrong) changes nothing.
    """
    order = streams.numpy_rng(ring.seed, number, "minibatches").permutation(len(examples))
    reports = []
    for step, share in enumerate(np.array_split(order, ring.update.steps)):
        batch = [examples[i] for i in share]
        if ring.update.rehearses:
            batch += rehearsed(ring, memory, number, step)
        if batch:
            learner, report = ring.updater.step(learner, batch)
            reports.append(report)
    if not reports:
        return learner, Learning(0, 0.0, 0.0, 0.0, 1.0)
    for step, report in enumerate(reports, start=1):
        check_finite(report, f"Optimiser step {step} of generation {number}")
    return learner, Learning(
        tokens=sum(report.tokens for report in reports),
        loss=float(np.mean([report.loss for report in reports])),
        gradient_norm=float(np.mean([report.gradient_norm for report in reports])),
        first_ratio_gap=float(reports[0].largest_ratio_gap),
        step_length=float(np.mean([report.length for report in reports])),
    )


def rehearsed(ring: Ring, memory: Memory, number: int, step: int) -> list[Example]:
    """What an optimiser step imitates: right attempts, and a share of demonstrations."""
    config = ring.update.rehearsal
    kept = rehearsal.drawn(
        memory,
        config.tokens,
        config.frontier,
        streams.numpy_rng(ring.seed, number, "rehearsal", step),
    )
    share = config.demonstrations / (1.0 - config.demonstrations)
    rng = streams.python_rng(ring.seed, number, "demonstrations", step)
    return kept + [ring.teacher.demonstration(rng) for _ in range(round(share * len(kept)))]


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
