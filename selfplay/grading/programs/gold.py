"""Programs as problems: the gold of a proposed program is what it returns, if it always does.

A proposer's program is run on every input at least twice, in zygotes with different hash seeds, at
different (shifted) times, with different `random` seeds and in opposite orders. Outputs become
tests only if every run agrees, nothing raised, every output is small, and they are not all the
same. Feeds the gate of the proposers; the outputs are plain values that grading compares with.

What this does not see: a program whose outputs differ less often than its runs, or one that reads
the true clock through C; and whether the problem is worth solving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from selfplay.grading.programs import MAX_SUBMISSION, Function, Test, shorten
from selfplay.grading.programs.comparison import canonical
from selfplay.grading.programs.jail import values
from selfplay.grading.programs.jobs import Job, Kind, Reply, Transcript
from selfplay.grading.programs.pool import Pool
from selfplay.grading.programs.sandbox import SandboxConfig, jail

_CLOCK_STEP = 400 * 86_400 + 43_211.25
"""Shift of the clock from one run to the next, in seconds: another year, day and time of day."""


class Refusal(StrEnum):
    """Why a program is no problem."""

    UNREADABLE = "not a program that defines the function"
    FAILS = "does not return a plain value for every input"
    SLOW = "too slow"
    LARGE = "output too large"
    UNSTABLE = "not deterministic"
    INSENSITIVE = "the same output for every input"
    SANDBOX = "the sandbox failed"
    """Not the program's fault: try again."""


@dataclass(frozen=True)
class Gold:
    """What a program is worth as a problem."""

    tests: tuple[Test, ...]
    """One an input, in the given order; empty if refused."""
    refusal: Refusal | None = None
    """None: accepted."""
    detail: str = ""
    """For which input, and what happened."""


class Oracle:
    """Runs proposed programs in two pools that differ in their hash seed; a context manager."""

    def __init__(self, config: SandboxConfig, runs: int = 2, largest: int = 4_096) -> None:
        """Start the pools, with half of the workers each (at least one).

        Args:
            config: as for submissions; `seconds` is for one run on all inputs.
            runs: at least 2.
            largest: longest output, in bytes of its frame.
        Raises:
            ValueError: `runs` below 2, or what `sandbox.open_pool` raises.
        """
        if runs < 2:
            raise ValueError(f"runs={runs} shows nothing about determinism; give 2 or more.")
        self._config, self._runs, self._largest = config, runs, largest
        self._pools: list[Pool] = []
        try:
            for hash_seed in (1, 2):
                backend = jail(config, hash_seed)
                self._pools.append(Pool(backend, max(1, config.workers // 2), config.recycle))
        except BaseException:
            self.close()
            raise

    def gold(self, function: Function, source: str, inputs: Sequence[tuple[object, ...]]) -> Gold:
        """Run a program on inputs.

        Args:
            function: what the source must define; its declared return type is enforced.
            source: the proposed program, untrusted.
            inputs: argument tuples, at least two different ones.
        Raises:
            ValueError: fewer than two different inputs, or one that cannot be sent.
        """
        frames = [values.to_frame([list(arguments), {}]) for arguments in inputs]
        if len(set(frames)) < 2:
            raise ValueError(
                f"{len(frames)} inputs of which none differ: whether the output depends on the "
                "input cannot be told; give at least two different ones."
            )
        if len(source) > MAX_SUBMISSION:
            return Gold((), Refusal.UNREADABLE, f"{len(source)} characters")
        futures = [
            self._pools[run % 2].submit(self._job(function, source, frames, run))
            for run in range(self._runs)
        ]
        transcripts = [future.result() for future in futures]
        return self._judge(function, inputs, transcripts)

    def close(self) -> None:
        """Stop both pools; may be called twice."""
        for pool in self._pools:
            pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _job(self, function: Function, source: str, frames: list[bytes], run: int) -> Job:
        return Job(
            source,
            function.name,
            tuple(frames if run % 2 == 0 else reversed(frames)),
            go_on=lambda index, reply: reply.kind is Kind.VALUE,
            seconds=self._config.seconds,
            seed=run,
            clock_shift=run * _CLOCK_STEP,
        )

    def _judge(
        self,
        function: Function,
        inputs: Sequence[tuple[object, ...]],
        transcripts: list[Transcript],
    ) -> Gold:
        runs: list[list[object]] = []
        for run, transcript in enumerate(transcripts):
            if transcript.failure:
                return Gold((), Refusal.SANDBOX, transcript.failure)
            last = transcript.replies[-1]
            if last.kind is not Kind.VALUE:
                return _refused(last)
            outputs = [reply.value for reply in transcript.replies]
            runs.append(outputs if run % 2 == 0 else outputs[::-1])
        try:
            runs = [[function.returns.fit(output) for output in outputs] for outputs in runs]
        except ValueError as error:
            return Gold((), Refusal.FAILS, f"returned {error}")
        return self._compare(inputs, runs)

    def _compare(self, inputs: Sequence[tuple[object, ...]], runs: list[list[object]]) -> Gold:
        for arguments, *outputs in zip(inputs, *runs, strict=True):
            if len(set(map(canonical, outputs))) > 1:
                shown = " and ".join(map(shorten, outputs[:2]))
                return Gold((), Refusal.UNSTABLE, f"{shown} for {shorten(arguments)}")
            size = len(values.to_frame(outputs[0]))
            if size > self._largest:
                return Gold((), Refusal.LARGE, f"{size} bytes for {shorten(arguments)}")
        if len(set(map(canonical, runs[0]))) == 1:
            return Gold((), Refusal.INSENSITIVE, f"always {shorten(runs[0][0])}")
        return Gold(
            tuple(
                Test(arguments, {}, output)
                for arguments, output in zip(inputs, runs[0], strict=True)
            )
        )


def _refused(reply: Reply) -> Gold:
    detail = f"{reply.kind}: {reply.detail}" if reply.detail else str(reply.kind)
    if reply.kind is Kind.TIMEOUT:
        return Gold((), Refusal.SLOW, detail)
    if reply.kind in (Kind.UNCOMPILABLE, Kind.UNDEFINED):
        return Gold((), Refusal.UNREADABLE, detail)
    return Gold((), Refusal.FAILS, detail)
