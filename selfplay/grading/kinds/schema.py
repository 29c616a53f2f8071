"""JSON as an answer: strict reading, a small subset of JSON Schema, equality by value.

Fed by declare. Refused: NaN, Infinity, duplicate keys, more than `MAX_DEPTH` levels, numbers of
more than `MAX_NUMBER` characters. Numbers are compared exactly (1, 1.0 and 1e0 are one number, as
in JSON Schema), true is not 1, objects have no order.
The subset: type (one name or a list), enum, const, anyOf, oneOf, allOf, not; properties, required,
additionalProperties, minProperties, maxProperties; items (one schema), minItems, maxItems,
uniqueItems; minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf; minLength, maxLength.
Titles and descriptions are passed over. One fence of ``` around the value is no part of it.
Any other keyword is refused when it is declared, not ignored: `pattern` would run a
regular expression of unknown cost.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import Reader
from selfplay.grading.mathematics.symbols import MAX_ANSWER
from selfplay.grading.mathematics.trial import Trial

MAX_DEPTH = 40
"""Deepest nesting of arrays and objects."""
MAX_NUMBER = 100
"""Longest number as written, in characters."""
MAX_EXPONENT = 400
"""Largest power of ten of a number."""

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) in (int, Fraction) and value.denominator == 1,
    "number": lambda value: type(value) in (int, Fraction),
    "string": lambda value: type(value) is str,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
}
_FENCE = re.compile(r"```(?:json)?\s*([^`]*)```", re.IGNORECASE)
_KEYWORDS = frozenset(
    "type enum const properties required additionalProperties items minItems maxItems uniqueItems "
    "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength "
    "minProperties maxProperties anyOf oneOf allOf not".split()
)
_REMARKS = frozenset("$schema $id $comment title description default examples format".split())


@dataclass(frozen=True)
class Json(Reader):
    """A JSON value that satisfies a schema and equals the gold."""

    name: ClassVar[str] = "json"

    schema: str = "{}"
    """The schema as JSON text, checked by `check_schema`."""

    def read(self, text: str) -> Any:
        """The value, of exact built-in types; numbers are int or Fraction.

        Raises:
            AnswerError: no JSON as stated at the head of this file, or against the schema.
        """
        value = parse(text)
        if (problem := violation(value, json.loads(self.schema))) is not None:
            raise AnswerError("against the schema", problem)
        return value

    def same(self, expected: Any, given: Any, trial: Trial) -> bool:
        """Whether the two values are equal, types included."""
        del trial
        return equal(expected, given)


def parse(text: str) -> Any:
    """Read one JSON value.

    Raises:
        AnswerError: no JSON, or beyond one of the limits of this module.
    """
    if len(text) > MAX_ANSWER:
        raise AnswerError("too long", f"{len(text)} characters; {MAX_ANSWER} are read")
    if sum(text.count(bracket) for bracket in "[{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise AnswerError("too deep", f"more than {MAX_DEPTH} arrays and objects in one another")
    if (fenced := _FENCE.fullmatch(text.strip())) is not None:
        text = fenced[1]
    try:
        return json.loads(
            text,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise AnswerError("not JSON", f"{error.msg} at character {error.pos}") from None


def equal(one: Any, other: Any) -> bool:
    """Whether two parsed values are equal; unlike ==, tells true from 1."""
    if type(one) is list:
        return (
            type(other) is list
            and len(one) == len(other)
            and all(equal(a, b) for a, b in zip(one, other, strict=True))
        )
    if type(one) is dict:
        return (
            type(other) is dict
            and one.keys() == other.keys()
            and all(equal(value, other[key]) for key, value in one.items())
        )
    if type(one) is bool or type(other) is bool:
        return one is other
    return one == other


def check_schema(schema: object) -> None:
    """Refuse what is not of the subset.

    Raises:
        ValueError: a keyword or a type that this module does not know.
    """
    if not isinstance(schema, Mapping):
        raise ValueError(f"a schema is a JSON object, not {schema!r}")
    if unknown := sorted(schema.keys() - _KEYWORDS - _REMARKS):
        raise ValueError(
            f"the schema keyword {unknown[0]!r} is not of the subset that is checked here, and "
            f"ignoring it would accept too much; known: {', '.join(sorted(_KEYWORDS))}."
        )
    types = schema.get("type", [])
    for name in [types] if isinstance(types, str) else types:
        if name not in _TYPES:
            raise ValueError(f"the schema type {name!r} is none of {', '.join(_TYPES)}.")
    inner = [schema[name] for name in ("items", "not") if name in schema]
    if not isinstance(others := schema.get("additionalProperties", True), bool):
        inner.append(others)
    for name in ("anyOf", "oneOf", "allOf"):
        inner.extend(schema.get(name, []))
    for part in [*inner, *schema.get("properties", {}).values()]:
        check_schema(part)


def violation(value: Any, schema: Mapping[str, Any]) -> str | None:
    """What a parsed value has against a checked schema, in words; None if nothing."""
    types = schema.get("type")
    if types is not None:
        names = [types] if isinstance(types, str) else types
        if not any(_TYPES[name](value) for name in names):
            return f"a value of type {' or '.join(names)} is wanted"
    if "const" in schema and not equal(value, _exact(schema["const"])):
        return "another constant is wanted"
    if "enum" in schema and not any(equal(value, _exact(known)) for known in schema["enum"]):
        return "none of the listed values"
    if (problem := _violation_of_parts(value, schema)) is not None:
        return problem
    if type(value) is dict:
        return _violation_of_object(value, schema)
    if type(value) is list:
        return _violation_of_array(value, schema)
    if type(value) is str:
        return _outside(len(value), schema, "minLength", "maxLength")
    if type(value) in (int, Fraction):
        return _violation_of_number(value, schema)
    return None


def _violation_of_parts(value: Any, schema: Mapping[str, Any]) -> str | None:
    """What is violated of the schemas that are joined by anyOf, oneOf, allOf and not."""
    for name, enough in (("anyOf", lambda n, _: n > 0), ("oneOf", lambda n, _: n == 1),
                         ("allOf", lambda n, total: n == total)):  # fmt: skip
        parts = schema.get(name)
        if parts is not None:
            held = sum(violation(value, part) is None for part in parts)
            if not enough(held, len(parts)):
                return f"{name} does not hold"
    if "not" in schema and violation(value, schema["not"]) is None:
        return "a value that is excluded"
    return None


def _violation_of_number(value: int | Fraction, schema: Mapping[str, Any]) -> str | None:
    if "exclusiveMinimum" in schema and value <= _exact(schema["exclusiveMinimum"]):
        return "not more than exclusiveMinimum"
    if "exclusiveMaximum" in schema and value >= _exact(schema["exclusiveMaximum"]):
        return "not less than exclusiveMaximum"
    if "multipleOf" in schema and Fraction(value) % _exact(schema["multipleOf"]) != 0:
        return "no multiple of what is wanted"
    return _outside(value, schema, "minimum", "maximum")


def _violation_of_object(value: dict[str, Any], schema: Mapping[str, Any]) -> str | None:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            return f"the property {name!r} is missing"
    others = schema.get("additionalProperties", True)
    for name, inner in value.items():
        if name not in properties and others is False:
            return f"the property {name[:40]!r} is not allowed"
        wanted = properties.get(name, {} if others is True else others)
        if (problem := violation(inner, wanted)) is not None:
            return f"{name[:40]}: {problem}"
    return _outside(len(value), schema, "minProperties", "maxProperties")


def _violation_of_array(value: list[Any], schema: Mapping[str, Any]) -> str | None:
    for inner in value:
        if (problem := violation(inner, schema.get("items", {}))) is not None:
            return f"an item: {problem}"
    if schema.get("uniqueItems", False):
        if any(equal(a, b) for i, a in enumerate(value) for b in value[:i]):
            return "two items are equal"
    return _outside(len(value), schema, "minItems", "maxItems")


def _outside(size: Any, schema: Mapping[str, Any], least: str, most: str) -> str | None:
    if least in schema and size < _exact(schema[least]):
        return f"less than {least} {schema[least]}"
    if most in schema and size > _exact(schema[most]):
        return f"more than {most} {schema[most]}"
    return None


def _exact(value: Any) -> Any:
    """A value of a schema with its numbers as they were written."""
    return parse(json.dumps(value))


def _number(text: str) -> int | Fraction:
    if len(text) > MAX_NUMBER:
        raise AnswerError("too large", f"a number of {len(text)} characters")
    mantissa, _, shift = text.lower().partition("e")
    if abs(int(shift or 0)) > MAX_EXPONENT:
        raise AnswerError("too large", f"a power of ten above {MAX_EXPONENT}")
    value = Fraction(mantissa) * Fraction(10) ** int(shift or 0)
    return int(value) if value.denominator == 1 else value


def _refuse_constant(text: str) -> Any:
    raise AnswerError("not JSON", f"{text} is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AnswerError("not JSON", "the same key twice in one object")
    return found


def _depth(text: str) -> int:
    """An upper bound of the nesting; brackets inside strings count too."""
    depth = deepest = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest
