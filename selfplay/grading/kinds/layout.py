r"""Taking a normalised text apart at its top level: lists, brackets, relations, rows of a matrix.

Fed by the readers of the kinds. A place is at the top level if no bracket and no \begin is open
there; brackets are counted without regard to their kind, since [0, 1) is an interval. One pass over
the text each; no part of it is computed here.
"""

import re

from selfplay.grading.answers import AnswerError
from selfplay.problem import Outcome

MAX_DEPTH = 60
"""Most brackets in one another."""

_MARK = re.compile(
    r"\\begin|\\end|\\cup|[(\[{}\])]|<=|>=|=<|=>|!=(?!=)|==?|<|>|\\in(?![A-Za-z])|[,;]|\b(?:or|and)\b"
)
_OPENS = frozenset(["(", "[", "{", "\\begin"])
_CLOSES = frozenset([")", "]", "}", "\\end"])
_SAME_RELATION = {"==": "=", "=<": "<=", "=>": ">="}
RELATIONS = frozenset(["=", "!=", "<", "<=", ">", ">="])
_UNKNOWN = re.compile(
    r"(?:\\?(?:[A-Za-z]|alpha|beta|gamma|delta|theta|lambda|mu|sigma|tau|phi|omega)"
    r"(?:_(?:[A-Za-z0-9]|\{[A-Za-z0-9]{1,8}\}))?)"
)
_FUNCTION = re.compile(r"[A-Za-z](?:'|\^\{?-1\}?)?\([A-Za-z](?:,[A-Za-z])*\)")
_TERM = re.compile(r"[A-Za-z]_(?:[A-Za-z]|\{[A-Za-z](?:[+-][0-9])?\})")
_MATRIX = re.compile(
    r"\\begin *\{(p|b|B|small|psmall|bsmall|)matrix\}(.*)\\end *\{\1matrix\}", re.DOTALL
)
_ARRAY = re.compile(
    r"\\begin *\{array\} *\{[lcr| ]{1,60}\}(.*)\\end *\{array\}"
    r"|\\begin *\{matrix\}(.*)\\end *\{matrix\}",
    re.DOTALL,
)
_ROW_END = re.compile(r"\\\\(?:\[[0-9a-z. ]{1,9}\])?|\\cr(?![a-z])")
_QUOTED = re.compile(r"([\"'])([^\"']*)\1")
_PLUS_MINUS = re.compile(r"\\pm(?![A-Za-z])")
_MINUS_PLUS = re.compile(r"\\mp(?![A-Za-z])")
_HEDGE = re.compile(r"\\(?:pm|mp)(?![A-Za-z])|\b(?:or|and|either|versus|vs)\b")


def split(text: str, *separators: str) -> list[str]:
    """The parts of a text between separators at the top level, without surrounding spaces."""
    parts = []
    start = 0
    for mark in marks(text):
        if mark[0] in separators:
            parts.append(text[start : mark.start()].strip())
            start = mark.end()
    parts.append(text[start:].strip())
    return parts


def relations(text: str) -> tuple[list[str], list[str]]:
    """The sides and the relations between them: 0 < x <= 5 has three sides and two relations."""
    sides = []
    found = []
    start = 0
    for mark in marks(text):
        relation = _SAME_RELATION.get(mark[0], mark[0])
        if relation in RELATIONS or relation == "\\in":
            sides.append(text[start : mark.start()].strip())
            found.append(relation)
            start = mark.end()
    sides.append(text[start:].strip())
    return sides, found


def marks(text: str) -> list[re.Match[str]]:
    """The separators, relations and connectives at the top level, in order."""
    found = []
    depth = 0
    for mark in _MARK.finditer(text):
        if mark[0] in _OPENS:
            depth += 1
            if depth > MAX_DEPTH:
                raise AnswerError("too deep", f"more than {MAX_DEPTH} brackets in one another")
        elif mark[0] in _CLOSES:
            depth -= 1
        elif depth == 0:
            found.append(mark)
    return found


def enclosed(text: str, opening: str = "([{") -> tuple[str, str, str] | None:
    r"""The first bracket, the inside and the last bracket of a text that is one bracketed group.

    `\{` and `\}` count as `{` and `}`; round and square brackets may be mixed, as in [0, 1).
    """
    first = text[1:2] if text.startswith("\\{") else text[:1]
    if not first or first not in opening or text[-1] not in ")]}":
        return None
    depth = 0
    for mark in _MARK.finditer(text):
        depth += (mark[0] in _OPENS) - (mark[0] in _CLOSES)
        if depth == 0 and mark[0] in _CLOSES and mark.end() != len(text):
            return None
    if depth != 0 or (first == "{") != (text[-1] == "}"):
        return None
    inside = text[1:-1] if text[0] != "\\" else text[2:-2]
    return first, inside.strip(), text[-1]


def has_sign(text: str) -> bool:
    r"""Whether a text has a \pm that stands for two values; \pmod and \pmb are other words."""
    return _PLUS_MINUS.search(text) is not None or _MINUS_PLUS.search(text) is not None


def signs(text: str) -> list[str]:
    r"""The two readings of a text with one \pm, else the text alone."""
    found = _PLUS_MINUS.findall(text)
    if not found and len(_MINUS_PLUS.findall(text)) == 1:
        return [_MINUS_PLUS.sub("-", text), _MINUS_PLUS.sub("+", text)]
    if not found and _MINUS_PLUS.search(text) is None:
        return [text]
    if len(found) > 1 or _MINUS_PLUS.search(text):
        raise AnswerError("several values", "more than one sign ±", Outcome.AMBIGUOUS)
    return [_PLUS_MINUS.sub("+", text), _PLUS_MINUS.sub("-", text)]


def is_unknown(text: str, names: frozenset[str] = frozenset()) -> bool:
    r"""Whether a text is one bare unknown: a letter, \theta, x_1, or one of the declared names."""
    return text in names or _UNKNOWN.fullmatch(text) is not None


def is_variable_name(text: str) -> bool:
    """Whether a text can be declared as an unknown."""
    return is_unknown(text) or (text.isascii() and text.isalpha() and len(text) <= 20)


def is_function(text: str) -> bool:
    """Whether a text is f(x) or g(x, y): the left side of a definition."""
    return _FUNCTION.fullmatch(text.replace(" ", "")) is not None


def is_term(text: str) -> bool:
    """Whether a text is a_n or a_{n+1}: the term of a sequence, on the left of its definition."""
    return _TERM.fullmatch(text.replace(" ", "")) is not None


def assigned(text: str) -> str:
    """The right side of `A = ...` or `(x, y) = ...`; any other text as it is."""
    sides, found = relations(text)
    if found != ["="]:
        return text
    group = enclosed(sides[0], "(")
    names = split(group[1], ",") if group is not None else [sides[0]]
    return sides[1] if all(is_unknown(name) for name in names) else text


def one_value(text: str, names: frozenset[str] = frozenset()) -> str:
    """The text of the value in a scalar answer: all of it, or the right side of `x = ...`.

    Args:
        text: normalised text.
        names: the unknowns of the wanted expression: `y = 2x` gives 2x, but `x = 2x` is refused.
    Raises:
        AnswerError: ambiguous, for two values: a list, a hedge, a sign ±, a chain of equalities.
    """
    found = marks(text)
    if any(mark[0] in (",", ";") for mark in found) or _HEDGE.search(text):
        raise AnswerError("several values", f"{text[:60]!r} is a list", Outcome.AMBIGUOUS)
    if not found:
        return text
    sides, relation = relations(text)
    if relation == ["="] and sides[0] not in names:
        if is_unknown(sides[0]) or is_function(sides[0]):
            return sides[1]
    if "=" in relation:
        raise AnswerError("several values", f"{text[:60]!r} is a chain", Outcome.AMBIGUOUS)
    raise AnswerError("not a value", f"{text[:60]!r} is a relation or a union")


def latex_rows(text: str) -> list[list[str]]:
    """The cells of a LaTeX matrix.

    Raises:
        AnswerError: it is none.
    """
    group = enclosed(text, "([")
    inside = text if group is None else group[1]  # its own brackets, or one more pair
    if (matrix := _MATRIX.fullmatch(inside)) is not None:
        return _cells(matrix[2])
    if (array := _ARRAY.fullmatch(inside)) is not None:
        return _cells(array[1] or array[2])
    raise AnswerError("not a matrix", f"{text[:40]!r} is no matrix of LaTeX")


def unquoted(parts: list[str]) -> list[str]:
    """The parts without quotation marks, as in ["red", "blue"], if all have them."""
    quoted = [_QUOTED.fullmatch(part) for part in parts]
    return [mark[2] for mark in quoted if mark is not None] if all(quoted) else parts


def _cells(body: str) -> list[list[str]]:
    rows = [row for row in _ROW_END.split(body) if row.strip()]
    if not rows or "\\begin" in body:
        raise AnswerError("not a matrix", "no rows, or a matrix inside a matrix")
    return [[cell.strip() for cell in row.split("&")] for row in rows]
