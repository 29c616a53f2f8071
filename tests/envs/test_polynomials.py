"""The shared exact arithmetic of polynomials and roots: by hand, and against sympy."""

import random
import time
from fractions import Fraction

import pytest
import sympy
from selfplay_envs import polynomials, searches, surds

from selfplay.problem import InvalidProblem

X = sympy.Symbol("x")


@pytest.mark.parametrize(
    ("text", "poly"),
    [
        ("x^2-x-6", (1, -1, -6)),
        ("-x^3+12", (-1, 0, 0, 12)),
        ("0", ()),
        ("2x", (2, 0)),
        ("7", (7,)),
    ],
)
def test_texts_by_hand(text, poly):
    assert polynomials.read(text) == poly
    assert polynomials.write(poly) == text


@pytest.mark.parametrize("text", ["", "x^", "x2", "2*x", "x+", "+x", "--x", "y", "x^10", "1" * 8])
def test_what_is_no_polynomial(text):
    assert polynomials.read(text) is None


def test_terms_may_come_in_any_order():
    assert polynomials.read("-6+x^2-2x+x") == (1, -1, -6)


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("(x-3)(x+2)", (1, (((1, -3), 1), ((1, 2), 1)))),
        ("-2x^2(x+1)^3", (-2, (((1, 0), 2), ((1, 1), 3)))),
        ("5", (5, ())),
        ("-x", (-1, (((1, 0), 1),))),
    ],
)
def test_products_by_hand(text, product):
    assert polynomials.read_product(text) == product
    assert polynomials.write_product(*product) == text


@pytest.mark.parametrize("text", ["", "-", "(x+1", "(x+1)^0", "()", "(x)(y)", "x+1", "((x))"])
def test_what_is_no_product(text):
    assert polynomials.read_product(text) is None


def _random_poly(rng):
    poly = (rng.choice((1, 1, 2, -1, -3)),)
    while len(poly) < rng.randint(3, 6):
        factor = polynomials.trim([rng.randint(-6, 6) for _ in range(rng.randint(2, 4))])
        if len(factor) > 1 and len(poly) + len(factor) <= 7:
            poly = polynomials.multiply(poly, factor)
    return poly


def test_factors_agree_with_sympy():
    rng = random.Random(0)
    for _ in range(600):
        poly = _random_poly(rng)
        number, factors = polynomials.factor(poly)
        assert polynomials.product(number, factors) == poly
        _, wanted = sympy.factor_list(sympy.Poly(poly, X))
        assert sorted((tuple(map(int, one.all_coeffs())), n) for one, n in wanted) == sorted(
            factors
        )


def test_division_agrees_with_sympy():
    rng = random.Random(1)
    for _ in range(300):
        dividend, divisor = _random_poly(rng), (1, rng.randint(-9, 9), rng.randint(-9, 9))
        quotient, rest = sympy.div(sympy.Poly(dividend, X), sympy.Poly(divisor, X))
        own = polynomials.divide(dividend, divisor)
        assert [sympy.Poly(one or (0,), X) for one in own] == [quotient, rest]
    assert polynomials.divide((1, 0, 0), (2, 1)) is None


def test_factoring_takes_no_long_time():
    began = time.perf_counter()
    with pytest.raises(InvalidProblem, match="beyond the top level"):
        polynomials.factor((5040, 1, 715678, 1, 720720))
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(
    ("coefficients", "roots"),
    [
        ((1, -5, 6), ("2", "3")),
        ((4, -4, 1), ("1/2",)),
        ((1, 0, 1), ()),
        ((1, -2, -1), ("1-sqrt(2)", "1+sqrt(2)")),
        ((-1, 0, 12), ("-2sqrt(3)", "2sqrt(3)")),
        ((3, 0, -1), ("-sqrt(3)/3", "sqrt(3)/3")),
        ((2, -3, -4), ("(3-sqrt(41))/4", "(3+sqrt(41))/4")),
    ],
)
def test_roots_of_quadratics_by_hand(coefficients, roots):
    assert surds.quadratic_roots(*coefficients) == roots


def test_a_search_finds_the_pair():
    assert searches.pair(6, 5) == (["1,6:7", "2,3:5"], (2, 3))
    assert searches.pair(-6, 1) == (["-1,6:5", "-2,3:1"], (-2, 3))
    assert searches.pair(6, 4) == ([], None)
    for first in range(-12, 13):
        for second in range(-12, 13):
            if first and second:
                assert sorted(searches.pair(first * second, first + second)[1]) == sorted(
                    (first, second)
                )


def test_a_search_for_roots_ends_with_a_linear_or_a_rootless_factor():
    assert searches.roots((1, -6, 11, -6)) == ["1:0", "x^2-5x+6", "1:2", "-1:12", "2:0", "x-3"]
    assert searches.roots((2, -1)) == [f"x={Fraction(1, 2)}"]
    assert searches.roots((1, 0, 1)) == []
