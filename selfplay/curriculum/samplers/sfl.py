"""SFL: look at all cells now and then, and draw half of the problems from the most learnable.

Every few generations each cell is attempted without training on it, charged to the budget. The
cells with the highest p (1 - p) of that look share one half of the law, all cells share the other.
Between two looks it learns nothing: groups that were trained on do not change the scores, as
published. More than one group a look makes the winners less a matter of luck.

Source: Rutherford et al. 2024, arXiv:2408.15099; LILO (arXiv:2502.12272) does the same for language
models. A share of the cells is kept, where the code keeps 100 of 5000 random levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.samplers.laws import OverAllCells, counts, normalised
from selfplay.curriculum.samplers.sampler import View
from selfplay.curriculum.scale import Cells, Game


class SFLState(NamedTuple):
    """What the latest look at each cell found."""

    solved_EL: np.ndarray
    """float [E, L], attempts that were right."""
    graded_EL: np.ndarray
    """float [E, L], attempts that were graded; 0 before the first look."""
    age: np.ndarray
    """int [], generations trained on since the latest look."""


@dataclass(frozen=True, kw_only=True)
class SFL(OverAllCells):
    """Half of the law on the most learnable cells of the latest look."""

    every: int = 50
    """Generations from one look to the next, at least 1."""
    groups: int = 1
    """Groups in each cell for a look, at least 1."""
    keep: float = 0.1
    """Share of the cells (with `shared`, of each environment's) that count as most learnable,
    rounded up, in (0, 1]."""
    share: float = 0.5
    """Share of the law on those, in [0, 1]."""

    def __post_init__(self) -> None:
        if self.every < 1 or self.groups < 1:
            raise ValueError(
                f"sfl: every={self.every} generations and groups={self.groups} must be at least 1: "
                "without looks it is `uniform`. The defaults are 50 and 1."
            )
        if not (0.0 < self.keep <= 1.0 and 0.0 <= self.share <= 1.0):
            raise ValueError(
                f"sfl: keep={self.keep} must lie within (0, 1] and share={self.share} within "
                "[0, 1], both are shares; the defaults are 0.1 and 0.5."
            )

    def initial(self, cells: Cells) -> SFLState:
        """Nothing seen, a look is due."""
        zero_EL = np.zeros(cells.shape)
        return SFLState(zero_EL, zero_EL, np.array(self.every))

    def screen(self, state: SFLState, view: View) -> np.ndarray:
        """Every cell when a look is due, else none."""
        return view.cells.there_EL * np.int64(self.groups if state.age >= self.every else 0)

    def law(self, state: SFLState, view: View) -> np.ndarray:
        """Half on the most learnable, half on all; all alike before the first look."""
        there_EL = view.cells.there_EL
        rate_EL = state.solved_EL / np.maximum(state.graded_EL, 1.0)
        best_EL = best(rate_EL * (1.0 - rate_EL), there_EL, self.keep, self.shared)
        all_EL = normalised(there_EL.astype(float), self.shared)
        return self.share * best_EL + (1.0 - self.share) * all_EL

    def after(self, state: SFLState, cells: Cells, games: Sequence[Game]) -> SFLState:
        """Looks replace earlier looks, cell by cell; generations trained on make them older."""
        solved_EL, graded_EL = counts(cells, [game for game in games if not game.trained])
        looked_EL = graded_EL > 0
        trained = any(game.trained and game.graded > 0 for game in games)
        age = (0 if looked_EL.any() else state.age) + int(trained)
        return SFLState(
            np.where(looked_EL, solved_EL, state.solved_EL),
            np.where(looked_EL, graded_EL, state.graded_EL),
            np.asarray(age),
        )


def best(score_EL: np.ndarray, there_EL: np.ndarray, keep: float, rows: bool) -> np.ndarray:
    """Law with equal weight on the share `keep` of the cells that has the greatest scores.

    Cells that tie for the last places share them, so that the order of environments is no
    advantage.

    Args:
        score_EL: float [E, L].
        there_EL: bool [E, L], at least one in each row; the others get 0.
        keep: share of the cells, in (0, 1], rounded up.
        rows: whether it is a share of each row, and each row sums to 1, rather than of the whole.
    """
    shape = there_EL.shape if rows else (1, there_EL.size)
    score_RN = np.where(there_EL, score_EL, -np.inf).reshape(shape)
    places_R1 = np.ceil(keep * there_EL.reshape(shape).sum(axis=1, keepdims=True)).astype(np.int64)
    sorted_RN = -np.sort(-score_RN, axis=1)
    last_R1 = np.take_along_axis(sorted_RN, places_R1 - 1, axis=1)
    above_RN, tied_RN = score_RN > last_R1, score_RN == last_R1
    left_R1 = places_R1 - above_RN.sum(axis=1, keepdims=True)
    weight_RN = above_RN + tied_RN * left_R1 / tied_RN.sum(axis=1, keepdims=True)
    return normalised(weight_RN.reshape(there_EL.shape), rows)
