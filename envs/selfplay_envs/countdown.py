r"""Countdown: 3,5,7 make 22 asks for an expression with value 22 that uses 3, 5 and 7 once each.

Answers may use + - * / and parentheses; any right expression counts, also with the signs of other
models (\times, \cdot, square brackets), with a sign before a number, or with = 22 behind it. The
gold is found by an exact search that is complete over + - *: a target that only a division reaches
is refused as "no solution". It prefers + and -, so a problem demands the knob `multiply` exactly
when no expression with + and - alone reaches the target. A proposal may also be an expression:
3*5+7 poses the problem that it solves.
"""

import random
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from math import factorial

from selfplay.grading import (
    AnswerError,
    BinaryOperation,
    ExpressionError,
    Integer,
    Negate,
    Node,
    chain,
    evaluate,
    final_answer,
    parse,
    to_text,
    unreadable,
)
from selfplay.problem import (
    ANSWER_OPEN,
    Environment,
    InvalidProblem,
    Knob,
    Outcome,
    Problem,
    Verdict,
)
from selfplay_envs.pace import Pace

LARGEST_TARGET = 999
"""Largest target."""
LONGEST_DEMONSTRATION = (40, 40, 80, 80, 80, 155, 155, 155, 155)
"""Length of a level's demonstration, in tokens, up to which failed tries are put before the
solution."""
PRODUCT_SHARE = 0.45
"""Share of operators that are drafted as products, where they are allowed."""

_SPELLINGS = (
    ("\\left", " "), ("\\right", " "), ("\\times", "*"), ("\\cdot", "*"), ("\\div", "/"),
    ("\u00d7", "*"), ("\u22c5", "*"), ("\u00b7", "*"), ("\u00f7", "/"), ("\u2212", "-"), ("[", "("),
    ("]", ")"), ("$", " "),
)  # fmt: skip
"""How other models write the signs."""
_LEADING_ZEROS = re.compile(r"(?<![0-9.])0+(?=[0-9])")
_MAX_LENGTH = 60
_NUMBER = "(?:0|[1-9][0-9]{0,5})"
_TEXT = re.compile(rf"({_NUMBER}(?:,{_NUMBER})*) make ({_NUMBER})\Z")
_TABLE_SIZE = 3  # subsets up to this size are tabulated; larger ones are searched from the target

Reached = dict[int, Node]
"""Values that a subset of the numbers reaches, each with one expression."""


class Countdown(Environment):
    """Reach a target with given numbers."""

    name = "countdown"
    summary = "3,5,7 make 22: an expression with that value that uses every number once"
    instruction = (
        "Write an expression that has the value after `make` and uses each of the given numbers "
        "exactly once. Allowed are + - * / and parentheses. The answer is the expression alone."
    )
    verifier = "certificate"
    unique = False
    crowded = 8
    knobs = {
        "numbers": Knob((2, 3, 3, 3, 4, 4, 4, 5, 5), "numbers", "more numbers to combine"),
        "largest": Knob((30, 24, 40, 15, 12, 24, 12, 12, 50), "value", "larger numbers"),
        "multiply": Knob((0, 0, 0, 1, 0, 0, 1, 0, 1), "0 or 1", "targets that need a product"),
        "target": Knob((99, 99, 99, 99, 99, 99, 99, 99, 999), "value", "larger targets"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A target that joining random numbers at random gave."""
        numbers = tuple(sorted(rng.randint(1, knobs["largest"]) for _ in range(knobs["numbers"])))
        share = PRODUCT_SHARE if knobs["multiply"] else 0.0
        target, _ = _random_expression(numbers, share, rng)
        return f"{','.join(map(str, numbers))} make {target}"

    def parse(self, text: str) -> Problem:
        """Read a target and numbers; the gold is an expression found by exact search.

        An expression such as 3*5+7 is read as 3,5,7 make 22, which it solves.
        """
        if " make " not in text:
            text = _question(text)
        target, numbers = _read(text)
        self._refuse(target, numbers)
        multiply = 0
        gold = _signed_sum(target, numbers)
        if gold is None:
            multiply = 1
            solution = _search(target, (1 << len(numbers)) - 1, numbers, {})
            if solution is None:
                raise InvalidProblem(f"no solution: {text[:40]!r} with + - *")
            gold = to_text(solution)
        level = self.easiest(
            numbers=len(numbers), largest=numbers[-1], multiply=multiply, target=target
        )
        return Problem(self.name, level, text, signature=text, gold=gold)

    def pose(self, problem: Problem) -> str:
        """As an expression that solves it: most targets drawn from the air have no solution."""
        return problem.gold

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer uses every number exactly once and has the target as its value."""
        try:
            target, numbers = _read(problem.text)
        except InvalidProblem:
            return Verdict(Outcome.ERROR, "unreadable problem")
        try:
            node = parse(_plain(final_answer(response), target))
            used = sorted(_operands(node, signs=True))
            value = evaluate(node) if used == list(numbers) else None
        except AnswerError as error:
            return unreadable(error)
        except ExpressionError:
            return Verdict(Outcome.UNPARSABLE, "not an expression")
        if value is None:
            return Verdict(Outcome.WRONG, "other numbers")
        if value != target:
            return Verdict(Outcome.WRONG, "other value")
        return Verdict(Outcome.CORRECT, "reached")

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Sums in a fixed order that miss the target, then the expression that hits it.

        The order is that of the search for the gold: first all +, then more and more -. Where there
        is no room for all that come before the gold, it starts with a later one.
        """
        target, numbers = _read(problem.text)
        answer = f"{ANSWER_OPEN}{problem.gold}"
        worked = chain(parse(problem.gold))
        match Pace.draw(rng):
            case Pace.AT_A_GLANCE:
                return answer
            case Pace.BRISK:
                return f"{worked}{answer}"
            case Pace.CAREFUL:
                room = LONGEST_DEMONSTRATION[problem.level] - len(worked) - len(answer)
                return f"{';'.join([*_misses(target, numbers, room), worked])}{answer}"

    def estimate(self, problem: Problem) -> float:
        """How many expressions of the kind that is needed the numbers can be joined to."""
        _, numbers = _read(problem.text)
        operators = 4 if re.search("[*/]", problem.gold) else 2
        return float(operators ** (len(numbers) - 1) * factorial(len(numbers)))

    def _refuse(self, target: int, numbers: tuple[int, ...]) -> None:
        """Whatever needs no search to be refused."""
        if list(numbers) != sorted(numbers):
            raise InvalidProblem(f"not canonical: the numbers {numbers[:8]} do not ascend")
        if numbers[0] == 0:
            raise InvalidProblem("trivial: zero")
        if len(numbers) == 1:
            raise InvalidProblem(f"trivial: {numbers[0]} alone")
        if target > LARGEST_TARGET:
            raise InvalidProblem(f"beyond the top level: the target {target}")
        # Bounds the search.
        self.easiest(numbers=len(numbers), largest=numbers[-1], multiply=0, target=target)


def _read(text: str) -> tuple[int, tuple[int, ...]]:
    """The target and the numbers."""
    found = _TEXT.match(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '3,5,7 make 22'")
    numbers, target = found.groups()
    return int(target), tuple(map(int, numbers.split(",")))


def _question(text: str) -> str:
    """The problem that an expression solves, in canonical notation.

    One with a value below 0 poses the opposite: what is subtracted and what from can be exchanged.
    """
    if " " in text:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '3,5,7 make 22' or '3*5+7'")
    try:
        node = parse(text)
        numbers, value = sorted(_operands(node)), evaluate(node)
    except ExpressionError as error:
        raise InvalidProblem(f"malformed: {text[:40]!r}: {error}") from error
    return f"{','.join(map(str, numbers))} make {abs(value)}"


def _plain(answer: str, target: int) -> str:
    """An answer in the notation that is read; without `= target` behind or before it."""
    for spelling, operator in _SPELLINGS:
        answer = answer.replace(spelling, operator)
    sides = [side.strip() for side in answer.split("=")]
    rest = [side for side in sides if side != str(target)]
    answer = rest[0] if len(sides) == 2 and len(rest) == 1 else answer
    return _LEADING_ZEROS.sub("", answer)


def _operands(node: Node, signs: bool = False) -> list[int]:
    """The numbers that an answer uses.

    Args:
        node: the answer.
        signs: whether a sign may stand before an operand; nothing more is reached with one.
    Raises:
        ExpressionError: it holds a variable, or a sign.
    """
    used: list[int] = []
    waiting = [node]
    while waiting:
        match waiting.pop():
            case Integer(value):
                used.append(value)
            case BinaryOperation(_, left, right):
                waiting += (left, right)
            case Negate(operand) if signs:
                waiting.append(operand)
            case _:
                raise ExpressionError("a variable or a sign: only numbers and + - * / count.")
    return used


def _signed_sum(target: int, numbers: tuple[int, ...]) -> str | None:
    """The numbers added with the fewest minus signs; every + - expression is such a sum."""
    return next((text for text, value in _sums(numbers) if value == target), None)


def _sums(numbers: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """Every sum of the numbers with signs, as text with its value: the fewest minus signs first.

    At least one number is added, as no text begins with a sign. Sums below 0 are left out, as no
    target is one.
    """
    positions = range(len(numbers))
    for count in positions:
        for minus in combinations(positions, count):
            value = sum(-number if i in minus else number for i, number in enumerate(numbers))
            if value >= 0:
                plus = "+".join(str(numbers[i]) for i in positions if i not in minus)
                yield plus + "".join(f"-{numbers[i]}" for i in minus), value


# The search works on subsets of the numbers (bit masks) and on absolute values: changing + to - and
# back moves any sign to the top of an expression, so nothing is lost by never going below zero.


@cache
def _splits(mask: int) -> tuple[tuple[int, int], ...]:
    """The ways to divide a subset in two, the smaller part first, the most even ways first."""
    pairs = []
    part = (mask - 1) & mask
    while part:
        rest = mask ^ part
        if (part.bit_count(), part) < (rest.bit_count(), rest):
            pairs.append((part, rest))
        part = (part - 1) & mask
    return tuple(sorted(pairs, key=lambda pair: (pair[1].bit_count(), pair)))


@cache
def _written_order(mask: int) -> tuple[tuple[int, int], ...]:
    """The same ways, the part with more numbers first: 3*5+7 reads better than 7+3*5."""
    return tuple(
        (rest, part) if rest.bit_count() > part.bit_count() else (part, rest)
        for part, rest in _splits(mask)
    )


def _reach(mask: int, numbers: tuple[int, ...], memo: dict[int, Reached]) -> Reached:
    """Every value that the subset reaches with + - *, each with one expression; fills `memo`."""
    if mask in memo:
        return memo[mask]
    if mask.bit_count() == 1:
        number = numbers[mask.bit_length() - 1]
        reached: Reached = {number: Integer(number)}
    else:
        reached = {}
        for first, second in _written_order(mask):
            for x, x_node in _reach(first, numbers, memo).items():
                for y, y_node in _reach(second, numbers, memo).items():
                    for value, operator, left, right in (
                        (x + y, "+", x_node, y_node),
                        (x - y, "-", x_node, y_node),
                        (y - x, "-", y_node, x_node),
                        (x * y, "*", x_node, y_node),
                    ):
                        if value >= 0 and value not in reached:
                            reached[value] = BinaryOperation(operator, left, right)
    memo[mask] = reached
    return reached


def _search(
    target: int, mask: int, numbers: tuple[int, ...], memo: dict[int, Reached]
) -> Node | None:
    """An expression with + - * over the subset whose value is the target, if there is one."""
    if mask.bit_count() <= _TABLE_SIZE:
        return _reach(mask, numbers, memo).get(target)
    for part, rest in _splits(mask):
        for x, x_node in _reach(part, numbers, memo).items():
            for operator, other, swapped in _partners(target, x):
                if (y_node := _search(other, rest, numbers, memo)) is not None:
                    left, right = (y_node, x_node) if swapped else (x_node, y_node)
                    return BinaryOperation(operator, left, right)
            if x == target == 0:  # zero times anything; the rest is small enough for the table
                y_node = next(iter(_reach(rest, numbers, memo).values()))
                return BinaryOperation("*", y_node, x_node)
    return None


def _partners(target: int, x: int) -> Iterator[tuple[str, int, bool]]:
    """The y for which x and y reach the target: the operator, y, whether y stands first."""
    if x <= target:
        yield "+", target - x, True
    else:
        yield "-", x - target, False
    yield "-", target + x, True
    if x and target % x == 0:
        yield "*", target // x, True


def _random_expression(
    numbers: tuple[int, ...], share: float, rng: random.Random
) -> tuple[int, Node]:
    """Join two random parts until one is left; no result is negative."""
    parts: list[tuple[int, Node]] = [(number, Integer(number)) for number in numbers]
    rng.shuffle(parts)
    while len(parts) > 1:
        x, x_node = parts.pop(rng.randrange(len(parts)))
        y, y_node = parts.pop(rng.randrange(len(parts)))
        if rng.random() < share and x * y <= LARGEST_TARGET:
            parts.append((x * y, BinaryOperation("*", x_node, y_node)))
        elif rng.random() < 0.5:
            parts.append((x + y, BinaryOperation("+", x_node, y_node)))
        elif x >= y:
            parts.append((x - y, BinaryOperation("-", x_node, y_node)))
        else:
            parts.append((y - x, BinaryOperation("-", y_node, x_node)))
    return parts[0]


def _misses(target: int, numbers: tuple[int, ...], room: int) -> list[str]:
    """The worked sums tried before the target is hit; the last of them, if not all fit the room."""
    tries: list[str] = []
    for text, value in _sums(numbers):
        if value == target:
            break
        tries.append(chain(parse(text)))
    while sum(len(attempt) + 1 for attempt in tries) > room:
        tries.pop(0)
    return tries
