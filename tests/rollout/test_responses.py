"""Responses: prompts and texts belong together, row by row."""

import numpy as np

from selfplay import streams
from selfplay.model.network import SOLVER
from selfplay.model.sampling import DecodeConfig, Samples, Sampling
from selfplay.rollout.responses import Responses, respond


def test_responses_to_a_prompt_lie_side_by_side_and_each_is_told_once(network, tokenizer):
    prompts = [tokenizer.proposer_prompt("arithmetic", rating) for rating in (1400.0, 1600.0)]
    told = {}
    drawn = respond(
        network, tokenizer, prompts, streams.row_keys(0, 1, "propose", 6), attempts=3,
        decode_config=DecodeConfig(max_tokens=20), sampling=Sampling(),
        on_response=lambda row, text, ended: told.update({row: (text, ended)}),
    )  # fmt: skip
    assert drawn.prompts == prompts
    assert drawn.texts == [tokenizer.decode(drawn.samples.response(row)) for row in range(6)]
    assert told == {
        row: (text, bool(drawn.samples.ended_N[row])) for row, text in enumerate(drawn.texts)
    }
    assert drawn.generated_tokens == sum(len(drawn.samples.response(row)) for row in range(6))


def test_generated_tokens_by_hand():
    samples = Samples(
        np.zeros((2, 3), int), np.zeros((2, 3)), np.array([2, 3]), np.array([True, False])
    )
    assert Responses([[7, 8]], samples, ["a", "bcd"], SOLVER).generated_tokens == 5
