"""Robust prioritised level replay with the learnability score: rank, and what is long unseen.

A cell's score is p (1 - p), p from its discounted outcomes of all generations, not from the latest
group alone, whose noise would pick the winners. Seen cells are drawn by rank to the power
-1 / beta, mixed with a share by staleness. Unseen cells are first looked at without training on
them (the robust variant), a few a generation, charged. Does not edit levels (ACCEL), and looks at
no prediction.

Source: Jiang et al. 2021, arXiv:2010.03934 and arXiv:2110.02439 (robust); the score is
arXiv:2408.15099's, because the published regret scores track success.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.samplers.laws import OverAllCells, counts, normalised
from selfplay.curriculum.samplers.sampler import View
from selfplay.curriculum.scale import Cells, Game


class PLRState(NamedTuple):
    """Discounted outcomes and when they were had."""

    solved_EL: np.ndarray
    """float [E, L], attempts that were right, discounted."""
    graded_EL: np.ndarray
    """float [E, L], attempts that were graded, discounted; 0 where nothing was seen."""
    seen_EL: np.ndarray
    """int [E, L], the generation in which a cell was last seen."""
    generation: np.ndarray
    """int [], generations so far."""


@dataclass(frozen=True, kw_only=True)
class PLR(OverAllCells):
    """Replay by rank of learnability and by staleness."""

    beta: float = 0.1
    """Temperature of the ranks, at least 0.01: smaller prefers the first ranks more."""
    staleness: float = 0.1
    """Share of the law (rho) in proportion to the generations since a cell was seen, in [0, 1]."""
    memory: float = 0.7
    """Discount of a cell's earlier outcomes whenever it is seen again, in [0, 1); 0 is the
    published replacement by the latest."""
    new: int = 16
    """Unseen cells looked at in each generation, one group each, at least 1."""

    def __post_init__(self) -> None:
        if not (0.01 <= self.beta < np.inf and 0.0 <= self.staleness <= 1.0):
            raise ValueError(
                f"plr: beta={self.beta} must be at least 0.01 and staleness={self.staleness} lie "
                "within [0, 1], it is a share; the defaults are 0.1 and 0.1."
            )
        if not (0.0 <= self.memory < 1.0 and self.new >= 1):
            raise ValueError(
                f"plr: memory={self.memory} must lie within [0, 1), or old outcomes never fade, "
                f"and new={self.new} be at least 1, or unseen cells stay unseen; the defaults are "
                "0.7 and 16."
            )

    def initial(self, cells: Cells) -> PLRState:
        """Nothing seen."""
        zero_EL = np.zeros(cells.shape)
        return PLRState(zero_EL, zero_EL, np.zeros(cells.shape, np.int64), np.array(0))

    def screen(self, state: PLRState, view: View) -> np.ndarray:
        """One group in each of a few unseen cells, chosen at random."""
        unseen_N = np.flatnonzero(view.cells.there_EL & (state.graded_EL == 0))
        groups_EL = np.zeros(view.cells.shape, np.int64)
        groups_EL.flat[view.rng.permutation(unseen_N)[: self.new]] = 1
        return groups_EL

    def law(self, state: PLRState, view: View) -> np.ndarray:
        """(1 - rho) by rank + rho by staleness over seen cells; all alike where none is seen."""
        axis = 1 if self.shared else None
        seen_EL = state.graded_EL > 0
        seen_EL |= view.cells.there_EL & ~seen_EL.any(axis=axis, keepdims=True)
        rate_EL = state.solved_EL / np.where(state.graded_EL > 0, state.graded_EL, 1.0)
        rank_EL = by_rank(rate_EL * (1.0 - rate_EL), seen_EL, self.beta, self.shared)
        stale_EL = np.where(seen_EL, state.generation - state.seen_EL, 0)
        total = stale_EL.sum(axis=axis, keepdims=True)
        share = np.where(total > 0, self.staleness, 0.0)  # all just seen: ranks alone
        return (1.0 - share) * rank_EL + share * stale_EL / np.maximum(total, 1)

    def after(self, state: PLRState, cells: Cells, games: Sequence[Game]) -> PLRState:
        """Outcomes of the generation added to discounted earlier ones, in cells that were seen."""
        solved_EL, graded_EL = counts(cells, games)
        now_EL = graded_EL > 0
        if not now_EL.any():
            return state
        generation = np.asarray(state.generation + 1)
        return PLRState(
            np.where(now_EL, self.memory * state.solved_EL + solved_EL, state.solved_EL),
            np.where(now_EL, self.memory * state.graded_EL + graded_EL, state.graded_EL),
            np.where(now_EL, generation, state.seen_EL),
            generation,
        )


def by_rank(score_EL: np.ndarray, eligible_EL: np.ndarray, beta: float, rows: bool) -> np.ndarray:
    """Law proportional to (1 / rank) ** (1 / beta), rank 1 being the greatest score.

    Equal scores share their ranks' weights equally: the mean over random ways to break the tie.

    Args:
        score_EL: float [E, L].
        eligible_EL: bool [E, L], at least one (in each row, if `rows`); the others get 0.
        beta: temperature, above 0.
        rows: whether ranks count within rows, and each row sums to 1, rather than the whole.
    """
    cell_N = np.flatnonzero(eligible_EL)
    row_N = cell_N // eligible_EL.shape[1] * int(rows)
    order_N = np.lexsort((-score_EL.flat[cell_N], row_N))
    cell_N, row_N = cell_N[order_N], row_N[order_N]
    score_N = score_EL.flat[cell_N]
    rank_N = np.arange(cell_N.size) - np.searchsorted(row_N, row_N) + 1.0
    weight_N = rank_N ** (-1.0 / beta)
    # Row -1 does not exist: the first cell always opens a tie.
    new_N = (np.diff(row_N, prepend=-1) != 0) | (np.diff(score_N, prepend=0.0) != 0)
    tie_N = np.cumsum(new_N) - 1
    mean_N = np.bincount(tie_N, weight_N) / np.bincount(tie_N)
    weight_EL = np.zeros(score_EL.shape)
    weight_EL.flat[cell_N] = mean_N[tie_N]
    return normalised(weight_EL, rows)
