"""A whole run: warm-up, generations, evaluations, and what is kept of them. Drives loop.py.

Used by `selfplay train` and `selfplay resume`; tells its progress to whoever listens.
"""

import math
import signal
import statistics
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import jax
import numpy as np

from selfplay import evaluate, loop, machine, report, streams
from selfplay.board import Board
from selfplay.config import RunConfig
from selfplay.curriculum import replay
from selfplay.curriculum.archive import Archive, Attempt, Posed, Rejected
from selfplay.curriculum.scale import Game
from selfplay.evaluate import Interval, Scores
from selfplay.learning import warmup
from selfplay.learning.rehearsal import Memory
from selfplay.learning.update import NotFiniteError, check_finite
from selfplay.loop import Counts, State, Turn
from selfplay.model import sharding
from selfplay.parts import Parts, build
from selfplay.problem import Problem
from selfplay.report import Snapshot, Suggested
from selfplay.run import RunFolder

WARMUP_DEPENDS_ON = (
    "seed", "environments", "precision", "model", "pretrained", "warmup", "suites", "sandbox",
)  # fmt: skip
"""Fields of the configuration that are the same where a warm-up is taken over."""
MASTERY_PROBLEMS = 12
"""Fresh problems of each demonstrated level in a look whether it is mastered."""
RECENT = 10
"""Generations that rates and speeds are averaged over for display."""


class Listener(Protocol):
    """Shows progress."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def warmed(self, step: int, steps: int, loss: float, seconds_left: float) -> None:
        """A warm-up step was taken; `loss` is in nats a token."""

    def turned(self, snapshot: Snapshot) -> None:
        """A generation is done."""


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    state: State
    finished: bool
    """False if it was asked to stop; it can be resumed."""
    before: dict[str, Any] | None
    """Full evaluation after the warm-up."""
    after: dict[str, Any] | None
    """Full evaluation at the end; None if it was asked to stop."""
    gain: Interval | None
    """Paired difference of held-out pass@1, after minus before."""
    shown: dict[str, int]
    """By environment: how many levels were demonstrated."""
    suggested: Suggested | None = None
    """Problems to try; None if it was asked to stop."""


class Stop:
    """Whether somebody asked the run to stop: Ctrl-C or SIGTERM. A second Ctrl-C kills."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle both signals in the body."""
        before = {number: signal.signal(number, self) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def train(folder: RunFolder, listener: Listener) -> Result:
    """Run, or go on with, what the folder's configuration asks for.

    Raises:
        ValueError: the configuration's parts do not fit together, another process goes on with the
            run, or a step came to no number.
        OSError: the folder cannot be written; what it holds stays good.
    """
    stop = Stop()
    with folder.held():
        folder.log_sitting(machine.record())
        archive = Archive(folder.archive_path)
        board = Board(folder.path)
        try:
            with stop.listening():
                return Session(folder, archive, board, listener, stop).run()
        finally:
            board.close()
            archive.close()
            folder.close()


class Session:
    """One sitting of a run."""

    def __init__(
        self, folder: RunFolder, archive: Archive, board: Board, listener: Listener, stop: Stop
    ) -> None:
        self._folder, self._archive, self._board = folder, archive, board
        self._listener, self._stop = listener, stop
        self._config: RunConfig = folder.config
        self._parts: Parts = build(folder.config, archive)
        for environment in self._parts.environments.values():
            for level in range(environment.level_count):
                archive.describe(environment.name, level, environment.at(level))
        self._recent: deque[Turn] = deque(maxlen=RECENT)
        self._recent_seconds: deque[float] = deque(maxlen=RECENT)
        self._held_out = float("nan")
        self._looked = -1
        """Generation of this sitting's last look at the anchors."""

    def run(self) -> Result:
        """From where the folder stands to the end, or until asked to stop."""
        shown = report.shown_levels(self._parts)
        state = self._resumed() if self._folder.generations() else self._started()
        if state is None:
            return Result(self._parts.state(), False, None, None, None, shown)
        before = self._folder.evaluation(0)
        if not self._spent(state):
            self._parts.ring.updater.precompile(state.learner)
        while not self._spent(state) and not self._stop.asked:
            state = self._generation(state)
        if not self._spent(state):
            self._save(state)
            return Result(state, False, before, None, None, shown)
        if state.generation == 0:
            return Result(state, True, before, before, None, shown)
        self._listener.note("Measuring on the held-out problems ...")
        after = self._evaluate(state)
        if state.generation not in self._folder.generations():  # else it was finished before
            if state.generation != self._looked:
                state = self._looked_at_anchors(state)
            self._save(state)
        return Result(
            state, True, before, after, report.gain(before, after), shown,
            report.suggested(self._parts, after),
        )  # fmt: skip

    def _spent(self, state: State) -> bool:
        """Whether the run has had all its generations, or all its tokens."""
        budget = self._config.token_budget
        return state.generation >= self._config.generations or bool(
            budget and state.counts.generated_tokens >= budget
        )

    def _resumed(self) -> State:
        like = self._parts.state()
        state = from_tree(self._folder.restore(as_tree(like)), like)
        self._parts.ring.manager.check(state.standing)
        self._folder.forget_after(state.generation)
        self._archive.forget_after(state.generation)
        self._listener.note(f"Going on after generation {state.generation}.")
        return state

    def _started(self) -> State | None:
        """The state after the warm-up, measured and kept; None if asked to stop before its end."""
        source = self._config.warmup_of
        state = self._taken_over(Path(source)) if source else self._warmed_up()
        if state is None:
            return None
        if self._folder.evaluation(0) is None:
            self._listener.note("Measuring on the held-out problems ...")
            self._evaluate(state)
        state = self._looked_at_anchors(state)
        self._save(state)
        return state

    def _taken_over(self, path: Path) -> State:
        """The state after the warm-up of another run, and its evaluation."""
        check_warmup_of(self._config)
        source = RunFolder.open(path)
        archive = Archive(source.archive_path)
        try:
            like = build(source.config, archive).state()
            theirs = from_tree(source.restore(as_tree(like), 0), like)
            evaluation = source.evaluation(0)
        finally:
            archive.close()
            source.close()
        if evaluation is not None:
            self._keep_evaluation(0, evaluation)
        spent = Counts(trained_tokens=theirs.counts.trained_tokens, seconds=theirs.counts.seconds)
        return self._parts.state()._replace(
            learner=self._parts.ring.updater.start(theirs.learner.params), counts=spent
        )

    def _warmed_up(self) -> State | None:
        """The state after the warm-up; None if asked to stop before its end."""
        config, parts = self._config.warmup, self._parts
        start, tokens = time.perf_counter(), 0
        state = parts.state()
        learner, taken = state.learner, None  # what a warm-up of no steps ends with
        steps = warmup.run(
            parts.network, parts.ring.teacher, config, self._config.seed,
            lambda learner, step: self._mastered(state._replace(learner=learner), step),
        )  # fmt: skip
        for step, (learner, taken) in enumerate(steps, start=1):  # noqa: B007 (used below)
            tokens += taken.tokens
            if step % 10 == 0 or step == config.steps:
                left = (time.perf_counter() - start) / step * (config.steps - step)
                check_finite(taken, f"Step {step} of the warm-up")
                loss = float(taken.loss)
                self._listener.warmed(step, config.steps, loss, left)
                self._board.scalars(step, {"warmup/loss": loss})
            if self._stop.asked:
                return None
        if taken is not None:
            check_finite(taken, "The last step of the warm-up")
        return state._replace(
            learner=parts.ring.updater.start(learner.params),
            counts=Counts(trained_tokens=tokens, seconds=time.perf_counter() - start),
        )

    def _mastered(self, state: State, step: int) -> bool:
        """Whether the solver masters the demonstrated levels; says so if the last step does not."""
        config, teacher = self._config.warmup, self._parts.ring.teacher
        rng = streams.python_rng(self._config.seed, 0, "mastery", step)
        problems = teacher.fresh(MASTERY_PROBLEMS, rng)
        rate_N = self._attempt(state, problems, 1, "mastery", temperature=0.0).rate_N
        by_name: dict[str, list[float]] = {}
        for problem, rate in zip(problems, rate_N.tolist(), strict=True):
            by_name.setdefault(problem.environment, []).append(rate)
        mastered = {name: float(np.nanmean(rates)) for name, rates in by_name.items()}
        self._board.scalars(step, {f"warmup/mastered/{n}": rate for n, rate in mastered.items()})
        short = {name: rate for name, rate in mastered.items() if not rate >= config.mastery}
        if not short:
            self._listener.note(
                f"The demonstrated levels are mastered after {step} warm-up steps "
                f"({min(mastered.values()):.0%} solved greedily in the weakest environment)."
            )
        elif step + config.look_every > config.steps:
            told = ", ".join(f"{name} {rate:.1%}" for name, rate in short.items())
            self._listener.note(
                f"The warm-up ends without mastery of the demonstrated levels: {told} solved "
                f"greedily, and warmup.mastery asks for {config.mastery:.0%}. Self-play builds on "
                "them: give it more --warmup.steps, or leave these environments out."
            )
        return not short

    def _generation(self, state: State) -> State:
        start, compiled = time.perf_counter(), machine.compilations()
        try:
            state, turn = loop.generation(self._parts.ring, state)
        except NotFiniteError as error:
            self._board.text(state.generation + 1, "stopped", str(error))
            good = self._folder.generations()[-1]
            raise NotFiniteError(f"{error} The checkpoint of generation {good} is good.") from error
        self._keep(turn)
        self._warn_of_grader_errors(turn)
        last = self._spent(state)  # looked at and saved by run()
        every, looked = self._config.evaluation.every, None
        played = time.perf_counter()
        if every and state.generation % every == 0 and not last:
            state = self._looked_at_anchors(state)
            self._held_out = looked = self._look_at_held_out(state)
        looking = time.perf_counter() - played
        seconds = time.perf_counter() - start
        state = state._replace(counts=state.counts.plus(seconds=seconds))
        self._folder.log_progress(
            {
                "generation": state.generation,
                **state.counts._asdict(),
                "reached": report.reached(self._parts.ring.manager, state.standing),
                "held_out": looked,
                "seconds_looking": looking if looked is not None else 0.0,
            }
        )
        if state.generation % self._config.checkpoint_every == 0 and not last:
            self._save(state)
        self._recent.append(turn)
        self._recent_seconds.append(seconds)
        self._show(state, turn, seconds, machine.compilations() - compiled)
        return state

    def _keep(self, turn: Turn) -> None:
        """Write a generation to the archive and to the outcome log."""
        self._archive.add(
            (
                Posed(
                    turn.generation, slot, loop.admitted(proposal), proposal.proposer,
                    proposal.request.purpose, proposal.request.rating, proposal.request.predicted,
                    proposal.request.propensity, game.solved, game.graded, *rated,
                    plan.problem,
                )
                for slot, (proposal, (plan, game), rated) in enumerate(
                    zip(turn.posed, turn.reports, turn.ratings_after, strict=True)
                )
            ),
            (
                Rejected(turn.generation, p.request.environment, p.text, p.reason)
                for p in turn.proposals
                if p.problem is None
            ),
            self._attempts_to_keep(turn),
        )  # fmt: skip
        self._folder.log(
            {
                **replay.outcomes_line(turn.generation, turn.reports),
                "proposals": len(turn.proposals),
                "admitted": sum(p.problem is not None for p in turn.proposals),
                "generated_tokens": turn.generated_tokens,
                "trained_tokens": turn.trained_tokens,
            }
        )
        self._folder.log(replay.requests_line(turn.generation, turn.requests))

    def _attempts_to_keep(self, turn: Turn) -> Iterator[Attempt]:
        every = self._config.attempts_every
        if not every or turn.generation % every:
            return
        each = len(turn.verdicts) // len(turn.posed)
        for row, (text, verdict) in enumerate(zip(turn.attempts.texts, turn.verdicts, strict=True)):
            yield Attempt(
                turn.generation, *divmod(row, each), text, verdict.outcome, verdict.reason
            )

    def _warn_of_grader_errors(self, turn: Turn) -> None:
        """A failing grader is no failing solver: say so at once."""
        errors = [verdict for verdict in turn.verdicts if not verdict.graded]
        if errors:
            self._listener.note(
                f"Generation {turn.generation}: the grader failed on {len(errors)} of "
                f"{len(turn.verdicts)} attempts; they teach nothing and count for nobody. First: "
                f"{errors[0].reason[:200]}"
            )

    def _attempt(self, state: State, problems: list[Problem], samples: int, stream: str,
                 temperature: float = 1.0) -> Scores:  # fmt: skip
        parts = self._parts
        return evaluate.attempt(
            parts.trained(state), parts.ring.tokenizer, parts.environments, problems,
            samples=samples, temperature=temperature, decode_config=self._config.decode,
            stream=stream,
        )  # fmt: skip

    def _looked_at_anchors(self, state: State) -> State:
        """The curriculum held to the anchors anew."""
        evaluation, manager = self._config.evaluation, self._parts.ring.manager
        # Before any outcome there are no predictions to share the look out by.
        known = state.standing.groups_EL.any()
        predicted_C = (
            self._predicted(state) if known else np.full(manager.cells.there_EL.sum(), 0.5)
        )
        looked = self._survey(state, "anchors", predicted_C, evaluation.anchors)
        anchors = self._chosen(state, "anchors", self._parts.suites.anchors, looked)
        scores = self._attempt(state, anchors, evaluation.samples, "anchors")
        games = [
            Game(manager.names.index(problem.environment), problem.level, int(solved), int(graded))
            for problem, solved, graded in zip(
                anchors, scores.solved_N, scores.graded_N, strict=True
            )
        ]
        self._folder.log(replay.anchors_line(state.generation, games))
        self._looked = state.generation
        # Anchors steer the curriculum, so what they cost counts; held-out problems only measure.
        return state._replace(
            standing=manager.look_at_anchors(state.standing, state.generation, games),
            counts=state.counts.plus(generated_tokens=scores.generated_tokens),
        )

    def _look_at_held_out(self, state: State) -> float:
        """Estimate of held-out pass@1 from some of the problems."""
        evaluation, predicted_C = self._config.evaluation, self._predicted(state)
        looked = self._survey(state, "held-out", predicted_C, evaluation.live)
        few = self._chosen(state, "held-out", self._parts.suites.held_out, looked)
        scores = self._attempt(state, few, evaluation.live_samples, "live")
        rate_C = np.full(predicted_C.size, np.nan)
        at_N = np.repeat(np.arange(predicted_C.size), looked.count_C)
        for c in np.flatnonzero(looked.count_C):
            rate_C[c] = np.nanmean(scores.rate_N[at_N == c])
        return looked.estimate(predicted_C, rate_C)

    def _predicted(self, state: State) -> np.ndarray:
        """float [C], predicted pass rates of the cells, in the order of the frozen problems."""
        manager = self._parts.ring.manager
        return manager.beliefs(state.standing).predicted_EL[manager.cells.there_EL]

    def _survey(
        self, state: State, name: str, predicted_C: np.ndarray, mean: int
    ) -> evaluate.Survey:
        suites = self._config.suites
        most = suites.anchors if name == "anchors" else suites.held_out
        rng = streams.numpy_rng(self._config.seed, state.generation, f"survey/{name}")
        return evaluate.survey(predicted_C, mean, most, rng)

    def _chosen(
        self, state: State, name: str, frozen: Sequence[Problem], looked: evaluate.Survey
    ) -> list[Problem]:
        """Random problems of each cell, as many as are to be attempted; cells in their order."""
        each = len(frozen) // looked.count_C.size
        rng = streams.numpy_rng(self._config.seed, state.generation, f"chosen/{name}")
        return [
            frozen[c * each + int(at)]
            for c, count in enumerate(looked.count_C)
            for at in rng.permutation(each)[:count]
        ]

    def _evaluate(self, state: State) -> dict[str, Any]:
        full = report.full_evaluation(self._parts, state)
        self._keep_evaluation(state.generation, full)
        return full

    def _keep_evaluation(self, generation: int, full: dict[str, Any]) -> None:
        self._folder.write_evaluation(generation, full)
        self._held_out = full["pass@1"]["mean"]
        self._board.scalars(
            generation,
            {
                "held_out/pass_at_1": full["pass@1"]["mean"],
                "held_out/greedy": full["greedy"]["mean"],
            },
        )

    def _save(self, state: State) -> None:
        if state.generation not in self._folder.generations():
            self._folder.save(state.generation, as_tree(state))

    def _show(self, state: State, turn: Turn, seconds: float, compiled: int) -> None:
        standing = state.standing
        recent = list(self._recent)
        spent = Counter[str]()
        for past in recent:
            spent.update(past.seconds)
        wall, elapsed = sum(spent.values()), sum(self._recent_seconds)
        left = self._generations_left(state)
        asked = sum(len(past.proposals) for past in recent)
        valid = sum(p.problem is not None for past in recent for p in past.proposals)
        snapshot = Snapshot(
            generation=state.generation,
            generations=state.generation + left,
            held_out=self._held_out,
            rating=float(standing.anchored_E.mean()),
            rating_sd=float(np.linalg.norm(standing.anchored_sd_E) / standing.anchored_E.size),
            reached=report.reached(self._parts.ring.manager, standing),
            valid_rate=valid / asked if asked else float("nan"),
            mixed_rate=float(np.mean([past.mixed_groups / len(past.reports) for past in recent])),
            cut_rate=float(np.mean([report.cut_at_limit(past) for past in recent])),
            tokens_per_second=sum(past.generated_tokens for past in recent) / elapsed,
            time_shares={name: value / wall for name, value in spent.items()},
            seconds_left=self._usual_seconds() * left,
        )
        self._listener.turned(snapshot)
        self._board.scalars(
            state.generation,
            {
                **report.scalars(turn, state, snapshot, self._parts, seconds),
                "perf/compilations": compiled,
            },
        )
        if state.generation % 10 == 0 or state.generation == 1:
            self._draw(state)
            self._board.text(state.generation, "samples", report.samples_text(turn))

    def _draw(self, state: State) -> None:
        """The curriculum as images."""
        manager, standing = self._parts.ring.manager, state.standing
        beliefs, known = manager.beliefs(standing), standing.reliability
        predicted_EL = beliefs.predicted_EL
        self._board.frontier(state.generation, manager.names, predicted_EL)
        sd_EL = predicted_EL * (1.0 - predicted_EL) * beliefs.logit_sd_EL
        self._board.uncertainty(state.generation, sd_EL)
        groups_EL = np.where(manager.cells.there_EL, standing.groups_EL, np.nan)
        self._board.groups(state.generation, groups_EL)
        some_B = np.where(known.groups_B > 0, known.groups_B, np.nan)
        self._board.reliability(
            state.generation, known.predicted_B / some_B, known.observed_B / some_B, known.groups_B
        )

    def _generations_left(self, state: State) -> int:
        """How many will follow; with a budget of tokens, as many as it allows at the usual cost."""
        left = self._config.generations - state.generation
        if self._config.token_budget:
            unspent = max(0, self._config.token_budget - state.counts.generated_tokens)
            usual = statistics.mean(past.generated_tokens for past in self._recent)
            left = min(left, math.ceil(unspent / usual))
        return left

    def _usual_seconds(self) -> float:
        """Wall time of a generation; NaN after the first of a sitting, most of which is compiling.

        The median, because generations with a look at the frozen problems take longer.
        """
        times = list(self._recent_seconds)
        return statistics.median(times) if len(times) > 1 else float("nan")


def check_warmup_of(config: RunConfig) -> None:
    """Check that the warm-up of the run in `warmup_of` is that of this configuration.

    Raises:
        ValueError: there is no such run, or it has another seed, model or whatever else the warm-up
            depends on.
    """
    theirs = RunFolder.open(Path(config.warmup_of)).config
    for name in WARMUP_DEPENDS_ON:
        if getattr(theirs, name) != getattr(config, name):
            raise ValueError(
                f"warmup_of={config.warmup_of}: that run has {name}={getattr(theirs, name)}, this "
                f"one {getattr(config, name)}. Its warm-up is that of another experiment; make "
                "them equal, or do without warmup_of."
            )


def as_tree(state: State) -> dict[str, Any]:
    """A state as a tree of arrays, for a checkpoint."""
    return {
        "generation": np.array(state.generation, np.int64),
        "learner": state.learner,
        "standing": jax.tree.leaves(state.standing),
        "memory": state.memory._asdict(),
        "counts": {
            name: np.array(value, np.float64) for name, value in state.counts._asdict().items()
        },
    }


def from_tree(tree: dict[str, Any], like: State) -> State:
    """The inverse of `as_tree`; `like` is any state of the same run."""
    counts = {name: value.item() for name, value in tree["counts"].items()}
    return State(
        generation=int(tree["generation"]),
        learner=sharding.place(tree["learner"]),
        standing=jax.tree.unflatten(
            jax.tree.structure(like.standing), map(np.asarray, tree["standing"])
        ),
        memory=Memory(**{name: np.asarray(array) for name, array in tree["memory"].items()}),
        counts=Counts(
            int(counts["generated_tokens"]), int(counts["trained_tokens"]), counts["seconds"]
        ),
    )
