"""Judging many responses: whose response belongs to which problem, and graders that fail."""

from types import SimpleNamespace

import pytest

from selfplay.grading.judge import judge, judge_all
from selfplay.problem import Outcome


def failing(error):
    def grade(problem, response):
        raise error

    return SimpleNamespace(grade=grade)


@pytest.mark.parametrize("error", [ValueError("bad gold"), RecursionError(), MemoryError()])
def test_a_grader_that_raises_is_not_the_solver_s_fault(environments, error):
    problem = environments["arithmetic"].parse("1+2")
    verdict = judge(failing(error), problem, "<answer>3", ended=True)
    assert verdict.outcome is Outcome.ERROR
    assert not verdict.graded
    assert type(error).__name__ in verdict.reason


def test_an_interrupt_is_no_verdict(environments):
    problem = environments["arithmetic"].parse("1+2")
    with pytest.raises(KeyboardInterrupt):
        judge(failing(KeyboardInterrupt()), problem, "<answer>3", ended=True)


def test_a_cut_response_is_malformed_and_not_even_graded(environments):
    problem = environments["arithmetic"].parse("1+2")
    for environment in (environments["arithmetic"], failing(ValueError())):
        verdict = judge(environment, problem, "<answer>3", ended=False)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNPARSABLE, "cut at the token limit")


def test_attempts_at_a_problem_lie_side_by_side(environments):
    problems = [
        environments["arithmetic"].parse("1+2"),
        environments["modular"].parse("1,+1 mod 7"),
    ]
    responses = ["<answer>3", "<answer>2", "3", "<answer>3", "<answer>2", "<answer>2"]
    ended = [True, True, True, True, True, False]
    verdicts = judge_all(environments, problems, responses, ended)
    assert [verdict.outcome.value for verdict in verdicts] == [
        "correct", "wrong", "unparsable", "wrong", "correct", "unparsable",
    ]  # fmt: skip
