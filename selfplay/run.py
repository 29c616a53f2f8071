"""The run folder: configuration, checkpoints, outcome log. What a run needs to go on is here.

    config.json      the resolved configuration
    checkpoints/     orbax, one folder a generation: after the warm-up, the latest two
    sittings.jsonl   one line each time it was started or resumed: versions, devices, sandbox
    outcomes.jsonl   one line a generation, append-only: what was posed, what became of it
    progress.jsonl   one line a generation, append-only: tokens spent, levels reached, looks
    archive.sqlite   every problem ever posed (curriculum/archive.py)
    evaluation-*.json  full evaluations
    events.*         TensorBoard (board.py)
    lock             number of the process that goes on with it, locked while it does

Not covered yet: exactness after the process was killed in the middle of a write.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from selfplay import config as configs
from selfplay.config import RunConfig


class RunFolder:
    """Access to one run's files."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path = path.resolve()
        self.config = config
        self._manager: ocp.CheckpointManager | None = None

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> "RunFolder":
        """A new folder; nothing is ever overwritten.

        Raises:
            ValueError: there is something there already.
            OSError: it cannot be written.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ValueError(
                f"{path} exists and is not empty; a run is never overwritten. Give another folder "
                f"with --run, or go on with `selfplay resume {path}`."
            )
        path.mkdir(parents=True, exist_ok=True)
        (path / "config.json").write_text(config.to_json())
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run.

        Raises:
            ValueError: there is no run there, or its configuration is damaged.
        """
        file = path / "config.json"
        if not file.is_file():
            raise ValueError(
                f"{path} is no run folder: it has no config.json. `selfplay train` makes one; "
                "runs are kept in runs/ unless --run says otherwise."
            )
        try:
            return cls(path, configs.from_json(file.read_text()))
        except ValueError as error:
            raise ValueError(
                f"{file} is damaged: {error}. Restore it from a copy; with the configuration that "
                "the run was started with, everything else in the folder is still good."
            ) from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only process that goes on with the run; reading it needs no leave.

        The lock is the kernel's, so none is left behind by a process that was killed.

        Raises:
            ValueError: another process goes on with it.
        """
        with (self.path / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                other = file.read(20).strip() or "unknown"
                raise ValueError(
                    f"process {other} goes on with {self.path}; a second one would double its log "
                    f"and its archive. Wait for it, or stop it (kill {other}; it saves first) and "
                    f"then `selfplay resume {self.path}`."
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    @property
    def archive_path(self) -> Path:
        """The SQLite file of the archive."""
        return self.path / "archive.sqlite"

    def save(self, generation: int, tree: Any) -> None:
        """Write a checkpoint and wait until it is on disk."""
        manager = self._checkpoints()
        manager.save(generation, args=ocp.args.StandardSave(tree), force=True)
        manager.wait_until_finished()

    def generations(self) -> list[int]:
        """Generations with a checkpoint, in order."""
        if not (self.path / "checkpoints").is_dir():
            return []
        return sorted(self._checkpoints().all_steps())

    def restore(self, like: Any, generation: int | None = None) -> Any:
        """Read a checkpoint into the shape of `like` (shapes, types and placement of its leaves).

        Raises:
            ValueError: there is no such checkpoint, or it cannot be read.
        """
        there = self.generations()
        if not there or (generation is not None and generation not in there):
            wanted = "checkpoint" if generation is None else f"generation {generation}"
            raise ValueError(
                f"{self.path} has no {wanted}; it has {there or 'none'}. A run that was stopped "
                f"in its warm-up starts over with `selfplay resume {self.path}`."
            )
        chosen = there[-1] if generation is None else generation
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        try:
            return self._checkpoints().restore(chosen, args=ocp.args.StandardRestore(abstract))
        except Exception as error:  # orbax raises many types for what is one thing to a user
            others = [g for g in there if g != chosen]
            raise ValueError(
                f"the checkpoint of generation {chosen} in {self.path} cannot be read "
                f"({type(error).__name__}: {str(error)[:200]}). If another version of selfplay "
                f"wrote it, use that one. If it is damaged: other checkpoints are {others}; move "
                "the damaged folder out of checkpoints/ to go on from the one before."
            ) from error

    def log_sitting(self, line: dict[str, Any]) -> None:
        """Append a line on what the run goes on with from here."""
        self._append("sittings.jsonl", line)

    def log(self, line: dict[str, Any]) -> None:
        """Append a line to the outcome log."""
        self._append("outcomes.jsonl", line)

    def outcomes(self) -> list[dict[str, Any]]:
        """All lines of the outcome log, oldest first."""
        return self._lines("outcomes.jsonl")

    def log_progress(self, line: dict[str, Any]) -> None:
        """Append a line to the log of how far the solver has got."""
        self._append("progress.jsonl", line)

    def progress(self) -> list[dict[str, Any]]:
        """All lines of that log, oldest first."""
        return self._lines("progress.jsonl")

    def forget_after(self, generation: int) -> None:
        """Drop outcomes and progress after a generation: a resumed run plays them again."""
        for name in ("outcomes.jsonl", "progress.jsonl"):
            kept = [line for line in self._lines(name) if line["generation"] <= generation]
            file = self.path / name
            new = file.with_suffix(".new")
            new.write_text("".join(json.dumps(line) + "\n" for line in kept))
            new.replace(file)

    def write_evaluation(self, generation: int, evaluation: dict[str, Any]) -> None:
        """Keep a full evaluation."""
        text = json.dumps(evaluation, indent=2) + "\n"
        (self.path / f"evaluation-{generation:06d}.json").write_text(text)

    def evaluation(self, generation: int) -> dict[str, Any] | None:
        """A full evaluation that was kept, or None."""
        file = self.path / f"evaluation-{generation:06d}.json"
        return json.loads(file.read_text()) if file.exists() else None

    def close(self) -> None:
        """Finish writing."""
        if self._manager is not None:
            self._manager.close()

    def _lines(self, name: str) -> list[dict[str, Any]]:
        file = self.path / name
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        # A last line without its end was cut off in the writing; its generation is played again.
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def _append(self, name: str, line: dict[str, Any]) -> None:
        with (self.path / name).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _checkpoints(self) -> ocp.CheckpointManager:
        if self._manager is None:
            policy = preservation_policy.AnyPreservationPolicy(
                [preservation_policy.CustomSteps([0]), preservation_policy.LatestN(2)]
            )
            self._manager = ocp.CheckpointManager(
                self.path / "checkpoints",
                options=ocp.CheckpointManagerOptions(
                    preservation_policy=policy, enable_async_checkpointing=False
                ),
            )
        return self._manager
