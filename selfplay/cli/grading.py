"""`selfplay grade`: verdicts on a file of answers and programs. Needs no model and imports none.

A row is a line of JSON. Its keys say what it is: an answer of a declared kind ("kind"), a program
with its tests ("function"), or a response to a problem of an environment ("environment"). Rows are
graded in batches, so memory does not grow with the file; the programs of a batch run side by side.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple, NoReturn

import tyro
from rich.console import Console
from rich.markup import escape
from tyro.conf import Positional

from selfplay import environments as installed
from selfplay.cli import options
from selfplay.grading import free_text, kinds, programs, public
from selfplay.grading.answers import AnswerError, unreadable
from selfplay.grading.judge import judge
from selfplay.grading.kinds.words import Text
from selfplay.grading.programs.pool import Pool
from selfplay.grading.programs.sandbox import SandboxConfig, open_pool
from selfplay.problem import Environment, InvalidProblem, Outcome, Verdict

BATCH = 256
"""Rows that are read, graded and printed together."""
NEEDED = (
    'a row has "kind" (or "kind": "auto"), "gold" and "response" or "answer"; or "function", '
    '"tests" and "submission"; or "environment", "problem" and "response"'
)
Form = Literal["rows", "gsm8k", "math", "humaneval", "mbpp", "livecodebench"]
COLOURS = {Outcome.CORRECT: "green", Outcome.WRONG: "red", Outcome.ERROR: "magenta"}
"""Of verdicts on the screen; the others are yellow."""


def grade_command(arguments: Sequence[str]) -> None:
    """`selfplay grade FILE.jsonl`."""

    def grade(
        file: Positional[str],
        form: Annotated[Form, tyro.conf.arg(name="format")] = "rows",
        anywhere: bool = False,
        as_json: Annotated[bool, tyro.conf.arg(name="json")] = False,
        sandbox: SandboxConfig = SandboxConfig(),  # noqa: B008 (frozen)
    ) -> None:
        r"""Grade answers and programs: verdict, reason and time of each row of a file.

        Args:
            file: lines of JSON, - for standard input; docs/grading.md describes the rows.
            form: what the rows are: our own, or those of a public data set with what a model
                wrote added as `response`.
            anywhere: look for the answer of a response wherever it may be, and say where it was
                found: in the last <answer>, the last \boxed{}, behind "the answer is", in the
                last formula, in the last number. For measuring other people's models.
            as_json: rows of JSON instead of text; the summary goes to standard error.
            sandbox: the jail that programs run in.
        """
        start, counts = time.perf_counter(), Counter[str]()
        console = Console(highlight=False, soft_wrap=True)
        with open_lines(file) as lines, Grader(sandbox, form, anywhere) as grader:
            for graded in grader.graded(lines):
                counts[graded.verdict.outcome] += 1
                if as_json:
                    print(graded.to_json())
                else:
                    console.print(graded.to_markup())
        found = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        Console(stderr=as_json, highlight=False).print(
            f"{found or 'no rows'}; {time.perf_counter() - start:.1f} s"
        )

    options.parse(grade, "grade", arguments, example="grade answers.jsonl --json")


class Graded(NamedTuple):
    """The verdict on one row."""

    id: Any
    """The row's own "id", else its line number."""
    verdict: Verdict
    seconds: float
    sandbox: str | None = None
    """Level of the jail that a program ran in; None for an answer."""
    inferred: str | None = None
    """The kind that the gold of a row of kind `auto` was read as."""
    found: str | None = None
    """Where the answer was found, if it was looked for anywhere."""

    @property
    def said(self) -> str:
        """The reason, with what the gold was read as where that was not declared."""
        notes = []
        if self.inferred is not None:
            text = self.inferred == Text.name
            notes.append("gold compared as text" if text else f"gold read as {self.inferred}")
        if self.found is not None:
            notes.append(f"answer found by {self.found}")
        return f"{self.verdict.reason} ({'; '.join(notes)})" if notes else self.verdict.reason

    def to_json(self) -> str:
        """As a line of JSON."""
        row = {
            "id": self.id,
            "verdict": self.verdict.outcome,
            "reason": self.verdict.reason,
            "seconds": round(self.seconds, 6),
        }
        more = {"sandbox": self.sandbox, "kind": self.inferred, "found": self.found}
        return json.dumps(row | {name: value for name, value in more.items() if value is not None})

    def to_markup(self) -> str:
        """As a line for the screen; what a model wrote cannot colour it or move the cursor."""
        outcome = self.verdict.outcome
        colour = COLOURS.get(outcome, "yellow")
        return (
            f"{_printable(self.id):<12} [{colour}]{outcome:<10}[/] "
            f"{1000 * self.seconds:8.2f} ms  {_printable(self.said)}"
        )


def _printable(text: object) -> str:
    """A text for the screen, with a mark for every character that would do more than show."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text)))


class Grader:
    """Grades rows of all sorts; starts the jail when the first program comes."""

    def __init__(self, sandbox: SandboxConfig, form: Form = "rows", anywhere: bool = False) -> None:
        self._sandbox = sandbox
        self._form: Form = form
        self._anywhere = anywhere
        self._pool: Pool | None = None
        self._environments: dict[str, Environment] = {}

    def __enter__(self) -> "Grader":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.close()

    def graded(self, lines: BinaryIO) -> Iterator[Graded]:
        """Verdicts on the rows of a file, in their order; blank lines are none."""
        numbered = enumerate(lines, start=1)
        while batch := list(islice(numbered, BATCH)):
            rows = [(number, line) for number, line in batch if line.strip()]
            found = [self._row(number, line) for number, line in rows]
            submissions = [work for work in found if isinstance(work, _Program)]
            verdicts = iter(self._run(submissions) if submissions else ())
            yield from (next(verdicts) if isinstance(work, _Program) else work for work in found)

    def _row(self, number: int, line: bytes) -> "Graded | _Program":
        """The verdict on a row, or the program in it; an unreadable row is an error of its own."""
        start, name, inferred, found = time.perf_counter(), number, None, None
        try:
            row = _read(line)
            if self._form != "rows":
                row = public.row_of(self._form, row)
            name = row.get("id", number)
            if "function" in row or "tests" in row:
                return _program(name, row)
            if self._anywhere and "response" in row and "environment" not in row:
                answer, found = free_text.find(str(row.pop("response")))
                row["answer"] = answer
            verdict, inferred = self._answer(row)
        except AnswerError as error:
            verdict = unreadable(error)
        except Exception as error:  # whatever is wrong with one row, the next ones are graded
            verdict = Verdict(Outcome.ERROR, f"{error or type(error).__name__}")
        if verdict.outcome is Outcome.ERROR:
            verdict = Verdict(Outcome.ERROR, f"line {number}: {verdict.reason}")
        return Graded(name, verdict, time.perf_counter() - start, inferred=inferred, found=found)

    def _answer(self, row: dict[str, Any]) -> tuple[Verdict, str | None]:
        """The verdict and, for a row of kind `auto`, the kind that its gold was read as."""
        if "environment" in row:
            return self._attempt(row), None
        if "kind" not in row or "gold" not in row or ("response" in row) == ("answer" in row):
            raise ValueError(f"the keys are {', '.join(map(repr, row))}; {NEEDED}.")
        text = row["response"] if "response" in row else row["answer"]
        if not isinstance(text, str):
            raise ValueError(f"what is graded is text, and this is {json.dumps(text)[:60]}.")
        kind = kinds.declare(row)
        grade = kinds.grade_response if "response" in row else kinds.grade_answer
        inferred = kind.of(row["gold"]).name if isinstance(kind, kinds.Auto) else None
        return grade(kind, row["gold"], text), inferred

    def _attempt(self, row: dict[str, Any]) -> Verdict:
        if not all(isinstance(row.get(key), str) for key in ("environment", "problem", "response")):
            raise ValueError(f"the keys are {', '.join(map(repr, row))}; {NEEDED}, all texts.")
        name = row["environment"]
        if name not in self._environments:
            self._environments[name] = installed.load(name)
        environment = self._environments[name]
        try:
            problem = environment.parse(row["problem"])
        except InvalidProblem as error:
            raise ValueError(
                f"{name} cannot read the problem {row['problem'][:60]!r} ({error}); "
                f"`selfplay envs show {name}` prints examples of the notation."
            ) from error
        return judge(environment, problem, row["response"], ended=True)

    def _run(self, submissions: "Sequence[_Program]") -> Iterator[Graded]:
        if self._pool is None:
            try:
                self._pool = open_pool(self._sandbox)
            except ValueError as error:  # refused; answers are graded all the same
                refused = Verdict(Outcome.ERROR, str(error))
                yield from (Graded(program.id, refused, 0.0) for program in submissions)
                return
        attempts = [(program.problem, program.submission) for program in submissions]
        level = self._pool.backend.level
        found = programs.grade_all(self._pool, attempts, self._sandbox.seconds)
        for program, graded in zip(submissions, found, strict=True):
            yield Graded(program.id, graded.verdict, graded.seconds, level)


class _Program(NamedTuple):
    """A row that the jail has to run."""

    id: Any
    problem: programs.ProgramProblem
    submission: str


def _program(name: Any, row: dict[str, Any]) -> _Program:
    submission = row.get("submission")
    if not isinstance(submission, str):
        raise ValueError(f"the keys are {', '.join(map(repr, row))}; {NEEDED}, the last a text.")
    return _Program(name, programs.from_row(row), submission)


def open_lines(file: str) -> AbstractContextManager[BinaryIO]:
    """The lines of a file, or of standard input for -."""
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")


def _read(line: bytes) -> dict[str, Any]:
    """The object on a line.

    Raises:
        ValueError: it is not one, or not strictly JSON.
    """
    row = json.loads(line, parse_constant=_refuse, object_pairs_hook=_once)
    if not isinstance(row, dict):
        raise ValueError(f"it holds a {type(row).__name__}, not an object; {NEEDED}.")
    return row


def _refuse(name: str) -> NoReturn:
    raise ValueError(f'{name} is no JSON; in the values of a program write {{"$float": "nan"}}.')


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key stands twice in the same object.")
    return row
