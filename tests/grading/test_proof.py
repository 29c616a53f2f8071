"""Proofs by sympy: what is proved, what is not, and what becomes of that."""

import pytest

from selfplay.grading import kinds
from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics import proof
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.numeric import ANYWHERE
from selfplay.problem import Outcome

PROVED = kinds.declare({"kind": "expression", "prove": True})


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"\sin^2 x", r"1-\cos(x)^2"),
        (r"\sin(2x)", r"2\sin x\cos x"),
        (r"12\sqrt{3}", r"\sqrt{432}"),
        ("e^{x+y}", "e^x*e^y"),
        ("(x^2-1)/(x-1)", "x+1"),
        (r"\ln 8", r"3\ln 2"),
        (r"\log_2 8", "3"),
        (r"\binom{5}{2}+|x|", r"10+\sqrt{x^2}"),
        (r"\sqrt[3]{-8}", "-2"),
    ],
)
def test_equal_expressions_are_proved(gold, answer):
    assert kinds.grade_answer(PROVED, gold, answer).outcome is Outcome.CORRECT


@pytest.mark.parametrize(("gold", "answer"), [("x+1", "x+2"), (r"\sin x", r"\cos x"), ("2", "3")])
def test_what_differs_is_wrong_without_asking_sympy(gold, answer, monkeypatch):
    def ask(one, other, domain):
        raise AssertionError("asked")

    monkeypatch.setattr(proof, "prove", ask)
    assert kinds.grade_answer(PROVED, gold, answer).outcome is Outcome.WRONG


def test_the_domain_is_told():
    text = {"kind": "expression", "prove": True, "variables": ["x"]}
    positive = kinds.declare({**text, "domain": {"x": "positive"}})
    assert kinds.grade_answer(positive, "x", r"\sqrt{x^2}").outcome is Outcome.CORRECT


def test_without_a_proof_an_answer_earns_nothing_and_is_not_masked(monkeypatch):
    monkeypatch.setattr(proof, "SECONDS", 0.0)
    verdict = kinds.grade_answer(PROVED, r"\sin^2 x", r"1-\cos(x)^2")
    assert (verdict.outcome, verdict.reason) == (Outcome.TIMEOUT, "not proved")
    monkeypatch.undo()
    assert kinds.grade_answer(PROVED, r"\sin^2 x", r"1-\cos(x)^2").correct


def test_what_is_not_so_is_not_proved():
    with pytest.raises(AnswerError, match="sympy finds no proof"):
        proof.prove(read("x"), read("x+1"), ANYWHERE)
