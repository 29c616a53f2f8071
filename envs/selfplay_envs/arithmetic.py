"""Arithmetic: the value of an expression such as 12+34*5 or (3+4)*(5-2).

The operators are + - *. Up to the last level but one, results on the way stay within +-15: what
gets harder is carrying out more steps without a slip. The top level has operands to 99. A text is
canonical when it has no space and no parentheses that its value does not need.
"""

import random
from collections.abc import Mapping
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
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

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
    instruction = "Compute the value of the expression. The answer is an integer."
    verifier = "integer"
    crowded = 5
    knobs = {
        "operations": Knob((2, 3, 3, 4, 4, 5, 6, 7, 8), "operations", "longer expressions"),
        "largest": Knob((12, 9, 9, 9, 9, 9, 9, 9, 99), "value", "larger operands"),
        "multiply": Knob((0, 0, 1, 0, 1, 1, 1, 1, 1), "0 or 1", "products as well as sums"),
        "result": Knob((15, 15, 15, 15, 15, 15, 15, 15, 999), "value", "larger results on the way"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """An expression, most of them without parentheses."""
        share = PRODUCT_SHARE if knobs["multiply"] else 0.0
        operations = knobs["operations"]
        if operations == 1 or rng.random() < FLAT_SHARE:
            return _flat(knobs, share, rng)
        return to_text(_tree(operations, knobs, share, rng)[1])

    def parse(self, text: str) -> Problem:
        """Read an expression, drop what parentheses it does not need; the gold is its value."""
        if " " in text:
            raise InvalidProblem(f"malformed: {text[:40]!r} has a space")
        try:
            text = to_text(parse(text))
            # Read once more: without its parentheses a product may be made in another order.
            node = parse(text)
        except ExpressionError as error:
            raise InvalidProblem(f"malformed: {error}") from error
        needs = _examine(node)
        if needs.operations == 0:
            raise InvalidProblem(f"trivial: {text[:40]!r} has no operation")
        return Problem(
            environment=self.name,
            level=self.easiest(**needs._asdict()),
            text=text,
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
    raise InvalidProblem("malformed: numbers joined by + - * only, without a sign before a number")


def _compute(operator: str, left: int, right: int) -> int:
    if operator == "*":
        if min(abs(left), abs(right)) > LARGEST_FACTOR:
            raise InvalidProblem(
                f"beyond the top level: the product {left}*{right} has no factor of at most "
                f"{LARGEST_FACTOR}"
            )
        return left * right
    return left + right if operator == "+" else left - right


def _flat(knobs: Mapping[str, int], share: float, rng: random.Random) -> str:
    """An expression without parentheses, all results within bounds by construction."""
    operations, total, text = knobs["operations"], 0, ""
    while operations >= 0:
        term, value = _term(operations, knobs, share, rng)
        operations -= term.count("*") + 1
        subtract = bool(text) and (rng.random() < 0.5)
        if abs(total - value if subtract else total + value) > knobs["result"]:
            subtract = not subtract and bool(text)
        total += -value if subtract else value
        text = f"{text}{'-' if subtract else '+'}{term}" if text else term
    return text


def _term(
    operations: int, knobs: Mapping[str, int], share: float, rng: random.Random
) -> tuple[str, int]:
    """A number or a product of numbers with at most so many operations; its text and value."""
    value = rng.randint(1, knobs["largest"])
    text = str(value)
    while operations > 0 and rng.random() < share:
        limit = min(LARGEST_FACTOR, knobs["largest"], knobs["result"] // max(value, 1))
        if limit < 2:
            break
        factor = rng.randint(2, limit)
        # Either order: the small factor stands first in half of the products of two numbers.
        text = f"{factor}*{text}" if rng.random() < 0.5 and "*" not in text else f"{text}*{factor}"
        value *= factor
        operations -= 1
    return text, value


def _tree(
    operations: int, knobs: Mapping[str, int], share: float, rng: random.Random
) -> tuple[int, Node]:
    """A random tree and its value; an operator that would break the bounds is replaced."""
    if operations == 0:
        value = rng.randint(1, knobs["largest"])
        return value, Integer(value)
    if rng.random() < share:
        # A product mostly needs a small number on one side, so that is what it is offered.
        split = rng.choice((0, operations - 1, rng.randrange(operations)))
        small = min(LARGEST_FACTOR, knobs["largest"]) if split == 0 else knobs["largest"]
    else:
        split, small = rng.randrange(operations), knobs["largest"]
    left, left_node = _tree(split, {**knobs, "largest": small}, share, rng)
    right, right_node = _tree(operations - 1 - split, knobs, share, rng)
    operator = _allowed(left, right, knobs["result"], share, rng)
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
