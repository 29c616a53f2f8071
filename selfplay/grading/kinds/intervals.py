"""Unions of intervals of the real line: one order of their ends, joining, intersecting.

Fed by realsets.py, which reads them. Ends are trees of numbers: compared exactly where they are
rational, else by equality.py and, if they differ, by their values to many digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics import equality, numeric
from selfplay.grading.mathematics.trees import Tree, variables
from selfplay.grading.mathematics.trial import Trial

MAX_PIECES = 24
"""Most intervals and points of one set."""


@dataclass(frozen=True)
class Piece:
    """An interval; a point is one whose two ends are the same, both closed."""

    low: Tree | None
    """Lower end; None: no end."""
    high: Tree | None
    """Upper end; None: no end."""
    low_closed: bool = False
    """Whether the lower end belongs to it."""
    high_closed: bool = False
    """Whether the upper end belongs to it."""


Pieces = tuple[Piece, ...]
LINE = Piece(None, None)
"""All real numbers."""


class Line:
    """The order of the real numbers, as far as the budget of one trial goes."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    def finite(self, tree: Tree) -> Tree:
        """The tree, if it can be an end of an interval.

        Raises:
            AnswerError: it has an unknown or no value.
        """
        if variables(tree):
            raise AnswerError("not solved", "an unknown where a number is wanted")
        if equality.constant(tree) is None and not numeric.is_defined(
            tree, numeric.ANYWHERE, self.trial
        ):
            raise AnswerError("undefined", "an end without a value")
        return tree

    def united(self, pieces: Sequence[Piece]) -> Pieces:
        """The same set as few pieces in order, none empty and none touching another.

        Raises:
            AnswerError: more than `MAX_PIECES`, or an end without a real value.
        """
        if len(pieces) > MAX_PIECES:
            raise AnswerError("too many", f"{len(pieces)} pieces; {MAX_PIECES} are read")
        ordered = sorted(filter(self._has_members, pieces), key=cmp_to_key(self._by_low_end))
        joined: list[Piece] = []
        for piece in ordered:
            if joined and self._touch(joined[-1], piece):
                joined[-1] = self._hull(joined[-1], piece)
            else:
                joined.append(piece)
        return tuple(joined)

    def order(self, one: Tree | None, other: Tree | None, infinite: int) -> int:
        """-1, 0 or 1 for two ends of one side; None is infinite in the direction `infinite`."""
        if one is None or other is None:
            return infinite * ((one is None) - (other is None))
        left, right = equality.constant(one), equality.constant(other)
        if left is not None and right is not None:
            return (left > right) - (left < right)
        return (
            0 if equality.equal(one, other, self.trial) else numeric.compare(one, other, self.trial)
        )

    def _by_low_end(self, one: Piece, other: Piece) -> int:
        order = self.order(one.low, other.low, -1)
        return order if order else other.low_closed - one.low_closed

    def _has_members(self, piece: Piece) -> bool:
        if piece.low is None or piece.high is None:
            return True
        order = self.order(piece.low, piece.high, 1)
        return order < 0 or (order == 0 and piece.low_closed and piece.high_closed)

    def _touch(self, left: Piece, right: Piece) -> bool:
        """Whether a piece begins before another that lies left of it ends, or right there."""
        if left.high is None or right.low is None:
            return True
        order = self.order(right.low, left.high, 1)
        return order < 0 or (order == 0 and (left.high_closed or right.low_closed))

    def _hull(self, left: Piece, right: Piece) -> Piece:
        order = self.order(left.high, right.high, 1)
        last = left if order > 0 else right
        closed = last.high_closed or (order == 0 and left.high_closed)
        return Piece(left.low, last.high, left.low_closed, closed)

    def intersection(self, some: Sequence[Piece], others: Sequence[Piece]) -> Pieces:
        """What two sets have in common."""
        return self.united([self._overlap(one, other) for one in some for other in others])

    def _overlap(self, one: Piece, other: Piece) -> Piece:
        """What two pieces have in common; may be empty, with its ends the wrong way round."""
        low = self.order(one.low, other.low, -1)
        high = self.order(one.high, other.high, 1)
        lower, upper = (one if low > 0 else other), (one if high < 0 else other)
        return Piece(
            lower.low,
            upper.high,
            one.low_closed and other.low_closed if low == 0 else lower.low_closed,
            one.high_closed and other.high_closed if high == 0 else upper.high_closed,
        )

    def without(self, pieces: Pieces, holes: Sequence[Piece]) -> Pieces:
        """The set without some pieces."""
        for hole in holes:
            left = Piece(None, hole.low, high_closed=not hole.low_closed)
            right = Piece(hole.high, None, low_closed=not hole.high_closed)
            around = [left] * (hole.low is not None) + [right] * (hole.high is not None)
            pieces = self.intersection(pieces, around)
        return pieces
