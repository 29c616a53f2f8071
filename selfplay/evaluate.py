"""Evaluation: frozen problems -> pass@1 with intervals, per environment and level; paired runs.

Fed with a network by the loop's driver and the command line. Axes: N problems, C cells (environment
x level).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from selfplay import streams
from selfplay.model.network import Network
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.tokens import Tokenizer
from selfplay.problem import Environment, Problem
from selfplay.rollout.attempts import Attempts, attempt
from selfplay.suites import SUITE_SEED

LEAST_WEIGHT = 0.05
"""Of a cell in a look, whatever its pass rate; one at 50% has 0.5 more."""
SHARING_ROUNDS = 20
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
    """Held-out problems a level in such a look, on average: more near the frontier, fewer where all
    or none are solved."""
    live_samples: int = 2
    """Sampled attempts at each held-out problem in such a look."""
    anchors: int = 6
    """Anchor problems a level in such a look, on average, with `samples` attempts at each."""

    def __post_init__(self) -> None:
        least = min(self.samples, self.live, self.live_samples, self.anchors)
        if self.every < 0 or least < 1:
            raise ValueError(
                f"evaluation.every={self.every} must be at least 0; evaluation.samples="
                f"{self.samples}, evaluation.live={self.live}, evaluation.live_samples="
                f"{self.live_samples} and evaluation.anchors={self.anchors} at least 1."
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
    cut: int = 0
    """Attempts in all that reached the token limit before their end."""

    @classmethod
    def of(cls, attempts: Attempts) -> "Scores":
        """Of graded attempts."""
        return cls(
            attempts.correct_PG.sum(axis=1),
            attempts.graded_PG.sum(axis=1),
            attempts.length_PG.sum(axis=1),
            attempts.each,
            int(attempts.cut_PG.sum()),
        )

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


def scored(
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
    return Scores.of(
        attempt(
            network, tokenizer, environments, problems, key_N2,
            attempts=samples, decode_config=decode_config, sampling=Sampling(temperature),
        )
    )  # fmt: skip


class Survey(NamedTuple):
    """How much of each of C cells a look attempts."""

    count_C: np.ndarray
    """int [C], problems of each cell."""
    chance_C: np.ndarray
    """float [C], probability with which a cell got any, in (0, 1]."""

    def estimate(self, predicted_C: np.ndarray, observed_C: np.ndarray) -> float:
        """Mean pass rate over the cells, unbiased whatever was predicted.

        The mean of the predictions, corrected where it was looked: the better they are, the less
        noise there is.

        Args:
            predicted_C: float [C], pass rates that were expected before the look.
            observed_C: float [C], pass rates in the look; NaN where nothing was attempted.
        Source: the difference estimator of survey sampling (Sarndal, Swensson, Wretman 1992).
        """
        surprise_C = (observed_C - predicted_C) / self.chance_C
        return float(np.mean(predicted_C + np.nan_to_num(surprise_C)))


def survey(predicted_C: np.ndarray, mean: float, most: int, rng: np.random.Generator) -> Survey:
    """Share the problems of a look out over cells: most where the pass rate is least certain.

    A cell gets problems in proportion to the standard deviation of an attempt, `sqrt(p (1 - p))`,
    and a little more, so that every cell has its chance and surprises are found.

    Args:
        predicted_C: float [C], expected pass rates, in [0, 1].
        mean: problems a cell, on average.
        most: problems that a cell has.
        rng: decides what is left to chance by fractions of a problem.
    Source: Neyman 1934, optimal allocation.
    """
    weight_C = np.sqrt(predicted_C * (1.0 - predicted_C)) + LEAST_WEIGHT
    wanted_C = np.zeros(predicted_C.size)
    for _ in range(SHARING_ROUNDS):  # what full cells cannot take goes to the others
        open_C = wanted_C < most
        left = mean * predicted_C.size - wanted_C.sum()
        if left < 1e-9 or not open_C.any():
            break
        wanted_C[open_C] += left * weight_C[open_C] / weight_C[open_C].sum()
        wanted_C = np.minimum(wanted_C, most)
    count_C = np.floor(wanted_C + rng.random(wanted_C.size)).astype(np.int64)
    return Survey(np.minimum(count_C, most), np.minimum(wanted_C, 1.0))


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


def frontier(rates: Sequence[float]) -> int:
    """How many levels, from the lowest on without a gap, have a pass rate of at least 50%."""
    return next((level for level, rate in enumerate(rates) if not rate >= 0.5), len(rates))


def summary(problems: Sequence[Problem], sampled: Scores, greedy: Scores) -> dict[str, Any]:
    """A full evaluation as JSON data: overall, per environment, per environment and level."""
    rate_N, name_N = sampled.rate_N, np.array([problem.environment for problem in problems])
    levels = by_cell(problems, rate_N)
    return {
        "problems": len(problems),
        "pass@1": asdict(interval(rate_N)),
        "greedy": asdict(interval(greedy.rate_N)),
        "by_environment": {
            name: asdict(interval(rate_N[name_N == name]))
            for name in dict.fromkeys(name_N.tolist())
        },
        "by_level": levels,
        "greedy_by_level": by_cell(problems, greedy.rate_N),
        "frontier": {name: frontier(rates) for name, rates in levels.items()},
        "tokens_per_attempt": float(sampled.length_N.mean()),
        "tokens_per_attempt_by_level": by_cell(problems, sampled.length_N),
        "cut_at_limit": sampled.cut / (sampled.samples * len(problems)),
        "grader_errors": int((sampled.samples - sampled.graded_N).sum()),
        "generated_tokens": sampled.generated_tokens + greedy.generated_tokens,
    }
