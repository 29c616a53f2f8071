"""Arithmetic: the value of an expression such as 12+34*5 or (3+4)*(5-2).

The operators are + - *. Up to the last level but one, results on the way stay within +-15: what
gets harder is carrying out more steps without a slip. The top level has operands to 99. A text is
canonical when it has no space and no parentheses that its value does not need.
"""

import random
from typing import NamedTuple

from selfplay.grading import (
    BinaryOperation,
    ExpressionError,
    Integer,
    Node,
    canonical,
    chain,
    grade_integer,
    parse,
    to_text,
)
from selfplay.problem import ANSWER_OPEN, Environment, Knob, Problem, ProposalError, Verdict
from selfplay_envs.levels import Pace, draw, easiest

LARGEST_FACTOR = 9
"""Every product has a factor of at most this absolute value."""
FLAT_SHARE = 0.6
"""Share of drafts that are made without parentheses."""
PRODUCT_SHARE = 0.35
"""Share of operators that are drafted as products, where they are allowed."""


class Arithmetic(Environment):
    """Evaluate an expression of whole numbers."""

    name = "arithmetic"
    summary = "evaluate 12+34*5: whole numbers, + - * and parentheses"
    knobs = {
        "operations": Knob((2, 3, 3, 4, 4, 5, 6, 7, 8), "operations", "longer expressions"),
        "largest": Knob((12, 9, 9, 9, 9, 9, 9, 9, 99), "value", "larger operands"),
        "multiply": Knob((0, 0, 1, 0, 1, 1, 1, 1, 1), "0 or 1", "products as well as sums"),
        "result": Knob((15, 15, 15, 15, 15, 15, 15, 15, 999), "value", "larger results on the way"),
    }

    def generate(self, level: int, rng: random.Random) -> Problem:
        """Draft expressions, most of them without parentheses, until one is of the level."""
        return draw(self, level, rng, _draft)

    def parse(self, text: str) -> Problem:
        """Read an expression, drop what parentheses it does not need; the gold is its value."""
        if " " in text:
            raise ProposalError(f"malformed: {text[:40]!r} has a space")
        try:
            node = parse(text)
        except ExpressionError as error:
            raise ProposalError(f"malformed: {error}") from error
        needs = _examine(node)
        if needs.operations == 0:
            raise ProposalError(f"trivial: {text[:40]!r} has no operation")
        return Problem(
            environment=self.name,
            level=easiest(self.knobs, *needs[1:]),
            text=to_text(node),
            signature=canonical(node),
            gold=str(needs.value),
        )

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the value, in canonical form."""
        return grade_integer(problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The expression rewritten one operation at a time: 12+170=182 for 12+34*5."""
        _, *lines = chain(parse(problem.text)).split("=")
        return f"{'='.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


class _Needs(NamedTuple):
    """What an expression demands of the knobs, and its value."""

    value: int
    operations: int
    largest: int
    multiply: int
    result: int
    """Largest absolute value of a result on the way or at the end."""


def _examine(node: Node) -> _Needs:
    match node:
        case Integer(value):
            return _Needs(value, 0, value, 0, 0)
        case BinaryOperation(("+" | "-" | "*") as operator, left_node, right_node):
            left, right = _examine(left_node), _examine(right_node)
            value = _compute(operator, left.value, right.value)
            return _Needs(
                value=value,
                operations=left.operations + right.operations + 1,
                largest=max(left.largest, right.largest),
                multiply=left.multiply | right.multiply | (operator == "*"),
                result=max(left.result, right.result, abs(value)),
            )
    raise ProposalError("malformed: numbers joined by + - * only, without a sign before a number")


def _compute(operator: str, left: int, right: int) -> int:
    if operator == "*":
        if min(abs(left), abs(right)) > LARGEST_FACTOR:
            raise ProposalError(
                f"beyond the top level: the product {left}*{right} has no factor of at most "
                f"{LARGEST_FACTOR}"
            )
        return left * right
    return left + right if operator == "+" else left - right


def _draft(at: dict[str, int], rng: random.Random) -> str:
    share = PRODUCT_SHARE if at["multiply"] else 0.0
    operations = at["operations"]
    if operations == 1 or rng.random() < FLAT_SHARE:
        return _flat(at, share, rng)
    return to_text(_tree(operations, at, share, rng)[1])


def _flat(at: dict[str, int], share: float, rng: random.Random) -> str:
    """An expression without parentheses, all results within bounds by construction."""
    operations, total, text = at["operations"], 0, ""
    while operations >= 0:
        term, value = _term(operations, at, share, rng)
        operations -= term.count("*") + 1
        subtract = bool(text) and (rng.random() < 0.5)
        if abs(total - value if subtract else total + value) > at["result"]:
            subtract = not subtract and bool(text)
        total += -value if subtract else value
        text = f"{text}{'-' if subtract else '+'}{term}" if text else term
    return text


def _term(operations: int, at: dict[str, int], share: float, rng: random.Random) -> tuple[str, int]:
    """A number or a product of numbers with at most so many operations; its text and value."""
    value = rng.randint(1, at["largest"])
    text = str(value)
    while operations > 0 and rng.random() < share:
        limit = min(LARGEST_FACTOR, at["largest"], at["result"] // max(value, 1))
        if limit < 2:
            break
        factor = rng.randint(2, limit)
        # Either order: the small factor stands first in half of the products of two numbers.
        text = f"{factor}*{text}" if rng.random() < 0.5 and "*" not in text else f"{text}*{factor}"
        value *= factor
        operations -= 1
    return text, value


def _tree(
    operations: int, at: dict[str, int], share: float, rng: random.Random
) -> tuple[int, Node]:
    """A random tree and its value; an operator that would break the bounds is replaced."""
    if operations == 0:
        value = rng.randint(1, at["largest"])
        return value, Integer(value)
    if rng.random() < share:
        # A product mostly needs a small number on one side, so that is what it is offered.
        split = rng.choice((0, operations - 1, rng.randrange(operations)))
        small = min(LARGEST_FACTOR, at["largest"]) if split == 0 else at["largest"]
    else:
        split, small = rng.randrange(operations), at["largest"]
    left, left_node = _tree(split, {**at, "largest": small}, share, rng)
    right, right_node = _tree(operations - 1 - split, at, share, rng)
    operator = _allowed(left, right, at["result"], share, rng)
    value = _compute(operator, left, right)
    return value, BinaryOperation(operator, left_node, right_node)


def _allowed(left: int, right: int, bound: int, share: float, rng: random.Random) -> str:
    """A random operator for which the result is within the bound."""
    small = min(abs(left), abs(right)) <= LARGEST_FACTOR
    if small and abs(left * right) <= bound and rng.random() < 2 * share:
        return "*"
    if abs(left + right) > bound:
        return "-"
    if abs(left - right) > bound:
        return "+"
    return rng.choice("+-")
