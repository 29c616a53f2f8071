"""GRESO: cells whose groups were all right or all wrong, time after time, are skipped.

A cell drawn uniformly is kept with probability max(rate ** streak, least), streak being its groups
in a row that were all right or all wrong; skipped draws are drawn again, so the law is proportional
to the probability of being kept. The rates for all-right and all-wrong streaks are adapted until
such groups have their target shares. A group of one attempt cannot differ from itself and says
nothing here. One mixed group ends a streak, as published, so this is noisy; published for prompts
that come again, here a streak is of fresh problems of a cell.

Source: Zheng et al. 2025, arXiv:2506.02177.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.samplers.laws import OverAllCells, normalised
from selfplay.curriculum.samplers.sampler import View
from selfplay.curriculum.scale import Cells, Game


class GRESOState(NamedTuple):
    """Streaks, and how strongly they count."""

    streak_EL: np.ndarray
    """int [E, L], latest groups in a row that were all right, or all wrong."""
    easy_EL: np.ndarray
    """bool [E, L], whether the streak is of groups that were all right."""
    easy_rate: np.ndarray
    """float [], probability of keeping a cell after one group that was all right, in [0, 1]."""
    hard_rate: np.ndarray
    """float [], the same after one that was all wrong."""


@dataclass(frozen=True, kw_only=True)
class GRESO(OverAllCells):
    """Skip what gave no advantage, by the length of the streak."""

    easy_share: float = 0.25 / 3
    """Wanted share of groups that are all right, in [0, 1]."""
    hard_share: float = 0.25 * 2 / 3
    """Wanted share of groups that are all wrong, in [0, 1]."""
    first_rate: float = 0.5
    """Both rates at the beginning, in [0, 1]."""
    step: float = 0.01
    """Move of a rate in a generation, in (0, 1]."""
    least: float = 0.01
    """Least probability of keeping a cell, in (0, 1]."""

    def __post_init__(self) -> None:
        shares = (self.easy_share, self.hard_share, self.first_rate)
        if not all(0.0 <= share <= 1.0 for share in shares):
            raise ValueError(
                f"greso: easy_share={self.easy_share}, hard_share={self.hard_share} and "
                f"first_rate={self.first_rate} must lie within [0, 1]: they are shares and a "
                "probability. The defaults are 0.25/3, 0.5/3 and 0.5."
            )
        if not (0.0 < self.step <= 1.0 and 0.0 < self.least <= 1.0):
            raise ValueError(
                f"greso: step={self.step} and least={self.least} must lie within (0, 1]: without "
                "them rates would never adapt and cells vanish for ever. The defaults are 0.01."
            )

    def initial(self, cells: Cells) -> GRESOState:
        """No streaks."""
        rate = np.array(self.first_rate)
        streak_EL = np.zeros(cells.shape, np.int64)
        return GRESOState(streak_EL, np.zeros(cells.shape, np.bool_), rate, rate)

    def law(self, state: GRESOState, view: View) -> np.ndarray:
        """Proportional to the probability of being kept."""
        rate_EL = np.where(state.easy_EL, state.easy_rate, state.hard_rate)
        kept_EL = np.maximum(rate_EL**state.streak_EL, self.least)
        return normalised(np.where(view.cells.there_EL, kept_EL, 0.0), self.shared)

    def after(self, state: GRESOState, cells: Cells, games: Sequence[Game]) -> GRESOState:
        """Streaks group by group, then one move of each rate for the whole generation."""
        del cells
        games = [game for game in games if game.graded > 1]
        if not games:
            return state
        streak_EL, easy_EL = state.streak_EL.copy(), state.easy_EL.copy()
        for game in games:
            cell = game.environment, game.level
            easy, hard = game.solved == game.graded, game.solved == 0
            if not (easy or hard):
                streak_EL[cell] = 0
            elif easy_EL[cell] == easy:
                streak_EL[cell] += 1
            else:
                streak_EL[cell] = 1
            easy_EL[cell] = easy
        easy_share = sum(game.solved == game.graded for game in games) / len(games)
        hard_share = sum(game.solved == 0 for game in games) / len(games)
        return GRESOState(
            streak_EL,
            easy_EL,
            self._moved(state.easy_rate, easy_share, self.easy_share),
            self._moved(state.hard_rate, hard_share, self.hard_share),
        )

    def _moved(self, rate: np.ndarray, share: float, wanted: float) -> np.ndarray:
        """Skip more (a lower rate) where there are more such groups than wanted."""
        step = -self.step if share >= wanted else self.step
        return np.asarray(np.clip(rate + step, 0.0, 1.0))
