"""The trusted side of the jail: starts zygotes, speaks with their job processes, has them killed.

One worker is one zygote (see `jail/zygote.py`) with one job process ready for the next job.
Whatever a job process does ends as a `Reply`; only a failure of the zygote raises `WorkerDied`.
"""

import json
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from selfplay.grading.programs.jail import values, zygote
from selfplay.grading.programs.jobs import Job, Kind, Level, Reply, Transcript, WorkerDied

_HERE = Path(__file__).resolve().parent
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); from jail import zygote; "
    "sys.path.pop(); zygote.main()"
)
# Not -I: it would ignore PYTHONHASHSEED, and grading must not depend on the order of a set. -s -S
# -P and an environment with nothing else in it isolate as much.
_PYTHON = ("-s", "-S", "-P", "-c", _START)
_START_SECONDS = 20.0
_CONTROL_SECONDS = 5.0
_END_SECONDS = 1.0
_LATE_SECONDS = 0.05
"""What a reply that is there already is waited for after the deadline: our delay, not the job's."""
_MIB = 1 << 20

_LETTERS = {
    b"V": Kind.VALUE,
    b"R": Kind.RAISED,
    b"T": Kind.UNTRANSPORTABLE,
    b"C": Kind.UNCOMPILABLE,
    b"U": Kind.UNDEFINED,
    b"X": Kind.EXITED,
    b"M": Kind.MEMORY,
}
"""What a job process may say of itself; the other kinds are seen from outside."""


@dataclass(frozen=True)
class Jail:
    """The backend of this package: zygotes on this machine."""

    level: Level
    """Every layer of it must hold, or no worker starts."""
    seconds: float = 5.0
    """Longest job, in seconds of wall-clock time; one more of processor time."""
    memory: int = 512
    """Address space of one job, in MiB."""
    niceness: int = 10
    """Added to the priority number of the zygotes."""
    hash_seed: int = 0
    """PYTHONHASHSEED of its programs."""

    def start(self) -> "JailWorker":
        """A new zygote with its first job process.

        Raises:
            WorkerDied: a layer of the level could not be built, or Python did not start.
        """
        return JailWorker(self)


class JailWorker:
    """One zygote, and the job process that it keeps ready for the next job."""

    def __init__(self, jail: Jail) -> None:
        self.jobs = 0
        self.soiled = False
        self._seconds = math.ceil(jail.seconds) + 1
        self._control, theirs = socket.socketpair()
        settings = {
            "level": jail.level.value,
            "memory": jail.memory * _MIB,
            "seconds": self._seconds,
            "niceness": jail.niceness,
        }
        arguments = [str(_HERE), str(theirs.fileno()), json.dumps(settings)]
        with theirs:
            self._process = subprocess.Popen(  # exec, not fork: JAX's threads are no danger
                [sys.executable, *_PYTHON, *arguments],
                pass_fds=[theirs.fileno()],
                env={"PYTHONHASHSEED": str(jail.hash_seed)},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            self.namespaces = self._greet()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the zygote's outermost process."""
        return self._process.pid

    def run(self, job: Job) -> Transcript:
        """Run a job in the process that is ready, then have it killed and the next one made.

        Raises:
            WorkerDied: the zygote is gone or does not answer.
        """
        number, channel = self._receive_process()
        self.jobs += 1
        with channel:
            self._check_alive()
            _await_walls(channel)
            started = time.monotonic()
            replies, ended_early = _converse(channel, job, started + job.seconds)
            seconds = time.monotonic() - started
            try:
                status, cpu_seconds = self._kill(number)
            except (OSError, EOFError) as error:
                raise WorkerDied(f"the zygote is gone: {error!r}", began=True) from error
        if ended_early:
            replies.append(self._explain(status, cpu_seconds))
        return Transcript(tuple(replies), seconds)

    def close(self) -> None:
        """Kill the zygote; the kernel kills its jobs with it."""
        self._control.close()  # it ends by itself, after its jobs
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _explain(self, status: int, cpu_seconds: float) -> Reply:
        """Why a job process closed its channel without a reply."""
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return Reply(Kind.EXITED)
        if -code == signal.SIGSYS:
            return Reply(Kind.SYSCALL)
        if -code in (signal.SIGKILL, signal.SIGXCPU):  # from us, or from the kernel at the limit
            return Reply(Kind.TIMEOUT if cpu_seconds >= self._seconds - 0.5 else Kind.EXITED)
        return Reply(Kind.CRASHED, detail=signal.Signals(-code).name)

    def _greet(self) -> dict[str, str]:
        self._control.settimeout(_START_SECONDS)
        try:
            size = int.from_bytes(_receive(self._control, 4), "big")
            hello = json.loads(_receive(self._control, size))
            if not hello["failure"]:
                self._request(b"F", 0)
        except (OSError, EOFError) as error:
            raise WorkerDied(f"the zygote did not start: {error!r}") from error
        if hello["failure"]:
            raise WorkerDied(hello["failure"])
        self._control.settimeout(_CONTROL_SECONDS)
        return hello["namespaces"]

    def _receive_process(self) -> tuple[int, socket.socket]:
        """The job process that was ordered: its number in the zygote and the channel to it."""
        try:
            size, cloexec = zygote.FORKED.size, getattr(socket, "MSG_CMSG_CLOEXEC", 0)
            data, descriptors, _, _ = socket.recv_fds(self._control, size, 1, cloexec)
        except OSError as error:
            raise WorkerDied(f"the zygote is gone: {error!r}") from error
        channels = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if len(data) != zygote.FORKED.size or len(channels) != 1:
            raise WorkerDied("the zygote is gone")
        return zygote.FORKED.unpack(data)[0], channels[0]

    def _check_alive(self) -> None:
        """An idle zygote says nothing: if its socket has something to read, that is its end."""
        poll = select.poll()  # not select.select, which fails on descriptors beyond 1023
        poll.register(self._control, select.POLLIN)
        if poll.poll(0):
            raise WorkerDied("the zygote ended while it was idle")

    def _kill(self, number: int) -> tuple[int, float]:
        """Kill a job process, order the next; the wait status and the processor time of the old."""
        self._request(b"K", number)
        self._request(b"F", 0)
        ended = _receive(self._control, zygote.ENDED.size)
        status, microseconds, _, soiled = zygote.ENDED.unpack(ended)
        self.soiled = self.soiled or soiled
        return status, microseconds / 1e6

    def _request(self, letter: bytes, number: int) -> None:
        self._control.sendall(zygote.REQUEST.pack(letter, number))


def _await_walls(channel: socket.socket) -> None:
    try:
        _receive(channel, len(zygote.READY), time.monotonic() + _CONTROL_SECONDS)
    except (OSError, EOFError) as error:
        raise WorkerDied("a job process could not build its walls") from error


def _converse(channel: socket.socket, job: Job, deadline: float) -> tuple[list[Reply], bool]:
    """Make the calls of a job one after the other.

    Returns:
        The replies so far, and whether the process closed the channel instead of the next one.
    """
    replies: list[Reply] = []
    header = {
        "source": job.source, "function": job.function, "seed": job.seed,
        "clock_shift": job.clock_shift, "prelude": job.prelude, "script": job.script,
    }  # fmt: skip
    try:
        _send(channel, values.to_frame(header), deadline)
        for index, call in enumerate(job.calls):
            _send(channel, call, deadline)
            replies.append(_receive_reply(channel, max(deadline, _soon())))
            if not job.go_on(index, replies[-1]) or replies[-1].kind is Kind.FORGED:
                break
            if time.monotonic() > deadline and index + 1 < len(job.calls):
                raise TimeoutError
    except TimeoutError:
        replies.append(Reply(Kind.TIMEOUT))
    except (OSError, EOFError):
        return replies, True
    return replies, False


def _receive_reply(channel: socket.socket, deadline: float) -> Reply:
    size = int.from_bytes(_receive(channel, 4, deadline), "big")
    if not 1 <= size <= values.MAX_FRAME + 1:
        return Reply(Kind.FORGED)
    message = _receive(channel, size, deadline)
    kind = _LETTERS.get(message[:1], Kind.FORGED)
    if kind is Kind.FORGED:
        return Reply(kind)
    if kind is not Kind.VALUE:
        return Reply(kind, detail=_printable(message[1:]))
    try:
        return Reply(kind, values.from_frame(message[1:]))
    except values.ValueRefused as error:
        return Reply(Kind.FORGED, detail=_printable(str(error).encode()))


def _printable(text: bytes) -> str:
    shown = text[:200].decode("ascii", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in shown)


def _send(channel: socket.socket, message: bytes, deadline: float) -> None:
    """Send a frame; a process that does not read runs into its own deadline."""
    channel.settimeout(max(deadline - time.monotonic(), 0.001))
    channel.sendall(len(message).to_bytes(4, "big") + message)


def _receive(channel: socket.socket, size: int, deadline: float | None = None) -> bytes:
    """Exactly `size` bytes; raises EOFError if the other end closed before."""
    parts = []
    while size:
        if deadline is not None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            channel.settimeout(remaining)
        part = channel.recv(min(size, 1 << 16))
        if not part:
            raise EOFError("closed")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _soon() -> float:
    return time.monotonic() + _LATE_SECONDS
