r"""Congruences as answers, such as x = 5 (mod 12): equal if they hold for the same numbers.

Fed by declare and inference.py. The modulus is written \pmod{12}, \pmod 12, (\bmod 12), \bmod 12,
\mod 12, (mod 12) or mod 12, once at the end or after each residue; residues are joined by commas,
`or`, `and` or \pm. Residues count modulo the modulus, so -3 is 2 (mod 5), and x = 1, 3 (mod 4) is
x = 1 (mod 2).
What this does not do: systems (x = 1 (mod 2) and x = 2 (mod 3)), moduli that are no numbers, left
sides that are more than one unknown.
"""

import re
from dataclasses import dataclass, replace
from math import lcm
from typing import Any, ClassVar

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import Reader, plain
from selfplay.grading.kinds.layout import is_unknown, signs, split
from selfplay.grading.mathematics.trial import Trial
from selfplay.problem import Outcome

MAX_MODULUS = 100_000
"""Largest modulus, and largest least common multiple of two that are compared."""

_EQUIVALENT = re.compile(r"\\equiv(?![A-Za-z])|\u2261")
_MODULUS = re.compile(
    r"\s*(?:\(\s*(?:\\[pb]?mod|mod)(?![A-Za-z])\s*\{?\s*([0-9]{1,12})\s*\}?\s*\)"
    r"|(?:\\[pb]?mod|\bmod)(?![A-Za-z])\s*\{?\s*([0-9]{1,12})\s*\}?)"
)
_INTEGER = re.compile(r"[+-]?\s*[0-9]{1,12}")


@dataclass(frozen=True)
class Residues:
    """Whole numbers that leave one of some remainders."""

    modulus: int
    """At least 1, and as small as it can be."""
    residues: frozenset[int]
    """Each in [0, modulus)."""

    def over(self, modulus: int) -> frozenset[int]:
        """The residues for a multiple of the modulus."""
        return frozenset(
            residue + self.modulus * turn
            for residue in self.residues
            for turn in range(modulus // self.modulus)
        )


@dataclass(frozen=True)
class Congruence(Reader):
    """The numbers that are congruent to given residues."""

    name: ClassVar[str] = "congruence"

    variable: str | None = None
    """The unknown on the left, where one is written; None: that of the gold."""

    def prepare(self, gold: str) -> tuple[Reader, Any]:
        """This kind for the unknown of the gold, and the residues."""
        found = unknown(gold)
        return replace(self, variable=self.variable or found), self.read(gold)

    def read(self, text: str) -> Residues:
        """The residues, with one modulus for all.

        Raises:
            AnswerError: no modulus, several, no whole numbers, or another unknown.
        """
        text = plain(text)
        if (name := unknown(text)) is not None and self.variable not in (None, name):
            raise AnswerError("not a congruence", f"{name[:40]!r} is another unknown")
        modulus, numbers = 0, []
        for part in reversed(split(text, ",", ";", "or", "and")):
            if (mark := _MODULUS.search(part)) is not None and mark.end() == len(part):
                found = int(mark[1] or mark[2])
                if not 0 < found <= MAX_MODULUS or modulus not in (0, found):
                    raise AnswerError("not a congruence", f"the modulus {found}")
                modulus, part = found, part[: mark.start()]
            if not modulus:
                number = _INTEGER.fullmatch(part) is not None
                raise AnswerError(
                    "no modulus",
                    f"{text[:40]!r} does not end in one",
                    Outcome.WRONG if number else Outcome.UNPARSABLE,
                )
            left, _, right = part.replace("=", "\\equiv").rpartition("\\equiv")
            if left and (not is_unknown(left.strip()) or left.strip() != name):
                raise AnswerError("not a congruence", f"{left[:40]!r} is no unknown")
            numbers += [_whole(one.strip()) for one in signs(right.strip())]
        return Residues(modulus, frozenset(number % modulus for number in numbers))

    def same(self, expected: Residues, given: Residues, trial: Trial) -> bool:
        """Whether the two hold for the same whole numbers."""
        del trial
        both = lcm(expected.modulus, given.modulus)
        if both > MAX_MODULUS:  # one divides the other in every answer that could be right
            return False
        return expected.over(both) == given.over(both)


def unknown(text: str) -> str | None:
    """What stands before the first sign of congruence, if one does."""
    left, sign, _ = text.replace("=", "\\equiv").partition("\\equiv")
    return left.strip(" $") or None if sign else None


def is_congruence(text: str) -> bool:
    """Whether a normalised text speaks of a modulus."""
    return _MODULUS.search(text) is not None or _EQUIVALENT.search(text) is not None


def without_modulus(text: str) -> str:
    r"""The residue of `x \equiv 5 \pmod{12}` or `5 \bmod 12`, where a number is wanted."""
    mark = _MODULUS.search(text) if "mod" in text else None
    if mark is None or mark.end() != len(text):
        return text
    left, _, right = text[: mark.start()].rpartition("\\equiv")
    right = right.strip()
    residue = int(right) if right.isdigit() and len(right) < 13 else None
    reduced = residue is None or residue < int(mark[1] or mark[2])
    return right if reduced and (not left or is_unknown(left.strip())) else text


def _whole(text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise AnswerError("not a congruence", f"{text[:40]!r} is no whole number")
    return int(text.replace(" ", ""))
