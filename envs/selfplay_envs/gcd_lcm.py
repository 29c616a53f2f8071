"""Greatest common divisors and least common multiples: gcd(12,18), gcd(lcm(4,6),18).

A call has two or three arguments, each a number or another call. Difficulty is the number of pairs
that have to be combined, the steps that Euclid's algorithm takes for all of them together, and the
size of the numbers. A result that stands among the arguments is refused as trivial, and so is 1.
"""

import random
import re
from collections.abc import Mapping
from math import gcd

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

KIND = declare({"kind": "integer"})
MOST_ARGUMENTS = 3
"""Most arguments of one call."""
LARGEST_SHARED = 12
"""Largest drafted factor that is put into all arguments of a call."""

_MAX_LENGTH = 90
_MAX_DEPTH = 4
_TOKEN = re.compile(r"gcd\(|lcm\(|[1-9][0-9]{0,4}|[,)]")

Call = tuple[str, list["Node"]]
Node = int | Call


class GcdLcm(Environment):
    """Find a greatest common divisor or a least common multiple."""

    name = "gcd_lcm"
    summary = "gcd(12,18) or lcm(4,6): two or three arguments, nested at higher levels"
    instruction = (
        "gcd(...) is the greatest common divisor of its arguments and lcm(...) their least common "
        "multiple. Compute the value. The answer is a positive integer."
    )
    verifier = "integer"
    guess_bound = 0.35
    crowded = 5
    knobs = {
        "pairs": Knob((1, 1, 1, 2, 2, 2, 3, 3, 4), "pairs", "more arguments and nested calls"),
        "lcm": Knob((0, 1, 1, 0, 1, 1, 1, 1, 1), "0 or 1", "least common multiples too"),
        "steps": Knob((3, 4, 6, 7, 7, 8, 9, 12, 17), "steps", "longer runs of Euclid's algorithm"),
        "largest": Knob((120, 84, 400, 300, 600, 999, 300, 600, 2000), "value", "larger arguments"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A call whose arguments share a factor."""
        shared = rng.randint(2, LARGEST_SHARED)
        return _write(_draft_call(knobs["pairs"], shared, knobs, rng))

    def parse(self, text: str) -> Problem:
        """Read a call; the gold is its value."""
        node = _read(text)
        if isinstance(node, int):
            raise InvalidProblem(f"trivial: {text[:40]!r} is a number alone")
        numbers = list(map(int, re.findall("[0-9]+", text)))
        pairs = len(numbers) - 1
        needs = {"pairs": pairs, "lcm": int("lcm" in text), "largest": max(numbers)}
        self.easiest(steps=0, **needs)  # bounds the work
        lines: list[str] = []
        gold, steps = _work(node, lines)
        if gold == 1:
            raise InvalidProblem("trivial: nothing in common")
        return Problem(
            environment=self.name,
            level=self.easiest(steps=steps, **needs),
            text=text,
            signature=_signature(node),
            gold=str(gold),
        )

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the value."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Euclid's remainders, for a multiple then a/gcd*b: 18%12=6;12%6=0."""
        lines: list[str] = []
        _work(_read(problem.text), lines)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> Node:
    tokens = _TOKEN.findall(text) if len(text) <= _MAX_LENGTH else []
    if not tokens or "".join(tokens) != text:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'gcd(12,18)'")
    tokens.reverse()
    node = _read_node(tokens, 0)
    if tokens:
        raise InvalidProblem(f"malformed: {tokens[-1]!r} after the end of {text[:40]!r}")
    return node


def _read_node(tokens: list[str], depth: int) -> Node:
    """Reads from the end of the list, which it empties."""
    token = tokens.pop() if tokens else ""
    if token.isdigit():
        return int(token)
    if not token.endswith("(") or depth == _MAX_DEPTH:
        raise InvalidProblem(f"malformed: {token!r} where a number or a call should be")
    arguments = [_read_node(tokens, depth + 1)]
    while tokens and tokens[-1] == ",":
        tokens.pop()
        arguments.append(_read_node(tokens, depth + 1))
    if not tokens or tokens.pop() != ")" or not 2 <= len(arguments) <= MOST_ARGUMENTS:
        raise InvalidProblem("malformed: a call has two or three arguments and is closed")
    return token[:3], arguments


def _write(node: Node) -> str:
    if isinstance(node, int):
        return str(node)
    return f"{node[0]}({','.join(map(_write, node[1]))})"


def _signature(node: Node) -> str:
    """Equal for calls that differ in the order of the arguments."""
    if isinstance(node, int):
        return str(node)
    return f"{node[0]}({','.join(sorted(map(_signature, node[1])))})"


def _work(node: Node, lines: list[str]) -> tuple[int, int]:
    """The value and the steps of Euclid's algorithm that it took; appends the lines.

    Raises:
        InvalidProblem: a call whose value is one of its arguments, or with two equal ones.
    """
    if isinstance(node, int):
        return node, 0
    name, arguments = node
    worked = [_work(argument, lines) for argument in arguments]
    values, steps = [value for value, _ in worked], sum(count for _, count in worked)
    if len(set(values)) < len(values):
        raise InvalidProblem("trivial: two arguments are equal")
    result = values[0]
    for value in values[1:]:
        divisor, count = _euclid(result, value, lines)
        steps += count
        if name == "lcm":
            lines.append(f"{result}/{divisor}*{value}={result // divisor * value}")
            result = result // divisor * value
        else:
            result = divisor
    if result in values:
        raise InvalidProblem(f"trivial: {result} is an argument and the value of a call")
    return result, steps


def _euclid(left: int, right: int, lines: list[str]) -> tuple[int, int]:
    """The greatest common divisor and the number of divisions; appends a line for each."""
    high, low, count = max(left, right), min(left, right), 0
    while low:
        lines.append(f"{high}%{low}={high % low}")
        high, low, count = low, high % low, count + 1
    assert high == gcd(left, right)
    return high, count


def _draft_call(pairs: int, shared: int, knobs: Mapping[str, int], rng: random.Random) -> Call:
    """A call that combines so many pairs; all its numbers are multiples of `shared`."""
    name = rng.choice(("gcd", "lcm")) if knobs["lcm"] else "gcd"
    count = min(rng.choice((2, 2, MOST_ARGUMENTS)), pairs + 1)
    # What is left of the pairs goes into the arguments, those with at least one are calls.
    left = pairs - (count - 1)
    inside = [0] * count
    for _ in range(left):
        inside[rng.randrange(count)] += 1
    largest = knobs["largest"]
    if name == "lcm":  # which grows: smaller numbers than for a divisor
        largest = min(largest, max(84, largest // 4))
    arguments: list[Node] = [
        _draft_call(n, shared, knobs, rng)
        if n
        else shared * rng.randint(1, max(2, largest // shared))
        for n in inside
    ]
    return name, arguments
