"""Fractions: the exact value of 1/2+2/3*3/4 or (1/2-1/3):5/6, where a colon divides.

Every operand is a fraction in lowest terms or a whole number. A text is canonical when it has no
parentheses that its value does not need. Difficulty is the number of operations and the largest
number that the usual way of computing (common denominator, then reduce) writes down.
"""

import random
import re
from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

KIND = declare({"kind": "rational"})
WHOLE_SHARE = 0.08
"""Share of drafted operands that are whole numbers."""
LARGEST_NUMERATOR = 9
"""Largest drafted numerator, where the knob `size` allows it."""

_MAX_LENGTH = 90
_MAX_DEPTH = 6
_TOKEN = re.compile(r"[1-9][0-9]{0,3}(?:/[1-9][0-9]{0,3})?|[-+*:()]")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, ":": 2}


class Operation(NamedTuple):
    """An operator between two nodes."""

    operator: str
    left: "Node"
    right: "Node"


Node = Fraction | Operation


class Fractions(Environment):
    """Evaluate an expression of fractions."""

    name = "fractions"
    summary = "evaluate 1/2+2/3*3/4: fractions, + - * : and parentheses"
    instruction = (
        "Compute the exact value of the expression; a colon divides, and a/b is one fraction. The "
        "answer is an integer or a fraction such as -7/12."
    )
    verifier = "rational"
    guess_bound = 0.1
    crowded = 3
    knobs = {
        "operations": Knob((1, 1, 1, 2, 2, 3, 3, 4, 6), "operations", "longer expressions"),
        "operators": Knob((1, 2, 3, 2, 3, 2, 3, 3, 3), "kind", "1 sums, 2 and products, 3 and :"),
        "grouped": Knob((0, 0, 0, 0, 1, 0, 1, 1, 1), "0 or 1", "parentheses"),
        "size": Knob(
            (24, 99, 120, 150, 180, 180, 400, 999, 99999), "value", "larger numbers on the way"
        ),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random tree with small fractions as its leaves."""
        return _write(_tree(knobs["operations"], knobs, rng))

    def parse(self, text: str) -> Problem:
        """Read an expression; the gold is its value in lowest terms."""
        node = _read(text)
        if isinstance(node, Fraction):
            raise InvalidProblem(f"trivial: {text[:40]!r} has no operation")
        if _write(node) != text:
            raise InvalidProblem(f"not canonical: {text[:40]!r} is written {_write(node)[:40]!r}")
        operations = _operators(node)
        grouped = int("(" in text)
        # Before anything is computed: the number of operations bounds the size of the results.
        self.easiest(operations=len(operations), operators=1, grouped=grouped, size=1)
        lines: list[str] = []
        gold = _work(node, lines)
        return Problem(
            environment=self.name,
            level=self.easiest(
                operations=len(operations),
                operators=3 if ":" in operations else 2 if "*" in operations else 1,
                grouped=grouped,
                size=max(map(int, re.findall("[0-9]+", ";".join(lines)))),
            ),
            text=text,
            signature=_signature(node),
            gold=str(gold),
        )

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer equals the value; 10/12 equals 5/6."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """One operation after the other: 1/2+1/3=3/6+2/6=5/6."""
        lines: list[str] = []
        _work(_read(problem.text), lines)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> Node:
    tokens = _TOKEN.findall(text) if len(text) <= _MAX_LENGTH else []
    if not tokens or "".join(tokens) != text:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '1/2+2/3*3/4'")
    tokens.reverse()
    node = _read_sum(tokens, 0)
    if tokens:
        raise InvalidProblem(f"malformed: {tokens[-1]!r} at an odd place of {text[:40]!r}")
    return node


def _read_sum(tokens: list[str], depth: int) -> Node:
    """Reads from the end of the list, which it empties."""
    node = _read_term(tokens, depth)
    while tokens and tokens[-1] in "+-":
        node = Operation(tokens.pop(), node, _read_term(tokens, depth))
    return node


def _read_term(tokens: list[str], depth: int) -> Node:
    node = _read_operand(tokens, depth)
    while tokens and tokens[-1] in "*:":
        node = Operation(tokens.pop(), node, _read_operand(tokens, depth))
    return node


def _read_operand(tokens: list[str], depth: int) -> Node:
    token = tokens.pop() if tokens else ""
    if token == "(" and depth < _MAX_DEPTH:
        node = _read_sum(tokens, depth + 1)
        if tokens and tokens.pop() == ")":
            return node
    elif token[:1].isdigit():
        operand = Fraction(token)
        if str(operand) != token:
            raise InvalidProblem(f"not canonical: {token!r} is written {str(operand)!r}")
        return operand
    raise InvalidProblem(f"malformed: {token!r} where a fraction or a group should be")


def _write(node: Node) -> str:
    if isinstance(node, Fraction):
        return str(node)
    mine = _PRECEDENCE[node.operator]
    left, right = _write(node.left), _write(node.right)
    if isinstance(node.left, Operation) and _PRECEDENCE[node.left.operator] < mine:
        left = f"({left})"
    if isinstance(node.right, Operation):
        theirs = _PRECEDENCE[node.right.operator]
        if theirs < mine or (theirs == mine and node.operator in "-:"):
            right = f"({right})"
    return f"{left}{node.operator}{right}"


def _signature(node: Node) -> str:
    """Equal for expressions that differ in the order of two summands or factors."""
    if isinstance(node, Fraction):
        return str(node)
    sides = [_signature(node.left), _signature(node.right)]
    if node.operator in "+*":
        sides.sort()
    return f"({sides[0]}{node.operator}{sides[1]})"


def _operators(node: Node) -> str:
    if isinstance(node, Fraction):
        return ""
    return _operators(node.left) + node.operator + _operators(node.right)


def _work(node: Node, lines: list[str]) -> Fraction:
    """The value; appends one line for each operation."""
    if isinstance(node, Fraction):
        return node
    left, right = _work(node.left, lines), _work(node.right, lines)
    lines.append(_line(node.operator, left, right))
    match node.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right


def _line(operator: str, left: Fraction, right: Fraction) -> str:
    """1/2+1/3=3/6+2/6=5/6: common denominator, result, result in lowest terms."""
    steps = [f"{left}{operator}{_grouped(str(right), right)}"]
    if operator in "+-":
        common = lcm(left.denominator, right.denominator)
        a = left.numerator * (common // left.denominator)
        b = right.numerator * (common // right.denominator)
        top, bottom = (a + b if operator == "+" else a - b), common
        if common > 1 and not left.denominator == right.denominator:
            steps.append(f"{a}/{common}{operator}{_grouped(f'{b}/{common}', right)}")
    else:
        if operator == ":":
            if right == 0:
                raise InvalidProblem("no solution: it divides by zero")
            right = 1 / right
            steps.append(f"{left}*{_grouped(str(right), right)}")
        elif 1 in (left, right):
            raise InvalidProblem("trivial: multiplies by 1")
        top, bottom = left.numerator * right.numerator, left.denominator * right.denominator
    result = Fraction(top, bottom)
    if str(result) != f"{top}/{bottom}" and bottom > 1:
        steps.append(f"{top}/{bottom}")
    return "=".join([*steps, str(result)])


def _grouped(text: str, number: Fraction) -> str:
    return f"({text})" if number < 0 else text


def _tree(operations: int, knobs: Mapping[str, int], rng: random.Random) -> Node:
    if operations == 0:
        return _operand(knobs["size"], rng)
    # Without groups the left side holds all but the last operation; parse reads sums of products.
    before = rng.randrange(operations) if knobs["grouped"] else operations - 1
    left = _tree(before, knobs, rng)
    right = _tree(operations - 1 - before, knobs, rng)
    operator = rng.choice(("+-", "+-*", "+-*:")[knobs["operators"] - 1])
    if not knobs["grouped"] and isinstance(left, Operation) and operator in "*:":
        # a+b, then *c: the product binds the last operand, as no group may stand here.
        if _PRECEDENCE[left.operator] == 1:
            return Operation(left.operator, left.left, Operation(operator, left.right, right))
    return Operation(operator, left, right)


def _operand(size: int, rng: random.Random) -> Fraction:
    if rng.random() < WHOLE_SHARE:
        return Fraction(rng.randint(2, 5))
    largest = min(20, max(10, size // 60)) if size > 24 else 8
    return Fraction(rng.randint(1, max(LARGEST_NUMERATOR, largest)), rng.randint(2, largest))
