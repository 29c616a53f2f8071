"""Determinants: |1 2;3 4| is -2, for 2 to 4 rows of whole numbers.

Rows are separated by semicolons, entries by spaces. Difficulty is the size, the entries and, for
four rows, how many of them are zero.
"""

import random
from collections.abc import Mapping
from itertools import combinations

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import matrices
from selfplay_envs.matrices import Matrix
from selfplay_envs.pace import Pace

KIND = declare({"kind": "integer"})
MAX_LENGTH = 80
"""Longest text that is read, in characters."""


class Determinant(Environment):
    """Compute a determinant."""

    name = "determinant"
    summary = "|1 2;3 4|: determinants of 2 to 4 rows"
    instruction = (
        "Compute the determinant of the matrix between the bars; rows are separated by semicolons, "
        "entries by spaces. The answer is an integer."
    )
    verifier = "integer"
    guess_bound = 0.1
    crowded = 1
    knobs = {
        "size": Knob((2, 2, 2, 3, 3, 3, 4, 4, 4), "rows", "larger matrices"),
        "largest": Knob((9, 9, 12, 4, 6, 9, 4, 5, 12), "value", "larger entries"),
        "negative": Knob((0, 1, 1, 0, 1, 1, 1, 1, 1), "0 or 1", "negative entries"),
        "filled": Knob((16, 16, 16, 16, 16, 16, 11, 16, 16), "entries", "fewer zeros"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random entries, zeros where they have to be."""
        size, largest = knobs["size"], knobs["largest"]
        least = -largest if knobs["negative"] else 0
        entries = [rng.randint(least, largest) for _ in range(size * size)]
        for place in rng.sample(range(len(entries)), max(0, len(entries) - knobs["filled"])):
            entries[place] = 0
        rows = (entries[i : i + size] for i in range(0, len(entries), size))
        return f"|{';'.join(' '.join(map(str, row)) for row in rows)}|"

    def parse(self, text: str) -> Problem:
        """Read a square matrix; the gold is its determinant."""
        matrix = _read(text)
        if any(not any(line) for line in (*matrix, *zip(*matrix, strict=True))):
            raise InvalidProblem("trivial: a row or column of zeros")
        entries = [int(entry) for row in matrix for entry in row]
        level = self.easiest(
            size=len(matrix),
            largest=max(map(abs, entries)),
            negative=int(min(entries) < 0),
            filled=sum(map(bool, entries)),
        )
        gold = matrices.determinant(matrix)
        return Problem(self.name, level, text, signature=text, gold=str(gold))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the determinant."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Products and their difference; minors of two rows, then the sum of their products.

        1*4=4;2*3=6;4-6 for |1 2;3 4|.
        """
        matrix = _read(problem.text)
        lines = (_of_two, _of_three, _of_four)[len(matrix) - 2](matrix)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> Matrix:
    framed = 2 < len(text) <= MAX_LENGTH and text[0] == text[-1] == "|"
    matrix = matrices.read(text[1:-1]) if framed else None
    if matrix is None or not len(matrix) == len(matrix[0]) > 1:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '|1 2;3 4|'")
    return matrix


def _of_two(matrix: Matrix) -> list[str]:
    (a, b), (c, d) = matrix
    return [f"{a}*{d}={a * d}", f"{b}*{c}={b * c}", f"{a * d}{-b * c:+d}"]


def _minor(upper: tuple, lower: tuple, i: int, j: int) -> tuple[int, str]:
    """The determinant of two columns of two rows, and the line that computes it."""
    first, second = int(upper[i] * lower[j]), int(upper[j] * lower[i])
    return first - second, f"{first}{-second:+d}={first - second}"


def _of_three(matrix: Matrix) -> list[str]:
    """Along the first row."""
    pairs = ((1, 2), (0, 2), (0, 1))
    minors = [_minor(matrix[1], matrix[2], *pair) for pair in pairs]
    terms = [
        int(entry * value * sign)
        for entry, (value, _), sign in zip(matrix[0], minors, (1, -1, 1), strict=True)
    ]
    return [
        *(line for _, line in minors),
        "".join(f"{term:+d}" for term in terms).removeprefix("+"),
    ]


def _of_four(matrix: Matrix) -> list[str]:
    """By minors of the upper two rows and those of the lower two (Laplace)."""
    lines: list[str] = []
    terms: list[int] = []
    for pair in combinations(range(4), 2):
        rest = tuple(place for place in range(4) if place not in pair)
        (upper, above), (lower, below) = (
            _minor(matrix[0], matrix[1], *pair),
            _minor(matrix[2], matrix[3], *rest),
        )
        sign = (-1) ** (sum(pair) + 1)
        lines += [above, below]
        terms.append(sign * upper * lower)
    return [*lines, "".join(f"{term:+d}" for term in terms).removeprefix("+")]
