"""The fields of a declaration, read one by one: checked -> the values that kinds are made with.

Fed by declarations.py and options.py. `given` is what is left of a declaration: what is read out of
it is taken out, so that what remains at the end belongs to no field of the kind. What cannot be
raises ValueError.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import MAX_FIELD
from selfplay.grading.kinds.layout import is_variable_name
from selfplay.grading.kinds.scalars import Rational
from selfplay.grading.mathematics import numeric

Fields = dict[str, Any]

_RANGES = {
    "real": numeric.Range(),
    "positive": numeric.Range(low=Fraction(0)),
    "negative": numeric.Range(high=Fraction(0)),
    "integer": numeric.Range(whole=True),
    "nonnegative": numeric.Range(low=Fraction(0)),
    "reals": numeric.Range(),
    "natural": numeric.Range(low=Fraction(0), whole=True),
    "positive_integer": numeric.Range(low=Fraction(0), whole=True),
}


def one_of(name: str, given: Fields, allowed: tuple[str, ...]) -> Any:
    """The field's value, or the first of those allowed."""
    value = given.pop(name, allowed[0])
    if value not in allowed:
        raise ValueError(f'"{name}" is one of {", ".join(allowed)}; got {value!r}.')
    return value


def flag(name: str, given: Fields) -> bool:
    """The field's truth value; false where it is missing."""
    value = given.pop(name, False)
    if not isinstance(value, bool):
        raise ValueError(f'"{name}" is true or false; got {value!r}.')
    return value


def texts(name: str, values: object) -> list[str]:
    """The texts of a list, without surrounding spaces."""
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise ValueError(f'"{name}" is a text or a list of texts; got {values!r}.')
    if sum(map(len, values)) > MAX_FIELD:
        raise ValueError(f'"{name}" is longer than {MAX_FIELD} characters.')
    return [value.strip() for value in values]


def tolerance(name: str, value: object) -> Fraction:
    """A largest difference, exactly as it was written."""
    largest = exact(name, value)
    if largest < 0:
        raise ValueError(f'"{name}" is a tolerance and not negative; got {value!r}.')
    return largest


def exact(name: str, value: object) -> Fraction:
    """A number of a declaration, exactly as it was written (0.1 is one tenth)."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return Fraction(Rational().read(str(value)))
        except AnswerError:
            pass
    raise ValueError(f'"{name}" is a number such as 0.01 or "1/3"; got {value!r}.')


def unknowns(given: Fields) -> Fields:
    """The fields of an expression that say which unknowns it may have, and where they are."""
    names = given.pop("variables", None)
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    if isinstance(names, Mapping):
        given.setdefault("domain", names)
        names = list(names)
    if names is not None:
        names = tuple(texts("variables", names))
        for name in names:
            if not is_variable_name(name):
                raise ValueError(f'"variables": {name[:40]!r} is no unknown such as x, x_1, theta.')
    return {"variables": names, "domain": _domain(given.pop("domain", None), names)}


def _domain(domain: object, names: tuple[str, ...] | None) -> numeric.Domain:
    if domain is None:
        return numeric.ANYWHERE
    if isinstance(domain, str | list) and names:
        domain = dict.fromkeys(names, domain)
    if not isinstance(domain, Mapping):
        raise ValueError(
            f'"domain" is an object such as {{"x": "positive"}} or {{"x": [0, 1]}}, or one word '
            f'beside "variables"; got {domain!r}.'
        )
    return numeric.Domain(tuple(sorted((str(n), _range(where)) for n, where in domain.items())))


def _range(where: object) -> numeric.Range:
    if isinstance(where, str) and (word := where.replace(" ", "_")) in _RANGES:
        return _RANGES[word]
    if isinstance(where, Mapping):
        where = [where.get("low", where.get("min")), where.get("high", where.get("max"))]
    if isinstance(where, list) and len(where) == 2:
        low, high = (None if end is None else exact("domain", end) for end in where)
        if low is None or high is None or low < high:
            return numeric.Range(low, high)
    raise ValueError(
        f"a domain is one of {', '.join(_RANGES)}, or [low, high] with null for no end; "
        f"got {where!r}."
    )


def one_unknown(given: Fields) -> Fields:
    """The field of an interval that names its unknown, if it was declared."""
    names = given.pop("variables", None)
    if names is None:
        return {}
    names = [names] if isinstance(names, str) else texts("variables", names)
    if len(names) != 1 or not is_variable_name(names[0]):
        raise ValueError(f'"variable" is one unknown such as x; got {names!r}.')
    return {"variable": names[0]}
