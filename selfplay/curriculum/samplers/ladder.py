"""reasoning-gym's rule: each environment has a current level, which climbs and steps down.

The level goes up when the mean pass rate of the last groups at it exceeds a threshold, and down
when it falls below another; the count begins anew after a move, so that results of the old level
say nothing about the new one. Only the outcomes move it: reasoning-gym's own trainer raises the
level every few updates whatever the score when its schedule is automatic, and all attributes at
once. Knows nothing of levels other than the current one, and takes their order on trust.

Source: reasoning-gym (arXiv:2505.24760), thresholds 0.7 and 0.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.samplers.sampler import NoScreening, View
from selfplay.curriculum.scale import Cells, Game


class LadderState(NamedTuple):
    """Where each environment stands. W groups of the window."""

    level_E: np.ndarray
    """int [E], current level."""
    rate_EW: np.ndarray
    """float [E, W], pass rates of the last groups at that level, in no order."""
    groups_E: np.ndarray
    """int [E], groups at that level since it was entered."""


@dataclass(frozen=True)
class Ladder(NoScreening):
    """One level at a time, up after success, down after failure."""

    up: float = 0.7
    """Mean pass rate above which the level goes up, in (down, 1]."""
    down: float = 0.3
    """Mean pass rate below which the level goes down, in [0, up)."""
    window: int = 20
    """Groups at the current level that the mean is over, at least 1. Must fit the budget: with
    hundreds of environments few groups fall to each, and 5 climbs in time where 20 does not."""

    within_environments = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.down < self.up <= 1.0:
            raise ValueError(
                f"ladder: down={self.down} and up={self.up} are no pair of thresholds: 0 <= down "
                "< up <= 1, or a level would be left at both ends. The defaults are 0.3 and 0.7."
            )
        if self.window < 1:
            raise ValueError(
                f"ladder: window={self.window} groups leave nothing to judge a level by; "
                "give at least 1, by default 20."
            )

    def initial(self, cells: Cells) -> LadderState:
        """Every environment at its easiest level."""
        count = cells.shape[0]
        zero_E = np.zeros(count, np.int64)
        return LadderState(zero_E, np.zeros((count, self.window)), zero_E)

    def law(self, state: LadderState, view: View) -> np.ndarray:
        """All on the current level; each row sums to 1."""
        return (np.arange(view.cells.shape[1]) == state.level_E[:, None]).astype(float)

    def after(self, state: LadderState, cells: Cells, games: Sequence[Game]) -> LadderState:
        """One group after the other; groups at other levels (probes, late results) do not count."""
        level_E, rate_EW, groups_E = (array.copy() for array in state)
        for game in games:
            e = game.environment
            if game.graded == 0 or game.level != level_E[e]:
                continue
            rate_EW[e, groups_E[e] % self.window] = game.solved / game.graded
            groups_E[e] += 1
            if groups_E[e] < self.window:
                continue
            mean = rate_EW[e].mean()
            step = int(mean > self.up) - int(mean < self.down)
            moved = min(max(level_E[e] + step, 0), cells.level_counts[e] - 1)
            if moved != level_E[e]:
                level_E[e], groups_E[e] = moved, 0
        return LadderState(level_E, rate_EW, groups_E)
