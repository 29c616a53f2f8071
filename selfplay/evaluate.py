"""Evaluation: frozen problems -> pass@1 with intervals, per environment and level; paired runs.

Fed with a network by the loop's driver and the command line. Axes: N problems.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from selfplay import streams
from selfplay.grading.judge import Judging
from selfplay.learning import rollout
from selfplay.model.network import Network
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.tokens import Tokenizer
from selfplay.problem import Environment, Problem
from selfplay.suites import SUITE_SEED

RESAMPLES = 4000
"""Bootstrap resamples behind an interval."""


@dataclass(frozen=True)
class EvaluationConfig:
    """How progress is measured."""

    samples: int = 4
    """Sampled attempts at each held-out problem in a full evaluation."""
    every: int = 10
    """Generations between looks at the anchors and a few held-out problems; 0: only at the end."""
    live: int = 6
    """Held-out problems of each environment and level in such a look."""
    live_samples: int = 2
    """Sampled attempts at each problem in such a look."""

    def __post_init__(self) -> None:
        if self.every < 0 or min(self.samples, self.live, self.live_samples) < 1:
            raise ValueError(
                f"evaluation.every={self.every} must be at least 0; evaluation.samples="
                f"{self.samples}, evaluation.live={self.live} and evaluation.live_samples="
                f"{self.live_samples} at least 1."
            )


class Scores(NamedTuple):
    """Attempts at each of N problems."""

    solved_N: np.ndarray
    """int [N], attempts that were right."""
    graded_N: np.ndarray
    """int [N], attempts that were graded."""
    tokens_N: np.ndarray
    """int [N], response tokens drawn in all attempts at each problem."""
    samples: int
    """Attempts made at each problem."""

    @property
    def rate_N(self) -> np.ndarray:
        """float [N], share solved of each problem's graded attempts; NaN where none was graded."""
        return np.where(self.graded_N > 0, self.solved_N / np.maximum(self.graded_N, 1), np.nan)

    @property
    def generated_tokens(self) -> int:
        """Response tokens drawn."""
        return int(self.tokens_N.sum())

    @property
    def length_N(self) -> np.ndarray:
        """float [N], mean response tokens of an attempt: how long the solver thinks."""
        return self.tokens_N / self.samples


@dataclass(frozen=True)
class Interval:
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float

    def percent(self) -> str:
        """As percentages, for people."""
        return f"{100 * self.mean:.1f}% [{100 * self.low:.1f}, {100 * self.high:.1f}]"

    def points(self) -> str:
        """As a signed difference in percentage points, for people."""
        return f"{100 * self.mean:+.1f} [{100 * self.low:+.1f}, {100 * self.high:+.1f}] points"


def attempt(
    network: Network,
    tokenizer: Tokenizer,
    environments: Mapping[str, Environment],
    problems: Sequence[Problem],
    *,
    samples: int,
    temperature: float,
    decode_config: DecodeConfig,
    stream: str,
) -> Scores:
    """Attempt each problem `samples` times and grade; temperature 0 is greedy.

    The draws depend on `stream` and the suites' seed only, not on the run's: two runs are compared
    on the same noise.
    """
    key_N2 = streams.row_keys(SUITE_SEED, 0, stream, len(problems) * samples)
    with Judging(environments, problems, samples) as judging:
        drawn = rollout.collect(
            network, tokenizer, problems, key_N2,
            attempts=samples, decode_config=decode_config,
            sampling=Sampling(temperature), hear=judging.hear,
        )  # fmt: skip
        verdicts = judging.verdicts()
    correct = np.array([verdict.correct for verdict in verdicts]).reshape(-1, samples)
    graded = np.array([verdict.graded for verdict in verdicts]).reshape(-1, samples)
    tokens = drawn.samples.length_N.reshape(-1, samples)
    return Scores(correct.sum(axis=1), graded.sum(axis=1), tokens.sum(axis=1), samples)


def interval(value_N: np.ndarray) -> Interval:
    """Mean over problems with a bootstrap percentile interval over problems.

    For a paired comparison, pass the differences of the two runs' rates, problem by problem.

    Args:
        value_N: float [N], one value a problem; NaN (never graded) is left out.
    Source: Efron 1979; 4000 resamples from a fixed stream.
    """
    rng = streams.numpy_rng(SUITE_SEED, 0, "bootstrap")
    value_N = value_N[~np.isnan(value_N)]
    count = value_N.size
    means = np.array([value_N[rng.integers(count, size=count)].mean() for _ in range(RESAMPLES)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(value_N.mean()), float(low), float(high))


def by_cell(problems: Sequence[Problem], value_N: np.ndarray) -> dict[str, list[float]]:
    """Mean value of each environment's levels, easiest first."""
    cells: dict[str, dict[int, list[float]]] = {}
    for problem, value in zip(problems, value_N, strict=True):
        cells.setdefault(problem.environment, {}).setdefault(problem.level, []).append(value)
    return {
        name: [float(np.nanmean(levels[level])) for level in sorted(levels)]
        for name, levels in cells.items()
    }


def summary(problems: Sequence[Problem], sampled: Scores, greedy: Scores) -> dict[str, Any]:
    """A full evaluation as JSON data: overall, per environment, per environment and level."""
    rate_N, name_N = sampled.rate_N, np.array([problem.environment for problem in problems])
    return {
        "problems": len(problems),
        "pass@1": asdict(interval(rate_N)),
        "greedy": asdict(interval(greedy.rate_N)),
        "by_environment": {
            name: asdict(interval(rate_N[name_N == name]))
            for name in dict.fromkeys(name_N.tolist())
        },
        "by_level": by_cell(problems, rate_N),
        "tokens_per_attempt": float(sampled.length_N.mean()),
        "tokens_per_attempt_by_level": by_cell(problems, sampled.length_N),
        "grader_errors": int((sampled.samples - sampled.graded_N).sum()),
        "generated_tokens": sampled.generated_tokens + greedy.generated_tokens,
    }
