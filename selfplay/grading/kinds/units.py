r"""The unit of a number: what a gold is written in, and the text of an answer without it.

Fed by scalars.py, symbolic.py and inference.py with texts of numbers. No unit is converted. An
answer may carry the unit that was declared, or that the gold is written in, in each of its usual
spellings, and may leave it out; another unit is no part of a number, and the answer is refused.
A gold is written in what follows its value inside \text{}, \mathrm{} and the like (`15
\mathrm{~km}/\mathrm{h}`, `^\circ\mathrm{C}`), in known units and in words of three letters and
more (`10 cm`, `3 hours`, `15 students`). Money may stand before or after a plain number.
"""

import re
from functools import lru_cache

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics.symbols import WORDS, normalise

_SAME = (
    ("km", "kilometer", "kilometers", "kilometre", "kilometres"),
    ("m", "meter", "meters", "metre", "metres"),
    ("cm", "centimeter", "centimeters", "centimetre", "centimetres"),
    ("mm", "millimeter", "millimeters", "millimetre", "millimetres"),
    ("in", "inch", "inches"), ("ft", "foot", "feet"), ("yd", "yard", "yards"),
    ("mi", "mile", "miles"), ("mph", "miles per hour", "mi/h"),
    ("s", "sec", "secs", "second", "seconds"), ("min", "mins", "minute", "minutes"),
    ("h", "hr", "hrs", "hour", "hours"), ("day", "days"), ("week", "weeks"), ("month", "months"),
    ("yr", "year", "years"), ("g", "gram", "grams"), ("kg", "kilogram", "kilograms"),
    ("mg", "milligram", "milligrams"), ("lb", "lbs", "pound", "pounds"), ("oz", "ounce", "ounces"),
    ("L", "l", "liter", "liters", "litre", "litres"),
    ("mL", "ml", "milliliter", "milliliters", "millilitre", "millilitres"),
    ("N", "newton", "newtons"), ("J", "joule", "joules"), ("kJ", "kilojoule", "kilojoules"),
    ("W", "watt", "watts"), ("kW", "kilowatt", "kilowatts"), ("MW", "megawatt", "megawatts"),
    ("kPa", "kilopascal", "kilopascals"), ("MHz", "megahertz"), ("kHz", "kilohertz"),
    ("\\Omega", "ohm", "ohms"), ("V", "volt", "volts"),
    ("A", "ampere", "amperes", "amp", "amps"), ("K", "kelvin", "kelvins"),
    ("Pa", "pascal", "pascals"), ("Hz", "hertz"), ("mol", "mole", "moles"),
    ("rad", "radian", "radians"), ("°C", "degrees Celsius", "degrees C"),
    ("°F", "degrees Fahrenheit", "degrees F"), ("°", "degree", "degrees", "deg"),
    ("$", "dollar", "dollars", "USD"), ("¢", "cent", "cents"), ("€", "euro", "euros"),
    ("person", "persons", "people"),
)  # fmt: skip
"""Spellings of one unit each."""
_BY_SPELLING = {spelling: same for same in _SAME for spelling in same}
MONEY = _BY_SPELLING["$"]
"""What may stand before or after a plain number whose gold says nothing of a unit."""
_PLAIN = frozenset(s for s in _BY_SPELLING if len(s) == 2 and s.isalpha()) - {"in", "mg"}
"""Units of two letters; one letter without \text{} is an unknown, and m g the product of two."""
_GLUED = frozenset(["cm", "mm", "km", "kg", "mL", "ml", "Hz"])
"""Units that may follow a number without a space; other letters there are a product."""
_NO_UNITS = frozenset(
    "or and for if is are was where when with all any each every some the not such that then than "
    "odd even times mod only there exists least most about approximately none does exist "
    "hundred hundreds thousand thousands million millions billion billions trillion dozen dozens "
    "half halves third thirds quarter quarters fourth fourths fifth fifths sixth sixths seventh "
    "sevenths eighth eighths ninth ninths tenth tenths hundredth hundredths thousandth thousandths "
    "percent squared cubed below above zero plus minus negative choose over".split()
)
"""Words that no unit has."""
_WRAPPED = r"\\(?:text|mathrm|textrm|textbf|textsf|mathsf|mbox|operatorname|rm)\s*\{[^{}]*\}"
_DEGREE = r"\^\s*(?:\\circ|\{\s*\\circ\s*\})"
_POWER = r"\^\s*(?:-?[1-9]|\{\s*-?[1-9]\s*\})"
_WRITTEN = re.compile(
    rf"((?:{_DEGREE}\s*)?{_WRAPPED}(?:{_WRAPPED}|{_POWER}|[\s~/.]|\\[,;: ]|\\cdot)*)\s*\$?\s*\Z"
)
"""A unit at the end of LaTeX."""
_NUMBER = (
    r"[+-]?\s*(?:[0-9][0-9,. ]*(?:/\s*[0-9]+)?|(?:[0-9.]+\s*)?\\frac\s*(?:\{[^{}]*\}\s*){2}"
    r"|[0-9.]*\s*\\sqrt\s*\{[^{}]*\}|[0-9.]*\s*\\pi)"
)
_ONE = rf"[A-Za-z]+(?:\s*{_POWER})?"
_QUANTITY = re.compile(
    rf"{_NUMBER}(\s*)([A-Za-z]+(?:[ -][A-Za-z]+){{0,4}}(?:\s*{_POWER})?(?:\s*/\s*{_ONE})?)"
)
"""A normalised text of a number and words."""

_VOWELS = frozenset("aeiouy")
_CURRENCY = re.compile(r"([+-]?) *\\?")
_NO_SPACING = str.maketrans("", "", " {}~")
_ANGLE = re.compile(r"(.+?)(?:°|\^ *(?:\\circ|\{ *\\circ *\}))", re.DOTALL)
_ANGLE_INSIDE = re.compile(r"°|\\circ|sin|cos|tan|cot|sec|csc|=|,|\\in(?![a-z])")
_DEGREES = re.compile(r"\^ *(?:\\circ|\{ *\\circ *\})")


def is_angle(text: str) -> bool:
    r"""Whether a text is a number of degrees, as 15^\circ is and \tan 15^\circ is not."""
    mark = _ANGLE.fullmatch(text.strip(" $."))
    return mark is not None and _ANGLE_INSIDE.search(mark[1]) is None


def written_in(gold: str, text: str) -> tuple[str, ...]:
    """The spellings of the unit that a gold is written in; none if it has no unit.

    Args:
        gold: as it was given.
        text: the same, normalised.
    """
    if (latex := _WRITTEN.search(gold)) is not None and gold[: latex.start()].strip(" $"):
        written = _flattened(latex[1])
    elif (quantity := _QUANTITY.fullmatch(text)) is not None:
        written = _flattened(quantity[2])
        parts = re.findall("[A-Za-z]+", written)
        glued = not quantity[1] and not quantity[0][: quantity.start(2)].endswith(" ")
        below = written.partition("/")[2]  # behind a line a single letter is a unit: km/h
        known = [_is_word(part) or (part in below and part in _BY_SPELLING) for part in parts]
        if not all(known) or (glued and not _GLUED.issuperset(parts[:1])):
            return ()
    else:
        return ()
    names = re.findall("[A-Za-z]+", written)
    if not names or _NO_UNITS.intersection(name.lower() for name in names):
        return ()
    if any(name in WORDS or len(name) > 30 for name in names) or len(names) > 6:
        return ()
    return spellings(written)


def _is_word(text: str) -> bool:
    """Whether letters outside of LaTeX are a unit or another word, and no product: cm, eggs."""
    word = len(text) > 3 and text.islower() and not _VOWELS.isdisjoint(text)
    return word or text in _PLAIN or (len(text) > 2 and text in _BY_SPELLING)


def spellings(unit: str) -> tuple[str, ...]:
    """The usual spellings of a unit, itself first: km/h, kilometers per hour, km h^{-1}, ..."""
    if unit in _BY_SPELLING:
        return tuple(dict.fromkeys((unit, *_BY_SPELLING[unit])))
    found = [unit]
    above, _, below = unit.replace(" per ", "/").partition("/")
    if below:
        for top in _of_one(above.strip()):
            for bottom in _of_one(below.strip()):
                found += [f"{top}/{bottom}", f"{top} per {bottom}"]
                if "^" not in bottom:
                    found += [f"{top} {bottom}^-1", f"{top}*{bottom}^-1"]
    else:
        found += [unit.replace(" ", "*"), *_of_one(unit)]  # N m and N \\cdot m
    return tuple(dict.fromkeys(found))


def _of_one(unit: str) -> list[str]:
    """Spellings of a unit without a division: cm^2, square centimeters; cups, cup."""
    base, _, power = unit.partition("^")
    base = base.strip()
    for word, exponent in (("square ", "2"), ("cubic ", "3"), ("sq ", "2"), ("sq. ", "2")):
        if base.startswith(word):
            base, power = base.removeprefix(word).strip(), exponent
    same = _BY_SPELLING.get(base, (base, base.removesuffix("s"), f"{base}s"))
    if not power:
        return [one for one in same if one]
    found = [f"{one}^{power}" for one in same]
    words = {"2": ("square", "sq", "sq."), "3": ("cubic", "cu", "cu.")}.get(power, ())
    return found + [f"{word} {one}" for word in words for one in same]


def _flattened(latex: str) -> str:
    r"""`\mathrm{~km} / \mathrm{h}^{2}` as km/h^2."""
    text = re.sub(_DEGREE, "°", latex)
    text = re.sub(r"\\[a-z]+\s*\{([^{}]*)\}", r" \1 ", text)
    text = re.sub(r"\\(?:cdot|[,;: ])|[~{}$]", " ", text)
    text = re.sub(r"\s*([/^°])\s*", r"\1", " ".join(text.split()).strip(". "))
    return text


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
