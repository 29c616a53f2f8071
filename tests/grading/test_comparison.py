"""Declared types, and when a returned value is the expected one."""

import math

import pytest
from hypothesis import given
from plain_values import VALUES

from selfplay.grading.programs.comparison import Tolerance, canonical, equal, parse_type


@pytest.mark.parametrize(
    ("expected", "given_", "same"),
    [
        (1, 1, True),
        (1, True, False),
        (1, 1.0, False),
        (0.0, -0.0, True),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        ([1], (1,), False),
        ({1}, frozenset({1}), False),
        ({1}, {True}, False),
        ({1: "a"}, {1.0: "a"}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([(1, {2: {3}})], [(1, {2: {3}})], True),
        ("1", b"1", False),
        (None, False, False),
        (1 + 0j, 1, False),
        pytest.param(10**5000, 10**5000, True, id="large ints"),
    ],
)
def test_kinds_are_exact(expected, given_, same):
    assert equal(expected, given_) is same


@pytest.mark.parametrize(
    ("expected", "given_", "same"),
    [
        (1.0, 1.0009, True),
        (1.0, 1.0011, False),
        (2, 2.0005, True),
        (2.0, 2, True),
        (2, 3, False),
        (10**9, 10**9 + 1, False),
        (1.0, True, False),
        (1.0, "1.0", False),
        (1.0, math.nan, False),
        (math.nan, 1.0, False),
        (1.0, math.inf, False),
        (math.inf, 1e308, False),
        (1.0, 10**400, False),
        (1 + 1j, 1.0005 + 1j, True),
        (1.0, 1 + 0j, False),
        ([1.0, (2.0,)], [1.0005, (2.0,)], True),
        ({"a": 1.0}, {"a": 1.0005}, True),
        ({1.0: "a"}, {1.0005: "a"}, False),
        ({1.0, 5.0}, {5.0005, 1.0}, True),
        ({1.0, 5.0}, {5.1, 1.0}, False),
        ({1.0, "a"}, {1.0005, "b"}, False),
    ],
)
def test_a_tolerance_is_for_finite_numbers(expected, given_, same):
    assert equal(expected, given_, Tolerance(absolute=1e-3)) is same


def test_a_relative_tolerance_is_of_the_expected_magnitude():
    tolerance = Tolerance(relative=1e-3)
    assert equal(2000.0, 2001.9, tolerance)
    assert not equal(2000.0, 2002.1, tolerance)
    assert not equal(0.0, 1e-300, tolerance)


@given(VALUES)
def test_every_value_equals_itself_and_not_itself_in_a_list(value):
    assert equal(value, value)
    assert not equal(value, [value])
    assert canonical(value) != canonical([value])


@given(VALUES, VALUES)
def test_equality_is_that_of_canonical_texts(one, other):
    assert equal(one, other) is (canonical(one) == canonical(other))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("int", "int"),
        ("List[int]", "list[int]"),
        ("typing.Optional[str]", "str | None"),
        ("Union[int, dict[str, list[float]]]", "int | dict[str, list[float]]"),
        ("tuple[int, ...] | None", "tuple[int, ...] | None"),
        ("tuple[int, str]", "tuple[int, str]"),
        ("'set[int]'", "set[int]"),
        ("Any", "Any"),
        ("int | object", "Any"),
        ("list[Any]", "list[Any]"),
    ],
)
def test_types_are_read_as_python_writes_them(text, shown):
    assert str(parse_type(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "Path", "list[int", "dict[int]", "1", "x()", "[" * 399, "int" * 400, "a.b.c[int]"]
)
def test_other_types_are_refused_with_advice(text):
    with pytest.raises(ValueError, match="not a type of plain values.*Use None, bool, int"):
        parse_type(text)


@pytest.mark.parametrize(
    ("text", "value", "fitted"),
    [
        ("float", 3, 3.0),
        ("list[float]", [1, 2.5], [1.0, 2.5]),
        ("int | float", 3, 3),
        ("float | None", None, None),
        ("dict[str, tuple[int, ...]]", {"a": (1, 2)}, {"a": (1, 2)}),
    ],
)
def test_an_int_is_a_float_only_where_float_is_declared(text, value, fitted):
    assert canonical(parse_type(text).fit(value)) == canonical(fitted)


@pytest.mark.parametrize(
    ("text", "value", "why"),
    [
        ("int", True, "a bool where int is declared"),
        ("float", 10**400, "an int where float is declared"),
        ("tuple[int, str]", (1,), "1 elements where"),
        ("list[int]", [1, "a"], "a str where int is declared"),
        ("tuple[int, int]", [1, 2], "a list where"),
        ("str | None", 3, r"an int where str \| None"),
    ],
)
def test_other_values_do_not_fit(text, value, why):
    with pytest.raises(ValueError, match=why):
        parse_type(text).fit(value)


def test_rows_may_write_a_list_for_what_json_lacks():
    assert parse_type("list[tuple[int, set[int]]]").fit([[1, [2]]], lenient=True) == [(1, {2})]


@pytest.mark.parametrize("bound", [-1.0, math.nan, math.inf])
def test_a_tolerance_must_be_a_bound(bound):
    with pytest.raises(ValueError, match="float_tol"):
        Tolerance(absolute=bound)
