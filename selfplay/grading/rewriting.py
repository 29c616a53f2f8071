"""Worked evaluation: an expression rewritten one operation at a time, as in 12+34*5=12+170=182.

Feeds the demonstrations of the environments. The rule: the leftmost product whose factors are
numbers; if there is none, the leftmost such sum. A negative number as second term is folded into
the operator (5+(-3) is written 5-3, and 5-(-3) as 5+3); as a factor it keeps its parentheses unless
it stands first. Integers with + - * only: a division is an error, not a step.
"""

from selfplay.grading.expressions import (
    BinaryOperation,
    ExpressionError,
    Integer,
    Negate,
    Node,
    to_text,
)

_FLIPPED = {"+": "-", "-": "+"}


def chain(node: Node) -> str:
    """The expression, every rewritten form of it, and its value, joined by `=`.

    Raises:
        ExpressionError: it holds a variable, a division, or a sign before a group.
    """
    texts = [to_text(node)]
    while _value(node) is None:
        smaller = _rewrite(node, "*") or _rewrite(node, "+-")
        if smaller is None:
            raise ExpressionError(
                f"{texts[0][:60]!r} cannot be worked out step by step: integers with + - * only."
            )
        node = smaller
        texts.append(to_text(node))
    return "=".join(texts)


def _value(node: Node) -> int | None:
    """The value of a number with or without a sign; None for anything else."""
    match node:
        case Integer(value):
            return value
        case Negate(Integer(value)):
            return -value
    return None


def _rewrite(node: Node, operators: str) -> Node | None:
    """The tree with its leftmost computable operation of `operators` computed, or None."""
    if not isinstance(node, BinaryOperation):
        return None
    left, right = _value(node.left), _value(node.right)
    if left is not None and right is not None:
        return _number(node.operator, left, right) if node.operator in operators else None
    if (smaller := _rewrite(node.left, operators)) is not None:
        return BinaryOperation(node.operator, smaller, node.right)
    if (smaller := _rewrite(node.right, operators)) is None:
        return None
    if isinstance(smaller, Negate) and node.operator in _FLIPPED:
        return BinaryOperation(_FLIPPED[node.operator], node.left, smaller.operand)
    return BinaryOperation(node.operator, node.left, smaller)


def _number(operator: str, left: int, right: int) -> Node:
    if operator == "*":
        value = left * right
    else:
        value = left + right if operator == "+" else left - right
    return Integer(value) if value >= 0 else Negate(Integer(-value))
