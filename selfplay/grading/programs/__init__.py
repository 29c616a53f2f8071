"""Unit tests: an untrusted program, calls of its function, the values it must return -> a Verdict.

Rows of data sets become problems here, submissions become jobs for the pool, and what comes back is
compared with the expected values, which never leave this process. Every call is made of a freshly
executed module and with arguments of its own, in an order drawn from the submission's text, so that
answers by the number of the call are wrong.

What this does not see: a program that looks its answers up in a table of the very inputs of the
tests. Against that only tests help that its author has not seen.
"""

import hashlib
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from selfplay.grading.programs.comparison import Tolerance, Type, canonical, equal, parse_type
from selfplay.grading.programs.jail import values
from selfplay.grading.programs.jobs import Job, Kind, Reply, Transcript
from selfplay.grading.programs.pool import Pool
from selfplay.problem import Outcome, Verdict

MAX_SUBMISSION = 256 * 1024
"""Longest submission that is run, in characters."""
MAX_TESTS = 10_000
"""Most tests of one problem."""
SUSPICIOUS = (Kind.EXITED.value, Kind.SYSCALL.value, Kind.FORGED.value, "subclass of")
"""Phrases in the reasons of verdicts that an honest submission rarely earns: for a monitor."""

_SHOWN = 60
_JSON_NAMES = {dict: "object", list: "list", str: "string"}
_Field = TypeVar("_Field", dict, list, str)
_UNPARSABLE = (Kind.UNCOMPILABLE, Kind.UNDEFINED)


@dataclass(frozen=True)
class Param:
    """One parameter of a function."""

    name: str = ""
    """Empty if only the type is declared."""
    type: Type = field(default_factory=Type)
    """What the arguments in the tests must be."""


@dataclass(frozen=True)
class Function:
    """What a submission must define."""

    name: str
    """An identifier."""
    params: tuple[Param, ...] | None = None
    """None: not declared."""
    returns: Type = field(default_factory=Type)
    """Type of what it returns; without options, whatever kind the expected value has."""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(
                f"function name {self.name[:40]!r} is no Python identifier; give the bare name, "
                'for example "solve".'
            )


@dataclass(frozen=True)
class Test:
    """One call and what it must return."""

    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    expected: object

    __test__ = False  # a name that pytest would collect

    def frame(self) -> bytes:
        """What is sent into the jail: the arguments and nothing else."""
        return values.to_frame([list(self.args), dict(self.kwargs)])


@dataclass(frozen=True)
class ProgramProblem:
    """A function to write, as its tests see it."""

    function: Function
    tests: tuple[Test, ...]
    """At least one."""
    tolerance: Tolerance | None = None
    """For numbers; None: exact."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.tests) <= MAX_TESTS:
            raise ValueError(
                f"{len(self.tests)} tests; give 1 to {MAX_TESTS}: without any, every program that "
                "runs would be right."
            )

    def passes(self, test: Test, reply: Reply) -> bool:
        """Whether a reply is the value that a test expects, of the declared kind."""
        if reply.kind is not Kind.VALUE:
            return False
        try:
            given = self.function.returns.fit(reply.value)
        except ValueError:
            return False
        return equal(test.expected, given, self.tolerance)


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


def from_row(row: Mapping[str, object]) -> ProgramProblem:
    """Read a problem from a row of a data set; see `docs/` for the format.

    Raises:
        ValueError: something is missing or is not what it must be.
    """
    function = _read_function(_needed(row, "function", dict))
    tests = _needed(row, "tests", list)
    read = []
    for number, test in enumerate(tests, 1):
        try:
            read.append(_read_test(test, function))
        except ValueError as error:
            raise ValueError(f"test {number}: {error}") from error
    return ProgramProblem(function, tuple(read), _read_tolerance(row.get("float_tol")))


def _job(problem: ProgramProblem, submission: str, seconds: float) -> Job:
    order = _order(problem, submission)

    def go_on(index: int, reply: Reply) -> bool:
        return problem.passes(problem.tests[order[index]], reply)

    frames = tuple(problem.tests[index].frame() for index in order)
    return Job(submission, problem.function.name, frames, go_on, seconds)


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


def _read_function(given: Mapping[str, object]) -> Function:
    params = given.get("params")
    returns = given.get("returns")
    return Function(
        _needed(given, "name", str),
        None if params is None else tuple(map(_read_param, _pairs_of(params))),
        Type() if returns is None else parse_type(_text(returns, "returns")),
    )


def _pairs_of(params: object) -> Sequence[object]:
    if isinstance(params, Mapping):
        return list(params.items())
    if isinstance(params, list):
        return params
    raise ValueError(
        f'params={params!r:.60} must be a list such as ["n: int", "names: list[str]"].'
    )


def _read_param(given: object) -> Param:
    """From "name: type", "name", "type", [name, type] or {"name": ..., "type": ...}."""
    match given:
        case str(text) if ":" in text:
            name, _, kind = text.partition(":")
            return Param(name.strip(), parse_type(kind))
        case str(text):
            try:
                return Param("", parse_type(text))
            except ValueError:
                return Param(text.strip())
        case [str(name), str(kind)] | (str(name), str(kind)):
            return Param(name, parse_type(kind))
        case {"name": str(name)}:
            assert isinstance(given, dict)
            kind = given.get("type")
            return Param(name, Type() if kind is None else parse_type(_text(kind, "type")))
    raise ValueError(f'parameter {given!r:.60} must be written like "n: int".')


def _read_test(given: object, function: Function) -> Test:
    if not isinstance(given, Mapping):
        raise ValueError(f'{given!r:.60} must be an object with "args" and "expected".')
    if "expected" not in given:
        raise ValueError('"expected" is missing: give the value that the call must return.')
    args = [values.from_json(item) for item in _needed(given, "args", list)]
    named = given.get("kwargs") or {}
    if not isinstance(named, Mapping):
        raise ValueError(f"kwargs={named!r:.60} must be an object of named arguments.")
    kwargs = {str(name): values.from_json(item) for name, item in named.items()}
    if function.params is not None:
        args, kwargs = _fit_arguments(args, kwargs, function.params)
    try:
        expected = function.returns.fit(values.from_json(given["expected"]), lenient=True)
    except ValueError as error:
        raise ValueError(f"expected: {error}.") from error
    test = Test(tuple(args), kwargs, expected)
    test.frame()  # arguments that cannot be sent are found now
    return test


def _fit_arguments(
    args: list[object], kwargs: dict[str, object], params: Sequence[Param]
) -> tuple[list[object], dict[str, object]]:
    """The arguments as their declared types: a list becomes the tuple that is asked for."""
    if any(param.name.startswith("*") for param in params):
        return args, kwargs
    if len(args) + len(kwargs) > len(params):
        raise ValueError(
            f"{len(args) + len(kwargs)} arguments for a function of {len(params)} parameters."
        )
    by_name = {param.name: param for param in params}
    fitted = [
        param.type.fit(item, lenient=True)
        for param, item in zip(params, args, strict=False)  # fewer arguments: defaults
    ]
    named = {
        name: by_name[name].type.fit(item, lenient=True) if name in by_name else item
        for name, item in kwargs.items()
    }
    return fitted, named


def _read_tolerance(given: object) -> Tolerance | None:
    match given:
        case None:
            return None
        case bool():
            pass
        case int() | float() if abs(given) <= sys.float_info.max:
            return Tolerance(absolute=float(given))
        case Mapping() if given and given.keys() <= {"abs", "rel"}:
            bounds = [given.get(name, 0.0) for name in ("abs", "rel")]
            if all(type(b) in (int, float) and abs(b) <= sys.float_info.max for b in bounds):
                return Tolerance(*map(float, bounds))
    raise ValueError(
        f'float_tol={given!r:.60} must be a number (largest difference) or {{"abs": ..., '
        '"rel": ...}.'
    )


def _needed(row: Mapping[str, object], name: str, kind: type[_Field]) -> _Field:
    given = row.get(name)
    if not isinstance(given, kind):
        what = f"{name}={given!r:.60} is no" if name in row else f'"{name}" is missing; give the'
        raise ValueError(f"{what} {_JSON_NAMES[kind]}.")
    return given


def _text(given: object, name: str) -> str:
    if not isinstance(given, str):
        raise ValueError(f'{name}={given!r:.60} must be a string such as "list[int]".')
    return given
