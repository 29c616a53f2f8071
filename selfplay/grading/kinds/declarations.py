"""Declarations of kinds: a JSON object with "kind" and the kind's own fields -> a Kind.

Fed by kinds.py. Everything is checked here, once, with messages that say what was given, why it
cannot be and what to do; kinds trust their fields afterwards.
"""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds import spellings
from selfplay.grading.kinds.containers import Matrix, Multiset, Set, Tuple, Unordered
from selfplay.grading.kinds.equations import Equation
from selfplay.grading.kinds.inference import LETTERS, Auto
from selfplay.grading.kinds.kind import MAX_FIELD, Kind
from selfplay.grading.kinds.realsets import Interval
from selfplay.grading.kinds.scalars import (
    Decimal,
    Expression,
    Integer,
    Polynomial,
    Rational,
    is_variable_name,
)
from selfplay.grading.kinds.schema import Json, check_schema
from selfplay.grading.kinds.words import Choice, Text, Truth
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

_MARKED_OPTION = re.compile(r"\(?([A-Za-z])(?:\)[.:]?|[.:])\s*(.*)", re.DOTALL)


def declare(fields: Mapping[str, object]) -> Kind:
    """The kind of answer that a declaration asks for.

    Args:
        fields: "kind", a name or an alias, and the kind's own fields; an element kind is a name
            or a declaration of its own. What else a row of a file carries ("id", "gold", a note)
            is passed over, unless it looks like a misspelt field or is one of another kind.
    Returns:
        A frozen, hashable kind.
    Raises:
        ValueError: an unknown kind, a field of another kind, or a field that cannot be.
    """
    given = {
        spellings.SAME_FIELDS.get(n, n): value for n, value in fields.items() if value is not None
    }
    word = given.pop("kind", None)
    if not isinstance(word, str):
        raise ValueError(f'a declaration needs "kind": a word such as "integer"; got {word!r}.')
    name = word.strip().lower().replace(" ", "_").replace("-", "_")
    name = spellings.ALIASES.get(name, name)
    if name not in _MAKERS:
        near = difflib.get_close_matches(name[:40], [*_MAKERS, *spellings.ALIASES], n=1, cutoff=0.0)
        raise ValueError(
            f"there is no kind of answer {word[:40]!r}; the nearest is {near[0]!r}. "
            f"Kinds: {', '.join(_MAKERS)}."
        )
    maker = _MAKERS[name]
    kind = maker(given)
    for field in given:
        _check_foreign(field, name)
    return kind


def _check_foreign(field: str, name: str) -> None:
    """Refuse a field that was probably meant for the kind; a row may carry others, as "id"."""
    misplaced = any(field in fields for fields in _FIELDS.values())
    near = difflib.get_close_matches(field[:40], _FIELDS[name], n=1, cutoff=0.75)
    if misplaced or near:
        raise ValueError(
            f"a kind {name!r} has no field {field[:40]!r}; it has "
            f"{', '.join(_FIELDS[name]) or 'none'}."
        )


def _marks(given: Fields) -> Fields:
    """The fields that all kinds with one value have."""
    unit = given.pop("unit", ())
    units = (unit,) if isinstance(unit, str) else tuple(_texts("unit", unit))
    given["percent"] = spellings.PERCENT.get(given.get("percent", False), given.get("percent"))
    percent = _one_of("percent", given, ("refuse", "as_fraction", "same_number"))
    if "%" in units:
        units = (*units, "percent")
    if not all(units):
        raise ValueError('"unit" is empty; leave it out where no unit may follow the number.')
    return {"unit": units, "percent": percent}


def _integer(given: Fields) -> Kind:
    return Integer(**_marks(given))


def _rational(given: Fields) -> Kind:
    return Rational(**_marks(given))


def _percentage(given: Fields) -> Kind:
    return _rational({"percent": "same_number"} | given)


def _decimal(given: Fields) -> Kind:
    fields = _marks(given)
    _spread_tolerance(given)
    for name in ("absolute", "relative"):
        if given.get(name) is not None:
            fields[name] = _tolerance(name, given[name])
        given.pop(name, None)
    if "absolute" in fields and "relative" not in fields:
        fields["relative"] = Fraction(0)
    figures = given.pop("figures", None)
    if figures is not None:
        if not isinstance(figures, int) or not 1 <= figures <= 100:
            raise ValueError(f'"figures" is a number of digits from 1 to 100, not {figures!r}.')
        fields |= {"figures": figures, "relative": Fraction(0)}
    places = given.pop("places", None)
    if places is not None:
        if not isinstance(places, int) or not 0 <= places <= 100:
            raise ValueError(f'"places" is a number of decimals from 0 to 100, not {places!r}.')
        fields |= {"absolute": Fraction(1, 2 * 10**places), "relative": Fraction(0)}
    return Decimal(**fields)


def _spread_tolerance(given: Fields) -> None:
    """A tolerance of {"abs": ..., "rel": ...} or of "1%" -> the fields that it stands for."""
    tolerance = given.get("absolute")
    if isinstance(tolerance, Mapping):
        del given["absolute"]
        given.update(
            (spellings.SAME_FIELDS.get(str(n), str(n)), value) for n, value in tolerance.items()
        )
    elif isinstance(tolerance, str) and tolerance.endswith("%"):
        del given["absolute"]
        given["relative"] = str(_exact("tolerance", tolerance[:-1]) / 100)


def _expression(given: Fields) -> Kind:
    functions = given.pop("functions", None)
    allowed = None if functions is None else tuple(_texts("functions", functions))
    prove = _flag("prove", given)
    return Expression(**_marks(given), **_unknowns(given), functions=allowed, prove=prove)


def _polynomial(given: Fields) -> Kind:
    form = _one_of("form", given, ("any", "expanded"))
    return Polynomial(**_marks(given), **_unknowns(given), expanded=form == "expanded")


def _unknowns(given: Fields) -> Fields:
    names = given.pop("variables", None)
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    if isinstance(names, Mapping):
        given.setdefault("domain", names)
        names = list(names)
    if names is not None:
        names = tuple(_texts("variables", names))
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
        low, high = (None if end is None else _exact("domain", end) for end in where)
        if low is None or high is None or low < high:
            return numeric.Range(low, high)
    raise ValueError(
        f"a domain is one of {', '.join(_RANGES)}, or [low, high] with null for no end; "
        f"got {where!r}."
    )


def _truth(given: Fields) -> Kind:
    del given
    return Truth()


def _pairs(options: object) -> list[tuple[str, str]]:
    """Labels with texts, of a list: `(A) 5`, `A`, or words, which are also known as A, B, C."""
    if isinstance(options, str):
        options = options.replace(",", " ").split()
        options = list(options[0]) if len(options) == 1 else options
    if isinstance(options, list):
        objects = [one for one in options if isinstance(one, Mapping)]
        if len(objects) == len(options):
            return [(str(one.get("label", "")), str(one.get("text", ""))) for one in objects]
        options = [str(one) if type(one) in (int, float) else one for one in options]
    words = _texts("options", options)
    marked = [_MARKED_OPTION.fullmatch(word) for word in words]
    if all(marked):
        return [(mark[1], mark[2]) for mark in marked if mark is not None]
    if len(words) > 26 or any(len(word) == 1 and not word.isdigit() for word in words):
        return [(word, "") for word in words]
    return [(chr(ord("A") + index), word) for index, word in enumerate(words)]


def _choice(given: Fields) -> Kind:
    options = given.pop("options", None)
    if options is None:
        return LETTERS
    if isinstance(options, int) and 2 <= options <= 26:
        options = [chr(ord("A") + index) for index in range(options)]
    if isinstance(options, Mapping):
        pairs = [(str(label), str(words)) for label, words in options.items()]
    else:
        pairs = _pairs(options)
    labels = {label.casefold() for label, _ in pairs}
    known = {words.casefold() for _, words in pairs if words}
    doubled = len(labels) < len(pairs) or (known and len(known) < len(pairs))
    if doubled or len(pairs) < 2 or "" in labels:
        raise ValueError(
            f'"options" are two or more different labels, upper and lower case being the same, or '
            f"an object from labels to texts; got {options!r}."
        )
    return Choice(tuple((label, " ".join(words.casefold().split())) for label, words in pairs))


def _case(given: Fields) -> None:
    """`case_sensitive`, `ignore_case` and words for ignoring it as other ways to say `case`."""
    if given.get("case") in ("lower", "insensitive", "fold", "upper"):
        given["case"] = "ignore"
    for name, ignored in (("case_sensitive", False), ("ignore_case", True)):
        if name in given:
            given["case"] = "ignore" if _flag(name, given) is ignored else "exact"


def _text(given: Fields) -> Kind:
    _case(given)
    words = given.pop("normaliser", [])
    if isinstance(words, Mapping):
        given.update(words)
        words = []
    if isinstance(words, str):
        words = words.replace("+", " ").replace(",", " ").split()
    words = _texts("normaliser", words)
    for word in [*words, *(name for name in spellings.NORMALISERS if given.get(name) is True)]:
        if word not in spellings.NORMALISERS:
            raise ValueError(
                f'"normaliser" is made of {", ".join(spellings.NORMALISERS)}; got {word[:40]!r}.'
            )
        given |= spellings.NORMALISERS[word]
    return Text(
        case=_one_of("case", given, ("exact", "ignore")),
        whitespace=_one_of("whitespace", given, ("collapse", "exact", "remove")),
        punctuation=_one_of("punctuation", given, ("exact", "ignore_final", "ignore")),
        latex=_flag("latex", given),
    )


def _element(given: Fields) -> Fields:
    element = given.pop("element", None)
    tolerance = {n: given.pop(n) for n in ("absolute", "relative", "places") if n in given}
    if element is None and not tolerance:
        return {"element": None}
    if element is None:
        element = {"kind": "decimal"}
    if isinstance(element, str):
        element = {"kind": element}
    if not isinstance(element, Mapping):
        raise ValueError(f'"element" is the name or the declaration of a kind; got {element!r}.')
    return {"element": declare({**element, **tolerance}).part()}


def _tuple(given: Fields) -> Kind:
    if not _ordered(given):
        return Unordered(**_element(given))
    names = given.pop("variables", None)
    return Tuple(**_element(given), names=tuple(_texts("variables", names)) if names else ())


def _ordered(given: Fields) -> bool:
    return _flag("ordered", given) if "ordered" in given else True


def _multiset(given: Fields) -> Kind:
    return Multiset(**_element(given))


def _set(given: Fields) -> Kind:
    return Set(**_element(given))


def _matrix(given: Fields) -> Kind:
    return Matrix(**_element(given))


def _one_unknown(given: Fields) -> Fields:
    names = given.pop("variables", None)
    if names is None:
        return {}
    names = [names] if isinstance(names, str) else _texts("variables", names)
    if len(names) != 1 or not is_variable_name(names[0]):
        raise ValueError(f'"variable" is one unknown such as x; got {names!r}.')
    return {"variable": names[0]}


def _interval(given: Fields) -> Kind:
    return Interval(**_one_unknown(given))


def _solution_set(given: Fields) -> Kind:
    return replace(_equation(given), solved=True)


def _equation(given: Fields) -> Equation:
    names = given.pop("variables", None)
    if isinstance(names, str):
        names = [names]
    return Equation(None if names is None else tuple(_texts("variables", names)))


def _json(given: Fields) -> Kind:
    schema = given.pop("schema", {})
    check_schema(schema)
    return Json(json.dumps(schema, sort_keys=True))


def _auto(given: Fields) -> Kind:
    """Inferred from the gold, within what the fields already tell."""
    if "options" in given:
        return _choice(given)
    if "schema" in given:
        return _json(given)
    if any(name in given for name in ("absolute", "relative", "places", "figures")):
        return Auto(_decimal(given))
    marked = "unit" in given or "percent" in given
    return Auto(_expression(given) if marked else None)


def _one_of(name: str, given: Fields, allowed: tuple[str, ...]) -> Any:
    """The field's value, or the first of those allowed."""
    value = given.pop(name, allowed[0])
    if value not in allowed:
        raise ValueError(f'"{name}" is one of {", ".join(allowed)}; got {value!r}.')
    return value


def _flag(name: str, given: Fields) -> bool:
    value = given.pop(name, False)
    if not isinstance(value, bool):
        raise ValueError(f'"{name}" is true or false; got {value!r}.')
    return value


def _texts(name: str, values: object) -> list[str]:
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise ValueError(f'"{name}" is a text or a list of texts; got {values!r}.')
    if sum(map(len, values)) > MAX_FIELD:
        raise ValueError(f'"{name}" is longer than {MAX_FIELD} characters.')
    return [value.strip() for value in values]


def _tolerance(name: str, value: object) -> Fraction:
    tolerance = _exact(name, value)
    if tolerance < 0:
        raise ValueError(f'"{name}" is a tolerance and not negative; got {value!r}.')
    return tolerance


def _exact(name: str, value: object) -> Fraction:
    """A number of a declaration, exactly as it was written (0.1 is one tenth)."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return Fraction(Rational().read(str(value)))
        except AnswerError:
            pass
    raise ValueError(f'"{name}" is a number such as 0.01 or "1/3"; got {value!r}.')


_MAKERS: dict[str, Callable[[Fields], Kind]] = {
    "integer": _integer, "rational": _rational, "decimal": _decimal, "expression": _expression,
    "polynomial": _polynomial, "equation": _equation, "solution_set": _solution_set,
    "tuple": _tuple, "set": _set, "multiset": _multiset, "interval": _interval,
    "matrix": _matrix, "truth": _truth, "choice": _choice, "text": _text, "json": _json,
    "auto": _auto, "percentage": _percentage,
}  # fmt: skip
_SCALAR = ("unit", "percent")
_FIELDS: dict[str, tuple[str, ...]] = {
    "integer": _SCALAR, "rational": _SCALAR,
    "decimal": (*_SCALAR, "absolute", "relative", "places", "figures"),
    "expression": (*_SCALAR, "variables", "domain", "functions", "prove"),
    "polynomial": (*_SCALAR, "variables", "domain", "form"), "equation": ("variables",),
    "solution_set": ("variables",), "tuple": ("element", "variables", "ordered"),
    "set": ("element",), "multiset": ("element",), "interval": ("variable",),
    "matrix": ("element",), "truth": (), "choice": ("options",),
    "text": ("case", "whitespace", "punctuation", "latex", "normaliser", "case_sensitive",
             "ignore_case"),
    "json": ("schema",), "percentage": _SCALAR,
    "auto": (*_SCALAR, "absolute", "relative", "options", "schema"),
}  # fmt: skip
