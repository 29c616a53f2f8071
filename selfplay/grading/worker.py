"""A helper process for trusted code that may take too long: asked in JSON, killed at a deadline.

For graders that have no bounds of their own, such as sympy and math-verify. The helper imports its
libraries once; a question is answered by a fork of a fork of it, so that one that hangs costs its
deadline and a few milliseconds, not a new start. `serve` is the helper's side, `Helper` the asking
side.

What this is not: a jail. The code is ours; what a model wrote reaches it as data only. Programs
that a model wrote belong in sandbox.py. POSIX only.
"""

import atexit
import gc
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

Answer = Callable[[Any], Any]

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
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()  # at which it ends its fork and itself
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def serve(
    answer: Answer,
    lasting: Callable[[Any], bool] = lambda question: False,
    before: Callable[[Any], object] = lambda question: None,
) -> None:
    """Answer questions from standard input until it ends.

    A question is answered in a fork of its own, so that it leaves no trace in the next; that costs
    some milliseconds, more for a large process. Questions in which no text of a model's stands may
    instead be answered one after the other by a process that lasts until one of them fails.

    Args:
        answer: JSON data in, JSON data out; what it raises is told as the helper's error.
        lasting: whether a question is answered by the process that lasts.
        before: run there before a question is answered in a fork of it, to fill caches from what
            no model wrote.
    """
    output = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    gc.freeze()  # a collection in a fork would copy every page of what was imported
    os.write(output, b"ready\n")
    answerer: _Answerer | None = None
    for line in sys.stdin.buffer:
        answerer = answerer or _Answerer(answer, lasting, before)
        reply = answerer.reply(line, json.loads(line)["seconds"])
        if not reply.startswith(b'{"answer"'):
            answerer = answerer.ended()
        _write(output, reply)
    if answerer is not None:
        answerer.ended()


class _Answerer:
    """The fork that answers, or forks in its turn to do so, until one answer is late or fails."""

    def __init__(
        self,
        answer: Answer,
        lasting: Callable[[Any], bool],
        before: Callable[[Any], object],
    ) -> None:
        questions, self._asking = os.pipe()
        self._reading, replies = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            os.close(self._asking)
            os.close(self._reading)
            os.setpgid(0, 0)  # to be killed with its forks
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            try:
                _answer_all(answer, lasting, before, questions, replies)
            finally:
                os._exit(0)
        os.close(questions)
        os.close(replies)

    def reply(self, line: bytes, seconds: float) -> bytes:
        """The reply to a line with a question, a line as well."""
        text, limit = bytearray(), time.monotonic() + seconds
        try:
            _write(self._asking, line)
            while not text.endswith(b"\n"):
                left = limit - time.monotonic()
                ready = select.select([self._reading, 0], [], [], max(0.0, left))[0]
                if 0 in ready:  # nobody asks while an answer is awaited: whoever asked is gone
                    self.ended()
                    os._exit(0)
                if not ready:
                    return b'{"timeout": true}\n'
                chunk = os.read(self._reading, 65536)
                if not chunk:
                    return b'{"error": "ended without an answer"}\n'
                text += chunk
        except BrokenPipeError:
            return b'{"error": "ended without an answer"}\n'
        return bytes(text)

    def ended(self) -> None:
        """Kill it and its forks."""
        try:
            os.killpg(self._process, signal.SIGKILL)
        except ProcessLookupError:  # it had not yet made its group
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._asking)
        os.close(self._reading)


def _answer_all(
    answer: Answer,
    lasting: Callable[[Any], bool],
    before: Callable[[Any], object],
    questions: int,
    replies: int,
) -> None:
    """The life of the fork that answers."""
    for line in os.fdopen(questions, "rb"):
        request = json.loads(line)
        if lasting(request["question"]):
            _write(replies, _answered(answer, request))
            continue
        with suppress(Exception):  # it fails again in the fork, which tells
            before(request["question"])
        child = os.fork()
        if child == 0:
            _write(replies, _answered(answer, request))
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            return


def _answered(answer: Answer, request: Mapping[str, Any]) -> bytes:
    # Ends this process even if everybody who should kill it was killed.
    signal.setitimer(signal.ITIMER_REAL, request["seconds"] + GRACE)
    try:
        reply = {"answer": answer(request["question"])}
    except BaseException as error:  # whatever it is, it is told
        reply = {"error": f"{type(error).__name__}: {error}"[:500]}
    signal.setitimer(signal.ITIMER_REAL, 0)
    return json.dumps(reply).encode() + b"\n"


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
