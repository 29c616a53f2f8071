"""Listeners: what a run tells while it goes on.

train.py decides when something happens and tells it; the recorder keeps it, the board draws it, the
console shows it, a benchmark times it. They are told in the order in which they were given.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from selfplay.curriculum.scale import Game
from selfplay.loop import Generation, State
from selfplay.report import Snapshot


class Progress(NamedTuple):
    """A generation that is over, with its looks at the frozen problems."""

    done: Generation
    state: State
    """After it."""
    snapshot: Snapshot
    """Numbers for people, over the latest generations."""
    seconds: float
    """Wall time, looks included."""
    looking_seconds: float
    """Wall time of the looks; 0 without any."""
    held_out: float | None
    """Estimate of held-out pass@1 by a look in this generation; None without any."""
    compilations: int
    """Programs that were compiled."""


class Listener:
    """Does nothing; a subclass overrides what it wants to hear."""

    def on_note(self, text: str) -> None:
        """Something worth a line."""

    def on_resume(self, generation: int) -> None:
        """The run goes on after a generation; what was told of later ones is told again."""

    def on_warmup_step(self, step: int, steps: int, loss: float, seconds_left: float) -> None:
        """A tenth warm-up step was taken; `loss` is in nats a token."""

    def on_mastery(self, step: int, rates: Mapping[str, float]) -> None:
        """A look at the demonstrated levels: share solved greedily, by environment."""

    def on_generation(self, done: Generation) -> None:
        """A generation was played; nothing else has been looked at yet."""

    def on_anchors(self, generation: int, games: Sequence[Game]) -> None:
        """The anchors were attempted, after a generation; one game for each."""

    def on_progress(self, progress: Progress) -> None:
        """A generation is over."""

    def on_evaluation(self, generation: int, evaluation: dict[str, Any]) -> None:
        """All held-out problems were attempted."""

    def on_checkpoint(self, state: State) -> None:
        """A state that the run can be resumed from."""

    def on_failure(self, generation: int, reason: str) -> None:
        """A generation cannot be finished; the run stops."""


class Listeners(Listener):
    """Passes everything on to several, in their order."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def _tell(self, call: Callable[[Listener], None]) -> None:
        for listener in self._listeners:
            call(listener)

    def on_note(self, text: str) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_note(text))

    def on_resume(self, generation: int) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_resume(generation))

    def on_warmup_step(self, step: int, steps: int, loss: float, seconds_left: float) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_warmup_step(step, steps, loss, seconds_left))

    def on_mastery(self, step: int, rates: Mapping[str, float]) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_mastery(step, rates))

    def on_generation(self, done: Generation) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_generation(done))

    def on_anchors(self, generation: int, games: Sequence[Game]) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_anchors(generation, games))

    def on_progress(self, progress: Progress) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_progress(progress))

    def on_evaluation(self, generation: int, evaluation: dict[str, Any]) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_evaluation(generation, evaluation))

    def on_checkpoint(self, state: State) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_checkpoint(state))

    def on_failure(self, generation: int, reason: str) -> None:
        """Pass it on."""
        self._tell(lambda own: own.on_failure(generation, reason))
