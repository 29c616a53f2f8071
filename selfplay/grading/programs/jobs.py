"""What passes between grading and a sandbox: jobs in, transcripts out, and who may run them.

Made by `__init__.py` and `gold.py`, handed out by `pool.py`, run by a backend. `zygotes.py` is
ours; a virtual machine or a service would be another `Backend`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Level(StrEnum):
    """How much stands between a program and the machine."""

    STRONG = "strong"
    DEGRADED = "degraded"
    WEAK = "weak"

    def reaches(self, required: "Level") -> bool:
        """Whether it is at least as strong as the required one."""
        order = list(Level)
        return order.index(self) <= order.index(required)


class Kind(StrEnum):
    """What came of one call; the value is the phrase that a hack monitor counts."""

    VALUE = "returned a value"
    RAISED = "raised"
    UNTRANSPORTABLE = "returned no plain value"
    UNCOMPILABLE = "does not compile"
    UNDEFINED = "does not define the function"
    EXITED = "exited before the answer"
    MEMORY = "out of memory"
    SYSCALL = "refused system call"
    CRASHED = "crashed"
    FORGED = "garbage on the answer channel"
    TIMEOUT = "time limit"


@dataclass(frozen=True)
class Reply:
    """The answer to one call, as far as there is one."""

    kind: Kind
    value: object = None
    """With `Kind.VALUE`: fresh built-in values of exact types."""
    detail: str = ""
    """In the words of the untrusted process, printable and short."""


@dataclass(frozen=True)
class Job:
    """One submission and the calls to make of it."""

    source: str
    """Python, untrusted."""
    function: str
    """Name of the function to call."""
    calls: tuple[bytes, ...]
    """Frames of `[args, kwargs]`, each sent only after the reply to the one before."""
    go_on: Callable[[int, Reply], bool]
    """Given the index and the reply of a call: whether to make the next one."""
    seconds: float
    """Wall-clock time for all calls."""
    seed: int = 0
    """Seeds the job's `random`, so that a verdict does not depend on luck."""
    clock_shift: float = 0.0
    """Added to the clocks that the job reads, in seconds."""
    prelude: bool = False
    """Whether the names of `jail/prelude.py` are there without an import."""
    script: bool = False
    """Whether it reads its argument, a text, from standard input and prints its answer."""


@dataclass(frozen=True)
class Transcript:
    """What came of a job."""

    replies: tuple[Reply, ...]
    """One a call made; all but the last let the job go on."""
    seconds: float = 0.0
    """Wall-clock time from the start of the job in the jail to its last reply."""
    failure: str = ""
    """Why there is no result: the sandbox failed, and nothing is known of the submission."""


class WorkerDied(RuntimeError):
    """A worker is no longer of use; what it was doing has no result."""

    def __init__(self, message: str, began: bool = False) -> None:
        super().__init__(message)
        self.began = began
        """Whether the job had been handed over, so that it may be what killed the worker."""


class Worker(Protocol):
    """Runs one job at a time. Not for two threads at once."""

    jobs: int
    """How many it has run."""
    soiled: bool
    """Whether a job left something that the worker could not remove: replace it."""

    def run(self, job: Job) -> Transcript:
        """Run a job to its end; raises WorkerDied."""
        ...

    def close(self) -> None:
        """Kill everything that belongs to it; may be called twice."""
        ...


class Backend(Protocol):
    """A way of locking programs in. Ours is `Jail`; a virtual machine or a service fits here."""

    @property
    def level(self) -> Level:
        """What its workers reach."""
        ...

    def start(self) -> Worker:
        """A new worker, ready; raises WorkerDied."""
        ...
