r"""Rows of public data sets -> rows as `selfplay grade` reads them: no converter to be written.

Fed by cli/grading.py. A row is a line of the data set's own file with what a model wrote added to
it, as `response` (or completion, output, generation, prediction). Programs are taken out of a fence
of Markdown; tests written as asserts become data (programs/asserts.py) or are refused. Nothing of a
row is run here. Fields as published by: openai/gsm8k, hendrycks/competition_math and MATH-500,
openai/human-eval, google-research/mbpp (also the sanitized one), LiveCodeBench's code generation.
What this does not do: read the private tests of LiveCodeBench, which are pickled.
"""

import ast
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from selfplay.grading.answers import AnswerError, unboxed_last
from selfplay.grading.programs import asserts
from selfplay.grading.programs.jail import values

RESPONSES = ("response", "completion", "output", "generation", "prediction", "code")
"""Names of the field with what a model wrote, in this order."""

_FENCE = re.compile(r"```(?:python|py|Python)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)

Row = Mapping[str, Any]


def gsm8k(row: Row) -> dict[str, object]:
    """`answer` is a worked solution that ends in #### and the gold."""
    return {"kind": "auto", "gold": _text(row, "answer"), "response": _response(row)}


def math(row: Row) -> dict[str, object]:
    r"""The gold is `answer` or, without one, what `solution` has in its last \boxed{}."""
    gold = row["answer"] if "answer" in row else unboxed_last(_text(row, "solution"))
    return {"kind": "auto", "gold": gold, "response": _response(row)}


def humaneval(row: Row) -> dict[str, object]:
    """`test` has asserts about a candidate; a completion goes on from the end of `prompt`."""
    name = _text(row, "entry_point")
    code = _program(_response(row), name)
    if not _defines(code, name):
        code = _text(row, "prompt") + code
    tests = asserts.fields(_text(row, "test"), name, "candidate")
    return {"function": {"name": name}, "submission": code, **tests}


def mbpp(row: Row) -> dict[str, object]:
    """`test_list` holds asserts about a function that is named in them alone."""
    if row.get("test_setup_code"):
        raise ValueError("its tests need code to be run first (test_setup_code).")
    source = "\n".join(row["test_list"])
    name = asserts.called(source)
    code = _program(_response(row, without=("code",)), name)
    return {"function": {"name": name}, "submission": code, **asserts.fields(source, name, name)}


def livecodebench(row: Row) -> dict[str, object]:
    """`public_test_cases` are texts of standard input, or arguments of `func_name`, a line each."""
    cases = row["public_test_cases"]
    cases = json.loads(cases) if isinstance(cases, str) else cases
    code = _program(_response(row))
    if all(case.get("testtype", "stdin") == "stdin" for case in cases):
        tests = [{"input": case["input"], "output": case["output"]} for case in cases]
        return {"tests": tests, "submission": code, "float_tol": {"rel": 1e-9}}
    metadata = row.get("metadata", {})
    metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
    tests = [
        {
            "args": [_value(line) for line in case["input"].split("\n") if line.strip()],
            "expected": _value(case["output"]),
        }
        for case in cases
    ]
    return {
        "function": {"name": metadata["func_name"]}, "tests": tests, "submission": code,
        "compare": "python",
    }  # fmt: skip


FORMATS: dict[str, Callable[[Row], dict[str, object]]] = {
    "gsm8k": gsm8k, "math": math, "humaneval": humaneval, "mbpp": mbpp,
    "livecodebench": livecodebench,
}  # fmt: skip
"""Name of a data set to its reader; for other rows it raises ValueError, KeyError, TypeError."""


def row_of(name: str, row: Row) -> dict[str, object]:
    """A row of a data set as `selfplay grade` reads it; `id` is kept, or task_id, or question_id.

    Raises:
        ValueError: it is no row of that data set, or its tests are no data.
    """
    try:
        read = FORMATS[name](row)
    except (KeyError, TypeError, AttributeError, AnswerError) as error:
        raise ValueError(
            f"it is no row of {name} ({type(error).__name__}: {error}); its keys are "
            f"{', '.join(map(repr, row))}."
        ) from error
    ids = [row[key] for key in ("id", "task_id", "question_id") if key in row]
    return {"id": ids[0], **read} if ids else read


def _text(row: Row, name: str) -> str:
    if not isinstance(row[name], str):
        raise TypeError(f"{name} is no text")
    return row[name]


def _response(row: Row, without: tuple[str, ...] = ()) -> str:
    for name in RESPONSES:
        if name in row and name not in without:
            return _text(row, name)
    raise ValueError(
        f"it has nothing to grade: put what the model wrote under {RESPONSES[0]!r} (or "
        f"{', '.join(RESPONSES[1:])})."
    )


def _program(response: str, name: str = "") -> str:
    """The last fenced block of a response that defines a function, or the last, or all of it."""
    fenced = _FENCE.findall(response)
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
