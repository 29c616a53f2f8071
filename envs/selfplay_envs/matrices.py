"""Matrices with exact entries: compact text [1 2;3 4], products, determinants, inverses.

Shared by the environments about matrices. Texts are bounded in size before anything is computed.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from selfplay.grading import AnswerError, Checker, declare

MAX_SIZE = 4
"""Most rows and columns."""
MAX_LENGTH = 300
"""Longest answer that is read, in characters."""

Matrix = tuple[tuple[Fraction | int, ...], ...]
"""Rows of equal length."""

_ENTRY = "(?:0|-?[1-9][0-9]{0,3})"
_ROW = rf"{_ENTRY}(?: {_ENTRY})*"
_ROWS = re.compile(rf"{_ROW}(?:;{_ROW})*\Z")
_ANSWER_ENTRY = r"[-+]?[0-9]{1,12}(?:/[1-9][0-9]{0,11})?"
_ANSWER_ROW = rf"{_ANSWER_ENTRY}(?:(?: ?, ?| ){_ANSWER_ENTRY})*"
_ANSWER = re.compile(rf"\[ ?{_ANSWER_ROW}(?: ?; ?{_ANSWER_ROW})* ?\]\Z")
_NESTED = re.compile(rf"\[ ?\[ ?{_ANSWER_ROW} ?\](?: ?, ?\[ ?{_ANSWER_ROW} ?\])* ?\]\Z")


def read(inside: str) -> Matrix | None:
    """The matrix of whole numbers whose rows are given as 1 2;3 4; None if there is none."""
    if not _ROWS.match(inside):
        return None
    rows = tuple(tuple(map(int, row.split(" "))) for row in inside.split(";"))
    if len(rows) > MAX_SIZE or len(rows[0]) > MAX_SIZE or len(set(map(len, rows))) > 1:
        return None
    return rows


def write(matrix: Matrix) -> str:
    """The text: [1 2;3 4]."""
    return f"[{';'.join(' '.join(map(str, row)) for row in matrix)}]"


def _read_answer(text: str) -> Matrix:
    """An answer as it is asked for, or as [[1,2],[3,4]]; entries may be fractions.

    Raises:
        AnswerError: it is neither.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH and _NESTED.match(text):
        rows = re.findall(_ANSWER_ROW, text)
    elif len(text) <= MAX_LENGTH and _ANSWER.match(text):
        rows = text[1:-1].split(";")
    else:
        raise AnswerError("not a matrix", f"{text[:40]!r} is not like [1 2;3 4]")
    return tuple(tuple(Fraction(entry) for entry in re.findall(_ANSWER_ENTRY, row)) for row in rows)


def _same(gold: str, answer: Sequence[str]) -> bool:
    """Whether an answer has the shape and the entries of the gold."""
    return _read_answer(gold) == _read_answer(answer[0])


KIND = Checker(declare({"kind": "text"}), _same)
"""Answers that are matrices, compared entry by entry."""


def multiply(left: Matrix, right: Matrix) -> Matrix:
    """The product; the left one has as many columns as the right one rows."""
    columns = tuple(zip(*right, strict=True))
    return tuple(
        tuple(sum(a * b for a, b in zip(row, column, strict=True)) for column in columns)
        for row in left
    )


def minor(matrix: Matrix, row: int, column: int) -> Matrix:
    """The matrix without a row and a column."""
    return tuple(
        (*entries[:column], *entries[column + 1 :]) for i, entries in enumerate(matrix) if i != row
    )


def determinant(matrix: Matrix) -> int:
    """Of a square matrix of whole numbers, by fraction-free elimination."""
    rows = [[int(entry) for entry in row] for row in matrix]
    sign, pivot = 1, 1
    for i in range(len(rows) - 1):
        place = next((j for j in range(i, len(rows)) if rows[j][i]), None)
        if place is None:
            return 0
        if place != i:
            rows[i], rows[place], sign = rows[place], rows[i], -sign
        for j in range(i + 1, len(rows)):
            for k in range(i + 1, len(rows)):
                rows[j][k] = (rows[j][k] * rows[i][i] - rows[j][i] * rows[i][k]) // pivot
        pivot = rows[i][i]
    return sign * rows[-1][-1]


def adjugate(matrix: Matrix) -> Matrix:
    """The transposed matrix of cofactors."""
    if len(matrix) == 1:
        return ((1,),)
    places = range(len(matrix))
    return tuple(
        tuple((-1) ** (i + j) * determinant(minor(matrix, j, i)) for j in places) for i in places
    )


def fits(matrices: Sequence[Matrix]) -> bool:
    """Whether neighbours can be multiplied."""
    return all(len(left[0]) == len(right) for left, right in pairwise(matrices))
