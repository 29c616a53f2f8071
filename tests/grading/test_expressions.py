"""The grammar: values by hand, limits, the way back to text, canonical keys, worked chains."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.grading.expressions import (
    BinaryOperation,
    ExpressionError,
    Integer,
    Negate,
    Variable,
    canonical,
    evaluate,
    parse,
    to_text,
)
from selfplay.grading.rewriting import chain


def trees(leaves, operators="+-*/"):
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(Negate, inner)
            | st.builds(BinaryOperation, st.sampled_from(operators), inner, inner)
        ),
        max_leaves=8,
    )


numbers = st.builds(Integer, st.integers(0, 20))
letters = st.builds(Variable, st.sampled_from("abx"))


def value_of(node):
    """The value by an independent route, None where it divides by zero."""
    python = {"+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__"}
    match node:
        case Integer(value):
            return Fraction(value)
        case Negate(operand):
            value = value_of(operand)
            return None if value is None else -value
        case BinaryOperation(operator, left, right):
            values = value_of(left), value_of(right)
            if None in values or (operator == "/" and values[1] == 0):
                return None
            return getattr(values[0], python[operator])(values[1])


def test_the_tree_of_a_text():
    assert parse("3x-(4)") == BinaryOperation(
        "-", BinaryOperation("*", Integer(3), Variable("x")), Integer(4)
    )
    assert parse("8-3-2") == parse("(8-3)-2") != parse("8-(3-2)")
    assert parse("3(x+1)") == parse("3*(x+1)") == parse(" 3 * ( x + 1 ) ")
    assert parse("-3*4") == BinaryOperation("*", Negate(Integer(3)), Integer(4))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12+34*5", 182),
        ("(3+4)*(5-2)", 21),
        ("8-3-2", 3),
        ("8/4/2", 1),
        ("1/3+1/6", Fraction(1, 2)),
        ("5-(-3)", 8),
        ("5--3", 8),
        ("-3*4", -12),
        ("2(3+4)", 14),
        ("9" * 30, 10**30 - 1),
    ],
)
def test_values_by_hand(text, value):
    result = evaluate(parse(text))
    assert result == value
    assert type(result) is Fraction


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "()", "(", ")", "1+", "+1", "*1", "1 2", "1(", "1)", "(1", "x3", "xy", "x(1)",
        "(1)(2)", "2(3)(4)", "6/2x", "6/2(3)", "007", "1_0", "1.5", "2**3", "2^3", "1//2", "X", "٣",
        "３", "x=1", "1,2", "1\n+2", "1\t+2", "1;2", "é", "__import__('os')", "9" * 31,
        "1" + "+1" * 100, "1" * 401, "(" * 31 + "1" + ")" * 31, "-" * 31 + "1",
        "(" * 400, "-" * 400, "((((", "\x00",
    ],
)  # fmt: skip
def test_what_is_no_expression(text):
    with pytest.raises(ExpressionError):
        parse(text)


def test_limits_are_the_stated_ones():
    assert evaluate(parse("(" * 30 + "1" + ")" * 30)) == 1
    assert evaluate(parse("-" * 30 + "1")) == 1
    assert evaluate(parse("1" + "+1" * 99)) == 100
    assert evaluate(parse(" " * 399 + "1")) == 1


def test_errors_say_what_was_given_and_why_not():
    with pytest.raises(ExpressionError, match=r"'2\+\*3': expected a number.*found '\*'"):
        parse("2+*3")
    with pytest.raises(ExpressionError, match=r"expression of 401 characters is too long"):
        parse("1" * 401)
    with pytest.raises(ExpressionError, match="division by zero"):
        evaluate(parse("1/(2-2)"))
    with pytest.raises(ExpressionError, match="variable 'x' has no value"):
        evaluate(parse("1+x"))


@given(st.text(alphabet="0123456789+-*/()x ", max_size=60) | st.text())
def test_nothing_but_expression_errors(text):
    try:
        evaluate(parse(text))
    except ExpressionError as error:
        assert str(error)


@given(trees(numbers))
def test_evaluate_and_text_agree_with_an_independent_route(node):
    expected = value_of(node)
    for tree in (node, parse(to_text(node))):
        if expected is None:
            with pytest.raises(ExpressionError):
                evaluate(tree)
        else:
            assert evaluate(tree) == expected


@given(trees(numbers | letters))
def test_text_is_stable(node):
    text = to_text(node)
    assert to_text(parse(text)) == text


@given(trees(numbers))
def test_text_has_no_parentheses_to_spare(node):
    text = to_text(parse(to_text(node)))
    expected = to_text(parse(text))
    for start in (i for i, character in enumerate(text) if character == "("):
        depth, end = 0, start
        for end in range(start, len(text)):
            depth += (text[end] == "(") - (text[end] == ")")
            if depth == 0:
                break
        if text[start + 1] == "-":
            continue  # a sign keeps its parentheses unless it stands first
        without = text[:start] + text[start + 1 : end] + text[end + 1 :]
        assert parse(without) != parse(expected)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (parse("2-(3-4)"), "2-(3-4)"),
        (parse("2+(3-4)"), "2+3-4"),
        (parse("2*(3*4)"), "2*3*4"),
        (parse("2/(3*4)"), "2/(3*4)"),
        (parse("2*(3/4)"), "2*3/4"),
        (parse("3x+4"), "3*x+4"),
        (parse("5+-3"), "5+(-3)"),
        (parse("-3*4"), "-3*4"),
        (Negate(parse("3+4")), "-(3+4)"),
    ],
)
def test_text_by_hand(node, text):
    assert to_text(node) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1+2", "2+1"),
        ("1+2+3", "3+(2+1)"),
        ("2*3*x", "x*(3*2)"),
        ("5-3", "-3+5"),
        ("2-(3-x)", "2+x-3"),
        ("(-3)*4", "-(4*3)"),
        ("6/2*3", "3*6/2"),
        ("8/(2/4)", "4*8/2"),
        ("3x+4", "4+x*3"),
    ],
)
def test_equal_keys(one, other):
    assert canonical(parse(one)) == canonical(parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("5-3", "3-5"), ("2*(3+4)", "2*3+4"), ("2*3", "6"), ("6/2", "2/6"), ("1+23", "12+3"),
     ("1+2*3", "(1+2)*3"), ("x+1", "y+1"), ("2*11", "21*1"), ("-3", "3"), ("1*2+3", "1+2*3")],
)  # fmt: skip
def test_different_keys(one, other):
    assert canonical(parse(one)) != canonical(parse(other))


@given(trees(numbers), trees(numbers))
def test_equal_keys_mean_equal_values(one, other):
    if canonical(one) == canonical(other) and None not in (value_of(one), value_of(other)):
        assert value_of(one) == value_of(other)


@given(trees(numbers, "+*"), st.randoms(use_true_random=False))
def test_keys_do_not_see_the_order(node, rng):
    def shuffled(tree):
        match tree:
            case BinaryOperation(operator, left, right):
                pair = [shuffled(left), shuffled(right)]
                rng.shuffle(pair)
                return BinaryOperation(operator, *pair)
            case Negate(operand):
                return Negate(shuffled(operand))
        return tree

    assert canonical(shuffled(node)) == canonical(node)


@pytest.mark.parametrize(
    ("text", "worked"),
    [
        ("12+34*5", "12+34*5=12+170=182"),
        ("(3+4)*(5-2)", "(3+4)*(5-2)=7*(5-2)=7*3=21"),
        ("5-(3-8)", "5-(3-8)=5+5=10"),
        ("5+(3-8)*2", "5+(3-8)*2=5+(-5)*2=5-10=-5"),
        ("3-8+5", "3-8+5=-5+5=0"),
        ("2*(3-8)", "2*(3-8)=2*(-5)=-10"),
        ("1-2*3*4", "1-2*3*4=1-6*4=1-24=-23"),
        ("7", "7"),
    ],
)
def test_chains_by_hand(text, worked):
    assert chain(parse(text)) == worked


@given(trees(numbers, "+-*").filter(lambda node: "(-(" not in to_text(node)))
def test_every_link_of_a_chain_has_the_same_value(node):
    tree = parse(to_text(node))
    try:
        links = chain(tree).split("=")
    except ExpressionError:  # a sign before a group
        assert "-(" in to_text(tree) or "(-" in to_text(tree)
        return
    assert {evaluate(parse(link)) for link in links} == {value_of(node)}


def test_a_chain_refuses_division():
    with pytest.raises(ExpressionError, match=r"'6/3\+1' cannot be worked out"):
        chain(parse("6/3+1"))
