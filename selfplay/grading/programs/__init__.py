"""Unit tests: an untrusted program, calls of its function, the values it must return -> a Verdict.

Rows of data sets become problems (rows.py), submissions become jobs for the pool here, and what
comes back is compared with the expected values, which never leave this process. Every call is made
of a freshly executed module and with arguments of its own, in an order drawn from the submission's
text, so that answers by the number of the call are wrong.

What this does not see: a program that looks its answers up in a table of the very inputs of the
tests. Against that only tests help that its author has not seen.
"""

import hashlib
import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfplay.grading.programs.comparison import Type, canonical
from selfplay.grading.programs.jobs import Job, Kind, Reply, Transcript
from selfplay.grading.programs.pool import Pool
from selfplay.grading.programs.problems import Function, Param, ProgramProblem, Test
from selfplay.grading.programs.rows import from_row
from selfplay.problem import Outcome, Verdict

__all__ = [
    "MAX_SUBMISSION",
    "SUSPICIOUS",
    "Function",
    "Graded",
    "Param",
    "ProgramProblem",
    "Test",
    "from_row",
    "grade_all",
    "grade_program",
    "shorten",
]

MAX_SUBMISSION = 256 * 1024
"""Longest submission that is run, in characters."""
SUSPICIOUS = (Kind.EXITED.value, Kind.SYSCALL.value, Kind.FORGED.value, "subclass of")
"""Phrases in the reasons of verdicts that an honest submission rarely earns: for a monitor."""

_SHOWN = 60
_UNPARSABLE = (Kind.UNCOMPILABLE, Kind.UNDEFINED)


@dataclass(frozen=True)
class Graded:
    """A verdict and what it took."""

    verdict: Verdict
    seconds: float
    """Wall-clock time of the submission in the jail; 0.0 where it was not run."""


def grade_program(
    pool: Pool, problem: ProgramProblem, submission: str, seconds: float = 5.0
) -> Graded:
    """Judge one submission; see `grade_all`."""
    (graded,) = grade_all(pool, [(problem, submission)], seconds)
    return graded


def grade_all(
    pool: Pool, attempts: Iterable[tuple[ProgramProblem, str]], seconds: float = 5.0
) -> Iterator[Graded]:
    """Judge submissions, as many at a time as the pool has workers; results in the given order.

    A pure function of each attempt, but for deadlines and for programs that read the clock.

    Args:
        pool: where they run.
        attempts: problem and submission; taken no faster than they are judged.
        seconds: wall-clock time of one submission with all its calls, at most the sandbox's.
    """
    waiting: deque[tuple[ProgramProblem, str]] = deque()

    def jobs() -> Iterator[Job]:
        for problem, submission in attempts:
            waiting.append((problem, submission))
            if len(submission) <= MAX_SUBMISSION:
                yield _job(problem, submission, seconds)

    for transcript in pool.map(jobs()):
        yield from _too_long(waiting)
        yield Graded(_verdict(*waiting.popleft(), transcript), transcript.seconds)
    yield from _too_long(waiting)


def _job(problem: ProgramProblem, submission: str, seconds: float) -> Job:
    order = _order(problem, submission)

    def go_on(index: int, reply: Reply) -> bool:
        return problem.passes(problem.tests[order[index]], reply)

    frames = tuple(problem.tests[index].frame() for index in order)
    return Job(
        submission, problem.function.name, frames, go_on, seconds, prelude=problem.prelude,
        script=problem.script,
    )  # fmt: skip


def _order(problem: ProgramProblem, submission: str) -> list[int]:
    """In which order the tests are made, drawn from the submission's text.

    The first call is never the first test, nor any with the same expected value, if there is a
    choice: a program that keeps count somewhere and answers in the order of the row is then wrong
    at once.
    """
    text = f"{problem.function.name}\0{submission}".encode("utf-8", "surrogatepass")
    rng = random.Random(hashlib.blake2b(text).digest())
    order = list(range(len(problem.tests)))
    rng.shuffle(order)
    first = canonical(problem.tests[0].expected)
    for place, index in enumerate(order):
        if canonical(problem.tests[index].expected) != first:
            order[0], order[place] = order[place], order[0]
            break
    return order


def _verdict(problem: ProgramProblem, submission: str, transcript: Transcript) -> Verdict:
    if transcript.failure or not transcript.replies:
        return Verdict(Outcome.ERROR, transcript.failure or "the sandbox brought back nothing")
    index = _order(problem, submission)[min(len(transcript.replies), len(problem.tests)) - 1]
    test, last = problem.tests[index], transcript.replies[-1]
    if len(transcript.replies) == len(problem.tests) and problem.passes(test, last):
        return Verdict(Outcome.CORRECT, f"passed {len(problem.tests)} tests")
    if last.kind in _UNPARSABLE:
        return Verdict(Outcome.UNPARSABLE, _joined(last.kind.value, last.detail))
    outcome = Outcome.TIMEOUT if last.kind is Kind.TIMEOUT else Outcome.WRONG
    return Verdict(outcome, f"test {index + 1}: {_in_words(problem.function.returns, last)}")


def _in_words(returns: Type, reply: Reply) -> str:
    if reply.kind is not Kind.VALUE:
        return _joined(reply.kind.value, reply.detail)
    shown = shorten(reply.value)
    try:
        returns.fit(reply.value)
    except ValueError as error:
        return f"returned {shown}: {error}"
    return f"returned {shown}"


def shorten(value: object) -> str:
    """The value as Python writes it, cut; never slow and never an error."""
    if type(value) is int and value.bit_length() > 4 * _SHOWN:
        return f"an int of {value.bit_length()} bits"
    try:
        text = ascii(value)
    except ValueError:  # a large int inside
        text = type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _joined(phrase: str, detail: str) -> str:
    return f"{phrase}: {detail}" if detail else phrase


def _too_long(waiting: deque[tuple[ProgramProblem, str]]) -> Iterator[Graded]:
    """Verdicts on the submissions at the head of the queue that were not run."""
    while waiting and len(waiting[0][1]) > MAX_SUBMISSION:
        _, submission = waiting.popleft()
        reason = f"too long: {len(submission)} characters; at most {MAX_SUBMISSION} are run"
        yield Graded(Verdict(Outcome.UNPARSABLE, reason), 0.0)
