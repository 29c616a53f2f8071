"""A place in the symbols of a text, and what is read there without nesting: numbers, subscripts.

notation.py reads the grammar on top of it; the symbols are those of lexer.py.
"""

from fractions import Fraction

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics.lexer import number
from selfplay.grading.mathematics.trees import Number


class Cursor:
    """The symbols of a text and how many of them are read; each method reads from there on."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self.text = text
        self.tokens = tokens
        self.position = 0

    @property
    def token(self) -> str:
        """The next symbol."""
        return self.tokens[self.position]

    def error(self, wanted: str) -> AnswerError:
        """What is wrong with the next symbol."""
        found = repr(self.token) if self.token else "the end"
        return AnswerError(
            "not mathematics",
            f"{self.text[:60]!r}: expected {wanted}, found {found} as symbol {self.position + 1}",
        )

    def take(self, wanted: str) -> None:
        """Go past one symbol, which must be there."""
        if self.token != wanted:
            raise self.error(repr(wanted))
        self.position += 1

    def number(self) -> Number:
        """A written number, with the digits that repeat."""
        text = self.tokens[self.position]
        self.position += 1
        if text.isdigit():
            return Number(number(text))
        if self.token == "\\overline" and "." in text and "e" not in text.lower():
            return self.repeating(text)
        if text.endswith("."):
            raise self.error("a digit after the decimal point")
        return Number(number(text))

    def repeating(self, text: str) -> Number:
        r"""0.1\overline{6}: the digits under the line repeat for ever."""
        self.position += 1
        braced = self.token == "{"
        self.position += braced
        period = self.token if braced else self.token[:1]
        if not period.isdigit():
            raise self.error("digits under a line")
        self.tokens[self.position] = self.token[len(period) :]
        self.position += not self.token
        if braced:
            self.take("}")
        places = len(text) - text.index(".") - 1
        tail = Fraction(number(period)) / ((10 ** len(period) - 1) * 10**places)
        return Number(Fraction(number(text)) + tail)

    def subscript(self) -> str:
        """`_1`, `_{12}` or `_n` after a name; part of the name."""
        if self.token != "_":
            return ""
        self.position += 1
        braced = self.token == "{"
        self.position += braced
        index = self.token
        if not index.isalnum() or len(index) > 9:
            raise self.error("a number or a letter as subscript")
        self.position += 1
        if braced:
            self.take("}")
        return f"_{index}"
