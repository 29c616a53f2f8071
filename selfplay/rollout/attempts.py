"""Attempts: problems -> responses of the solver with their verdicts. The one place where they meet.

Fed by the ring, the evaluation and `selfplay solve`; feeds the ratings and the learning. Axes: P
problems, G attempts a problem, N = P * G rows, T tokens.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from selfplay.grading.judge import Judging
from selfplay.model.network import Network
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.tokens import Tokenizer
from selfplay.problem import Environment, Outcome, Problem, Verdict
from selfplay.rollout.responses import Responses, respond


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
class Attempts:
    """G graded attempts at each of P problems; row p * G + a is attempt a at problem p."""

    problems: Sequence[Problem]
    """P problems."""
    responses: Responses
    """N responses to their prompts."""
    verdicts: Sequence[Verdict]
    """N verdicts."""
    decode_seconds: float
    """Wall time of decoding, and of grading meanwhile."""
    grade_seconds: float
    """Wall time that grading took after the last response was drawn."""

    @property
    def each(self) -> int:
        """G, attempts at each problem."""
        return len(self.verdicts) // max(len(self.problems), 1)

    @property
    def correct_PG(self) -> np.ndarray:
        """bool [P, G], attempts that were right."""
        return self._by_problem([verdict.correct for verdict in self.verdicts])

    @property
    def graded_PG(self) -> np.ndarray:
        """bool [P, G], False where the grader itself failed."""
        return self._by_problem([verdict.graded for verdict in self.verdicts])

    @property
    def length_PG(self) -> np.ndarray:
        """int [P, G], response tokens."""
        return self._by_problem(self.responses.samples.length_N)

    @property
    def cut_PG(self) -> np.ndarray:
        """bool [P, G], responses that reached the token limit before their end."""
        return self._by_problem(~self.responses.samples.ended_N)

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Number of attempts by outcome."""
        return Counter(verdict.outcome for verdict in self.verdicts)

    def _by_problem(self, value_N: Sequence[bool] | np.ndarray) -> np.ndarray:
        return np.asarray(value_N).reshape(len(self.problems), -1)


def attempt(
    network: Network,
    tokenizer: Tokenizer,
    environments: Mapping[str, Environment],
    problems: Sequence[Problem],
    key_N2: np.ndarray,
    *,
    attempts: int,
    decode_config: DecodeConfig,
    sampling: Sampling,
    precompile: bool = False,
) -> Attempts:
    """Draw `attempts` responses to each problem and grade each as soon as it is finished.

    Args:
        network: in the role of the solver.
        tokenizer: of the network.
        environments: by name; they grade.
        problems: P problems.
        key_N2: uint32 [N, 2], a random key for each row; see `streams.row_keys`.
        attempts: G.
        decode_config: limits.
        sampling: what tokens are drawn from.
        precompile: compile for responses of all lengths at once; see `decode.sample`.
    """
    prompts = [tokenizer.solver_prompt(problem) for problem in problems]
    with Judging(environments, problems, attempts) as judging:
        start = time.perf_counter()
        responses = respond(
            network, tokenizer, prompts, key_N2,
            attempts=attempts, decode_config=decode_config, sampling=sampling,
            on_response=judging.submit, precompile=precompile,
        )  # fmt: skip
        drawn = time.perf_counter()
        verdicts = judging.verdicts()
    graded = time.perf_counter()
    return Attempts(problems, responses, verdicts, drawn - start, graded - drawn)
