"""What a mathematical text means, as an immutable tree: made by notation.py, read by equality.py.

Sums and products hold any number of operands, so the height of a tree is bounded by the nesting
of the text and not by its length. The trees of expressions.py are others on purpose: they keep
every operation as it was written, which the environments need to work a chain or find a duplicate;
these keep only what the text is worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, never negative: an int where digits alone were written."""

    value: int | Fraction


@dataclass(frozen=True, slots=True)
class Variable:
    """An unknown: one letter, a Greek letter or a declared name, with or without a subscript."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """One of `pi`, `e`, `i` and `infinity`."""

    name: str


@dataclass(frozen=True, slots=True)
class Negate:
    """The operand with its sign changed."""

    operand: "Tree"


@dataclass(frozen=True, slots=True)
class Sum:
    """Two or more terms."""

    terms: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors over divisors; at least one factor, and two operands in all."""

    factors: tuple["Tree", ...]
    divisors: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Power:
    """The base to the exponent."""

    base: "Tree"
    exponent: "Tree"


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument or, for `root`, `log_base` and `binomial`, of two."""

    function: str
    arguments: tuple["Tree", ...]


Tree = Number | Variable | Constant | Negate | Sum | Product | Power | Call

ONE = Number(1)
LEAVES = frozenset([Number, Variable, Constant])
"""The nodes without operands."""


def children(tree: Tree) -> tuple[Tree, ...]:
    """The operands of a node, in the order in which they were written."""
    match tree:
        case Sum(terms):
            return terms
        case Product(factors, divisors):
            return factors + divisors
        case Power(base, exponent):
            return (base, exponent)
        case Negate(operand):
            return (operand,)
        case Call(_, arguments):
            return arguments
    return ()


def nodes(tree: Tree) -> list[Tree]:
    """Every node of a tree, the root first."""
    found = [tree]
    for node in found:  # grows meanwhile
        if type(node) not in LEAVES:
            found.extend(children(node))
    return found


def variables(tree: Tree) -> frozenset[str]:
    """The names of the unknowns in a tree."""
    if type(tree) is Number:  # most exponents and divisors
        return frozenset()
    return frozenset([node.name for node in nodes(tree) if type(node) is Variable])


def functions(tree: Tree) -> frozenset[str]:
    """The names of the functions in a tree."""
    return frozenset(node.function for node in nodes(tree) if type(node) is Call)


def substituted(tree: Tree, trees: Mapping[str, Tree]) -> Tree:
    """The tree with other trees in place of some of its unknowns."""
    match tree:
        case Variable(name):
            return trees.get(name, tree)
        case Negate(operand):
            return Negate(substituted(operand, trees))
        case Sum(terms):
            return Sum(tuple(substituted(term, trees) for term in terms))
        case Product(factors, divisors):
            return Product(
                tuple(substituted(factor, trees) for factor in factors),
                tuple(substituted(divisor, trees) for divisor in divisors),
            )
        case Power(base, exponent):
            return Power(substituted(base, trees), substituted(exponent, trees))
        case Call(function, arguments):
            return Call(function, tuple(substituted(one, trees) for one in arguments))
    return tree


def is_literal(tree: Tree) -> bool:
    """Whether a tree is one number, written out: -7, 15/4, 2.5, 1.2*10^3, 10^3; not 3+4 or 2^5."""
    match tree:
        case Number():
            return True
        case Negate(operand):
            return type(operand) is not Negate and is_literal(operand)
        case Product((numerator,), (denominator,)):
            return _is_integer(numerator) and _is_integer(denominator)
        case Power(Number(10), exponent):
            return _is_integer(exponent)
        case Product((mantissa, Power(Number(10), exponent)), ()):
            return type(mantissa) is Number and _is_integer(exponent)
    return False


def _is_integer(tree: Tree) -> bool:
    match tree:
        case Number(value) | Negate(Number(value)):
            return type(value) is int
    return False
