"""The reader of ASCII and LaTeX mathematics: trees by hand, what it refuses, its limits."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds import layout
from selfplay.grading.mathematics import lexer, notation
from selfplay.grading.mathematics.symbols import normalise
from selfplay.grading.mathematics.trees import (
    Call,
    Constant,
    Negate,
    Number,
    Power,
    Product,
    Sum,
    Variable,
    is_literal,
    nodes,
)

X, Y, TWO = Variable("x"), Variable("y"), Number(2)


def read(text, names=None):
    return notation.read(normalise(text), names)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("2", TWO),
        ("2.50", Number(Fraction(5, 2))),
        ("-x^2", Negate(Power(X, TWO))),
        ("x-2+y", Sum((X, Negate(TWO), Y))),
        ("2x/y", Product((TWO, X), (Y,))),
        ("x/2/y", Product((X,), (TWO, Y))),
        ("2^3^2", Power(TWO, Power(Number(3), TWO))),
        ("x**-2", Power(X, Negate(TWO))),
        (r"\frac{x}{2}", Product((X,), (TWO,))),
        (r"\frac12", Product((Number(1),), (TWO,))),
        (r"2\frac{1}{2}", Number(Fraction(5, 2))),
        (r"2\frac{x}{2}", Product((TWO, Product((X,), (TWO,))), ())),
        (r"x^2\frac{1}{2}", Product((Power(X, TWO), Product((Number(1),), (TWO,))), ())),
        (r"0.1\overline{6}", Number(Fraction(1, 6))),
        (r"\sin^2 x", Power(Call("sin", (X,)), TWO)),
        (r"\sin^{-1}(x)", Call("asin", (X,))),
        (r"\sin x^2", Call("sin", (Power(X, TWO),))),
        (r"\sin(x)^2", Power(Call("sin", (X,)), TWO)),
        (r"\sin 2x\cos y", Product((Call("sin", (Product((TWO, X), ()),)), Call("cos", (Y,))), ())),
        (r"\sqrt[x]{2}", Call("root", (TWO, X))),
        (r"\sqrt2x", Product((Call("sqrt", (TWO,)), X), ())),
        (r"\log_2 x", Call("log_base", (X, TWO))),
        (r"\log x", Call("ln", (X,))),
        ("|x|", Call("abs", (X,))),
        (r"\left|x\right|", Call("abs", (X,))),
        ("x!", Call("factorial", (X,))),
        ("2πx", Product((TWO, Constant("pi"), X), ())),
        ("x_1", Variable("x_1")),
        ("x_{12}", Variable("x_12")),
        (r"\alpha", Variable("alpha")),
        ("xy", Product((X, Y), ())),
        ("x²", Power(X, TWO)),
        ("1.5e-3", Number(Fraction(3, 2000))),
    ],
)
def test_trees_by_hand(text, tree):
    assert read(text) == tree


def test_declared_names_win_over_constants_and_products():
    assert read("e") == Constant("e")
    assert read("e", frozenset("e")) == Variable("e")
    assert read("speed", frozenset({"speed"})) == Variable("speed")


@pytest.mark.parametrize(
    "text",
    [
        "", "+", "1 2", "x2", "2 3", "1/2x", "1/2(3)", "x//2", "()", "(x", "x)", "{x", "|x", "5!!",
        "x^", "^2", "_1", "x_", r"\frac{1}", r"\frac1 23", r"\sqrt{}", r"\sqrt12", r"2\frac{3}{2}",
        "maybe", "x=1", "1,2", "x<y", r"\sum x", r"\mathcal{L}", r"\alpha\beta\nabla", "1..2", "5.",
        r"\overline{3}", r"0.\overline{x}", r"\sin^{-1}", r"\ln^{-1} x", "x'", "@", r"\left(x",
        r"\binom{1}", "⁻",
    ],
)  # fmt: skip
def test_what_is_no_expression(text):
    with pytest.raises(AnswerError):
        read(text)


@pytest.mark.parametrize(
    "text",
    ["x\u200by", "x\u202ey", "\ufeffx", "\u0445", "ｘ\u0301", "\U0001d465", "x\x00", "\u0661", "é"],
)
def test_characters_of_no_table_are_refused(text):
    with pytest.raises(AnswerError, match=r"character: U\+[0-9A-F]{4}"):
        read(text)


def test_limits_are_the_stated_ones():
    assert read("9" * lexer.MAX_DIGITS) == Number(int("9" * lexer.MAX_DIGITS))
    assert read("+".join(["x"] * 300)) == Sum((X,) * 300)
    for text in (
        "9" * (lexer.MAX_DIGITS + 7),
        "+".join(["x"] * 301),
        "-" * (notation.MAX_DEPTH + 1) + "1",
        "(" * notation.MAX_DEPTH + "1" + ")" * notation.MAX_DEPTH,
        "1e401",
        "x" + " " * 2000 + "+1",
    ):
        with pytest.raises(AnswerError, match="too"):
            read(text)


def test_an_error_says_where():
    with pytest.raises(AnswerError, match=r"'2\+\*x': expected a number.*found '\*' as symbol 3"):
        read("2+*x")


@given(st.text(alphabet="0123456789.+-*/^()xye{}|! \\", max_size=60) | st.text())
def test_nothing_but_answer_errors(text):
    try:
        tree = read(text)
    except AnswerError as error:
        assert error.reason
    else:
        assert len(list(nodes(tree))) <= 3 * lexer.MAX_TOKENS


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("7", True), ("-7", True), ("7/2", True), ("-7/2", True), ("2.5", True), ("1e5", True),
        (r"\frac{-7}{2}", True), (r"1.2\times10^{-3}", True), (r"1\frac12", True),
        ("3+4", False), ("2*3", False), ("2^5", False), ("--7", False), ("7/2/2", False),
        ("1.5/2", False), ("x", False), (r"\pi", False), (r"\sqrt{4}", False), ("5!", False),
    ],
)  # fmt: skip
def test_a_literal_is_one_number_written_out(text, literal):
    assert is_literal(read(text)) is literal


def test_the_top_level_is_outside_all_brackets():
    assert layout.split("(1,2),[3,4)", ",") == ["(1,2)", "[3,4)"]
    assert layout.relations("0 < f(x=1) <= 5") == (["0", "f(x=1)", "5"], ["<", "<="])
    assert layout.enclosed("[0,1)") == ("[", "0,1", ")")
    assert layout.enclosed("(1)(2)") is None
    assert layout.signs(r"1\pm x") == ["1+ x", "1- x"]
    assert layout.assigned("(x,y)=(1,2)") == "(1,2)"
    with pytest.raises(AnswerError, match="too deep"):
        layout.split("(" * 61, ",")
