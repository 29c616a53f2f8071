"""Matrix products: [1 2;3 4]*[5;6] is [17;39], for two or three factors of up to 3 rows.

Rows are separated by semicolons, entries by spaces. Difficulty is the number of products of two
numbers, the entries and the number of factors.
"""

import random
from collections.abc import Mapping
from itertools import pairwise

from selfplay.grading import grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import matrices
from selfplay_envs.matrices import Matrix
from selfplay_envs.pace import Pace

MAX_LENGTH = 100
"""Longest text that is read, in characters."""

_SHAPES = {
    4: ((2, 2, 1), (1, 2, 2)),
    8: ((2, 2, 2),),
    12: ((2, 3, 2), (2, 2, 3)),
    18: ((3, 3, 2), (2, 3, 3)),
    27: ((3, 3, 3),),
    36: ((3, 3, 3, 2),),
}
"""Numbers of rows and columns along the factors, by the products of two numbers that they need."""


class MatrixProduct(Environment):
    """Multiply matrices."""

    name = "matrix_product"
    summary = "[1 2;3 4]*[5;6]: products of two or three matrices"
    instruction = (
        "Multiply the matrices; rows are separated by semicolons, entries by spaces. The answer is "
        "a matrix in the same notation, such as [17;39] or [2 1;4 3]."
    )
    verifier = "matrix"
    guess_bound = 0.02
    knobs = {
        "products": Knob((4, 4, 8, 8, 12, 12, 18, 27, 36), "products", "larger matrices"),
        "largest": Knob((9, 12, 9, 12, 9, 12, 9, 9, 12), "value", "larger entries"),
        "negative": Knob((0, 1, 0, 1, 0, 1, 1, 1, 1), "0 or 1", "negative entries"),
        "factors": Knob((2, 2, 2, 2, 2, 2, 2, 2, 3), "matrices", "more factors"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random entries in a shape of that size."""
        sizes = rng.choice(_SHAPES[max(size for size in _SHAPES if size <= knobs["products"])])
        largest = knobs["largest"]
        least = -largest if knobs["negative"] else 0
        return "*".join(
            matrices.write(
                tuple(
                    tuple(rng.randint(least, largest) for _ in range(columns)) for _ in range(rows)
                )
            )
            for rows, columns in pairwise(sizes[: knobs["factors"] + 1])
        )

    def parse(self, text: str) -> Problem:
        """Read the factors; the gold is their product."""
        factors = _read(text)
        entries = [int(entry) for factor in factors for row in factor for entry in row]
        level = self.easiest(
            products=_products(factors),
            largest=max(map(abs, entries)),
            negative=int(min(entries) < 0),
            factors=len(factors),
        )
        product = _steps(factors)[-1][2]
        if product in factors or not any(map(any, product)):
            raise InvalidProblem("trivial: the product is zero or one of the factors")
        return Problem(self.name, level, text, signature=text, gold=matrices.write(product))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer has the shape and the entries of the product."""
        return grade_response(matrices.KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Every entry as a sum of products, row by row: 5+12=17;15+24=39."""
        lines: list[str] = []
        steps = _steps(_read(problem.text))
        for left, right, product in steps:
            columns = tuple(zip(*right, strict=True))
            for row, results in zip(left, product, strict=True):
                for column, result in zip(columns, results, strict=True):
                    terms = [int(a * b) for a, b in zip(row, column, strict=True)]
                    shown = "".join(f"{term:+d}" for term in terms).removeprefix("+")
                    lines.append(f"{shown}={result}")
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> list[Matrix]:
    parts = text.split("*") if len(text) <= MAX_LENGTH else []
    framed = all(part[:1] == "[" and part[-1:] == "]" for part in parts)
    factors = [matrices.read(part[1:-1]) for part in parts] if framed else []
    read = [factor for factor in factors if factor is not None]
    if len(read) != len(parts) or len(read) < 2:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '[1 2;3 4]*[5;6]'")
    if not matrices.fits(read):
        raise InvalidProblem("no solution: the sizes do not fit")
    return read


def _products(factors: list[Matrix]) -> int:
    """Products of two numbers, multiplying from the right."""
    columns = len(factors[-1][0])
    return sum(len(factor) * len(factor[0]) * columns for factor in factors[:-1])


def _steps(factors: list[Matrix]) -> list[tuple[Matrix, Matrix, Matrix]]:
    """Left factor, right factor and product of each multiplication, from the right."""
    right, steps = factors[-1], []
    for left in reversed(factors[:-1]):
        product = matrices.multiply(left, right)
        steps.append((left, right, product))
        right = product
    return steps
