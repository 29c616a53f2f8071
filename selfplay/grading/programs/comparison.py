"""Declared types, and whether a returned value is the expected one.

Works on values that `jail/values.py` has decoded: fresh, of exact built-in types, bounded. Feeds
__init__.py. Pure. The rules:

- Kinds are exact: True is not 1, 1 is not 1.0, a list is not a tuple, a set is not a frozenset.
- Where the declared type says float, an int counts as the nearest float; nowhere else.
- With a tolerance, float and int compare by value wherever no declared type says otherwise.
- NaN equals NaN only, an infinity only itself; 0.0 equals -0.0.
- `python` compares as == does: 18.0 is 18 and 0 is False, at any depth. `unordered` takes lists,
  tuples and sets at the top for bags of their elements. `tokens` and `lines` compare printed texts:
  words in order, with a tolerance for numbers; or lines without spaces at their ends.
- Keys of a dict and members of a set are compared exactly, but for floats in a set under a
  tolerance, which are compared in sorted order.
"""

import ast
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Comparison = Literal["exact", "python", "unordered", "tokens", "lines"]
COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)
MAX_TYPE = 400
"""Longest declared type, in characters."""
MAX_NUMBER = 400
"""Longest printed number that a tolerance is applied to, in characters."""

_PRINTED = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_SCALARS: Mapping[str, type] = {
    "None": type(None),
    "NoneType": type(None),
    "bool": bool,
    "int": int,
    "float": float,
    "complex": complex,
    "str": str,
    "bytes": bytes,
}
_CONTAINERS: Mapping[str, type] = {
    "list": list,
    "List": list,
    "tuple": tuple,
    "Tuple": tuple,
    "dict": dict,
    "Dict": dict,
    "set": set,
    "Set": set,
    "frozenset": frozenset,
    "FrozenSet": frozenset,
}
_ANY = ("Any", "object")


@dataclass(frozen=True)
class Option:
    """One built-in type, with the types of what is in it."""

    kind: type
    contents: tuple["Type", ...] = ()
    """() if anything may be in it."""
    any_length: bool = False
    """A tuple of any length, all of the one content type."""

    def __str__(self) -> str:
        """As it would be written in Python."""
        name = "None" if self.kind is type(None) else self.kind.__name__
        inner = [str(content) for content in self.contents] + ["..."] * self.any_length
        return f"{name}[{', '.join(inner)}]" if inner else name


@dataclass(frozen=True)
class Type:
    """A declared type: a union of scalars and containers of types."""

    options: tuple[Option, ...] = ()
    """What a value may be; none at all: anything."""

    def fit(self, value: object, lenient: bool = False) -> object:
        """The value as one of this type: an int where float is declared becomes that float.

        Args:
            value: decoded, of exact built-in types.
            lenient: let a list stand for a declared tuple, set or frozenset, as JSON has no other.
        Raises:
            ValueError: it is not of this type.
        """
        if not self.options:
            return value
        failure = ValueError(f"{_name(value)} where {self} is declared")
        for option in self.options:
            try:
                return self._fit_option(option, value, lenient)
            except ValueError as error:
                if type(value) is option.kind:
                    failure = error
        raise failure

    def _fit_option(self, option: Option, value: object, lenient: bool) -> object:
        kind, contents = option.kind, option.contents
        if kind is float and type(value) is int and abs(value) <= sys.float_info.max:
            return float(value)
        if lenient and type(value) is list and kind in (tuple, set, frozenset):
            try:
                value = kind(value)
            except TypeError as error:
                raise ValueError(f"{error} where {self} is declared") from error
        if type(value) is not kind:
            raise ValueError(f"{_name(value)} where {self} is declared")
        if not contents:
            return value
        if isinstance(value, dict):
            of_keys, of_values = contents
            return {
                of_keys.fit(key, lenient): of_values.fit(item, lenient)
                for key, item in value.items()
            }
        assert isinstance(value, list | tuple | set | frozenset)
        if kind is tuple and not option.any_length:
            if len(value) != len(contents):
                raise ValueError(f"{len(value)} elements where {self} is declared")
            return tuple(
                content.fit(item, lenient) for content, item in zip(contents, value, strict=True)
            )
        items = [contents[0].fit(item, lenient) for item in value]
        return kind(items)  # pyright: ignore[reportArgumentType]  # kind is a container

    def __str__(self) -> str:
        """As it would be written in Python."""
        return " | ".join(map(str, self.options)) or "Any"


@dataclass(frozen=True)
class Tolerance:
    """How far a returned number may be from the expected one: within either bound."""

    absolute: float = 0.0
    """Largest difference."""
    relative: float = 0.0
    """Largest difference as a share of the expected magnitude."""

    def __post_init__(self) -> None:
        for name, bound in (("abs", self.absolute), ("rel", self.relative)):
            if not 0 <= bound < math.inf:
                raise ValueError(
                    f"a float_tol with {name}={bound} is no bound; give a small positive number."
                )

    def accepts(self, expected: complex, given: complex) -> bool:
        """Whether two finite numbers are near enough."""
        return abs(given - expected) <= max(self.absolute, self.relative * abs(expected))


def parse_type(text: str) -> Type:
    """Read a type as written in Python, e.g. `dict[str, list[int]] | None` or `Optional[float]`.

    Raises:
        ValueError: not a type of plain values, or too long.
    """
    try:
        if len(text) > MAX_TYPE:
            raise ValueError("too long")
        return _read_type(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"{text[:80]!r} is not a type of plain values ({error}). Use None, bool, int, float, "
            "complex, str, bytes, list, tuple, dict, set, frozenset, Any, Optional and |."
        ) from error


def equal(
    expected: object,
    given: object,
    tolerance: Tolerance | None = None,
    compare: Comparison = "exact",
) -> bool:
    """Whether the returned value is the expected one, by the rules at the head of this file."""
    match compare:
        case "exact":
            return _equal(expected, given, tolerance)
        case "python":
            return expected == given or _equal(expected, given, tolerance)
        case "unordered":
            return _equal_bags(expected, given, tolerance)
        case "tokens" | "lines":
            return _equal_texts(expected, given, tolerance, compare)


def _equal(expected: object, given: object, tolerance: Tolerance | None) -> bool:
    if _is_number(expected) and _is_number(given):
        return _equal_numbers(expected, given, tolerance)  # pyright: ignore[reportArgumentType]
    if type(expected) is not type(given):
        return False
    if isinstance(expected, list | tuple) and isinstance(given, list | tuple):
        return len(expected) == len(given) and all(
            _equal(a, b, tolerance) for a, b in zip(expected, given, strict=True)
        )
    if isinstance(expected, dict) and isinstance(given, dict):
        return _equal_dicts(expected, given, tolerance)
    if isinstance(expected, set | frozenset) and isinstance(given, set | frozenset):
        return _equal_sets(expected, given, tolerance)
    return expected == given


def canonical(value: object) -> str:
    """A text that two values share if and only if they are equal without a tolerance."""
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}{{{','.join(sorted(map(canonical, value)))}}}"
    if isinstance(value, dict):
        pairs = sorted(f"{canonical(key)}:{canonical(item)}" for key, item in value.items())
        return f"dict{{{','.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[{','.join(map(canonical, value))}]"
    if type(value) is int:
        return hex(value)  # decimal digits take quadratic time, and Python refuses many
    if isinstance(value, float | complex):
        return repr(value + 0.0)  # -0.0 becomes 0.0
    return repr(value)


def _equal_bags(expected: object, given: object, tolerance: Tolerance | None) -> bool:
    """Whether two containers hold the same elements, each as often; all pairs are never tried."""
    bags = list, tuple, set, frozenset
    if not (isinstance(expected, bags) and isinstance(given, bags)):
        return _equal(expected, given, tolerance)
    if len(expected) != len(given):
        return False
    real = tolerance is not None and all(map(_is_real, (*expected, *given)))
    order = None if real else canonical
    pairs = zip(sorted(expected, key=order), sorted(given, key=order), strict=True)
    return all(_equal(a, b, tolerance) for a, b in pairs)


def _equal_texts(
    expected: object, given: object, tolerance: Tolerance | None, compare: Comparison
) -> bool:
    if not (isinstance(expected, str) and isinstance(given, str)):
        return _equal(expected, given, tolerance)
    if compare == "lines":
        return _lines(expected) == _lines(given)
    wanted, found = expected.split(), given.split()
    return len(wanted) == len(found) and all(
        one == other or (tolerance is not None and _near(one, other, tolerance))
        for one, other in zip(wanted, found, strict=True)
    )


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _near(one: str, other: str, tolerance: Tolerance) -> bool:
    """Whether two printed numbers agree, of which one is written with a point or an exponent."""
    if max(len(one), len(other)) > MAX_NUMBER or (one.isdigit() and other.isdigit()):
        return False
    if not (_PRINTED.fullmatch(one) and _PRINTED.fullmatch(other)):
        return False
    fractional = any(mark in text for text in (one, other) for mark in ".eE")
    return fractional and _equal_numbers(float(one), float(other), tolerance)


def _equal_numbers(expected: complex, given: complex, tolerance: Tolerance | None) -> bool:
    same_kind = type(expected) is type(given)
    either_complex = isinstance(expected, complex) or isinstance(given, complex)
    if not same_kind and (tolerance is None or either_complex):
        return False
    if expected == given or (type(expected) is int and same_kind):
        return expected == given
    if _is_nan(expected) or _is_nan(given):
        return same_kind and canonical(expected) == canonical(given)
    if tolerance is None or _is_infinite(expected) or _is_infinite(given):
        return False
    try:
        return tolerance.accepts(expected, given)
    except OverflowError:  # an int beyond all floats
        return False


def _equal_dicts(
    expected: dict[object, object], given: dict[object, object], tolerance: Tolerance | None
) -> bool:
    wanted = {canonical(key): item for key, item in expected.items()}
    found = {canonical(key): item for key, item in given.items()}
    return wanted.keys() == found.keys() and all(
        _equal(wanted[key], found[key], tolerance) for key in wanted
    )


def _equal_sets(
    expected: set[object] | frozenset[object],
    given: set[object] | frozenset[object],
    tolerance: Tolerance | None,
) -> bool:
    if len(expected) != len(given):
        return False
    wanted = {canonical(item): item for item in expected}
    found = {canonical(item): item for item in given}
    missing = [wanted[key] for key in wanted.keys() - found.keys()]
    surplus = [found[key] for key in found.keys() - wanted.keys()]
    if tolerance is None or not all(map(_is_real, [*missing, *surplus])):
        return not missing and not surplus
    pairs = zip(sorted(missing), sorted(surplus), strict=True)  # pyright: ignore  # all real
    return all(_equal(a, b, tolerance) for a, b in pairs)


def _read_type(node: ast.expr) -> Type:
    match node:
        case ast.Constant(value=None):
            return Type((Option(type(None)),))
        case ast.Constant(value=str(text)):
            return parse_type(text)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _named(name, [])
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _union([_read_type(left), _read_type(right)])
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inside):
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            return _named(name, parts)
    raise ValueError(f"{ast.unparse(node)[:40]} is not supported")


def _named(name: str, parts: list[ast.expr]) -> Type:
    if name in _ANY:
        return Type()
    if name in _SCALARS and not parts:
        return Type((Option(_SCALARS[name]),))
    if name == "Optional" and len(parts) == 1:
        return _union([_read_type(parts[0]), Type((Option(type(None)),))])
    if name == "Union" and parts:
        return _union([_read_type(part) for part in parts])
    if name not in _CONTAINERS:
        raise ValueError(f"{name} is not supported")
    kind = _CONTAINERS[name]
    match parts:
        case [first, ast.Constant(value=value)] if kind is tuple and value is ...:
            return Type((Option(kind, (_read_type(first),), any_length=True),))
    if parts and kind is not tuple and len(parts) != (2 if kind is dict else 1):
        raise ValueError(f"{name} with {len(parts)} parameters")
    return Type((Option(kind, tuple(map(_read_type, parts))),))


def _union(types: list[Type]) -> Type:
    if any(not option.options for option in types):
        return Type()
    return Type(tuple(part for option in types for part in option.options))


def _is_number(value: object) -> bool:
    return type(value) in (int, float, complex)


def _is_real(value: object) -> bool:
    return type(value) in (int, float) and not _is_nan(value)


def _is_nan(value: object) -> bool:
    return isinstance(value, float | complex) and value != value


def _is_infinite(value: complex) -> bool:
    if isinstance(value, complex):
        return math.isinf(value.real) or math.isinf(value.imag)
    return isinstance(value, float) and math.isinf(value)


def _name(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
