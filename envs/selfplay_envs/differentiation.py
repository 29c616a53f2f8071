"""Derivatives of answers: the trees that selfplay.grading reads, differentiated exactly.

Lets an environment accept any antiderivative. Trees are not simplified: they are compared by value.
What this does not do: functions other than those of DIFFERENTIABLE, such as arcsin.
"""

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics import equality, notation
from selfplay.grading.mathematics.trees import (
    ONE,
    Call,
    Constant,
    Negate,
    Number,
    Power,
    Product,
    Sum,
    Tree,
    Variable,
    nodes,
)
from selfplay.grading.mathematics.trial import Trial, seed_of, too_large

DIFFERENTIABLE = frozenset({"sin", "cos", "tan", "exp", "ln", "sqrt", "abs"})
"""Functions whose derivative is known here."""
MAX_NODES = 250
"""Largest answer that is differentiated; a derivative may have the square of its nodes."""


def same_derivative(gold: str, answer: Tree) -> bool:
    """Whether an answer differs from an expression in x by a constant only.

    Args:
        gold: an expression in x, of our own making.
        answer: as a declared kind read it; unknowns other than x count as constants.
    Raises:
        AnswerError: the answer is too large, or has a function without a known derivative.
    """
    if len(nodes(answer)) > MAX_NODES:
        raise too_large(f"an antiderivative of more than {MAX_NODES} symbols")
    expected, given = derivative(notation.read(gold)), derivative(answer)
    if expected is None or given is None:
        return expected is given
    return equality.equal(expected, given, Trial(seed_of(gold, repr(answer))))


def derivative(tree: Tree, name: str = "x") -> Tree | None:
    """The derivative with respect to an unknown; None where it is zero.

    Raises:
        AnswerError: a function without a known derivative.
    """
    match tree:
        case Variable():
            return ONE if tree.name == name else None
        case Negate(operand):
            inner = derivative(operand, name)
            return None if inner is None else Negate(inner)
        case Sum(terms):
            return _sum([derivative(term, name) for term in terms])
        case Product(factors, divisors):
            return _sum(
                [
                    *(_of_factor(tree, i, name) for i in range(len(factors))),
                    *(_of_divisor(tree, divisor, name) for divisor in divisors),
                ]
            )
        case Power(base, exponent):
            return _of_power(tree, base, exponent, name)
        case Call(function, (argument,)) if function in DIFFERENTIABLE:
            inner = derivative(argument, name)
            return None if inner is None else _chain(function, argument, inner)
        case Number() | Constant():
            return None
    raise AnswerError("no derivative", "a function whose derivative is not known")


def _sum(terms: list[Tree | None]) -> Tree | None:
    found = tuple(term for term in terms if term is not None)
    return Sum(found) if len(found) > 1 else found[0] if found else None


def _of_factor(product: Product, place: int, name: str) -> Tree | None:
    inner = derivative(product.factors[place], name)
    if inner is None:
        return None
    factors = (*product.factors[:place], inner, *product.factors[place + 1 :])
    return Product(factors, product.divisors)


def _of_divisor(product: Product, divisor: Tree, name: str) -> Tree | None:
    inner = derivative(divisor, name)
    return None if inner is None else Negate(Product((product, inner), (divisor,)))


def _of_power(power: Tree, base: Tree, exponent: Tree, name: str) -> Tree | None:
    """By the rule for powers where the exponent is constant, else by the logarithm of the base."""
    below, above = derivative(base, name), derivative(exponent, name)
    if above is None:
        if below is None:
            return None
        lower = Power(base, Sum((exponent, Negate(ONE))))
        return Product((exponent, lower, below), ())
    if base == Constant("e"):
        return Product((power, above), ())
    first = Product((power, above, Call("ln", (base,))), ())
    if below is None:
        return first
    return Sum((first, Product((power, exponent, below), (base,))))


def _chain(function: str, argument: Tree, inner: Tree) -> Tree:
    match function:
        case "sin":
            return Product((Call("cos", (argument,)), inner), ())
        case "cos":
            return Negate(Product((Call("sin", (argument,)), inner), ()))
        case "tan":
            return Product((inner,), (Power(Call("cos", (argument,)), Number(2)),))
        case "exp":
            return Product((Call("exp", (argument,)), inner), ())
        case "sqrt":
            return Product((inner,), (Number(2), Call("sqrt", (argument,))))
        case "abs":
            return Product((Call("abs", (argument,)), inner), (argument,))
    # ln|u| and ln(u) have the same derivative where both are defined.
    if isinstance(argument, Call) and argument.function == "abs":
        argument = argument.arguments[0]
        return Product((derivative(argument) or ONE,), (argument,))
    return Product((inner,), (argument,))
