"""The one strict place for an answer, and the numbers that are read from it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.grading.answers import (
    MAX_RESPONSE,
    AnswerError,
    final_answer,
    grade_integer,
    grade_rational,
    integer,
    rational,
)
from selfplay.problem import Outcome


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("<answer>7", "7"),
        ("3+4=7<answer>7</answer>", "7"),
        ("3+4=7<answer> 7\n</answer>\n ", "7"),
        ("<answer>7</answer> <answer>7", "7"),
        ("<answer>7</answer> so <answer>7", None),
        ("<answer>7<answer> 7 ", "7"),
        ("<answer>7<answer>8", None),
        ("<answer>7</answer>.", None),
        ("<answer>7</answer></answer>", None),
        ("<answer>", None),
        ("<answer> </answer>", None),
        ("7", None),
        ("", None),
        ("7</answer>", None),
        ("< answer>7", None),
        (r"so \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed{7", None),
        (r"\boxed{7}\boxed{7}", "7"),
        (r"\boxed{7}\boxed{8}", None),
        (r"\boxed{\boxed{7}}", "7"),
        (r"in \boxed{}: \boxed{7}", "7"),
        (r"<answer>\boxed{7}</answer>", "7"),
        (r"<answer>\boxed{7}+1</answer>", r"\boxed{7}+1"),
        (r"\boxed 7", None),
        (r"\boxed{}", None),
        (r"\boxed{7}<answer>7", "7"),
        (r"\boxed{8}<answer>7", None),
    ],
)
def test_final_answer(response, answer):
    if answer is None:
        with pytest.raises(AnswerError):
            final_answer(response)
    else:
        assert final_answer(response) == answer


def test_a_response_is_read_up_to_64_KiB():
    tail = "<answer>7"
    assert final_answer("x" * (MAX_RESPONSE - len(tail)) + tail) == "7"
    with pytest.raises(AnswerError, match=r"too long: 65537 characters; at most 65536"):
        final_answer("x" * (MAX_RESPONSE - len(tail) + 1) + tail)


BAD_NUMBERS = [
    "", " 7", "7 ", "7\n", "+7", "--7", "-0", "007", "-07", "1_000", "1,000", "7=5", "x=7",
    "7 or 8", "7,8", "[7]", "(7)", "0x7", "1e3", "7j", "inf", "nan", "NaN", "٧", "７", "²", "½",
    "−7", "3/0",
    "3/-4", "3/+4", "3/04", "-0/4", "3 / 4", "1/2/3", ".5", "5.", "1.2.3", "1.5/2", "-", "/",
    "9" * 31, f"1/{'9' * 31}", f"0.{'1' * 30}", "9" * 10_000, "3.٧", "three", "__import__('os')",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_NUMBERS)
def test_neither_integer_nor_rational(text):
    with pytest.raises(AnswerError, match="not a number"):
        integer(text)
    with pytest.raises(AnswerError, match="not a number"):
        rational(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", Fraction(0)),
        ("-7", Fraction(-7)),
        ("15/4", Fraction(15, 4)),
        ("-15/4", Fraction(-15, 4)),
        ("30/8", Fraction(15, 4)),
        ("6/2", Fraction(3)),
        ("0/5", Fraction(0)),
        ("3.75", Fraction(15, 4)),
        ("-0.5", Fraction(-1, 2)),
        ("0.3333333333", Fraction(3333333333, 10**10)),
        ("9" * 30, Fraction(10**30 - 1)),
        (f"-0.{'1' * 29}", Fraction(-(10**29 - 1) // 9, 10**29)),
    ],
)
def test_rational_by_hand(text, value):
    assert rational(text) == value


@given(st.integers(-(10**30) + 1, 10**30 - 1))
def test_integers_survive(value):
    assert integer(str(value)) == rational(str(value)) == value


@given(st.fractions(max_denominator=10**29).filter(lambda value: abs(value.numerator) < 10**30))
def test_fractions_survive(value):
    assert rational(str(value)) == value


@given(st.text())
def test_readers_raise_answer_errors_only(text):
    for read in (integer, rational, final_answer):
        try:
            read(text)
        except AnswerError as error:
            assert error.reason


@pytest.mark.parametrize(
    ("gold", "response", "outcome", "reason"),
    [
        ("15/4", "<answer>15/4", Outcome.CORRECT, "equal"),
        ("15/4", "<answer>30/8", Outcome.CORRECT, "equal"),
        ("15/4", "<answer>3.75", Outcome.CORRECT, "equal"),
        ("15/4", "<answer>-15/4", Outcome.WRONG, "not equal"),
        ("1/3", "<answer>0.3333333333", Outcome.WRONG, "not equal"),
        ("5", "<answer>5 or 6", Outcome.UNPARSABLE, "not a number"),
        ("5", "<answer>7=5", Outcome.UNPARSABLE, "not a number"),
        ("5", "5", Outcome.UNPARSABLE, "no answer"),
        ("5", "<answer>4<answer>5", Outcome.AMBIGUOUS, "two answers"),
        ("five", "<answer>5", Outcome.ERROR, "unreadable gold"),
        ("five", "<answer>five", Outcome.UNPARSABLE, "not a number"),
    ],
)
def test_grade_rational(gold, response, outcome, reason):
    verdict = grade_rational(gold, response)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_an_integer_is_wanted_as_an_integer():
    assert grade_integer("3", "<answer>3").correct
    assert grade_integer("3", "<answer>6/2").outcome is Outcome.UNPARSABLE
    assert grade_rational("3", "<answer>6/2").correct
