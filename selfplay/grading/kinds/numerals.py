r"""Numbers in other notations, where a gold is in one: another base, a ratio.

Fed by inference.py alone. 1010_2, (1010)_{2}, 1010_{\text{two}}, 1010 base 2 and 1010 (base 2) are
one number in one base; the same number in another base is another answer, and so are digits without
a base. 3:4 is 6:8, and not 4:3; 17:30, with two digits after the colon, may be a time of day and is
left to text.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import Reader, plain
from selfplay.grading.kinds.layout import assigned
from selfplay.grading.mathematics import equality
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.trees import is_literal
from selfplay.grading.mathematics.trial import Trial
from selfplay.problem import Outcome

MAX_TERMS = 6
"""Most terms of a ratio."""

_BASES = {
    word: base
    for base, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen".split(),
        start=2,
    )
}
_BASE = r"([0-9]{1,2}|[a-z]{3,8})"
_BASED = re.compile(
    r"\(? *([0-9][0-9A-Za-z]{0,60}) *\)? *"
    rf"(?:_ *\{{? *{_BASE} *\}}?|\(? *(?:in )?base *{_BASE} *\)?)"
)
_PREFIXED = re.compile(r"0(?:[xX][0-9A-Fa-f]{1,60}|[bB][01]{1,60}|[oO][0-7]{1,60})")
_PREFIXES = {"x": 16, "b": 2, "o": 8}
_TIME = re.compile(r"[0-9]{1,2}(?::[0-5][0-9]){1,2}")


@dataclass(frozen=True)
class Based(Reader):
    """A whole number in a stated base."""

    name: ClassVar[str] = "numeral"

    def read(self, text: str) -> tuple[int, int]:
        """The base and the number."""
        text = assigned(plain(text))
        if _PREFIXED.fullmatch(text) is not None:
            base = _PREFIXES[text[1].lower()]
            return base, int(text[2:], base)
        if (found := _BASED.fullmatch(text)) is None:
            wrong = text.isalnum()
            raise AnswerError(
                "no base", f"{text[:40]!r}", Outcome.WRONG if wrong else Outcome.UNPARSABLE
            )
        word = found[2] or found[3]
        base = int(word) if word.isdigit() else _BASES.get(word, 0)
        if not 2 <= base <= 36 or any(int(digit, 36) >= base for digit in found[1]):
            raise AnswerError("no base", f"{text[:40]!r} has other digits")
        return base, int(found[1], base)

    def same(self, expected: tuple[int, int], given: tuple[int, int], trial: Trial) -> bool:
        """Whether it is the same number in the same base."""
        del trial
        return expected == given


@dataclass(frozen=True)
class Ratio(Reader):
    """Numbers of which only the proportions count."""

    name: ClassVar[str] = "ratio"

    def read(self, text: str) -> tuple[Fraction, ...]:
        """The terms, each divided by the first."""
        text = plain(text)
        parts = text.split(":")
        if not 2 <= len(parts) <= MAX_TERMS or _TIME.fullmatch(text):
            raise AnswerError("not a ratio", f"{text[:40]!r} is none of some numbers")
        terms = []
        for part in parts:
            tree = read(part.strip())
            value = equality.constant(tree) if is_literal(tree) else None
            if value is None or value <= 0:
                raise AnswerError("not a ratio", f"{part[:40]!r} is no positive number")
            terms.append(Fraction(value))
        return tuple(term / terms[0] for term in terms)

    def same(
        self, expected: tuple[Fraction, ...], given: tuple[Fraction, ...], trial: Trial
    ) -> bool:
        """Whether the proportions are the same."""
        del trial
        return expected == given


def notated(text: str) -> Reader | None:
    """The kind of a normalised text in one of these notations."""
    if _BASED.fullmatch(assigned(text)) is not None or _PREFIXED.fullmatch(text) is not None:
        return Based()
    return Ratio() if ":" in text and "\\" not in text.replace("\\frac", "") else None
