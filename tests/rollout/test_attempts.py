"""Graded attempts: problems in, texts and verdicts out, row by row."""

import numpy as np
import pytest

from selfplay import streams
from selfplay.grading.judge import judge
from selfplay.model.network import SOLVER
from selfplay.model.sampling import DecodeConfig, Samples, Sampling
from selfplay.problem import Outcome, Problem, Verdict
from selfplay.rollout.attempts import Attempts, RolloutConfig, attempt
from selfplay.rollout.responses import Responses


def test_each_response_is_judged_against_its_own_problem(network, tokenizer, environments):
    problems = [environments["arithmetic"].parse(text) for text in ("1+2", "3*4", "9-5")]
    made = attempt(
        network, tokenizer, environments, problems, streams.row_keys(0, 1, "solve", 6),
        attempts=2, decode_config=DecodeConfig(max_tokens=20), sampling=Sampling(),
    )  # fmt: skip
    responses = made.responses
    assert responses.prompts == [tokenizer.solver_prompt(problem) for problem in problems]
    assert made.problems == problems and made.each == 2
    assert list(made.verdicts) == [
        judge(environments["arithmetic"], problems[row // 2], responses.texts[row],
              bool(responses.samples.ended_N[row]))
        for row in range(6)
    ]  # fmt: skip
    assert made.length_PG.tolist() == responses.samples.length_N.reshape(3, 2).tolist()
    assert made.decode_seconds > 0.0 <= made.grade_seconds


def test_masks_by_hand():
    verdicts = [
        Verdict(outcome)
        for outcome in (Outcome.CORRECT, Outcome.WRONG, Outcome.ERROR, Outcome.UNPARSABLE)
    ]
    samples = Samples(
        np.zeros((4, 3), int), np.zeros((4, 3)), np.array([1, 2, 3, 3]),
        np.array([True, True, True, False]),
    )  # fmt: skip
    problems = [Problem("a", 0, text, text, "1") for text in "xy"]
    made = Attempts(problems, Responses([[1], [2]], samples, list("abcd"), SOLVER), verdicts, 0, 0)
    assert made.each == 2
    assert made.correct_PG.tolist() == [[True, False], [False, False]]
    assert made.graded_PG.tolist() == [[True, True], [False, True]]
    assert made.length_PG.tolist() == [[1, 2], [3, 3]]
    assert made.cut_PG.tolist() == [[False, False], [False, True]]
    assert made.outcomes[Outcome.ERROR] == 1 and made.outcomes.total() == 4


@pytest.mark.parametrize(
    ("field", "value"), [("problems", 0), ("attempts", 1), ("temperature", 0.0)]
)
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"rollout\.{field}={value}"):
        RolloutConfig(**{field: value})
