"""Equality: exact, modulo a random prime, numerical; by hand, and laws that hold for all trees."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay.grading import kinds
from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics import equality, notation, numeric
from selfplay.grading.mathematics.symbols import normalise
from selfplay.grading.mathematics.trees import Negate, Number, Power, Product, Sum, Variable
from selfplay.grading.mathematics.trial import Trial, seed_of
from selfplay.problem import Outcome


def read(text):
    return notation.read(normalise(text))


def equal(one, other, domain=numeric.ANYWHERE):
    return equality.equal(read(one), read(other), Trial(seed_of(one, other)), domain)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^{10}", 1024),
        ("5!/3!", 20),
        ("(-2)^{-3}", Fraction(-1, 8)),
        (r"\binom{5}{2}", 10),
        (r"|-7/2|", Fraction(7, 2)),
        (r"\lfloor -7/2\rfloor", -4),
        (r"\sqrt{2}", None),
        ("x", None),
        (r"2^{1/2}", None),
    ],
)
def test_constants_by_hand(text, value):
    assert equality.constant(read(text)) == value


@pytest.mark.parametrize("text", ["1/0", "0^0", "0^{-1}", r"\infty", "(-1)!", "(1/2)!"])
def test_numbers_without_a_value(text):
    with pytest.raises(AnswerError, match="undefined"):
        equality.constant(read(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x^{2024}-1", "(x^{1012}-1)(x^{1012}+1)"),  # modulo a prime: too large for exact values
        ("2^{20000}", "4^{10000}"),
        ("3000!/2999!", "3000"),
        ("-10^{300}", "2^{20000}-2^{20000}-10^{300}"),
        ("-x", "x^{2024}-x^{2024}-x"),
        (r"\sqrt{2}\sqrt{3}", r"\sqrt{6}"),
        (r"\sqrt{2}x^{2024}", r"\frac{2x^{2024}}{\sqrt{2}}"),
        (r"\ln(e^{25})", "25"),
        (r"\sin(\pi)", "0"),
        (r"e^{\ln 7}", "7"),
        (r"(\sqrt{2}+10^{50})-10^{50}", r"\sqrt{2}"),
        (r"\sinh x", r"\frac{e^x-e^{-x}}{2}"),
        (r"\tan(x+y)", r"\frac{\tan x+\tan y}{1-\tan x\tan y}"),
        (r"\arctan x+\arctan(1/x)", r"\frac{\pi}{2}\cdot\frac{|x|}{x}"),
    ],
)
def test_equal_by_hand(one, other):
    assert equal(one, other)
    assert equal(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x^{2024}-1", "(x^{1012}-1)(x^{1012}+1)+1"),
        ("2^{20000}", "2^{20000}+1"),
        ("3000!", "3000!+1"),
        (r"\sqrt{2}", r"\sqrt{2}+10^{-400}"),
        (r"\sin x", r"\sin x+10^{-60}\cos x"),
        (r"e^{-500}", r"2e^{-500}"),
        (r"\sqrt[(0.5)^{10}]{e}", r"\sqrt[(0.5)^{10}]{e}+10^{-35}"),  # e^1024, and a little more
        (r"\sin(10^{-50})", "10^{-50}"),
        (r"\pi", r"\frac{355}{113}"),
        (r"e^{\pi\sqrt{163}}", "262537412640768744"),  # differs by 10^-12, relative 10^-30
        (r"\sin(x)", r"\sin(x+2\pi+10^{-40})"),
    ],
)
def test_different_by_hand(one, other):
    assert not equal(one, other)
    assert not equal(other, one)


def test_multiples_of_a_fixed_prime_are_seen_through():
    for prime in (2**61 - 1, 2**89 - 1, 2**107 - 1, 2**127 - 1, 10**9 + 7):
        assert not equal("x", f"x*(1+{prime})")
        assert not equal("x^{900}", f"x^{{900}}+{prime}")


def test_a_domain_decides():
    positive = numeric.Domain((("x", numeric.Range(low=Fraction(0))),))
    whole = numeric.Domain((("n", numeric.Range(whole=True)),))
    assert equal(r"\sqrt{x^2}", "x", positive)
    assert not equal(r"\sqrt{x^2}", "x")
    assert equal(r"\cos(\pi n)", "(-1)^n", whole)
    assert not equal(r"\cos(\pi n)", "(-1)^{n+1}", whole)


@pytest.mark.parametrize(
    "text",
    ["9^{9^{9^9}}", "(10^9)!", "x^{10^{9}}", "((x+1)^{9999})^{9999}", "(((9!)!)!)!", "2^{10^7}"],
)
def test_bombs_are_found_out_beforehand(text):
    with pytest.raises(AnswerError) as caught:
        equal("x+1", text)
    assert caught.value.outcome is Outcome.TIMEOUT


def trees(leaves):
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(Negate, inner)
            | st.builds(lambda a, b: Sum((a, b)), inner, inner)
            | st.builds(lambda a, b: Product((a, b), ()), inner, inner)
            | st.builds(lambda a, b: Product((a,), (b,)), inner, inner)
            | st.builds(lambda a, n: Power(a, Number(n)), inner, st.integers(1, 3))
        ),
        max_leaves=7,
    )


numbers = st.builds(Number, st.integers(0, 20))
rational_functions = trees(numbers | st.sampled_from([Variable("x"), Variable("y")]))


def value_of(tree, point):
    """The value by an independent route, None where it divides by zero."""
    match tree:
        case Number(value):
            return Fraction(value)
        case Variable(name):
            return point[name]
        case Negate(operand):
            value = value_of(operand, point)
            return None if value is None else -value
        case Power(base, Number(exponent)):
            value = value_of(base, point)
            return None if value is None else value**exponent
        case Sum((one, other)) | Product((one, other), ()) | Product((one,), (other,)):
            left, right = value_of(one, point), value_of(other, point)
            if left is None or right is None:
                return None
            if isinstance(tree, Sum):
                return left + right
            if isinstance(tree, Product) and not tree.divisors:
                return left * right
            return left / right if right else None


def decide(one, other):
    try:
        return equality.equal(one, other, Trial(b"seed"))
    except AnswerError as error:
        return error.reason


@given(tree=trees(numbers))
def test_constants_agree_with_an_independent_route(tree):
    expected = value_of(tree, {})
    if expected is None:
        return
    zero_power = False
    try:
        value = equality.constant(tree)
    except AnswerError as error:
        zero_power = error.reason in ("undefined", "too large")
        value = None
    assert zero_power or value == expected


@given(one=rational_functions, other=rational_functions)
def test_equal_functions_have_equal_values(one, other):
    verdict = decide(one, other)
    assert verdict == decide(other, one)
    point = {"x": Fraction(10007, 13), "y": Fraction(99991, 17)}
    left, right = value_of(one, point), value_of(other, point)
    if verdict is True and left is not None and right is not None:
        assert left == right
    if verdict is False and one != other:
        assert left is None or right is None or left != right


@given(tree=rational_functions)
def test_equality_is_reflexive_and_sees_one_more(tree):
    if decide(tree, tree) is True and decide(tree, Sum((tree, Number(0)))) is True:
        assert decide(tree, Sum((tree, Number(1)))) is False
        assert decide(tree, Product((tree, Number(1)), ())) is True


elementary = st.recursive(
    st.sampled_from(["x", "2", "3", r"\pi", "y", "0.5"]),
    lambda inner: (
        st.tuples(inner, inner).map(lambda p: f"({p[0]}+{p[1]})")
        | st.tuples(inner, inner).map(lambda p: f"({p[0]}*{p[1]})")
        | inner.map(lambda a: rf"\sin({a})")
        | inner.map(lambda a: rf"\sqrt{{{a}}}")
        | inner.map(lambda a: rf"e^{{{a}}}")
        | inner.map(lambda a: rf"\ln(1+({a})^2)")
    ),
    max_leaves=6,
)


@given(text=elementary)
@settings(deadline=None, max_examples=50)
def test_numerical_equality_is_reflexive_and_tells_a_tiny_difference(text):
    try:
        same = equal(text, f"0+{text}")
        near = equal(text, f"{text}+10^{{-60}}(1+{text})^2+10^{{-70}}")
    except AnswerError:
        return  # too large or undefined
    assert same
    assert not near


@pytest.mark.parametrize(
    ("answer", "same"),
    [
        (r"\sin^2 x+\cos^2 x-1", True),
        (r"e^{2x}-(e^x)^2", True),
        (r"\cos(2\pi/7)+\cos(4\pi/7)+\cos(6\pi/7)+1/2", True),
        (r"\sin^2 x+\cos^2 x-1+10^{-25}", False),
        (r"\sqrt{10^{-60}+\pi}-\sqrt{\pi}", False),  # 0 to 40 digits, not to 80
        (r"10^{-70}\sin x", False),
    ],
)
def test_what_cancels_is_0_and_what_is_small_is_not(answer, same):
    verdict = kinds.grade_answer(kinds.declare({"kind": "expression"}), "0", answer)
    assert verdict.correct is same
