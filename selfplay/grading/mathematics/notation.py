r"""One reader for a scalar expression in ASCII or LaTeX: normalised text -> immutable tree.

    sum      = product {("+" | "-") product}
    product  = signed {("*" | "/") signed | power}     a power directly after an operand multiplies
    signed   = {"+" | "-"} power                       -x^2 is -(x^2)
    power    = operand {"!"} ["^" exponent | "^" \circ]    2^3^2 is 2^(3^2); 90^\circ is pi/2
    operand  = number | name | group | "|" sum "|" | \frac | \sqrt | function
    group    = "(" sum ")" | "[" sum "]" | "{" sum "}" | "\{" sum "\}"

Fed by the kinds with text that symbols.py has normalised, feeds equality.py. Every limit is checked
before work is done, and nothing is computed here beyond the value of one written number.
What is refused because readers differ on it: a product right after "/" (1/2x), a number right
after anything but ! (x2, 2 3), an improper mixed number. `2\frac{1}{2}` is the mixed number 5/2
and never a product; `2e-5` is scientific notation (2*e-5 needs its sign of multiplication or
spaces).
What this does not read: equations, tuples, sets, matrices (layout.py takes those apart),
derivatives, integrals, sums with bounds, double factorials.
"""

from collections.abc import Callable
from fractions import Fraction

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics.cursor import Cursor
from selfplay.grading.mathematics.lexer import END, symbols_of
from selfplay.grading.mathematics.symbols import CONSTANTS, FUNCTIONS, LOGARITHMS
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
)

MAX_DEPTH = 40
"""Deepest nesting of groups, signs, exponents and functions."""
_OPERAND_COMMANDS = frozenset({"\\frac", "\\binom", "\\lvert", "\\lfloor", "\\lceil"})
_OF_TWO_DIGITS = frozenset({"\\frac", "\\binom"})
_NEVER_OPERANDS = frozenset({END, "+", "-", ")", "}", "]", "\\}"})
_CLOSING = {"(": ")", "{": "}", "[": "]", "\\{": "\\}"}
_OF_SUMS = frozenset({"[", "\\{"})
r"""Brackets that only group: around anything but a sum, [x] may be a floor and \{x\} a fraction."""
_FENCES = {"\\lvert": ("\\rvert", "abs"), "\\lfloor": ("\\rfloor", "floor"),
           "\\lceil": ("\\rceil", "ceil")}  # fmt: skip
_INVERSE = {name: f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}


def read(text: str, names: frozenset[str] | None = None) -> Tree:
    """Read an expression.

    Args:
        text: normalised text; nothing else about it is trusted.
        names: the unknowns that may occur; they win over the constants e and i. None: any letter,
            but no word of more than three letters, which is prose.
    Returns:
        The tree; at most `MAX_DEPTH` levels of groups high.
    Raises:
        AnswerError: not of the grammar, or beyond one of the limits of this module.
    """
    reader = _Reader(text, names)
    tree = reader.sum(0)
    if reader.token != END:
        raise reader.error("an operator or the end")
    return tree


class _Reader(Cursor):
    """Each method reads one rule of the grammar from the place of the cursor."""

    def __init__(self, text: str, names: frozenset[str] | None) -> None:
        super().__init__(text, symbols_of(text, names))
        self.names = names or frozenset()
        self.bars = 0
        """How many | are open: inside, the next | after an operand closes."""

    def deeper(self, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise _too_deep()
        return depth + 1

    def sum(self, depth: int) -> Tree:
        terms = [self.product(depth)]
        while (operator := self.tokens[self.position]) == "+" or operator == "-":
            self.position += 1
            term = self.product(depth)
            terms.append(term if operator == "+" else Negate(term))
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def product(self, depth: int) -> Tree:
        start = self.position
        factors = [self.signed(depth)]
        divisors: list[Tree] = []
        divided = False  # the last operand stands after "/"
        while True:
            token = self.tokens[self.position]
            if token == "*" or token == "/":
                self.position += 1
                divided = token == "/"
                start = self.position
                (divisors if divided else factors).append(self.signed(depth))
            elif not self.starts_operand(token):
                break
            elif divided or (token[0] in ".0123456789" and not self.ends_operand(factors[-1])):
                raise self.error("an operator, as readers differ on a product here,")
            elif token == "\\frac" and self.is_integer(start, factors[-1]):
                factors[-1] = self.mixed(factors[-1], depth)
            else:
                start = self.position
                factors.append(self.power(depth))
        if len(factors) == 1 and not divisors:
            return factors[0]
        return Product(tuple(factors), tuple(divisors))

    def starts_operand(self, token: str) -> bool:
        if token in _NEVER_OPERANDS:
            return False
        if token == "|":
            return self.bars == 0
        return (
            token.isalnum()
            or token in _CLOSING
            or token[0] in ".0123456789"
            or token in _OPERAND_COMMANDS
        )

    def ends_operand(self, factor: Tree) -> bool:
        """Whether a number right after the last operand multiplies it: 5! 3, and 2^{5} 3."""
        last = self.tokens[self.position - 1]
        return last == "!" or (last == "}" and type(factor) is Power)

    def is_integer(self, start: int, factor: Tree) -> bool:
        """Whether the last operand was written as digits only, with or without a sign."""
        if type(factor) is Negate:
            start += 1
            factor = factor.operand
        alone = start == self.position - 1
        return alone and type(factor) is Number and type(factor.value) is int

    def mixed(self, whole: Tree, depth: int) -> Tree:
        fraction = self.power(depth)
        match fraction:
            case Product((Number(int(above)),), (Number(int(below)),)):
                if not 0 < above < below:
                    raise AnswerError("not mathematics", "a mixed number with an improper fraction")
                if type(whole) is Negate and type(whole.operand) is Number:
                    return Negate(Number(whole.operand.value + Fraction(above, below)))
                if type(whole) is Number:
                    return Number(whole.value + Fraction(above, below))
        return Product((whole, fraction), ())

    def signed(self, depth: int) -> Tree:
        token = self.tokens[self.position]
        if token == "-":
            self.position += 1
            return Negate(self.signed(self.deeper(depth)))
        if token == "+":
            self.position += 1
            return self.signed(self.deeper(depth))
        return self.power(depth)

    def power(self, depth: int) -> Tree:
        base = self.operand(depth + 1)
        while (token := self.tokens[self.position]) == "!":
            self.position += 1
            if self.token == "!":
                raise self.error("one '!', as a double factorial is not read,")
            base = Call("factorial", (base,))
        if token == "^" or token == "**":
            self.position += 1
            if token == "^" and self.takes_degrees():
                return Product((base, Constant("pi")), (Number(180),))
            return Power(base, self.signed(self.deeper(depth)))
        return base

    def takes_degrees(self) -> bool:
        r"""Whether `\circ` or `{\circ}` comes next; taken if so."""
        if self.token == "\\circ":
            self.position += 1
            return True
        braced = self.tokens[self.position : self.position + 3] == ["{", "\\circ", "}"]
        self.position += 3 * braced
        return braced

    def operand(self, depth: int) -> Tree:
        if depth > MAX_DEPTH:
            raise _too_deep()
        token = self.tokens[self.position]
        if (first := token[:1]).isdigit() or first == ".":
            return self.number()
        if token.isalpha() or token in LOGARITHMS:
            return self.name(token, depth)
        if token in _CLOSING:
            return self.group(token, depth)
        if token == "|":
            return self.bar(depth)
        if token in _FENCES:
            close, function = _FENCES[token]
            return Call(function, (self.enclosed(close, depth),))
        commands: dict[str, Callable[[int], Tree]] = {
            "\\frac": self.fraction, "\\binom": self.binomial,
        }  # fmt: skip
        if token not in commands:
            raise self.error("a number, a name or '('")
        self.position += 1
        return commands[token](depth)

    def name(self, token: str, depth: int) -> Tree:
        self.position += 1
        if token in self.names or (len(token) == 1 and token not in CONSTANTS):
            return Variable(token + self.subscript())
        if token in CONSTANTS:
            return Constant(token)
        if token in FUNCTIONS or token in LOGARITHMS:
            return self.function(token, depth)
        return Variable(token + self.subscript())

    def function(self, name: str, depth: int) -> Tree:
        r"""A function with what it is applied to: (x), x, 2x, \frac{x}{2}, as in \sin^2 2x."""
        if name == "sqrt":
            return self.root(depth)
        base = self.base_of_logarithm(name, depth)
        exponent = None
        if self.token in ("^", "**"):
            self.position += 1
            exponent = self.short(depth)
            if exponent == Negate(ONE):
                if name not in _INVERSE:
                    raise self.error("no exponent -1, which could mean the inverse function,")
                name, exponent = _INVERSE[name], None
        argument = self.argument(depth)
        call = Call(name, (argument,)) if base is None else Call("log_base", (argument, base))
        return call if exponent is None else Power(call, exponent)

    def base_of_logarithm(self, name: str, depth: int) -> Tree | None:
        if name in LOGARITHMS:
            return Number(LOGARITHMS[name])
        if name != "ln" or self.token != "_":
            return None
        self.position += 1
        return self.short(depth)

    def argument(self, depth: int) -> Tree:
        """A group, or a product of operands up to the next function or operator."""
        if self.token in _CLOSING:
            return self.group(self.token, self.deeper(depth))
        factors = [self.signed(self.deeper(depth))]
        while self.starts_operand(token := self.token) and token not in FUNCTIONS | {"log10"}:
            if token[0] in ".0123456789":
                raise self.error("an operator, as readers differ on a product here,")
            factors.append(self.power(depth))
        return factors[0] if len(factors) == 1 else Product(tuple(factors), ())

    def group(self, opening: str, depth: int) -> Tree:
        bars, self.bars = self.bars, 0
        tree = self.enclosed(_CLOSING[opening], depth)
        self.bars = bars
        if opening in _OF_SUMS and type(tree) is not Sum:
            raise self.error("a sum in such brackets, which could mean a floor or a set,")
        return tree

    def bar(self, depth: int) -> Tree:
        self.bars += 1
        tree = self.enclosed("|", depth)
        self.bars -= 1
        return Call("abs", (tree,))

    def enclosed(self, closing: str, depth: int) -> Tree:
        """A sum after the opening symbol and up to `closing`."""
        self.position += 1
        tree = self.sum(self.deeper(depth))
        if closing == "}" and self.token in ("\\over", "\\choose"):
            over = self.token == "\\over"
            self.position += 1
            below = self.sum(self.deeper(depth))
            tree = Product((tree,), (below,)) if over else Call("binomial", (tree, below))
        self.take(closing)
        return tree

    def short(self, depth: int) -> Tree:
        r"""An argument as LaTeX takes it: a group, or one symbol; \frac12 is 1/2."""
        token = self.token
        if token in _CLOSING:
            return self.group(token, depth)
        if token.isdigit() and len(token) == 2 and self.tokens[self.position - 1] in _OF_TWO_DIGITS:
            self.tokens[self.position] = token[1]
            return Number(int(token[0]))
        return self.signed_operand(depth)

    def signed_operand(self, depth: int) -> Tree:
        if self.token == "-":
            self.position += 1
            return Negate(self.operand(depth + 1))
        return self.operand(depth + 1)

    def fraction(self, depth: int) -> Tree:
        above, below = self.pair(depth)
        return Product((above,), (below,))

    def pair(self, depth: int) -> tuple[Tree, Tree]:
        r"""The two arguments of \frac and \binom."""
        above = self.short(depth)
        if self.tokens[self.position - 1] in _OF_TWO_DIGITS:  # one of two digits was taken
            return above, self.last_digit()
        if self.token.isdigit() and len(self.token) > 1:
            raise self.error(r"braces, as \frac1 23 could mean two things,")
        return above, self.short(depth)

    def last_digit(self) -> Tree:
        digit = Number(int(self.token))
        self.position += 1
        return digit

    def root(self, depth: int) -> Tree:
        if self.token == "[":
            self.position += 1
            index = self.sum(self.deeper(depth))
            self.take("]")
            return Call("root", (self.short(depth), index))
        if self.token.isdigit() and len(self.token) > 1:
            raise self.error(r"braces, as \sqrt12 could mean two things,")
        return Call("sqrt", (self.short(depth),))

    def binomial(self, depth: int) -> Tree:
        return Call("binomial", self.pair(depth))


def _too_deep() -> AnswerError:
    return AnswerError("too deep", f"more than {MAX_DEPTH} groups and signs in one another")
