"""Rollouts: prompts, texts and examples belong together, row by row."""

import numpy as np
import pytest

from selfplay import streams
from selfplay.learning import rollout
from selfplay.learning.rollout import Rollout, RolloutConfig
from selfplay.model.network import SOLVER
from selfplay.model.sampling import DecodeConfig, Samples, Sampling


@pytest.fixture(scope="module")
def collected(network, tokenizer, environments):
    problems = [environments["arithmetic"].parse(text) for text in ("1+2", "3*4", "9-5")]
    drawn = rollout.collect(
        network, tokenizer, problems, streams.row_keys(0, 1, "solve", 6),
        attempts=2, decode_config=DecodeConfig(max_tokens=20), sampling=Sampling(),
    )  # fmt: skip
    return problems, drawn


def test_a_rollout_has_each_problem_s_attempts_side_by_side(collected, tokenizer):
    problems, drawn = collected
    assert drawn.prompts == [tokenizer.solver_prompt(p) for p in problems]
    assert drawn.texts == [tokenizer.decode(drawn.samples.response(row)) for row in range(6)]
    assert drawn.generated_tokens == sum(len(drawn.samples.response(row)) for row in range(6))


def test_examples_are_those_with_an_advantage(collected):
    _, drawn = collected
    advantage = np.array([0.0, 1.5, 0.0, 0.0, -0.5, 0.0])
    first, second = drawn.examples(advantage)
    assert (first.weight, second.weight) == (1.5, -0.5)
    assert (first.prompt, second.prompt) == (drawn.prompts[0], drawn.prompts[2])
    assert first.response == drawn.samples.response(1)
    assert second.response == drawn.samples.response(4)
    for example in (first, second):
        assert len(example.logprobs) == len(example.response)
        assert max(example.logprobs) < 0.0


def test_examples_by_hand():
    samples = Samples(
        np.array([[3, 1, 1], [4, 5, 6]]), np.array([[-1.0, -2.0, 0.0], [-3.0, -4.0, -5.0]]),
        np.array([2, 3]), np.array([True, False]),
    )  # fmt: skip
    drawn = Rollout([[7, 8]], samples, ["a", "bcd"], SOLVER)
    assert drawn.examples(np.array([-1.0, 0.25])) == [
        ([7, 8], [3, 1], -1.0, [-1.0, -2.0], SOLVER),
        ([7, 8], [4, 5, 6], 0.25, [-3.0, -4.0, -5.0], SOLVER),
    ]  # fmt: skip
    assert drawn.examples(np.zeros(2)) == []
    assert drawn.generated_tokens == 5


@pytest.mark.parametrize(
    ("field", "value"), [("problems", 0), ("attempts", 1), ("temperature", 0.0)]
)
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"rollout\.{field}={value}"):
        RolloutConfig(**{field: value})
