"""The gate: what it admits, and the reasons why it does not."""

import pytest

from selfplay.problem import InvalidProblem
from selfplay.proposing.gate import Gate, short_reason

HOSTILE = [
    "", "1", "1+", "((((", "(" * 5000, "9" * 5000, "1+2 ", "__import__('os')", "1/0", "x", "\x00",
    "<answer>3", "1,+2 mod 5; DROP TABLE posed", "\ud800", "1+2" * 5000,
]  # fmt: skip


@pytest.fixture
def gate(environments):
    """Open to all."""
    return Gate(environments, frozenset(), frozenset())


def test_a_new_problem_is_admitted_with_its_gold_computed(gate, environments):
    problem = gate.admit("arithmetic", "3+4*5", set())
    assert problem == environments["arithmetic"].parse("3+4*5")
    assert problem.gold == "23"


@pytest.mark.parametrize(
    ("text", "in_batch", "reason"),
    [
        ("7+8", set(), "held out"),
        ("8+7", set(), "held out"),  # the same up to the order
        ("7+8", {"7+8"}, "held out"),
        ("1+2", set(), "duplicate"),
        ("4*5", {"4*5"}, "duplicate"),
        ("4+", set(), "malformed"),
        ("5", set(), "trivial"),
    ],
)
def test_reasons_in_order(environments, text, in_batch, reason):
    arithmetic = environments["arithmetic"]
    key = {text: arithmetic.parse(text).key for text in ("7+8", "1+2", "4*5")}
    gate = Gate(environments, {key["7+8"]}, {key["1+2"]})
    batch = {key[one] for one in in_batch}
    with pytest.raises(InvalidProblem) as caught:
        gate.admit("arithmetic", text, batch)
    assert short_reason(caught.value) == reason


@pytest.mark.parametrize("text", HOSTILE)
def test_malformed_text_is_turned_away_with_a_short_reason(gate, environments, text):
    for name in environments:
        with pytest.raises(InvalidProblem) as caught:
            gate.admit(name, text, set())
        assert 0 < len(short_reason(caught.value)) < 30
        assert len(str(caught.value)) < 400


def test_short_reason_by_hand():
    assert short_reason(InvalidProblem("malformed: '1:2' is not: like")) == "malformed"
    assert short_reason(InvalidProblem("duplicate")) == "duplicate"
