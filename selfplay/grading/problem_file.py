"""A file of problems as an environment that only measures: GSM8K, HumanEval, or rows of your own.

Fed by files of JSON lines, packed (.gz) or not; feeds the suites of held-out problems. Which set a
file is of, its fields tell. The problems are frozen: whatever runs on them is measured by them and
never trained on, so a gold may come from the file and not from a computation.

A response is judged by its one strict place, as everywhere, and what stands there as `selfplay
grade` judges that row: an answer by its kind, a program by its tests in the jail.
"""

import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from selfplay.grading import kinds, programs, public
from selfplay.grading.answers import AnswerError, final_answer, unreadable
from selfplay.grading.programs.environment import Interpreter, ProgramEnvironment
from selfplay.problem import InvalidProblem, Knob, Problem, Verdict

SUFFIXES = (".jsonl", ".jsonl.gz")
"""Of the names of such files."""
MAX_ROWS = 100_000
"""Rows of a file that are read, from its start."""

_OWN = {
    "answers": public.Form(
        ("question", "kind", "gold"),
        lambda row: public.text_of(row, "question"),
        lambda row: {key: row[key] for key in row.keys() - {"question", "id"}},
    ),
    "programs": public.Form(
        ("question", "function", "tests"),
        lambda row: public.text_of(row, "question"),
        lambda row: {key: row[key] for key in row.keys() - {"question", "id", "solution"}},
        lambda row, response: public.program_in(response, row["function"]["name"]),
        lambda row: str(row.get("solution", "")),
    ),
}
"""Rows of `selfplay grade` with a question; a right program may stand in `solution`."""
_FORMS = _OWN | public.FORMS
_INSTRUCTIONS = {
    False: "Solve the problem.",
    True: "Write the Python program that is asked for. The answer is its source alone.",
}


class _Entry(NamedTuple):
    """A row that was read."""

    question: str
    gold: str
    """A right answer; empty where the file has none."""
    grade: Callable[[Interpreter, str], Verdict]
    """The verdict on what stands in the answer's place."""


class ProblemFile(ProgramEnvironment):
    """The problems of a file; `load` fills in which."""

    entries: ClassVar[tuple[_Entry, ...]]
    refused: ClassVar[tuple[str, ...]]
    """Which rows cannot be read, and why."""
    knobs: ClassVar[Mapping[str, Knob]] = {
        "standard": Knob((0,), "step", "the problems are in no order of difficulty")
    }
    frozen = True
    unique = False
    crowded = 1
    multiline = True

    def faults(self) -> Iterator[str]:
        """What is wrong with the file: rows that cannot be read, golds that are not right."""
        yield from self.refused
        for number, entry in enumerate(self.entries):
            if entry.gold:
                verdict = entry.grade(self.interpreter, entry.gold)
                if not verdict.correct:
                    yield f"problem {number}: its own gold is {verdict.outcome}: {verdict.reason}"

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """The position of a problem."""
        del knobs
        return str(rng.randrange(len(self.entries)))

    def parse(self, text: str) -> Problem:
        """The problem at a position."""
        if not re.fullmatch("[0-9]{1,6}", text) or int(text) >= len(self.entries):
            raise InvalidProblem(
                f"malformed: {text[:40]!r} is not from 0 to {len(self.entries) - 1}"
            )
        entry = self.entries[int(text)]
        signature = hashlib.blake2b(entry.question.encode(), digest_size=16).hexdigest()
        return Problem(self.name, 0, entry.question, signature, entry.gold, origin=str(int(text)))

    def pose(self, problem: Problem) -> str:
        """The position."""
        return problem.origin

    def grade(self, problem: Problem, response: str) -> Verdict:
        """As `selfplay grade` judges the row."""
        try:
            answer = final_answer(response)
        except AnswerError as error:
            return unreadable(error)
        return self.entries[int(problem.origin)].grade(self.interpreter, answer)


def load(path: str, interpreter: Interpreter) -> ProblemFile:
    """The environment of a file, named as the file is without its suffix.

    Args:
        path: of a file of JSON lines, packed by gzip if it ends with .gz.
        interpreter: runs programs, if there are any.
    Raises:
        ValueError: there is no such file, its name is none for an environment, a row is of none of
            the known sets or cannot be read, or there are no rows.
    """
    suffix = next(suffix for suffix in reversed(SUFFIXES) if path.endswith(suffix))
    name = Path(path).name.removesuffix(suffix).lower()
    if not re.fullmatch(r"[a-z][a-z0-9_.-]*", name):
        raise ValueError(f"{path} gives the environment's name: it must begin with a letter.")
    form, entries, refused = "", [], []
    for number, row in enumerate(_rows(path), start=1):
        form = form or _form_of(row, path)
        try:
            entries.append(_entry(form, row))
        except ValueError as error:
            refused.append(f"row {number}: {error}")
    if not entries:
        raise ValueError(f"{path}, {refused[0]}" if refused else f"{path} has no rows.")
    ran = _FORMS[form].program is not None
    left_out = f"; {len(refused)} more cannot be read" if refused else ""
    fields = {
        "name": name,
        "entries": tuple(entries),
        "refused": tuple(refused),
        "instruction": _INSTRUCTIONS[ran],
        "verifier": "tests in the jail" if ran else "kind of the gold",
        "summary": f"{len(entries)} frozen problems of {Path(path).name} ({form}){left_out}",
    }
    return type("ProblemsOfFile", (ProblemFile,), fields)(interpreter)


def _rows(path: str) -> list[Mapping[str, Any]]:
    """The objects on the lines of a file."""
    opened = gzip.open if path.endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            lines = [line for line, _ in zip(file, range(MAX_ROWS), strict=False)]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the problems of {path} cannot be read: {error}.") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: no JSON ({error}).") from error
        if not isinstance(row, dict):
            raise ValueError(f"{path}, line {number}: a {type(row).__name__}, not an object.")
        rows.append(row)
    return rows


def _form_of(row: Mapping[str, Any], path: str) -> str:
    """Which set the first row is of."""
    for name, form in _FORMS.items():
        if all(key in row for key in form.keys):
            return name
    known = "; ".join(f"{name}: {', '.join(form.keys)}" for name, form in _FORMS.items())
    raise ValueError(
        f"{path}: a row with the keys {', '.join(map(repr, row))} is of no known set. What tells "
        f"them: {known}."
    )


def _entry(name: str, row: Mapping[str, Any]) -> _Entry:
    form = _FORMS[name]
    with public.reading(name, row):
        question, problem = form.question(row), form.problem(row)
        gold = form.gold(row) if form.gold is not None else str(problem.get("gold", ""))
        program = form.program
    if program is None:
        kind = kinds.declare(problem)
        if not (probe := kinds.grade_answer(kind, problem["gold"], "")).graded:
            raise ValueError(probe.reason)
        return _Entry(
            question.expandtabs(4),
            gold,
            lambda _, answer: kinds.grade_answer(kind, problem["gold"], answer),
        )
    tests = programs.from_row(problem)
    return _Entry(
        question.expandtabs(4),
        gold,
        lambda interpreter, answer: (
            programs.grade_program(
                interpreter.pool, tests, program(row, answer), interpreter.config.seconds
            ).verdict
        ),
    )
