"""The recorder: keeps what a run tells in its folder: archive, outcome log, progress, checkpoints.

A listener; nothing else writes to the folder while a run goes on, but for TensorBoard's files.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from selfplay import checkpoints
from selfplay.curriculum import replay
from selfplay.curriculum.archive import Archive, Attempt, Rejected
from selfplay.curriculum.scale import Cells, Game
from selfplay.listener import Listener, Progress
from selfplay.loop import Generation, State
from selfplay.problem import Environment
from selfplay.run import RunFolder


class Recorder(Listener):
    """Writes to one run's folder."""

    def __init__(self, folder: RunFolder, archive: Archive, cells: Cells) -> None:
        self._folder, self._archive, self._cells = folder, archive, cells

    def describe(self, environments: Mapping[str, Environment]) -> None:
        """Note what the knobs of each level are set to."""
        for environment in environments.values():
            for level in range(environment.level_count):
                self._archive.describe(environment.name, level, environment.at(level))

    def on_resume(self, generation: int) -> None:
        """Drop what was kept of later generations."""
        self._folder.forget_after(generation)
        self._archive.forget_after(generation)

    def on_generation(self, done: Generation) -> None:
        """Add what was posed, turned away and attempted to the archive; log the outcomes."""
        rejected = (
            Rejected(done.number, proposal.plan.environment, proposal.text, proposal.reason)
            for proposal in done.proposals
            if proposal.problem is None
        )
        self._archive.add(done.posed, rejected, self._attempts_to_keep(done))
        self._folder.log(
            {
                **replay.outcomes_line(done.number, [posed.report for posed in done.posed]),
                "proposals": len(done.proposals),
                "admitted": sum(proposal.problem is not None for proposal in done.proposals),
                "generated_tokens": done.generated_tokens,
                "trained_tokens": done.learning.tokens,
            }
        )
        self._folder.log(replay.requests_line(self._cells, done.number, done.requests))

    def on_anchors(self, generation: int, games: Sequence[Game]) -> None:
        """Log them."""
        self._folder.log(replay.anchors_line(self._cells, generation, games))

    def on_progress(self, progress: Progress) -> None:
        """Log how far the solver has got."""
        self._folder.log_progress(
            {
                "generation": progress.state.generation,
                **progress.state.counts._asdict(),
                "reached": progress.snapshot.reached,
                "held_out": progress.held_out,
                "seconds_looking": progress.looking_seconds,
            }
        )

    def on_evaluation(self, generation: int, evaluation: dict[str, Any]) -> None:
        """Keep it whole."""
        self._folder.write_evaluation(generation, evaluation)

    def on_checkpoint(self, state: State) -> None:
        """Keep the state."""
        checkpoints.save(self._folder, state)

    def _attempts_to_keep(self, done: Generation) -> Iterator[Attempt]:
        every = self._folder.config.attempts_every
        if not every or done.number % every:
            return
        attempts = done.attempts
        rows = zip(attempts.responses.texts, attempts.verdicts, strict=True)
        for row, (text, verdict) in enumerate(rows):
            slot, own = divmod(row, attempts.each)
            yield Attempt(done.number, slot, own, text, verdict.outcome, verdict.reason)
