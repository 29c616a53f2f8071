r"""Rows of public data sets -> rows as `selfplay grade` reads them: no converter to be written.

Fed by cli/grading.py and problem_file.py. A row is a line of the data set's own file; where it is
to be graded, with what a model wrote added to it, as `response` (or completion, output, generation,
prediction). Programs are taken out of a fence of Markdown; tests written as asserts become data
(programs/asserts.py) or are refused. Nothing of a row is run here. Fields as published by:
openai/gsm8k, hendrycks/competition_math and MATH-500, openai/human-eval, google-research/mbpp (also
the sanitized one), LiveCodeBench's code generation.
What this does not do: read the private tests of LiveCodeBench, which are pickled.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from selfplay.grading.answers import AnswerError, unboxed_last
from selfplay.grading.programs import asserts
from selfplay.grading.programs.jail import values

RESPONSES = ("response", "completion", "output", "generation", "prediction", "code")
"""Names of the field with what a model wrote, in this order."""

_FENCE = re.compile(r"```(?:python|py|Python)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)

_MARKED = re.compile(r"\[BEGIN\]\s*\n?(.*?)(?:\[DONE\]|\Z)", re.DOTALL)
"""How few-shot prompts for MBPP mark a program."""

Row = Mapping[str, Any]


class Form(NamedTuple):
    """How the rows of a data set are read; for other rows each function raises an error."""

    keys: tuple[str, ...]
    """Fields that tell its rows from those of the other sets."""
    question: Callable[[Row], str]
    """What a solver is asked."""
    problem: Callable[[Row], dict[str, object]]
    """Kind and gold of an answer, or function and tests of a program."""
    program: Callable[[Row, str], str] | None = None
    """The program in what a model wrote; None: it wrote an answer."""
    gold: Callable[[Row], str] | None = None
    """A right program; None: the set publishes none."""


def _humaneval_problem(row: Row) -> dict[str, object]:
    """`test` has asserts about a candidate."""
    name = text_of(row, "entry_point")
    return {"function": {"name": name}, **asserts.fields(text_of(row, "test"), name, "candidate")}


def _humaneval_program(row: Row, response: str) -> str:
    """A completion goes on from the end of `prompt`, a whole program stands alone."""
    name = text_of(row, "entry_point")
    code = program_in(response, name)
    return code if _defines(code, name) else text_of(row, "prompt") + code


def _mbpp_problem(row: Row) -> dict[str, object]:
    """`test_list` holds asserts about a function that is named in them alone."""
    if row.get("test_setup_code"):
        asserts.check_imports(text_of(row, "test_setup_code"))
    source = "\n".join(row["test_list"])
    name = asserts.called(source)
    return {"function": {"name": name}, **asserts.fields(source, name, name)}


def _mbpp_question(row: Row) -> str:
    """The task and, as is usual, its tests: the name of the function stands nowhere else."""
    task = text_of(row, "prompt" if "prompt" in row else "text")
    return "\n".join([task, "It has to pass:", *row["test_list"]])


def _concluded(answer: str) -> str:
    """The gold of a worked solution, behind ####."""
    if "####" not in answer:
        raise ValueError(f"its answer has no #### and gold: {answer[-40:]!r}.")
    return answer.rpartition("####")[2].strip()


def _livecodebench_problem(row: Row) -> dict[str, object]:
    """`public_test_cases` are texts of standard input, or arguments of `func_name`, a line each."""
    cases = row["public_test_cases"]
    cases = json.loads(cases) if isinstance(cases, str) else cases
    if all(case.get("testtype", "stdin") == "stdin" for case in cases):
        tests = [{"input": case["input"], "output": case["output"]} for case in cases]
        return {"tests": tests, "float_tol": {"rel": 1e-9}}
    metadata = row.get("metadata", {})
    metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
    tests = [
        {
            "args": [_value(line) for line in case["input"].split("\n") if line.strip()],
            "expected": _value(case["output"]),
        }
        for case in cases
    ]
    return {"function": {"name": metadata["func_name"]}, "tests": tests, "compare": "python"}


def _livecodebench_question(row: Row) -> str:
    return "\n\n".join(filter(None, [text_of(row, "question_content"), row.get("starter_code")]))


def _math_problem(row: Row) -> dict[str, object]:
    r"""The gold is `answer` or, without one, what `solution` has in its last \boxed{}."""
    gold = row["answer"] if "answer" in row else unboxed_last(text_of(row, "solution"))
    return {"kind": "auto", "gold": gold}


FORMS: dict[str, Form] = {
    "gsm8k": Form(
        ("question", "answer"),
        lambda row: text_of(row, "question"),
        lambda row: {"kind": "auto", "gold": _concluded(text_of(row, "answer"))},
    ),
    "math": Form(("problem", "solution"), lambda row: text_of(row, "problem"), _math_problem),
    "humaneval": Form(
        ("entry_point", "prompt", "test"),
        lambda row: text_of(row, "prompt"),
        _humaneval_problem,
        _humaneval_program,
        lambda row: text_of(row, "prompt") + text_of(row, "canonical_solution"),
    ),
    "mbpp": Form(
        ("test_list", "code"),
        _mbpp_question,
        _mbpp_problem,
        lambda row, response: program_in(response, asserts.called("\n".join(row["test_list"]))),
        lambda row: text_of(row, "code"),
    ),
    "livecodebench": Form(
        ("public_test_cases", "question_content"),
        _livecodebench_question,
        _livecodebench_problem,
        lambda row, response: program_in(response),
    ),
}
"""How the rows of each public data set are read."""


def row_of(name: str, row: Row) -> dict[str, object]:
    """A row of a data set as `selfplay grade` reads it; `id` is kept, or task_id, or question_id.

    Raises:
        ValueError: it is no row of that data set, or its tests are no data.
    """
    form = FORMS[name]
    with reading(name, row):
        # MBPP's own programs stand where other files have what a model wrote.
        response = _response(row, without=form.keys)
        problem = form.problem(row)
        if form.program is None:
            read = {**problem, "response": response}
        else:
            read = {**problem, "submission": form.program(row, response)}
    ids = [row[key] for key in ("id", "task_id", "question_id") if key in row]
    return {"id": ids[0], **read} if ids else read


@contextmanager
def reading(name: str, row: Row) -> Iterator[None]:
    """Turns what a reader of FORMS raises at a row of another set into an error that says so."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, RecursionError, AnswerError) as error:
        raise ValueError(
            f"it is no row of {name} ({type(error).__name__}: {error}); its keys are "
            f"{', '.join(map(repr, row))}."
        ) from error


def text_of(row: Row, name: str) -> str:
    """A field that has to be a text.

    Raises:
        KeyError: there is none of that name.
        TypeError: it is no text.
    """
    if not isinstance(row[name], str):
        raise TypeError(f"{name} is no text")
    return row[name]


def _response(row: Row, without: tuple[str, ...] = ()) -> str:
    for name in RESPONSES:
        if name in row and name not in without:
            return text_of(row, name)
    raise ValueError(
        f"it has nothing to grade: put what the model wrote under {RESPONSES[0]!r} (or "
        f"{', '.join(RESPONSES[1:])})."
    )


def program_in(response: str, name: str = "") -> str:
    """The last fenced block of a response that defines a function, or the last, or all of it."""
    fenced = _FENCE.findall(response) or _MARKED.findall(response)
    own = [block for block in fenced if name and _defines(block, name)]
    return (own or fenced or [response])[-1]


def _defines(code: str, name: str) -> bool:
    return re.search(rf"\bdef +{re.escape(name)}\b", code) is not None


def _value(text: str) -> object:
    """A value of a test, written in JSON or as a literal of Python."""
    try:
        return values.to_json(json.loads(text))
    except ValueError:
        pass
    try:
        return values.to_json(ast.literal_eval(text.strip()[: 1 << 20]))
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text[:40]!r} is no value.") from error
