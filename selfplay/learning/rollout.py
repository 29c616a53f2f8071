"""Rollouts: problems -> G attempts each, by the present network. Feeds grading and update.py.

Axes: P problems, G attempts a problem, N = P * G samples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from selfplay.learning.batch import Example
from selfplay.model import decode
from selfplay.model.network import Network
from selfplay.model.sampling import DecodeConfig, Samples, Sampling
from selfplay.model.tokens import Tokenizer
from selfplay.problem import Problem

Hear = Callable[[int, str, bool], None]
"""Is told of a response: its row, its text, and whether it ended."""


@dataclass(frozen=True)
class RolloutConfig:
    """How many attempts are made, and how."""

    problems: int = 64
    """Problems a generation."""
    attempts: int = 8
    """Attempts at each problem; their mean is the baseline of each."""
    temperature: float = 1.0
    """Divides the logits when attempts are drawn."""

    def __post_init__(self) -> None:
        if self.problems < 1 or self.attempts < 2:
            raise ValueError(
                f"rollout.problems={self.problems} must be at least 1 and rollout.attempts="
                f"{self.attempts} at least 2: an attempt is judged against its siblings."
            )
        if self.temperature <= 0.0:
            raise ValueError(
                f"rollout.temperature={self.temperature} must be above 0: greedy attempts at a "
                "problem are all the same and teach nothing. The default is 1."
            )


@dataclass(frozen=True)
class Rollout:
    """Sampled responses with their prompts and texts; attempts at a prompt side by side."""

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
        """Response tokens drawn."""
        return int(self.samples.length_N.sum())

    def examples(self, advantage_N: np.ndarray) -> list[Example]:
        """What there is to learn: the samples with an advantage other than 0."""
        attempts = len(self.texts) // len(self.prompts)
        return [
            Example(
                prompt=self.prompts[row // attempts],
                response=self.samples.response(row),
                weight=float(advantage_N[row]),
                logprobs=self.samples.logprob_NT[row, : self.samples.length_N[row]].tolist(),
                role=self.role,
            )
            for row in np.flatnonzero(advantage_N).tolist()
        ]


def respond(
    network: Network,
    tokenizer: Tokenizer,
    prompts: list[list[int]],
    key_N2: np.ndarray,
    *,
    attempts: int,
    decode_config: DecodeConfig,
    sampling: Sampling,
    hear: Hear | None = None,
    often: bool = False,
) -> Rollout:
    """Draw responses to prompts of either role.

    `hear` is told of each as soon as it is done: its row, its text, and whether it ended. `often`
    says that more such calls will come, see `decode.sample`.
    """
    texts = [""] * len(key_N2)

    def done(row: int, response: list[int], ended: bool) -> None:
        texts[row] = tokenizer.decode(response)
        if hear:
            hear(row, texts[row], ended)

    samples = decode.sample(
        network, prompts, key_N2, attempts=attempts, config=decode_config, sampling=sampling,
        end_ids=tokenizer.end_ids, hear=done, often=often,
    )  # fmt: skip
    return Rollout(prompts, samples, texts, int(network.role))


def collect(
    network: Network,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    key_N2: np.ndarray,
    *,
    attempts: int,
    decode_config: DecodeConfig,
    sampling: Sampling,
    hear: Hear | None = None,
    often: bool = False,
) -> Rollout:
    """Draw `attempts` solutions of each problem; `hear` and `often` as in `respond`."""
    prompts = [tokenizer.solver_prompt(problem) for problem in problems]
    return respond(
        network, tokenizer, prompts, key_N2,
        attempts=attempts, decode_config=decode_config, sampling=sampling, hear=hear, often=often,
    )  # fmt: skip
