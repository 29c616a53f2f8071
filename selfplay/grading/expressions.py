"""Our own small grammar for arithmetic: text -> immutable tree -> exact value, text, canonical key.

    expression = operand {("+" | "-" | "*" | "/") operand}      the usual precedence, left to right
    operand    = number | letter | number (letter | group) | group | "-" operand
    group      = "(" expression ")"

Feeds the graders and the parsers of the environments with text that a model wrote, so every limit
is checked before work is done and nothing is ever evaluated as Python. ASCII only; spaces count for
nothing, except that they never join two numbers. A number directly before a letter or a group
multiplies it and binds tightest; after "/" that would be ambiguous (6/2x) and is refused. No
powers, functions or equations.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

MAX_LENGTH = 400
"""Longest text, in characters; also bounds every value to about as many digits."""
MAX_DIGITS = 30
"""Most digits in one number."""
MAX_DEPTH = 30
"""Deepest nesting of groups and signs."""
MAX_TOKENS = 200
"""Most numbers, letters, operators and parentheses: bounds the height of a tree."""

_TOKEN = re.compile(rf"0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}}|[a-z]|[-+*/()]")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}
_DIGITS = "0123456789"
_END = ""


class ExpressionError(ValueError):
    """A text that is no expression of this grammar, or an expression without a value."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A number as written: never negative, see `Negate`."""

    value: int


@dataclass(frozen=True, slots=True)
class Variable:
    """An unknown, one letter from a to z."""

    name: str


@dataclass(frozen=True, slots=True)
class Negate:
    """The operand with its sign changed."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class BinaryOperation:
    """Two operands joined by one of + - * /."""

    operator: str
    left: "Node"
    right: "Node"


Node = Integer | Variable | Negate | BinaryOperation


def parse(text: str) -> Node:
    """Read an expression.

    Args:
        text: any text; nothing about it is trusted.
    Returns:
        The tree; operators of equal precedence group to the left.
    Raises:
        ExpressionError: not of the grammar, or beyond one of the limits of this module.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"an expression of {len(text)} characters is too long: at most {MAX_LENGTH} are read."
        )
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text.replace(" ", ""):
        raise ExpressionError(
            f"{text[:60]!r} holds a character that is not one of 0-9 a-z + - * / ( ) and space."
        )
    if len(tokens) > MAX_TOKENS:
        raise ExpressionError(
            f"an expression of {len(tokens)} symbols is too long: at most {MAX_TOKENS} are read."
        )
    reader = _Reader(text, tokens)
    node = reader.expression(0, 0)
    if reader.next_token() != _END:
        raise reader.error("an operator or the end")
    return node


class _Reader:
    """A place in a list of tokens; each method reads one rule of the grammar from there."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self.text = text
        self.tokens = [*tokens, _END]
        self.position = 0

    def next_token(self) -> str:
        return self.tokens[self.position]

    def error(self, wanted: str) -> ExpressionError:
        found = repr(self.next_token()) if self.next_token() else "the end"
        return ExpressionError(
            f"{self.text[:60]!r}: expected {wanted}, found {found} as symbol {self.position + 1}. "
            f"Numbers have at most {MAX_DIGITS} digits and no leading zeros."
        )

    def expression(self, minimum: int, depth: int) -> Node:
        """Operands joined by operators that bind tighter than `minimum`."""
        node = self.operand(depth)
        while (binding := _PRECEDENCE.get(operator := self.next_token(), 0)) > minimum:
            self.position += 1
            node = BinaryOperation(operator, node, self.expression(binding, depth))
        return node

    def operand(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionError(
                f"{self.text[:60]!r} is nested too deeply: at most {MAX_DEPTH} groups and signs."
            )
        token = self.next_token()
        if token and token[0] in _DIGITS:
            return self.number(depth)
        if token == "(":
            return self.group(depth)
        if token == "-":
            self.position += 1
            return Negate(self.operand(depth + 1))
        if token in _PRECEDENCE or token in (_END, ")"):
            raise self.error("a number, a letter or '('")
        self.position += 1
        return Variable(token)

    def number(self, depth: int) -> Node:
        """A number, with the letter or group that it multiplies, if one follows directly."""
        number = Integer(int(self.next_token()))
        divides = self.position > 0 and self.tokens[self.position - 1] == "/"
        self.position += 1
        token = self.next_token()
        if not token or token in _PRECEDENCE or token == ")" or token[0] in _DIGITS:
            return number
        if divides:
            raise self.error("an operator, as a product right after '/' is ambiguous,")
        return BinaryOperation("*", number, self.operand(depth + 1))

    def group(self, depth: int) -> Node:
        self.position += 1
        node = self.expression(0, depth + 1)
        if self.next_token() != ")":
            raise self.error("an operator or ')'")
        self.position += 1
        return node


def evaluate(node: Node) -> Fraction:
    """The exact value of an expression without variables.

    Raises:
        ExpressionError: it has a variable, or divides by zero.
    """
    return Fraction(_value(node))


def _value(node: Node) -> int | Fraction:
    """The value; an int where no division forces a fraction, as ints are ten times faster."""
    match node:
        case Integer(value):
            return value
        case BinaryOperation(operator, left, right):
            return _apply(operator, _value(left), _value(right))
        case Negate(operand):
            return -_value(operand)
        case Variable(name):
            raise ExpressionError(f"the variable {name!r} has no value: write numbers only.")


def _apply(operator: str, left: int | Fraction, right: int | Fraction) -> int | Fraction:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    if right == 0:
        raise ExpressionError(f"{left}/0: division by zero has no value.")
    return Fraction(left) / right


def to_text(node: Node) -> str:
    """The expression with as few parentheses as its value allows, products with `*`.

    Returns:
        A text whose parse has the same value; the grouping of a+(b+c) and a*(b*c) is not kept.
    """
    return _write(node, 0, leading=True)


def _write(node: Node, minimum: int, leading: bool) -> str:
    """`minimum`: binding below which parentheses are needed; `leading`: nothing stands before."""
    match node:
        case Integer(value):
            return str(value)
        case BinaryOperation(operator, left, right):
            binding = _PRECEDENCE[operator]
            bare = binding >= minimum
            before = _write(left, binding, leading or not bare)
            after = _write(right, binding + (operator in "-/"), leading=False)
            text = f"{before}{operator}{after}"
            return text if bare else f"({text})"
        case Negate(operand):
            text = f"-{_write(operand, 3, leading=False)}"
            return text if leading else f"({text})"
        case Variable(name):
            return name


def canonical(node: Node) -> str:
    """A key that is equal for expressions equal up to the order and grouping of sums and products.

    Subtraction counts as adding the negated, division as multiplying by the inverse, and signs
    leave products: 2-(3-x), x-3+2 and 2+x-3 share a key. Nothing is multiplied out or computed.
    """
    sign, key = _signed_key(node)
    return key if sign > 0 else f"-{key}"


def _signed_key(node: Node) -> tuple[int, str]:
    match node:
        case Integer(value):
            return 1, str(value)
        case BinaryOperation("+" | "-"):
            terms: list[str] = []
            _collect_terms(node, 1, terms)
            terms.sort()
            return 1, f"({''.join(terms)})"
        case BinaryOperation():
            factors: list[str] = []
            sign = _collect_factors(node, "*", factors)
            factors.sort()
            return sign, f"[{''.join(factors)}]"
        case Negate(operand):
            sign, key = _signed_key(operand)
            return -sign, key
        case Variable(name):
            return 1, name


def _collect_terms(node: Node, sign: int, terms: list[str]) -> None:
    match node:
        case BinaryOperation(("+" | "-") as operator, left, right):
            _collect_terms(left, sign, terms)
            _collect_terms(right, sign if operator == "+" else -sign, terms)
        case Negate(operand):
            _collect_terms(operand, -sign, terms)
        case _:
            own_sign, key = _signed_key(node)
            terms.append(f"{'+' if sign == own_sign else '-'}{key}")


def _collect_factors(node: Node, side: str, factors: list[str]) -> int:
    """Add the factors with their side ("*" or "/"); returns the sign that they leave behind."""
    match node:
        case BinaryOperation(("*" | "/") as operator, left, right):
            other = "/" if side == "*" else "*"
            sign = _collect_factors(left, side, factors)
            return sign * _collect_factors(right, side if operator == "*" else other, factors)
        case Negate(operand):
            return -_collect_factors(operand, side, factors)
        case _:
            sign, key = _signed_key(node)
            factors.append(f"{side}{key}")
            return sign
