"""Latin squares: 1.3/.../..2 asks for the digits at the dots; here 223131, in reading order.

Each row and each column of a square of n rows holds the digits from 1 to n once each. A square is
accepted if it can be filled in cell by cell: every time some cell has only one digit left, or some
digit only one cell left in a row or column. That is why no problem has a second solution.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.nearby import nearby
from selfplay_envs.pace import Pace

SWITCHES = 3
"""Times the number of rows that pieces of two rows are exchanged for a random square."""
MOST_NODES = 200
"""Cells that are tried to tell the reason for which a square is refused."""

_KIND = declare({"kind": "text"})
_TEXT = re.compile(r"[1-9.]{3,9}(?:/[1-9.]{3,9}){2,8}\Z")

Grid = list[list[int]]
"""The digits by row and column, 0 for none."""


class Filled(NamedTuple):
    """A cell and the digit that it must have."""

    row: int
    column: int
    digit: int
    hidden: bool
    """Whether other digits would fit, but this digit fits nowhere else in the row or column."""


class LatinSquare(Environment):
    """Fill in a Latin square."""

    name = "latin_square"
    summary = "1.3/.../..2: fill in the dots so that each row and column has every digit once"
    instruction = (
        "Fill in the dots so that each row and each column has every digit from 1 to the number "
        "of rows exactly once. Rows are separated by /. The answer has the missing digits in "
        "reading order, row by row, without anything between them, such as 2231."
    )
    verifier = "text"
    guess_bound = 0.06
    crowded = 1
    knobs = {
        "rows": Knob((4, 4, 4, 5, 5, 6, 6, 7, 8), "rows", "larger squares"),
        "blanks": Knob((4, 6, 8, 9, 12, 13, 17, 24, 31), "cells", "more cells to fill in"),
        "hidden": Knob((0, 0, 0, 0, 0, 0, 0, 1, 1), "0 or 1", "digits that other digits hide"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random square without some of its digits."""
        rows = knobs["rows"]
        grid = _random_square(rows, rng)
        for cell in rng.sample(range(rows * rows), min(knobs["blanks"], rows * rows)):
            grid[cell // rows][cell % rows] = 0
        return _write(grid)

    def parse(self, text: str) -> Problem:
        """Read a square; the gold is what deduction fills in."""
        grid = _read(text)
        blanks = text.count(".")
        self.easiest(rows=len(grid), blanks=blanks, hidden=0)
        if blanks == 0:
            raise InvalidProblem("trivial: no digit is missing")
        _refuse_repeats(grid)
        filled = _fill(grid)
        if len(filled) < blanks:
            found = _count_solutions(grid)
            if found == 0:
                raise InvalidProblem("no solution: some cell or digit has no place")
            if found == 2:
                raise InvalidProblem("not unique: it can be filled in in two ways")
            raise InvalidProblem("beyond the top level: not to be filled in cell by cell")
        level = self.easiest(
            rows=len(grid), blanks=blanks, hidden=int(any(cell.hidden for cell in filled))
        )
        return Problem(self.name, level, text, signature=_renamed(text), gold=_gold(filled))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if all missing digits are, in reading order."""
        return grade_response(_KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """One cell after the other, as row, column, digit: 122;211.

        Goes through the cells row by row, or column by column.
        """
        grid = _read(problem.text)
        if rng.random() < 0.5:
            filled = _fill(grid)
        else:
            turned = [list(column) for column in zip(*grid, strict=True)]
            filled = [cell._replace(row=cell.column, column=cell.row) for cell in _fill(turned)]
        worked = [f"{cell.row + 1}{cell.column + 1}{cell.digit}" for cell in filled]
        return f"{';'.join(Pace.draw(rng).skim(worked))}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """Cells to fill in, each with as many digits to rule out as there are rows."""
        return float(problem.text.count(".") * len(problem.text.split("/")))

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One cell more or less to be filled in."""
        missing = iter(problem.gold)
        solved = "".join(next(missing) if x == "." else x for x in problem.text)

        def change(text: str, rng: random.Random) -> str:
            cell = rng.choice([place for place, x in enumerate(text) if x != "/"])
            return f"{text[:cell]}{solved[cell] if text[cell] == '.' else '.'}{text[cell + 1 :]}"

        return nearby(self, problem, rng, change)


def _read(text: str) -> Grid:
    rows = text.split("/") if len(text) < 100 and _TEXT.match(text) else []
    if not rows or any(len(row) != len(rows) for row in rows):
        raise InvalidProblem(f"malformed: {text[:40]!r} is no square like '1.3/.../..2'")
    if max(text) > str(len(rows)):
        raise InvalidProblem(f"malformed: the digit {max(text)} in a square of {len(rows)} rows")
    return [[0 if x == "." else int(x) for x in row] for row in rows]


def _write(grid: Grid) -> str:
    return "/".join("".join(str(digit or ".") for digit in row) for row in grid)


def _renamed(text: str) -> str:
    """The same for squares that differ only in which digit stands for which."""
    digits: dict[str, str] = {}
    return "".join(x if x in "./" else digits.setdefault(x, str(len(digits) + 1)) for x in text)


def _gold(filled: Sequence[Filled]) -> str:
    return "".join(str(cell.digit) for cell in sorted(filled))


def _refuse_repeats(grid: Grid) -> None:
    for what, lines in (("row", grid), ("column", list(zip(*grid, strict=True)))):
        for place, line in enumerate(lines, start=1):
            given = [digit for digit in line if digit]
            if len(set(given)) < len(given):
                raise InvalidProblem(f"no solution: a digit stands twice in {what} {place}")


class _Board:
    """What may still stand where: digits are bits."""

    def __init__(self, grid: Grid) -> None:
        self.size = len(grid)
        self.all = (1 << self.size) - 1
        self.rows = [sum(1 << digit - 1 for digit in row if digit) for row in grid]
        self.columns = [
            sum(1 << digit - 1 for digit in column if digit) for column in zip(*grid, strict=True)
        ]
        self.blanks = [
            (i, j) for i, row in enumerate(grid) for j, digit in enumerate(row) if not digit
        ]

    def left(self, row: int, column: int) -> int:
        """The digits that neither the row nor the column has."""
        return self.all & ~(self.rows[row] | self.columns[column])

    def put(self, row: int, column: int, bit: int) -> None:
        """Fill in a cell."""
        self.rows[row] |= bit
        self.columns[column] |= bit
        self.blanks.remove((row, column))


def _fill(grid: Grid) -> list[Filled]:
    """What is certain, cell by cell in reading order, again and again until nothing is new.

    Digits that are hidden by others are looked for only where no cell has a single one left. Stops
    short where a cell has none.
    """
    board = _Board(grid)
    filled: list[Filled] = []
    while board.blanks:
        before = len(filled)
        for row, column in list(board.blanks):
            bit = board.left(row, column)
            if not bit:
                return filled
            if not bit & (bit - 1):
                board.put(row, column, bit)
                filled.append(Filled(row, column, bit.bit_length(), hidden=False))
        if len(filled) == before:
            hidden = next(_hidden(board), None)
            if hidden is None:
                return filled
            row, column, bit = hidden
            board.put(row, column, bit)
            filled.append(Filled(row, column, bit.bit_length(), hidden=True))
    return filled


def _hidden(board: _Board) -> Iterator[tuple[int, int, int]]:
    """Cells with a digit that has no other place in the row or in the column."""
    for row, column in board.blanks:
        in_row = in_column = 0
        for other_row, other_column in board.blanks:
            if other_row == row and other_column != column:
                in_row |= board.left(row, other_column)
            elif other_column == column and other_row != row:
                in_column |= board.left(other_row, column)
        left = board.left(row, column)
        if bit := left & ~in_row or left & ~in_column:
            yield row, column, bit & -bit


def _count_solutions(grid: Grid) -> int:
    """How many ways there are to fill it in, at most 2; 1 too where that takes too long."""
    board = _Board(grid)
    nodes = found = 0

    def extend() -> None:
        nonlocal nodes, found
        nodes += 1
        if not board.blanks:
            found += 1
        if not board.blanks or found == 2 or nodes > MOST_NODES:
            return
        row, column = min(board.blanks, key=lambda cell: board.left(*cell).bit_count())
        left = board.left(row, column)
        board.blanks.remove((row, column))
        while left:
            bit = left & -left
            left ^= bit
            board.rows[row] |= bit
            board.columns[column] |= bit
            extend()
            board.rows[row] ^= bit
            board.columns[column] ^= bit
        board.blanks.append((row, column))

    extend()
    return 1 if nodes > MOST_NODES and found < 2 else found


def _random_square(size: int, rng: random.Random) -> Grid:
    """A square with rows, columns and digits in random order and with pieces of rows exchanged.

    Two rows may exchange what they have in the columns that a chain of equal digits connects: the
    columns keep their digits, and so do the rows. Both ways around, so that columns do it too.
    """
    orders = [rng.sample(range(size), size) for _ in range(3)]
    grid = [[orders[2][(i + j) % size] + 1 for j in orders[1]] for i in orders[0]]
    for _ in range(2):
        for _ in range(SWITCHES * size // 2):
            one, other = rng.sample(grid, 2)
            place = start = rng.randrange(size)
            while True:
                one[place], other[place] = other[place], one[place]
                repeated = one[place]
                place = next((j for j in range(size) if one[j] == repeated and j != place), start)
                if place == start:
                    break
        grid = [list(column) for column in zip(*grid, strict=True)]
    return grid
