"""What several samplers share: scores into a law, games into counts.

Pure. Which score a cell has is the samplers' matter. Axes: E environments, L levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from selfplay.curriculum.samplers.sampler import (
    NoScreening,
    all_summing_to_one,
    rows_summing_to_one,
)
from selfplay.curriculum.scale import Cells, Game

LEAST_RATE = 1e-9
"""Pass rates are taken to be this far from 0 and 1, so that some level is always the best."""


@dataclass(frozen=True, kw_only=True)
class OverAllCells(NoScreening):
    """A sampler that was published for one flat list of problems or categories."""

    shared: bool = False
    """False: one law over all cells, as published, so an environment that looks learnable for ever
    (a coin flip) draws budget for ever. True: a law for each environment, whose shares the manager
    sets; the variant that is fair to compare with samplers that have no say over the shares."""

    @property
    def within_environments(self) -> bool:
        """Whether each row of the law sums to 1, rather than the whole."""
        return self.shared


def normalised(weight_EL: np.ndarray, rows: bool) -> np.ndarray:
    """Weights divided by their sum: of each row if `rows`, else of the whole."""
    return rows_summing_to_one(weight_EL) if rows else all_summing_to_one(weight_EL)


def softmax(
    score_EL: np.ndarray, there_EL: np.ndarray, rows: bool, temperature: float = 1.0
) -> np.ndarray:
    """Law proportional to exp(score / temperature), 0 where there is no such level.

    The greatest score is subtracted first, so that at least one weight is 1 and nothing overflows.

    Args:
        score_EL: float [E, L], finite where `there_EL`.
        there_EL: bool [E, L], at least one in each row.
        rows: whether each row sums to 1, rather than the whole.
        temperature: in units of the score, at least 0.001.
    """
    score_EL = np.where(there_EL, score_EL, -np.inf)
    greatest = score_EL.max(axis=1 if rows else None, keepdims=True)
    return normalised(np.exp((score_EL - greatest) / temperature), rows)


def window(
    rate_EL: np.ndarray, there_EL: np.ndarray, rows: bool, target: float, width: float
) -> np.ndarray:
    """Distribution proportional to a Beta density of the pass rate with its mode at a target.

    Near the target it is a normal density of standard deviation `width`. At 0 and 1 it vanishes, so
    that levels which are hopeless or mastered get next to nothing however many they are; of a
    normal density with target 0.5 and width 0.2, thirty hopeless levels get more than the best one.

    Args:
        rate_EL: float [E, L], pass rates in [0, 1], finite where `there_EL`.
        there_EL: bool [E, L], at least one in each row.
        rows: whether each row sums to 1, rather than the whole.
        target: pass rate of the mode, in (0, 1).
        width: in pass rate, above 0.
    """
    strength = (
        target * (1.0 - target) / width**2
    )  # the density's curvature at the mode is 1/width^2
    inside_EL = np.clip(np.where(there_EL, rate_EL, target), LEAST_RATE, 1.0 - LEAST_RATE)
    score_EL = target * np.log(inside_EL) + (1.0 - target) * np.log1p(-inside_EL)
    return softmax(strength * score_EL, there_EL, rows)


def check_window(target: float, width: float) -> None:
    """Raise unless a window of this target and width can be drawn over pass rates."""
    if not (0.0 < target < 1.0 and 0.001 <= width <= 1.0):
        raise ValueError(
            f"A window with target={target} and width={width} over pass rates cannot be: the "
            "target must lie inside (0, 1), the width within [0.001, 1]. Narrower would be one "
            "cell, wider is `uniform`; the defaults are 0.5 and 0.2."
        )


def counts(cells: Cells, games: Sequence[Game]) -> tuple[np.ndarray, np.ndarray]:
    """Attempts that were right, and attempts that were graded: float [E, L] each."""
    solved_EL, graded_EL = np.zeros(cells.shape), np.zeros(cells.shape)
    for game in games:
        solved_EL[game.environment, game.level] += game.solved
        graded_EL[game.environment, game.level] += game.graded
    return solved_EL, graded_EL


def total_advantage(game: Game) -> float:
    """Sum of |reward - mean reward of the group| over the graded attempts, at least one.

    k of n solved: k (1 - k/n) + (n - k) k/n = 2 k (n - k) / n; divided by n it is about 2p(1 - p).
    Centred, but not divided by the standard deviation, as our trainer does.
    """
    return 2.0 * game.solved * (game.graded - game.solved) / game.graded
