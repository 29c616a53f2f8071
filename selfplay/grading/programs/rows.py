"""Rows of data sets -> problems: names, types, values of JSON with tags, tolerances.

Fed by `selfplay grade` and whoever has a file of problems. Everything is checked here, once, with
messages that say what was given and what it must be. The format is in docs/grading.md.
"""

import difflib
import sys
from collections.abc import Mapping, Sequence
from typing import TypeVar

from selfplay.grading.programs.comparison import (
    COMPARISONS,
    Comparison,
    Tolerance,
    Type,
    parse_type,
)
from selfplay.grading.programs.jail import values
from selfplay.grading.programs.problems import Function, Param, ProgramProblem, Test

_JSON_NAMES = {dict: "object", list: "list", str: "string"}
_Field = TypeVar("_Field", dict, list, str)


def from_row(row: Mapping[str, object]) -> ProgramProblem:
    """Read a problem from a row of a data set; see docs/grading.md for the format.

    Raises:
        ValueError: something is missing or is not what it must be.
    """
    _refuse_misspelt(
        row, ("function", "tests", "submission", "float_tol", "compare", "prelude", "id")
    )
    tests = _needed(row, "tests", list)
    prints = "function" not in row
    function = Function("main") if prints else _read_function(_needed(row, "function", dict))
    read = []
    for number, test in enumerate(tests, 1):
        try:
            read.append(_read_printed(test) if prints else _read_test(test, function))
        except ValueError as error:
            raise ValueError(f"test {number}: {error}") from error
    script = prints or (function == Function("main") and all(map(_is_printed, read)))
    return ProgramProblem(
        function, tuple(read), _read_tolerance(row.get("float_tol")),
        _read_comparison(row.get("compare"), script), _read_flag(row.get("prelude", True)), script,
    )  # fmt: skip


def _refuse_misspelt(given: Mapping[str, object], known: Sequence[str]) -> None:
    """Refuse a field that was probably meant for another: a row may carry more, as a note."""
    for field in given.keys() - set(known):
        if near := difflib.get_close_matches(str(field)[:40], known, n=1, cutoff=0.75):
            raise ValueError(f"there is no field {str(field)[:40]!r}; {near[0]!r} is one.")


def _read_printed(given: object) -> Test:
    """From what stands in standard input and what is to be printed."""
    if not isinstance(given, Mapping) or not {"input", "output"} <= given.keys():
        raise ValueError(
            f'{given!r:.60} must be an object with "input" and "output", or the row must name the '
            'function that is called ("function").'
        )
    texts = [_text(given[name], name) for name in ("input", "output")]
    return Test((texts[0],), {}, texts[1])


def _is_printed(test: Test) -> bool:
    """Whether a test of `main` may be one of a program that reads a text and prints one."""
    texts = (*test.args, test.expected)
    return len(texts) == 2 and not test.kwargs and all(type(text) is str for text in texts)


def _read_comparison(given: object, script: bool) -> Comparison:
    for comparison in COMPARISONS:
        if given == comparison:
            return comparison
    if given is not None:
        raise ValueError(f"compare={given!r:.60} is none of {', '.join(COMPARISONS)}.")
    return "tokens" if script else "exact"


def _read_flag(given: object) -> bool:
    if not isinstance(given, bool):
        raise ValueError(f"prelude={given!r:.60} must be true or false.")
    return given


def _read_function(given: Mapping[str, object]) -> Function:
    _refuse_misspelt(given, ("name", "params", "returns"))
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
    _refuse_misspelt(given, ("args", "kwargs", "expected"))
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
    try:
        values.to_frame(expected)
    except values.ValueRefused as error:
        raise ValueError(f"expected: no program could return it: {error}.") from error
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
