"""Tests written as Python asserts, of HumanEval and MBPP -> tests as data; nothing is run.

Fed by public.py. What is understood: a call of the function with literals, compared with a literal
(==, is, or alone for its truth), abs(call - x) < bound, math.isclose, sorted(call) == sorted(...);
names that were set to literals before; loops over a range. Everything else is refused with its
source, since a test that is left out would let wrong programs pass.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeGuard

from selfplay.grading.programs.jail import values

MAX_SOURCE = 1 << 20
"""Longest test code that is read, in characters."""
MAX_TURNS = 1_000
"""Most turns of a loop over asserts, with those of the loops inside."""
MAX_VALUES = 100_000
"""Most numbers, texts and containers in one value, written out: a name may stand for many."""
MAX_TEXT = 1 << 16
"""Longest text that is put together from others, in characters."""
MAX_BITS = 1 << 12
"""Most bits of a number that is worked out, such as 10**9."""

_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


class Checked(NamedTuple):
    """One assert about one call."""

    args: list[object]
    kwargs: dict[str, object]
    expected: object
    tolerance: tuple[str, float] | None = None
    """`abs` or `rel` with the bound."""
    unordered: bool = False
    """Whether both sides were sorted first."""


def fields(source: str, function: str, candidate: str) -> dict[str, object]:
    """The fields of a row that say what the asserts of a source say.

    Args:
        source: asserts, alone or as the body of a function `check`.
        function: name of the function that programs must define.
        candidate: the name by which the asserts call it.
    Returns:
        `tests`, `compare` and, if numbers need not be equal, `float_tol`.
    Raises:
        ValueError: something is not understood, or there is no assert.
    """
    if len(source) > MAX_SOURCE:
        raise ValueError(f"{len(source)} characters of tests; at most {MAX_SOURCE} are read.")
    try:
        found = list(_checked(_parsed(source).body, candidate, {}))
    except RecursionError as error:
        raise ValueError("a test that is no data: it is too deep.") from error
    if not found:
        raise ValueError(f"the tests hold no assert about {function}.")
    tolerances = {one.tolerance for one in found if one.tolerance is not None}
    mixed = tolerances and any(one.tolerance is None and _has_number(one.expected) for one in found)
    if mixed or len(tolerances) > 1 or len({one.unordered for one in found}) > 1:
        raise ValueError("its asserts compare in different ways, and a row has one.")
    tests = [
        {
            "args": [values.to_json(value) for value in one.args],
            "kwargs": {name: values.to_json(value) for name, value in one.kwargs.items()},
            "expected": values.to_json(one.expected),
        }
        for one in found
    ]
    row: dict[str, object] = {
        "tests": tests,
        "compare": "unordered" if found[0].unordered else "python",
    }
    if tolerances:
        if found[0].unordered:
            raise ValueError("its asserts sort numbers that need not be equal.")
        ((kind, bound),) = tolerances
        row |= {"float_tol": {kind: bound}, "compare": "exact"}
    return row


def _has_number(value: object) -> bool:
    """Whether a tolerance would change what is equal to an expected value."""
    if isinstance(value, dict):
        return any(map(_has_number, value.values()))
    if isinstance(value, list | tuple | set):
        return any(map(_has_number, value))
    return isinstance(value, int | float | complex)


def called(source: str) -> str:
    """The name of the function that the first assert calls, innermost: f of sorted(f(x)) == y.

    Raises:
        ValueError: there is none.
    """
    for node in ast.walk(_parsed(source[:MAX_SOURCE])):
        if isinstance(node, ast.Assert):
            names = [
                call.func.id
                for call in ast.walk(node.test)
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            ]
            own = [n for n in names if n not in ("abs", "set", "sorted", "tuple", "list", "len")]
            if own:
                return own[0]
    raise ValueError("no assert calls a function by its name.")


def check_imports(source: str) -> None:
    """Refuse code that has to run before the tests, unless it only imports what programs use.

    Raises:
        ValueError: it does more.
    """
    for statement in _parsed(source).body:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            raise ValueError(f"its tests need code to be run first: {_source(statement)}.")


def _parsed(source: str) -> ast.Module:
    """The syntax tree, without what Python would warn the author of the tests about.

    Raises:
        ValueError: it is no Python, or too deep.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(source)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"the tests are no Python ({error}).") from error


def _checked(
    body: list[ast.stmt], candidate: str, known: dict[str, object], turns: int = 1
) -> Iterator[Checked]:
    """What the asserts of a body say; it is gone through so many times."""
    for statement in body:
        match statement:
            case ast.FunctionDef(name="check", body=inner):
                yield from _checked(inner, candidate, dict(known), turns)
            case ast.Assert(test=test):
                if (one := _read(test, candidate, known)) is not None:
                    yield one
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name != "METADATA":
                known[name] = _bounded(_literal(value, known), value)
            case ast.Assign() | ast.Import() | ast.ImportFrom() | ast.Pass():
                pass
            case ast.For(
                target=ast.Name(id=name),
                iter=ast.Call(func=ast.Name(id="range"), args=bounds),
                body=inner,
                orelse=[],
            ):
                values_taken = _range(statement, bounds, known, turns)
                for value in values_taken:
                    further = turns * len(values_taken)
                    yield from _checked(inner, candidate, {**known, name: value}, further)
            case ast.Expr(value=ast.Constant() | ast.Name()):
                pass
            case ast.Expr(value=ast.Call(func=ast.Name(id="print" | "check"))):
                pass
            case _:
                raise _not_understood(statement)


def _range(loop: ast.For, bounds: list[ast.expr], known: dict[str, object], turns: int) -> range:
    limits = [_literal(bound, known) for bound in bounds]
    whole = [limit for limit in limits if isinstance(limit, int) and abs(limit) < 1 << 60]
    if not 1 <= len(whole) == len(limits) <= 2 or len(found := range(*whole)) * turns > MAX_TURNS:
        raise _not_understood(loop)
    return found


def _read(test: ast.expr, candidate: str, known: dict[str, object]) -> Checked | None:
    match test:
        case ast.Constant(value=True):
            return None
        case ast.Call(func=ast.Name(id=name)) if name == candidate:
            return _call(test, known, True)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id=name)) as call) if (
            name == candidate
        ):
            return _call(call, known, False)
        case ast.Call(
            func=ast.Attribute(attr="isclose"),
            args=[ast.Call(func=ast.Name(id=name)) as call, wanted],
            keywords=more,
        ) if name == candidate:
            bounds = {key.arg: _literal(key.value, known) for key in more} or {"rel_tol": 1e-9}
            name, bound = next(iter(bounds.items()))
            kind = {"rel_tol": "rel", "abs_tol": "abs"}.get(str(name) if len(bounds) == 1 else "")
            if kind is not None and isinstance(bound, int | float):
                return _call(call, known, _literal(wanted, known))._replace(
                    tolerance=(kind, float(bound))
                )
        case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
            return _equality(left, right, candidate, known)
        case ast.Compare(
            left=ast.Call(
                func=ast.Name(id="abs") | ast.Attribute(attr="fabs"),
                args=[ast.BinOp(left=left, op=ast.Sub(), right=right)],
            ),
            ops=[ast.Lt() | ast.LtE()],
            comparators=[bound],
        ):
            allowed = _literal(bound, known)
            one = _equality(left, right, candidate, known)
            if isinstance(allowed, int | float):
                return one._replace(tolerance=("abs", float(allowed)))
    raise _not_understood(test)


def _equality(left: ast.expr, right: ast.expr, candidate: str, known: dict[str, object]) -> Checked:
    for one, other in ((left, right), (right, left)):
        match one, other:
            case ast.Call(func=ast.Name(id=name)), _ if name == candidate:
                return _call(one, known, _literal(other, known))
            case (
                ast.Call(
                    func=ast.Name(id="sorted"), args=[ast.Call(func=ast.Name(id=name)) as call]
                ),
                ast.Call(func=ast.Name(id="sorted"), args=[wanted]),
            ) if name == candidate:
                return _call(call, known, _literal(wanted, known))._replace(unordered=True)
    raise _not_understood(left)


def _call(call: ast.expr, known: dict[str, object], expected: object) -> Checked:
    assert isinstance(call, ast.Call)
    if any(key.arg is None for key in call.keywords):
        raise _not_understood(call)
    arguments = [_literal(argument, known) for argument in call.args]
    named = {str(key.arg): _literal(key.value, known) for key in call.keywords}
    _bounded([arguments, named, expected], call)
    return Checked(arguments, named, expected)


def _bounded(value: object, written: ast.AST) -> object:
    """The value, if it is not too large: a list of a list of a list may hold each a hundred times.

    Raises:
        ValueError: it is.
    """
    left, waiting = MAX_VALUES, [value]
    while waiting:
        match waiting.pop():
            case dict() as one:
                inside = [*one, *one.values()]
            case list() | tuple() | set() as one:
                inside = list(one)
            case _:
                continue
        left -= len(inside)
        if left < 0:
            raise ValueError(
                f"a test that is no data of at most {MAX_VALUES} values: {_source(written)}."
            )
        waiting += inside
    return value


def _literal(node: ast.expr, known: Mapping[str, object]) -> object:
    """The value of a literal, of a name for one, or of + - * / and powers of small numbers."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.List(elts=items):
            return [_literal(item, known) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_literal(item, known) for item in items)
        case ast.Set(elts=items):
            return {_literal(item, known) for item in items}
        case ast.Dict(keys=keys, values=items) if None not in keys:
            return {
                _literal(key, known): _literal(item, known)
                for key, item in zip(keys, items, strict=True)
                if key is not None
            }
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(text))]) if (
            text.lower().lstrip("+-") in ("inf", "nan", "infinity")
        ):
            return float(text)
        case ast.Call(func=ast.Name(id="str"), args=[argument], keywords=[]):
            value = _literal(argument, known)
            if isinstance(value, int) and value.bit_length() <= MAX_BITS:
                return str(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _literal(operand, known)
            if isinstance(value, int | float | complex):
                return -value
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, power = _literal(left, known), _literal(right, known)
            if isinstance(base, int) and isinstance(power, int) and 0 <= power:
                if power * base.bit_length() <= MAX_BITS:
                    return base**power
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            one, other = _literal(left, known), _literal(right, known)
            if isinstance(one, str) and isinstance(other, str) and isinstance(op, ast.Add):
                if len(one) + len(other) <= MAX_TEXT:
                    return one + other
            if _is_small(one) and _is_small(other) and (other != 0 or type(op) is not ast.Div):
                return _OPERATORS[type(op)](one, other)
    raise _not_understood(node)


def _is_small(value: object) -> TypeGuard[float]:
    """Whether a value is a number that is worked with, and a float's range holds it."""
    return isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 1000)


def _not_understood(node: ast.AST) -> ValueError:
    return ValueError(f"a test that is no data: {_source(node)}.")


def _source(node: ast.AST) -> str:
    return repr(ast.unparse(node)[:80])
