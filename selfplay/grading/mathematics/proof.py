"""Proofs of equality by sympy, in a helper process that is killed at a deadline (worker.py).

For kinds that are declared with `prove`: numerical agreement at random points is evidence, this is
certainty. What sympy gets is our own tree, node by node; it never reads a text. An answer that it
cannot prove right earns nothing (a timeout): were it masked as an error, a solver could hide its
attempts behind expressions that are hard to decide. Whether sympy comes to an end within the
deadline depends on the machine.
"""

import atexit
import importlib
from functools import cache
from typing import Any

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics import trees
from selfplay.grading.mathematics.numeric import Domain, Range
from selfplay.grading.mathematics.trees import Tree
from selfplay.grading.worker import Helper, serve
from selfplay.problem import Outcome

SECONDS = 10.0
"""Deadline of one proof."""


def prove(one: Tree, other: Tree, domain: Domain) -> None:
    """Have sympy prove that two expressions are equal, which agree at every point that was tried.

    Args:
        one: an expression.
        other: another one.
        domain: where the unknowns are; of a range, sympy is told its sign and whether it is whole.
    Raises:
        AnswerError: it does not, or not within `SECONDS` (timeout).
        HelperError: it failed.
    """
    known = {name: _assumptions(where) for name, where in domain.ranges}
    try:
        proved = _helper().ask([known, _to_json(one), _to_json(other)], SECONDS)
    except TimeoutError as error:
        raise AnswerError("not proved", str(error), Outcome.TIMEOUT) from error
    if not proved:
        raise AnswerError("not proved", "sympy finds no proof", Outcome.TIMEOUT)


def _assumptions(where: Range) -> dict[str, bool]:
    known = {"real": True}
    if where.low is not None and where.low >= 0:
        known["positive"] = True  # the ends are not part of a range
    if where.high is not None and where.high <= 0:
        known["negative"] = True
    if where.whole:
        known["integer"] = True
    return known


@cache
def _helper() -> Helper:
    made = Helper(__name__)
    atexit.register(made.close)
    return made


def _to_json(tree: Tree) -> list[Any]:
    """A node as its type's name, what it holds, and its operands."""
    match tree:
        case trees.Number(value):
            held = [str(value.numerator), str(value.denominator)]
        case trees.Variable(name) | trees.Constant(name):
            held = [name]
        case trees.Product(factors, _):
            held = [len(factors)]
        case trees.Call(function, _):
            held = [function]
        case _:
            held = []
    return [type(tree).__name__, held, [_to_json(child) for child in trees.children(tree)]]


def _decide(question: list[Any]) -> bool:
    import sympy

    known, *nodes = question
    one, other = (_to_sympy(sympy, known, node) for node in nodes)
    return sympy.simplify(one - other) == 0 or bool(one.equals(other))


def _to_sympy(sympy: Any, known: dict[str, dict[str, bool]], node: list[Any]) -> Any:
    kind, held, children = node
    operands = [_to_sympy(sympy, known, child) for child in children]
    match kind:
        case "Number":
            return sympy.Rational(int(held[0]), int(held[1]))
        case "Variable":
            return sympy.Symbol(held[0], **known.get(held[0], {"real": True}))
        case "Constant":
            return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infinity": sympy.oo}[held[0]]
        case "Negate":
            return -operands[0]
        case "Sum":
            return sympy.Add(*operands)
        case "Product":
            return sympy.Mul(*operands[: held[0]]) / sympy.Mul(*operands[held[0] :])
        case "Power":
            return sympy.Pow(*operands)
        case "Call":
            return _call(sympy, held[0], operands)
    raise AssertionError(f"no node {kind!r}")


def _call(sympy: Any, function: str, operands: list[Any]) -> Any:
    """A function of ours as sympy's; most have the same name."""
    match function:
        case "root":
            return sympy.real_root(operands[0], operands[1])
        case "cbrt":
            return sympy.real_root(operands[0], 3)
        case "log_base":
            return sympy.log(operands[0]) / sympy.log(operands[1])
        case "abs":
            return sympy.Abs(operands[0])
        case "ceil":
            return sympy.ceiling(operands[0])
        case "ln":
            return sympy.log(operands[0])
    return getattr(sympy, function)(*operands)


if __name__ == "__main__":
    importlib.import_module("sympy")  # once, before the forks
    serve(_decide)
