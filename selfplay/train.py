"""A whole run: decides when to warm up, play a generation, look, evaluate and save; and tells it.

Used by `selfplay train` and `selfplay resume`. Writes nothing itself: the recorder and the board
listen, and whoever else is given.
"""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from selfplay import checkpoints, loop, machine, report
from selfplay.board import Board
from selfplay.config import RunConfig
from selfplay.curriculum.archive import Archive
from selfplay.evaluate import Interval
from selfplay.learning import warmup
from selfplay.learning.update import NotFiniteError, check_finite
from selfplay.listener import Listener, Listeners, Progress
from selfplay.looks import Looks
from selfplay.loop import Counts, Generation, State
from selfplay.parts import Parts, build
from selfplay.recorder import Recorder
from selfplay.report import Recent, Suggested
from selfplay.run import RunFolder

WARMUP_DEPENDS_ON = (
    "seed", "environments", "precision", "model", "pretrained", "warmup", "suites", "sandbox",
)  # fmt: skip
"""Fields of the configuration that are the same where a warm-up is taken over."""


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


def train(folder: RunFolder, *listeners: Listener) -> Result:
    """Run, or go on with, what the folder's configuration asks for.

    Args:
        folder: of the run.
        listeners: told of everything, after it is kept.
    Raises:
        ValueError: the configuration's parts do not fit together, another process goes on with the
            run, or a step came to no number.
        OSError: the folder cannot be written; what it holds stays good.
    """
    stop = Stop()
    with folder.held():
        folder.log_sitting(machine.record())
        archive = Archive(folder.archive_path)
        try:
            parts = build(folder.config, archive)
            manager = parts.ring.manager
            recorder = Recorder(folder, archive, manager.cells)
            recorder.describe(parts.environments)
            board = Board(folder.path, manager)
            try:
                with stop.listening():
                    told = Listeners((recorder, board, *listeners))
                    return Session(folder, parts, told, stop).run()
            finally:
                board.close()
        finally:
            archive.close()
            folder.close()


class Session:
    """One sitting of a run."""

    def __init__(self, folder: RunFolder, parts: Parts, listener: Listener, stop: Stop) -> None:
        """Prepare.

        Args:
            folder: of the run; only read.
            parts: of its configuration.
            listener: told of everything.
            stop: whether to stop after the generation.
        """
        self._folder, self._parts, self._listener, self._stop = folder, parts, listener, stop
        self._config: RunConfig = folder.config
        self._looks = Looks(parts)
        self._recent = Recent(parts.ring.manager)
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
            self._parts.ring.trainer.updater.precompile(state.learner)
        while not self._spent(state) and not self._stop.asked:
            state = self._generation(state)
        if not self._spent(state):
            self._listener.on_checkpoint(state)
            return Result(state, False, before, None, None, shown)
        if state.generation == 0:
            return Result(state, True, before, before, None, shown)
        after = self._evaluated(state)
        if state.generation not in self._folder.generations():  # else it was finished before
            if state.generation != self._looked:
                state = self._anchored(state)
            self._listener.on_checkpoint(state)
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
        state = checkpoints.restored(self._folder, self._parts)
        self._listener.on_resume(state.generation)
        self._listener.on_note(f"Going on after generation {state.generation}.")
        return state

    def _started(self) -> State | None:
        """The state after the warm-up, measured and kept; None if asked to stop before its end."""
        source = self._config.warmup_of
        state = self._taken_over(Path(source)) if source else self._warmed_up()
        if state is None:
            return None
        if self._folder.evaluation(0) is None:
            self._evaluated(state)
        state = self._anchored(state)
        self._listener.on_checkpoint(state)
        return state

    def _taken_over(self, path: Path) -> State:
        """The state after the warm-up of another run, whose evaluation is kept as this one's."""
        check_warmup_of(self._config)
        source = RunFolder.open(path)
        try:
            theirs = checkpoints.restored(source, build(source.config, Archive(":memory:")), 0)
            evaluation = source.evaluation(0)
        finally:
            source.close()
        if evaluation is not None:
            self._told_evaluation(0, evaluation)
        spent = Counts(trained_tokens=theirs.counts.trained_tokens, seconds=theirs.counts.seconds)
        return self._parts.state()._replace(
            learner=self._parts.ring.trainer.updater.start(theirs.learner.params), counts=spent
        )

    def _warmed_up(self) -> State | None:
        """The state after the warm-up; None if asked to stop before its end."""
        config, parts = self._config.warmup, self._parts
        start, tokens = time.perf_counter(), 0
        state = parts.state()
        learner, taken = state.learner, None  # what a warm-up of no steps ends with
        steps = warmup.run(
            parts.network, parts.ring.trainer.teacher, config, self._config.seed,
            lambda learner, step: self._mastered(state._replace(learner=learner), step),
        )  # fmt: skip
        for step, (learner, taken) in enumerate(steps, start=1):  # noqa: B007 (used below)
            tokens += taken.tokens
            if step % 10 == 0 or step == config.steps:
                left = (time.perf_counter() - start) / step * (config.steps - step)
                check_finite(taken, f"Step {step} of the warm-up")
                self._listener.on_warmup_step(step, config.steps, float(taken.loss), left)
            if self._stop.asked:
                return None
        if taken is not None:
            check_finite(taken, "The last step of the warm-up")
        return state._replace(
            learner=parts.ring.trainer.updater.start(learner.params),
            counts=Counts(trained_tokens=tokens, seconds=time.perf_counter() - start),
        )

    def _mastered(self, state: State, step: int) -> bool:
        """Whether the solver masters the demonstrated levels; says so if the last step does not."""
        config, mastered = self._config.warmup, self._looks.mastery(state, step)
        self._listener.on_mastery(step, mastered)
        short = {name: rate for name, rate in mastered.items() if not rate >= config.mastery}
        if not short:
            self._listener.on_note(
                f"The demonstrated levels are mastered after {step} warm-up steps "
                f"({min(mastered.values()):.0%} solved greedily in the weakest environment)."
            )
        elif step + config.look_every > config.steps:
            told = ", ".join(f"{name} {rate:.1%}" for name, rate in short.items())
            self._listener.on_note(
                f"The warm-up ends without mastery of the demonstrated levels: {told} solved "
                f"greedily, and warmup.mastery asks for {config.mastery:.0%}. Self-play builds on "
                "them: give it more --warmup.steps, or leave these environments out."
            )
        return not short

    def _generation(self, state: State) -> State:
        """Play a generation, look at the frozen problems where it is time, save where it is."""
        start, compiled = time.perf_counter(), machine.compilations()
        state, done = self._played(state)
        last = self._spent(state)  # looked at and saved by run()
        every, held_out = self._config.evaluation.every, None
        looking = time.perf_counter()
        if every and state.generation % every == 0 and not last:
            state = self._anchored(state)
            held_out = self._looks.held_out(state)
        now = time.perf_counter()
        state = state._replace(counts=state.counts.plus(seconds=now - start))
        self._recent.add(done, now - start, held_out)
        self._listener.on_progress(
            Progress(
                done, state, self._recent.snapshot(state, self._generations_left(state)),
                seconds=now - start,
                looking_seconds=now - looking if held_out is not None else 0.0,
                held_out=held_out,
                compilations=machine.compilations() - compiled,
            )
        )  # fmt: skip
        if state.generation % self._config.checkpoint_every == 0 and not last:
            self._listener.on_checkpoint(state)
        return state

    def _played(self, state: State) -> tuple[State, Generation]:
        try:
            state, done = loop.generation(self._parts.ring, state)
        except NotFiniteError as error:
            self._listener.on_failure(state.generation + 1, str(error))
            good = self._folder.generations()[-1]
            raise NotFiniteError(f"{error} The checkpoint of generation {good} is good.") from error
        self._listener.on_generation(done)
        if failed := report.grader_failures(done):
            self._listener.on_note(failed)
        return state, done

    def _anchored(self, state: State) -> State:
        """The state with its curriculum held to the anchors anew."""
        games, tokens = self._looks.anchors(state)
        self._listener.on_anchors(state.generation, games)
        self._looked = state.generation
        # Anchors steer the curriculum, so what they cost counts; held-out problems only measure.
        manager = self._parts.ring.manager
        return state._replace(
            standing=manager.look_at_anchors(state.standing, state.generation, games),
            counts=state.counts.plus(generated_tokens=tokens),
        )

    def _evaluated(self, state: State) -> dict[str, Any]:
        self._listener.on_note("Measuring on the held-out problems ...")
        full = report.full_evaluation(self._parts, state)
        self._told_evaluation(state.generation, full)
        return full

    def _told_evaluation(self, generation: int, full: dict[str, Any]) -> None:
        self._recent.held_out = full["pass@1"]["mean"]
        self._listener.on_evaluation(generation, full)

    def _generations_left(self, state: State) -> int:
        """How many will follow; with a budget of tokens, as many as it allows at the usual cost."""
        left = self._config.generations - state.generation
        if self._config.token_budget:
            unspent = max(0, self._config.token_budget - state.counts.generated_tokens)
            left = min(left, math.ceil(unspent / self._recent.usual_tokens()))
        return left


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
