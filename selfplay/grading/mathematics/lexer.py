"""Text -> symbols of mathematics: numbers, names, commands, single characters.

Feeds notation.py, with text that symbols.py has normalised. `sinx` is sin and x, `xy` is x and y;
a word with more than three letters that are no known names is prose and refused.
"""

import re
from fractions import Fraction

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics.symbols import ALIASES, WORDS

MAX_TOKENS = 600
"""Most numbers, names, operators and parentheses of one expression."""
MAX_DIGITS = 1_000
"""Most digits in one number as written."""
MAX_WORD = 40
"""Longest run of letters; it is a name, or a product of names and letters."""
MAX_SHIFT = 400
"""Largest power of ten of a number in scientific notation such as 1e-5."""

END = ""
"""Follows the last symbol."""

_TOKEN = re.compile(
    r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?"
    r"|\\[A-Za-z]+|\\.|log(?:2|10)(?=\()|[A-Za-z]+|\*\*|\S"
)


def number(text: str) -> int | Fraction:
    """The exact value of digits with at most one point and one exponent.

    Raises:
        AnswerError: more than `MAX_DIGITS` digits or a shift above `MAX_SHIFT`.
    """
    if len(text) > MAX_DIGITS + 6:
        raise AnswerError("too large", f"a number of {len(text)} characters")
    if text.isdigit():
        return int(text)
    mantissa, _, shift = text.replace("E", "e").partition("e")
    whole, _, places = mantissa.partition(".")
    if abs(int(shift or 0)) > MAX_SHIFT:
        raise AnswerError("too large", f"a power of ten above {MAX_SHIFT}")
    return Fraction(int(f"{whole}{places}" or 0)) * Fraction(10) ** (int(shift or 0) - len(places))


def symbols_of(text: str, names: frozenset[str] | None) -> list[str]:
    """The symbols of a text, then `END`; a run of letters is split into the names it is made of.

    Args:
        text: normalised text.
        names: the unknowns, if declared.
    Returns:
        Numbers, names without backslash, commands with it, and single characters.
    Raises:
        AnswerError: more than `MAX_TOKENS`, or a word that is no product of names and letters.
    """
    tokens = _TOKEN.findall(text)
    if len(tokens) > MAX_TOKENS:
        raise AnswerError("too long", f"{len(tokens)} symbols; at most {MAX_TOKENS} are read")
    apart: list[str] = []
    for token in tokens:
        if len(token) > 1 and (token.isalpha() or token[0] == "\\"):
            apart.extend(_symbols(token, names))
        else:
            apart.append(token)
    apart.append(END)
    return apart


def _symbols(token: str, names: frozenset[str] | None) -> list[str]:
    word = token.lstrip("\\")
    if names and word in names:
        return [word]
    if word in WORDS:
        return [ALIASES.get(word, word)]
    if token[0] == "\\":
        return [token]
    if len(word) > MAX_WORD:
        raise AnswerError("not mathematics", f"the word {word[:40]!r}")
    found: list[str] = []
    position = 0
    while position < len(word):
        length = max(
            (len(name) for name in WORDS | (names or set()) if word.startswith(name, position)),
            default=1,
        )
        found.append(word[position : position + length])
        position += length
    letters = [name for name in found if len(name) == 1]
    if len(letters) > 3 and not (names and names.issuperset(letters)):
        raise AnswerError("not mathematics", f"the word {word[:40]!r}")
    return [ALIASES.get(name, name) for name in found]
