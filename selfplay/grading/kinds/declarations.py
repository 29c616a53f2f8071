"""Declarations of kinds: a JSON object with "kind" and the kind's own fields -> a Kind.

Fed by grade, the environments and everyone who declares a kind; fields.py and options.py read the
single fields. Everything is checked here, once, with messages that say what was given, why it
cannot be and what to do; kinds trust their fields afterwards.
"""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from selfplay.grading.kinds import spellings
from selfplay.grading.kinds.congruences import Congruence
from selfplay.grading.kinds.containers import Matrix, Tuple
from selfplay.grading.kinds.equations import Equation
from selfplay.grading.kinds.fields import (
    Fields,
    exact,
    flag,
    one_of,
    one_unknown,
    texts,
    tolerance,
    unknowns,
)
from selfplay.grading.kinds.inference import Auto
from selfplay.grading.kinds.kind import Kind
from selfplay.grading.kinds.options import choice
from selfplay.grading.kinds.realsets import Interval
from selfplay.grading.kinds.scalars import Decimal, Integer, Rational
from selfplay.grading.kinds.schema import Json, check_schema
from selfplay.grading.kinds.sets import Multiset, Set, Unordered
from selfplay.grading.kinds.symbolic import Expression, Polynomial
from selfplay.grading.kinds.words import Text, Truth


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
    words = (word for word, same in spellings.SAME_FIELDS.items() if same in _FIELDS[name])
    known = [*_FIELDS[name], *words]
    near = difflib.get_close_matches(field[:40], known, n=1, cutoff=0.75)
    if misplaced or near:
        raise ValueError(
            f"a kind {name!r} has no field {field[:40]!r}; it has "
            f"{', '.join(_FIELDS[name]) or 'none'}."
        )


def _marks(given: Fields) -> Fields:
    """The fields that all kinds with one value have."""
    unit = given.pop("unit", ())
    units = (unit,) if isinstance(unit, str) else tuple(texts("unit", unit))
    given["percent"] = spellings.PERCENT.get(given.get("percent", False), given.get("percent"))
    percent = one_of("percent", given, ("refuse", "as_fraction", "same_number"))
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
            fields[name] = tolerance(name, given[name])
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
    bound = given.get("absolute")
    if isinstance(bound, Mapping):
        del given["absolute"]
        given.update(
            (spellings.SAME_FIELDS.get(str(n), str(n)), value) for n, value in bound.items()
        )
    elif isinstance(bound, str) and bound.endswith("%"):
        del given["absolute"]
        given["relative"] = str(exact("tolerance", bound[:-1]) / 100)


def _expression(given: Fields) -> Kind:
    functions = given.pop("functions", None)
    allowed = None if functions is None else tuple(texts("functions", functions))
    prove = flag("prove", given)
    return Expression(**_marks(given), **unknowns(given), functions=allowed, prove=prove)


def _polynomial(given: Fields) -> Kind:
    form = one_of("form", given, ("any", "expanded"))
    return Polynomial(**_marks(given), **unknowns(given), expanded=form == "expanded")


def _truth(given: Fields) -> Kind:
    del given
    return Truth()


def _case(given: Fields) -> None:
    """`case_sensitive`, `ignore_case` and words for ignoring it as other ways to say `case`."""
    if given.get("case") in ("lower", "insensitive", "fold", "upper"):
        given["case"] = "ignore"
    for name, ignored in (("case_sensitive", False), ("ignore_case", True)):
        if name in given:
            given["case"] = "ignore" if flag(name, given) is ignored else "exact"


def _text(given: Fields) -> Kind:
    _case(given)
    words = given.pop("normaliser", [])
    if isinstance(words, Mapping):
        given.update(words)
        words = []
    if isinstance(words, str):
        words = words.replace("+", " ").replace(",", " ").split()
    words = texts("normaliser", words)
    for word in [*words, *(name for name in spellings.NORMALISERS if given.get(name) is True)]:
        if word not in spellings.NORMALISERS:
            raise ValueError(
                f'"normaliser" is made of {", ".join(spellings.NORMALISERS)}; got {word[:40]!r}.'
            )
        given |= spellings.NORMALISERS[word]
    return Text(
        case=one_of("case", given, ("exact", "ignore")),
        whitespace=one_of("whitespace", given, ("collapse", "exact", "remove")),
        punctuation=one_of("punctuation", given, ("exact", "ignore_final", "ignore")),
        latex=flag("latex", given),
    )


def _element(given: Fields) -> Fields:
    element = given.pop("element", None)
    bounds = {n: given.pop(n) for n in ("absolute", "relative", "places") if n in given}
    if element is None and not bounds:
        return {"element": None}
    if element is None:
        element = {"kind": "decimal"}
    if isinstance(element, str):
        element = {"kind": element}
    if not isinstance(element, Mapping):
        raise ValueError(f'"element" is the name or the declaration of a kind; got {element!r}.')
    return {"element": declare({**element, **bounds}).part()}


def _tuple(given: Fields) -> Kind:
    if not _ordered(given):
        return Unordered(**_element(given))
    names = given.pop("variables", None)
    return Tuple(**_element(given), names=tuple(texts("variables", names)) if names else ())


def _ordered(given: Fields) -> bool:
    return flag("ordered", given) if "ordered" in given else True


def _multiset(given: Fields) -> Kind:
    return Multiset(**_element(given))


def _set(given: Fields) -> Kind:
    return Set(**_element(given))


def _matrix(given: Fields) -> Kind:
    return Matrix(**_element(given))


def _interval(given: Fields) -> Kind:
    return Interval(**one_unknown(given))


def _solution_set(given: Fields) -> Kind:
    return replace(_equation(given), solved=True)


def _equation(given: Fields) -> Equation:
    names = given.pop("variables", None)
    if isinstance(names, str):
        names = [names]
    return Equation(None if names is None else tuple(texts("variables", names)))


def _json(given: Fields) -> Kind:
    schema = given.pop("schema", {})
    check_schema(schema)
    return Json(json.dumps(schema, sort_keys=True))


def _auto(given: Fields) -> Kind:
    """Inferred from the gold, within what the fields already tell."""
    if "options" in given:
        return choice(given)
    if "schema" in given:
        return _json(given)
    if any(name in given for name in ("absolute", "relative", "places", "figures")):
        return Auto(_decimal(given))
    marked = "unit" in given or "percent" in given
    return Auto(_expression(given) if marked else None)


_MAKERS: dict[str, Callable[[Fields], Kind]] = {
    "integer": _integer, "rational": _rational, "decimal": _decimal, "expression": _expression,
    "polynomial": _polynomial, "equation": _equation, "solution_set": _solution_set,
    "tuple": _tuple, "set": _set, "multiset": _multiset, "interval": _interval,
    "matrix": _matrix, "congruence": lambda given: Congruence(**one_unknown(given)),
    "truth": _truth, "choice": choice, "text": _text, "json": _json,
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
    "congruence": ("variable",),
    "matrix": ("element",), "truth": (), "choice": ("options",),
    "text": ("case", "whitespace", "punctuation", "latex", "normaliser", "case_sensitive",
             "ignore_case"),
    "json": ("schema",), "percentage": _SCALAR,
    "auto": (*_SCALAR, "absolute", "relative", "places", "figures", "options", "schema"),
}  # fmt: skip
