"""A helper process for trusted code that may take too long: asked in JSON, killed at a deadline.

For graders that have no bounds of their own, such as sympy and math-verify. The helper imports its
libraries once; each question is answered by a fork of it, so that one that hangs costs its deadline
and a few milliseconds, not a new start. `serve` is the helper's side, `Helper` the asking side.

What this is not: a jail. The code is ours; what a model wrote reaches it as data only. Programs
that a model wrote belong in sandbox.py. POSIX only.
"""

import atexit
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

MEMORY = 2 * 1024**3
"""Address space of one answer, in bytes."""
GRACE = 5.0
"""Seconds beyond a question's own deadline after which the helper as a whole counts as dead."""
START = 60.0
"""Seconds that a helper may take to import its libraries."""


class HelperError(RuntimeError):
    """The helper failed at a question or died: an error of the grader, not of the answer."""


class Helper:
    """One helper process, started when it is first asked; usable from several threads."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Prepare.

        Args:
            module: name of the module that is run; it calls `serve`.
            arguments: of its command line.
        """
        self._module = module
        self._arguments = arguments
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: Any, seconds: float) -> Any:
        """The helper's answer to a question, both JSON data.

        Raises:
            TimeoutError: there was no answer after so many seconds.
            HelperError: it raised, ran out of memory or died; the next question starts anew.
        """
        with self._lock:
            process = self._process or self._started()
            line = json.dumps({"question": question, "seconds": seconds}).encode() + b"\n"
            reply = self._exchange(process, line, seconds + GRACE)
        if reply.get("timeout"):
            raise TimeoutError(f"no answer from {self._module} in {seconds:g} seconds")
        if "error" in reply:
            raise HelperError(f"{self._module}: {reply['error']}")
        return reply["answer"]

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", self._module, *self._arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True,
        )  # fmt: skip
        self._process = process
        atexit.register(self.close)
        ready = self._read_line(process, START)
        if ready != b"ready":
            self._stop()
            raise HelperError(f"{self._module} did not start; is what it needs installed?")
        return process

    def _exchange(
        self, process: subprocess.Popen[bytes], line: bytes, seconds: float
    ) -> dict[str, Any]:
        assert process.stdin is not None
        try:
            process.stdin.write(line)
            return json.loads(self._read_line(process, seconds))
        except (OSError, ValueError) as error:
            self._stop()
            raise HelperError(f"{self._module} died: {error}") from error

    @staticmethod
    def _read_line(process: subprocess.Popen[bytes], seconds: float) -> bytes:
        """One line without its end; shorter if the process ends or is late."""
        assert process.stdout is not None
        text, limit = bytearray(), time.monotonic() + seconds
        while not text.endswith(b"\n"):
            left = limit - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                break
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            text += chunk
        return bytes(text).rstrip(b"\n")

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        atexit.unregister(self.close)
        try:
            os.killpg(process.pid, signal.SIGKILL)  # with the fork that may be at work
        except ProcessLookupError:
            pass
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def serve(answer: Callable[[Any], Any]) -> None:
    """Answer questions from standard input until it ends, each in a fork of its own.

    Args:
        answer: JSON data in, JSON data out; what it raises is told as the helper's error.
    """
    output = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    os.write(output, b"ready\n")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        reply = _answer_in_fork(answer, request["question"], request["seconds"])
        os.write(output, reply + b"\n")


def _answer_in_fork(answer: Callable[[Any], Any], question: Any, seconds: float) -> bytes:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer_and_exit(answer, question, writing)
    os.close(writing)
    try:
        return _awaited(reading, seconds)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _answer_and_exit(answer: Callable[[Any], Any], question: Any, writing: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        reply = {"answer": answer(question)}
    except BaseException as error:  # whatever it is, it is told, and the fork ends
        reply = {"error": f"{type(error).__name__}: {error}"[:500]}
    data = json.dumps(reply).encode()
    while data:
        data = data[os.write(writing, data) :]
    os._exit(0)


def _awaited(reading: int, seconds: float) -> bytes:
    """What the fork wrote until it closed the pipe."""
    text, limit = bytearray(), time.monotonic() + seconds
    while True:
        left = limit - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return b'{"timeout": true}'
        chunk = os.read(reading, 65536)
        if not chunk:
            return bytes(text) or b'{"error": "ended without an answer"}'
        text += chunk
