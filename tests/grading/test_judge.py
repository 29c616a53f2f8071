"""Judging many responses: whose response belongs to which problem, and graders that fail."""

import threading
import time
from types import SimpleNamespace

import pytest

from selfplay.grading.judge import Judging, judge
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
    """Submitted in any order."""
    problems = [
        environments["arithmetic"].parse("1+2"),
        environments["modular"].parse("1,+1 mod 7"),
    ]
    responses = ["<answer>3", "<answer>2", "3", "<answer>3", "<answer>2", "<answer>2"]
    ended = [True, True, True, True, True, False]
    with Judging(environments, problems, attempts=3) as judging:
        for row in (4, 0, 5, 2, 1, 3):
            judging.submit(row, responses[row], ended[row])
        verdicts = judging.verdicts()
    assert [verdict.outcome.value for verdict in verdicts] == [
        "correct", "wrong", "unparsable", "wrong", "correct", "unparsable",
    ]  # fmt: skip


def test_grading_goes_on_while_others_are_drawn(environments):
    """Whoever draws does not wait for a grader that does."""
    drawing, graded = threading.Event(), []

    class Slow(type(environments["arithmetic"])):
        def grade(self, problem, response):
            assert drawing.wait(60)
            graded.append((response, threading.current_thread().name))
            return super().grade(problem, response)

    problems = [environments["arithmetic"].parse("1+2")]
    with Judging({"arithmetic": Slow()}, problems, attempts=2) as judging:
        judging.submit(0, "<answer>3", True)
        judging.submit(1, "<answer>4", True)
        assert not graded
        drawing.set()
        assert [verdict.correct for verdict in judging.verdicts()] == [True, False]
    assert [response for response, _ in graded] == ["<answer>3", "<answer>4"]
    assert {name for _, name in graded} != {threading.current_thread().name}


def test_what_nobody_waits_for_is_not_graded(environments):
    graded = []

    class Slow(type(environments["arithmetic"])):
        def grade(self, problem, response):
            graded.append(response)
            time.sleep(0.05)
            return super().grade(problem, response)

    problems = [environments["arithmetic"].parse("1+2")]
    with pytest.raises(RuntimeError, match="decoding failed"):
        with Judging({"arithmetic": Slow()}, problems, attempts=100) as judging:
            for row in range(100):
                judging.submit(row, "<answer>3", True)
            raise RuntimeError("decoding failed")
    assert len(graded) < 100
