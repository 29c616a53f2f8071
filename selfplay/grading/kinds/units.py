"""The unit after a number: whether it is there, and the text without it.

Fed by scalars.py, symbolic.py and inference.py with texts of numbers. A unit counts only as it was
declared: no unit is converted, and none is guessed.
"""

import re
from functools import lru_cache

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics.symbols import normalise

_CURRENCY = re.compile(r"([+-]?) *\\?")
_NO_SPACING = str.maketrans("", "", " {}~")
_ANGLE = re.compile(r"(.+?)(?:°|\^ *(?:\\circ|\{ *\\circ *\}))", re.DOTALL)
_ANGLE_INSIDE = re.compile(r"°|\\circ|sin|cos|tan|cot|sec|csc|=|,|\\in(?![a-z])")
_DEGREES = re.compile(r"\^ *(?:\\circ|\{ *\\circ *\})")


def is_angle(text: str) -> bool:
    r"""Whether a text is a number of degrees, as 15^\circ is and \tan 15^\circ is not."""
    mark = _ANGLE.fullmatch(text.strip(" $."))
    return mark is not None and _ANGLE_INSIDE.search(mark[1]) is None


def without_unit(text: str, unit: tuple[str, ...]) -> str:
    """The text without one of the spellings of its unit, at the end or (currency) before."""
    for spelling in unit:
        if spelling in ("°", "degrees"):
            text = _DEGREES.sub("", text)
        shorter = text[: _before_unit(text, _compact_unit(spelling))]
        alone = not (shorter[-1:].isalpha() and spelling[0].isalpha())  # the m of cm is no metre
        if shorter != text and shorter.strip() and alone:
            return shorter.rstrip().removesuffix("\\").rstrip()
        if not spelling[0].isalnum() and (before := _CURRENCY.match(text)) is not None:
            if text.startswith(spelling, before.end()):
                return before[1] + text[before.end() + len(spelling) :].lstrip()
    return text


@lru_cache(maxsize=256)
def _compact_unit(spelling: str) -> str:
    """A unit without spaces and braces, as it reads in a normalised text."""
    try:
        spelling = normalise(spelling)
    except AnswerError:  # a currency sign
        pass
    return spelling.translate(_NO_SPACING)


def _before_unit(text: str, unit: str) -> int:
    """Where a unit begins that ends a text, whatever spaces and braces are in it; else the end."""
    position = len(text)
    for character in reversed(unit):
        while position and text[position - 1] in " {}~":
            position -= 1
        if not position or text[position - 1] != character:
            return len(text)
        position -= 1
    return position
