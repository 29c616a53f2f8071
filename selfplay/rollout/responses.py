"""Responses: prompts of either role -> sampled texts. Feeds attempts.py and the learned proposer.

Axes: P prompts, N = P * attempts responses, T tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from selfplay.model import decode
from selfplay.model.network import Network
from selfplay.model.sampling import DecodeConfig, Samples, Sampling
from selfplay.model.tokens import Tokenizer

OnResponse = Callable[[int, str, bool], None]
"""Callback for a finished response: its row, its text, and whether it ended with an end token."""


@dataclass(frozen=True)
class Responses:
    """Sampled responses with their prompts and texts; those to one prompt side by side."""

    prompts: list[list[int]]
    """P prompts, token ids."""
    samples: Samples
    """N samples."""
    texts: list[str]
    """N responses as text."""
    role: int
    """Who responded."""

    @property
    def generated_tokens(self) -> int:
        """Number of response tokens."""
        return int(self.samples.length_N.sum())


def respond(
    network: Network,
    tokenizer: Tokenizer,
    prompts: list[list[int]],
    key_N2: np.ndarray,
    *,
    attempts: int,
    decode_config: DecodeConfig,
    sampling: Sampling,
    on_response: OnResponse | None = None,
    precompile: bool = False,
) -> Responses:
    """Draw `attempts` responses to each prompt; row p * attempts + a is attempt a at prompt p.

    Args:
        network: in the role that responds.
        tokenizer: of the network.
        prompts: P prompts, token ids.
        key_N2: uint32 [N, 2], a random key for each row; see `streams.row_keys`.
        attempts: responses to each prompt.
        decode_config: limits.
        sampling: what tokens are drawn from.
        on_response: called as soon as a response is finished, while others are still being drawn.
        precompile: compile for responses of all lengths at once; see `decode.sample`.
    """
    texts = [""] * len(key_N2)

    def finished(row: int, response: list[int], ended: bool) -> None:
        texts[row] = tokenizer.decode(response)
        if on_response:
            on_response(row, texts[row], ended)

    samples = decode.sample(
        network, prompts, key_N2, attempts=attempts, config=decode_config, sampling=sampling,
        end_ids=tokenizer.end_ids, on_finished=finished, precompile=precompile,
    )  # fmt: skip
    return Responses(prompts, samples, texts, int(network.role))
