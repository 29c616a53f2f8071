r"""Sets of real numbers as unions of intervals and points: intervals, solution sets in one unknown.

Fed by declare and equations.py. `x > 3`, `3 < x`, `(3, \infty)` and `x \in (3, \infty)` are one
set; so are `x = 2 or x = -3`, `x = 2, -3` and `\{-3, 2\}`; also `-1 < x \le 5`, `x \ne 2`,
`|x| < 3` is not: a relation must be solved for the bare unknown, or a solver could repeat the
question. `and` joins inequalities to their intersection and equalities to the list that is meant;
a comma between inequalities is ambiguous, unless all but one are != or \in \mathbb{R}.
Ends are exact where they are rational, see equality.py.
Solutions in several unknowns are left to containers.py.
What this does not do: sets of whole numbers, unions over n, regions of the plane.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.containers import Tuple, names_of
from selfplay.grading.kinds.intervals import LINE, Line, Piece, Pieces
from selfplay.grading.kinds.kind import Kind, Reader, plain
from selfplay.grading.kinds.layout import enclosed, is_unknown, relations, signs, split
from selfplay.grading.kinds.sets import Set
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.trees import Constant, Negate, Tree
from selfplay.grading.mathematics.trial import Trial
from selfplay.problem import Outcome

_INFINITY = Constant("infinity")
_REALS = frozenset(
    ["\\mathbb{R}", "\\mathbb R", "all real numbers", "all reals", "all real", "R",
     "x is any real number"]
)  # fmt: skip
_EMPTY = frozenset(
    ["\\emptyset", "\\{\\}", "{}", "no solution", "no solutions", "no real solution",
     "no real solutions", "none", "empty set", "the empty set"]
)  # fmt: skip
_HALF_LINE = re.compile(r"\\mathbb *\{? *R *\}? *[_^] *\{? *([+-]) *\}?")
_BUILDER = re.compile(
    r"(\\?[A-Za-z]+) *(?:\\in *\\mathbb *\{? *R *\}? *)?(?:[|:]|\\rvert) *(.+)", re.DOTALL
)
_INDEX = re.compile(r"_(?:[1-9]|\{[1-9]\})\Z")
_UNION = re.compile(r"([)\]}]) *U *([(\[\\])")
_UNBOUNDED = frozenset(
    (relation, infinity)
    for relation, sign in (("<", ""), (">", "-"))
    for infinity in (f"{sign}\\infty", f"{sign}oo", f"{sign}infinity")
)
_SOLVED_FOR_LEFT = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


@dataclass(frozen=True)
class RealSet(Reader):
    """A set of real numbers, as intervals, as a list of points, or as solved relations."""

    name: ClassVar[str] = "solution_set"

    variable: str | None = None
    """The unknown that relations must be solved for; None: any one."""

    def read(self, text: str) -> Pieces:
        """The pieces in order, none touching another."""
        line = Line(Trial(b"ends"))
        text = _UNION.sub(r"\1\\cup \2", plain(text))
        return line.united(_Reader(self.variable, line).union(text))

    def same(self, expected: Pieces, given: Pieces, trial: Trial) -> bool:
        """Whether the two sets have the same pieces."""
        order = Line(trial).order
        return len(expected) == len(given) and all(
            (one.low_closed, one.high_closed) == (other.low_closed, other.high_closed)
            and order(one.low, other.low, -1) == 0
            and order(one.high, other.high, 1) == 0
            for one, other in zip(expected, given, strict=True)
        )

    def prepare(self, gold: str) -> tuple[Reader, Any]:
        """This kind with the unknown of the gold, where it names one, and the pieces.

        Solutions in several unknowns are a set of tuples, or one tuple with names.
        """
        if type(self) is RealSet and (several := _several_unknowns(plain(gold))) is not None:
            return several.prepare(gold)
        names = names_of(plain(gold))  # x_1 = 2, x_2 = 3 are two values of x
        pieces = (replace(self, variable=_INDEX.sub("", names[0])) if names else self).read(gold)
        if self.variable is None and (variable := _unknown_of(plain(gold))) is not None:
            return replace(self, variable=variable), pieces
        return self, pieces


@dataclass(frozen=True)
class Interval(RealSet):
    """The same sets under the name by which a declaration asks for intervals."""

    name: ClassVar[str] = "interval"


def is_all_or_nothing(text: str) -> bool:
    """Whether a normalised text is all real numbers, those of one sign, or says that none is."""
    text = " ".join(text.split())
    words = text.lower() in _EMPTY - {"none", "{}"} or text in ("\\mathbb{R}", "\\mathbb R")
    reals = text.lower() in ("all real numbers", "all reals")
    return words or reals or _HALF_LINE.fullmatch(text) is not None


def _unknown_of(text: str) -> str | None:
    """The unknown that a set names, without the index that tells two values of it apart."""
    if names := names_of(text):
        return _INDEX.sub("", names[0])
    for part in split(text, "or", ",", "and"):
        sides, found = relations(part)
        names = [side for side in sides if is_unknown(side) and side != "e"]
        if found and len(names) == 1:
            return names[0]
    return None


def _several_unknowns(text: str) -> Kind | None:
    """The kind of x = 1, y = 2 and of (1, 2), (3, 4); None for a set of numbers."""
    if names := names_of(text):
        return None if len({_INDEX.sub("", name) for name in names}) == 1 else Tuple(names=names)
    group = enclosed(text, "{")
    tuples = split(text if group is None else group[1], ",", "or")
    for one in tuples:
        inner = enclosed(one, "(")
        if inner is None or inner[2] != ")" or "infty" in one or len(split(inner[1], ",")) < 2:
            return None
    return Set(element=Tuple()) if len(tuples) > 1 or group is not None else None


class _Reader:
    """Reads a set in the notations at the head of this file."""

    def __init__(self, variable: str | None, line: Line) -> None:
        self.variable = variable
        self.line = line

    def union(self, text: str) -> list[Piece]:
        sides, found = relations(text)
        if found == ["\\in"] and self._is_variable(sides[0]):
            return self.union(sides[1])
        parts = split(text, "or", "\\cup") if not found else split(text, "or")
        if len(parts) > 1:
            return [piece for part in parts for piece in self.union(part)]
        parts = split(text, ",", ";", "and")
        if len(parts) > 1:
            return self._list(text, [part for part in parts if part])
        return self._part(text)

    def _list(self, text: str, parts: list[str]) -> list[Piece]:
        """Equalities and points are a list; inequalities joined by `and` are all meant to hold."""
        found = [relation for part in parts for relation in relations(part)[1]]
        if all(relation == "=" for relation in found):
            return [piece for part in parts for piece in self._part(part)]
        bounds = [part for part in parts if not self._only_excludes(part)]
        if len(split(text, ",", ";")) > 1 and len(bounds) > 1:
            raise AnswerError("several values", "a comma between relations", Outcome.AMBIGUOUS)
        sets = [self.line.united(self._part(part)) for part in parts]
        common: Sequence[Piece] = (LINE,)
        for pieces in sets:
            common = self.line.intersection(common, pieces)
        return list(common)

    def _only_excludes(self, part: str) -> bool:
        r"""Whether a part is x != 2 or x \in \mathbb{R}, which only can hold beside the others."""
        sides, found = relations(part)
        return found == ["!="] or (found == ["\\in"] and " ".join(sides[1].split()) in _REALS)

    def _part(self, text: str) -> list[Piece]:
        compact = " ".join(text.split())
        if compact in _REALS or compact.lower() in _REALS:
            return [LINE]
        if compact.lower() in _EMPTY:
            return []
        if (half := _HALF_LINE.fullmatch(compact)) is not None:
            return self._relation({"+": ">", "-": "<"}[half[1]], "0")
        sides, found = relations(text)
        if found:
            return self._solved(sides, found)
        if "\\setminus" in text:
            whole, _, holes = text.rpartition("\\setminus")
            return list(
                self.line.without(
                    self.line.united(self._part(whole.strip())), self._part(holes.strip())
                )
            )
        group = enclosed(text, "([{")
        if group is not None and group[0] == "{":
            return self._braces(group[1])
        separator = "," if group is None or "," in group[1] else ";"
        if group is not None and len(ends := split(group[1], separator)) == 2:
            return [self._interval(group[0], ends, group[2])]
        return [self._point(text) for text in signs(text)]

    def _braces(self, inside: str) -> list[Piece]:
        builder = _BUILDER.fullmatch(inside)
        if builder is not None and self._is_variable(builder[1]):
            return self.union(builder[2])
        return [self._point(one) for part in split(inside, ",", ";") for one in signs(part)]

    def _is_variable(self, text: str) -> bool:
        if self.variable is None:
            return is_unknown(text)
        return text == self.variable or _INDEX.sub("", text) == self.variable  # x_1 = 2, x_2 = 3

    def _solved(self, sides: list[str], found: list[str]) -> list[Piece]:
        """x = 2, 3 < x, -1 < x <= 5: the unknown stands alone on its side."""
        if found == ["\\in"] and self._is_variable(sides[0]):
            return self.union(sides[1])
        if len(found) == 1 and self._is_variable(sides[0]):
            return self._relation(found[0], sides[1])
        if len(found) == 1 and self._is_variable(sides[1]) and found[0] in _SOLVED_FOR_LEFT:
            return self._relation(_SOLVED_FOR_LEFT[found[0]], sides[0])
        if len(found) == 2 and self._is_variable(sides[1]):
            if set(found) <= {"<", "<="} or set(found) <= {">", ">="}:
                left = self._relation(_SOLVED_FOR_LEFT[found[0]], sides[0])
                return list(self.line.intersection(left, self._relation(found[1], sides[2])))
        if "=" in found and (len(found) > 1 or not any(map(str.isalpha, "".join(sides)))):
            raise AnswerError("several values", "a chain of relations", Outcome.AMBIGUOUS)
        raise AnswerError("not solved", "a relation that is not solved for its unknown")

    def _relation(self, relation: str, text: str) -> list[Piece]:
        """The values of an unknown that stands on the left of a relation to a number."""
        if (relation, text) in _UNBOUNDED:
            return [LINE]
        ends = [self._end(one) for one in signs(text)]
        if relation == "=":
            return [Piece(end, end, True, True) for end in ends]
        if len(ends) > 1:
            raise AnswerError("several values", f"{text[:40]!r} bounds nothing", Outcome.AMBIGUOUS)
        end = ends[0]
        match relation:
            case "<" | "<=":
                return [Piece(None, end, False, relation == "<=")]
            case ">" | ">=":
                return [Piece(end, None, relation == ">=", False)]
            case "!=":
                return [Piece(None, end), Piece(end, None)]
        raise AnswerError("not solved", f"the relation {relation!r}")

    def _interval(self, opening: str, ends: list[str], closing: str) -> Piece:
        low, high = read(ends[0]), read(ends[1])
        piece = Piece(
            None if low == Negate(_INFINITY) else self.line.finite(low),
            None if high == _INFINITY else self.line.finite(high),
            opening == "[",
            closing == "]",
        )
        if (piece.low is None and piece.low_closed) or (piece.high is None and piece.high_closed):
            raise AnswerError("not an interval", "it holds infinity", Outcome.WRONG)
        if not self.line.united([piece]):  # the pair (2, 1) must not pass for the empty set
            raise AnswerError("not an interval", "ends the wrong way round", Outcome.WRONG)
        return piece

    def _point(self, text: str) -> Piece:
        end = self._end(text)
        return Piece(end, end, True, True)

    def _end(self, text: str) -> Tree:
        return self.line.finite(read(text))
