"""Inverse matrices: inv [2 1;1 1] is [1 -1;-1 2]; 2 or 3 rows, fractions where they must be.

Rows are separated by semicolons, entries by spaces. Difficulty is the size, the entries, the
determinant, and whether a matrix of three rows has zeros below its diagonal.
"""

import random
from collections.abc import Mapping
from fractions import Fraction

from selfplay.grading import grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import matrices
from selfplay_envs.matrices import Matrix
from selfplay_envs.pace import Pace

MAX_LENGTH = 60
"""Longest text that is read, in characters."""


class MatrixInverse(Environment):
    """Invert a matrix."""

    name = "matrix_inverse"
    summary = "inv [2 1;1 1]: inverses of matrices of 2 or 3 rows"
    instruction = (
        "Find the inverse of the matrix; rows are separated by semicolons, entries by spaces. The "
        "answer is a matrix in the same notation, with fractions where needed: [1/2 -1;0 3/4]."
    )
    verifier = "matrix"
    guess_bound = 0.02
    crowded = 3
    knobs = {
        "size": Knob((2, 2, 2, 2, 2, 3, 3, 3, 3), "rows", "larger matrices"),
        "largest": Knob((19, 19, 12, 19, 20, 12, 8, 9, 20), "value", "larger entries"),
        "negative": Knob((0, 1, 1, 1, 1, 1, 1, 1, 1), "0 or 1", "negative entries"),
        "determinant": Knob((1, 1, 12, 70, 400, 1, 1, 2, 400), "value", "larger determinants"),
        "full": Knob((1, 1, 1, 1, 1, 0, 1, 1, 1), "0 or 1", "entries below the diagonal too"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A product of matrices with zeros on one side of the diagonal, or random entries."""
        return f"inv {matrices.write(_draft(knobs, rng))}"

    def parse(self, text: str) -> Problem:
        """Read a square matrix; the gold is its inverse."""
        matrix = _read(text)
        entries = [int(entry) for row in matrix for entry in row]
        determinant = matrices.determinant(matrix)
        level = self.easiest(
            size=len(matrix),
            largest=max(map(abs, entries)),
            negative=int(min(entries) < 0),
            determinant=abs(determinant),
            full=int(len(matrix) == 2 or not _is_triangular(matrix)),
        )
        if determinant == 0:
            raise InvalidProblem("no solution: the determinant is zero")
        inverse = tuple(
            tuple(Fraction(entry) / determinant for entry in row)
            for row in matrices.adjugate(matrix)
        )
        if inverse == matrix:
            raise InvalidProblem("trivial: its own inverse")
        if sum(map(bool, entries)) == len(matrix):
            raise InvalidProblem("trivial: one entry in each row and column")
        return Problem(self.name, level, text, signature=text, gold=matrices.write(inverse))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer has the entries of the inverse; 2/4 equals 1/2."""
        return grade_response(matrices.KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The determinant and the adjugate matrix: 2-1=1;[1 -1;-1 2]/1.

        For three rows the columns of the adjugate matrix, entry by entry, before the determinant.
        """
        matrix = _read(problem.text)
        adjugate, determinant = matrices.adjugate(matrix), matrices.determinant(matrix)
        if len(matrix) == 2:
            (a, b), (c, d) = matrix
            lines = [f"{a * d}{-b * c:+d}={determinant}"]
        else:
            lines = [_cofactor(matrix, i, j) for i in range(3) for j in range(3)]
            terms = [int(a * row[0]) for a, row in zip(matrix[0], adjugate, strict=True)]
            shown = "".join(f"{term:+d}" for term in terms).removeprefix("+")
            lines.append(f"{shown}={determinant}")
        if determinant != 1:
            lines.append(f"{matrices.write(adjugate)}/{determinant}")
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> Matrix:
    framed = text.startswith("inv [") and text.endswith("]") and len(text) <= MAX_LENGTH
    matrix = matrices.read(text[5:-1]) if framed else None
    if matrix is None or not len(matrix) == len(matrix[0]) > 1:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'inv [2 1;1 1]'")
    return matrix


def _is_triangular(matrix: Matrix) -> bool:
    """Whether all entries below the diagonal are zero, or all above it."""
    size = range(len(matrix))
    below = any(matrix[i][j] for i in size for j in range(i))
    above = any(matrix[i][j] for i in size for j in range(i + 1, len(matrix)))
    return not (below and above)


def _cofactor(matrix: Matrix, row: int, column: int) -> str:
    """The line that computes a cofactor, its sign taken into the order of the columns."""
    (a, b), (c, d) = matrices.minor(matrix, row, column)
    first, second = (a * d, b * c) if (row + column) % 2 == 0 else (b * c, a * d)
    return f"{first}{-second:+d}={first - second}"


def _draft(knobs: Mapping[str, int], rng: random.Random) -> Matrix:
    if knobs["size"] == 2:
        return _of_two(knobs, rng)
    if not knobs["full"]:
        upper = _triangular(rng, knobs["largest"], 1)
        return upper if rng.random() < 0.5 else tuple(zip(*upper, strict=True))
    reach = knobs["largest"] // 4
    last = rng.randint(2, 5) if knobs["determinant"] > 1 else 1
    lower = tuple(zip(*_triangular(rng, reach, 1), strict=True))
    rows = list(matrices.multiply(lower, _triangular(rng, reach, last)))
    rng.shuffle(rows)
    return tuple(rows)


def _triangular(rng: random.Random, reach: int, last: int) -> Matrix:
    """Zeros below the diagonal, on it ones with any sign, and at its end a number."""
    a, b, c = (rng.randint(-reach, reach) for _ in range(3))
    one, two, three = (rng.choice((-1, 1)) for _ in range(3))
    return ((one, a, b), (0, two, c), (0, 0, three * last))


def _of_two(knobs: Mapping[str, int], rng: random.Random) -> Matrix:
    """With about the determinant that is allowed; exactly 1 or -1 if that is all there may be."""
    largest, least = knobs["largest"], -knobs["largest"] if knobs["negative"] else 0
    if knobs["determinant"] > 4 * largest:
        a, b, c, d = (rng.randint(least, largest) for _ in range(4))
        return ((a, b), (c, d))
    determinant = rng.randint(min(2, knobs["determinant"]), knobs["determinant"])
    a, b = rng.randint(1, largest), rng.randint(1, largest)
    # a*d = determinant + b*c has a solution for one c in a row of a, unless a and b share a factor.
    choices = [c for c in range(largest + 1) if (b * c + determinant) % a == 0]
    if not choices:
        return ((a, b), (a, b))
    c = rng.choice(choices)
    rows = [[a, b], [c, (b * c + determinant) // a]]
    rng.shuffle(rows)
    if knobs["negative"]:
        row, column = rng.choice((-1, 1)), rng.choice((-1, 1))
        rows = [[entry * row for entry in rows[0]], rows[1]]
        rows = [[first, second * column] for first, second in rows]
    return tuple(map(tuple, rows))
