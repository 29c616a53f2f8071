"""What the four program environments share: knobs, calls such as f(3,[1,2]), golds by two routes.

A gold is computed by the interpreter of the subset and by Python in the sandbox, twice each on
several inputs; a program on which they disagree, or whose value does not depend on its input, is
no problem.
"""

import random
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from selfplay.grading import AnswerError, final_answer, unreadable
from selfplay.grading.programs import Function, ProgramProblem, Test, grade_program
from selfplay.grading.programs.environment import Interpreter, ProgramEnvironment
from selfplay.grading.programs.gold import Refusal
from selfplay.grading.programs.pool import Pool
from selfplay.problem import InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import drafts, subset
from selfplay_envs.subset import Program, Value

FUNCTION = Function("f")
SECONDS = 1.0
"""Wall-clock time of a submission on all tests; right ones take some milliseconds."""

MAX_TEXTS = 200
"""Texts that are written in search of one of a level."""
HIDDEN = 8
"""Hidden tests of a function that is to be written."""

KNOBS = {
    "statements": Knob((2, 2, 3, 3, 4, 5, 6, 8, 10), "statements", "longer programs"),
    "loops": Knob((0, 0, 0, 1, 1, 1, 1, 2, 2), "loops", "more loops"),
    "kinds": Knob((1, 1, 2, 2, 2, 2, 3, 3, 3), "kind", "2 lists, 3 strings as well as numbers"),
    "number": Knob((9, 30, 20, 20, 20, 20, 30, 50, 99), "value", "larger numbers"),
    "steps": Knob((4, 4, 5, 12, 14, 20, 30, 60, 120), "steps", "longer runs"),
}
"""Of all four; `steps` counts the statements that a run executes."""

_VALUE = r"(?:-?[0-9]{1,9}|\[(?:-?[0-9]{1,9}(?:,-?[0-9]{1,9}){0,39})?\]|'[a-z]{0,40}')"
_ARGUMENTS = re.compile(rf"{_VALUE}(?:,{_VALUE}){{0,2}}")
_ONE = re.compile(_VALUE)
_REASONS = {
    Refusal.UNREADABLE: "malformed", Refusal.FAILS: "no solution", Refusal.UNSTABLE: "not unique",
    Refusal.SLOW: "beyond the top level", Refusal.LARGE: "beyond the top level",
    Refusal.INSENSITIVE: "trivial", Refusal.SANDBOX: "sandbox failed",
}  # fmt: skip


class Posed(NamedTuple):
    """A program with calls of it."""

    program: Program
    calls: list[list[Value]]


def arguments(text: str) -> list[Value]:
    """The values of a comma-separated list of literals.

    Raises:
        InvalidProblem: it is none.
    """
    if not _ARGUMENTS.fullmatch(text):
        raise InvalidProblem(f"malformed: {text[:40]!r} is no list of values like 3,[1,2],'ab'")
    return [subset.literal(one) for one in _ONE.findall(text)]


def call(values: Sequence[Value]) -> str:
    """The call as it is written: f(3,[1,2])."""
    return f"f({','.join(map(subset.shown, values))})"


def read(text: str, most: int = 1) -> Posed:
    """A program followed by lines with calls of it, at least one and at most so many."""
    if len(text) > 2 * subset.MAX_TEXT:
        raise InvalidProblem(f"malformed: {len(text)} characters")
    lines = text.split("\n")
    source = [line for line in lines if not line.startswith("f(")]
    calls = lines[len(source) :]
    if not 1 <= len(calls) <= most or not all(line.endswith(")") for line in calls):
        raise InvalidProblem("malformed: a program and then calls such as f(3) are wanted")
    program = subset.read("\n".join(source))
    return Posed(program, [arguments(line[2:-1]) for line in calls])


def demands(posed: Posed, runs: Sequence[subset.Run]) -> dict[str, int]:
    """What a program with these calls demands of the knobs."""
    numbers = map(int, re.findall("[0-9]{1,9}", posed.program.text))
    values = [value for values in posed.calls for value in values]
    inside = [
        abs(number)
        for value in values
        if not isinstance(value, str)
        for number in (value if isinstance(value, list) else [value])
    ]
    return {
        "statements": posed.program.statements,
        "loops": posed.program.loops,
        "kinds": max(
            drafts.kind_of(value) for value in [*values, *(result.value for result in runs)]
        ),
        "number": max([0, *numbers, *inside]),
        "steps": max(result.steps for result in runs),
    }


def others(values: Sequence[Value], seed: str, count: int) -> list[list[Value]]:
    """Other arguments of the same kinds, the same for the same seed."""
    rng = random.Random(seed)
    return [[drafts.like(value, rng) for value in values] for _ in range(count)]


def distinct(values: Sequence[Value], count: int, rng: random.Random) -> list[list[Value]]:
    """These arguments and others of the same kinds, at most so many calls, none of them twice."""
    drawn = [list(values), *([drafts.like(v, rng) for v in values] for _ in range(count - 1))]
    return list({call(one): one for one in drawn}.values())


def refuse_repeated(calls: Sequence[Sequence[Value]], fewest: int) -> None:
    """Raises InvalidProblem: too few examples, or one that is given twice."""
    if len(calls) < fewest:
        raise InvalidProblem(f"not unique: fewer than {fewest} examples")
    if len(set(map(call, calls))) < len(calls):
        raise InvalidProblem("not canonical: an example is given twice")


def run_each(program: Program, calls: Sequence[Sequence[Value]]) -> list[subset.Run]:
    """Run every call with the interpreter of the subset; raises InvalidProblem if one fails."""
    return [subset.run(program, values) for values in calls]


def check_sensitive(
    program: Program, calls: Sequence[Sequence[Value]], runs: Sequence[subset.Run]
) -> None:
    """Refuse a program of which something could be left out as far as its calls can tell.

    Raises:
        InvalidProblem: all values are the same, or a statement makes no difference to any of them.
    """
    if len({subset.shown(result.value) for result in runs}) == 1:
        raise InvalidProblem(f"trivial: always {subset.shown(runs[0].value)}")
    for shorter in subset.shortened(program):
        if all(
            subset.returns(shorter, values, result.value)
            for values, result in zip(calls, runs, strict=True)
        ):
            raise InvalidProblem("trivial: a statement makes no difference")


class Understood(NamedTuple):
    """A text that is a problem, if Python in the sandbox agrees on the values of the calls."""

    problem: Problem
    posed: Posed
    """The program that gives the gold, and calls of it."""
    runs: list[subset.Run]
    """One a call."""


class CallsEnvironment(ProgramEnvironment):
    """What the four have in common: drafts are read cheaply before one goes to the sandbox."""

    multiline = True
    knobs = KNOBS

    def __init__(self, interpreter: Interpreter) -> None:
        super().__init__(interpreter)
        self._understood = lru_cache(maxsize=1)(self.understand)
        """`parse` comes right after `draft`, with the same text."""

    @abstractmethod
    def write(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random text that may be a problem of that setting."""

    @abstractmethod
    def understand(self, text: str) -> Understood:
        """Read a text; raises InvalidProblem."""

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """The first text that is of that setting, as far as can be told without the sandbox."""
        text, wanted = "", dict(knobs)
        any_level = wanted not in [self.at(level) for level in range(self.level_count)]
        for _ in range(MAX_TEXTS):
            text = self.write(knobs, rng)
            try:
                level = self._understood(text).problem.level
            except InvalidProblem:
                continue
            if any_level or self.at(level) == wanted:
                break
        return text

    def parse(self, text: str) -> Problem:
        """Read a proposal; its golds have to be the same in the sandbox, run twice."""
        understood = self._understood(text)
        program, calls = understood.posed
        gold = self.interpreter.oracle.gold(FUNCTION, program.text, list(map(tuple, calls)))
        if gold.refusal is not None:
            raise InvalidProblem(f"{_REASONS[gold.refusal]}: {gold.detail}")
        for result, test in zip(understood.runs, gold.tests, strict=True):
            if type(test.expected) is not type(result.value) or test.expected != result.value:
                raise InvalidProblem("not unique: two ways of running the program disagree")
        return understood.problem


def hidden(program: Program, values: Sequence[Value]) -> tuple[list[list[Value]], list[subset.Run]]:
    """Arguments of the hidden tests, others of the same kinds for which the program returns.

    Returns:
        The arguments and the runs on them.
    Raises:
        InvalidProblem: it fails for most arguments.
    """
    found, runs = [], []
    for other in others(values, program.text, 3 * HIDDEN):
        try:
            runs.append(subset.run(program, other))
        except InvalidProblem:
            continue
        found.append(other)
        if len(found) == HIDDEN:
            return found, runs
    raise InvalidProblem("no solution: the program fails for most arguments")


def examples(calls: Sequence[Sequence[Value]], runs: Sequence[subset.Run]) -> str:
    """Calls with their values, one a line: f(3)==7."""
    return "\n".join(
        f"{call(values)}=={subset.shown(result.value)}"
        for values, result in zip(calls, runs, strict=True)
    )


def grade_source(pool: Pool, posed: Posed, response: str) -> Verdict:
    """Run the function of a response on the examples and the hidden tests."""
    try:
        source = final_answer(response)
    except AnswerError as error:
        return unreadable(error)
    others, runs = hidden(posed.program, posed.calls[0])
    runs = [*run_each(posed.program, posed.calls), *runs]
    tests = tuple(
        Test(tuple(values), {}, result.value)
        for values, result in zip([*posed.calls, *others], runs, strict=True)
    )
    return grade_program(pool, ProgramProblem(FUNCTION, tests), source, SECONDS).verdict


def step(what: str, value: str) -> str:
    """A step as a worked solution writes it: c=3*2=6, 6>4, not 2>4, x=[1,2]."""
    if value in ("True", "False"):
        return f"{what} {value[0]}"
    name, _, filled = what.rpartition("=") if what[1:2] == "=" else ("return", "", what)
    if "[" in filled or "'" in filled:  # the whole list or string again says little
        return f"{name}={value}"
    return what if what.endswith(value) and what[-len(value) - 1] in "= " else f"{what}={value}"
