"""The inbox: what of the reports on plans is news.

Reports may come late, in parts, twice or out of order. One counts by what it adds to the earlier
ones on the same plan. Axes: H generations that are remembered, W plans of a generation.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from selfplay.curriculum.plans import Plan, Purpose, Report
from selfplay.curriculum.scale import Cells, Game

HORIZON = 64
"""Generations after which an outcome is too late to count."""


class Inbox(NamedTuple):
    """What was heard of the plans of the last generations."""

    generation_H: np.ndarray
    """int [H], the generation that each row of the next two is of."""
    solved_HW: np.ndarray
    """int [H, W], attempts at each plan that were counted as right."""
    graded_HW: np.ndarray
    """int [H, W], attempts at each plan that were counted."""
    ignored: np.ndarray
    """int [2], reports that told nothing new, and reports that came too late."""
    age: np.ndarray
    """int [2], sum over the groups that counted of the generations since their plan, and their
    number."""


class News(NamedTuple):
    """What a report adds to the earlier ones on its plan."""

    plan: Plan
    game: Game
    """The new attempts only."""
    first: bool
    """Whether it is the first that was heard of the plan."""


def empty(width: int) -> Inbox:
    """Nothing was heard yet; `width` is W."""
    heard_HW = np.zeros((HORIZON, width), np.int64)
    return Inbox(
        np.full(HORIZON, -1), heard_HW, heard_HW, np.zeros(2, np.int64), np.zeros(2, np.int64)
    )


def received(
    inbox: Inbox, cells: Cells, generation: int, reports: Iterable[Report]
) -> tuple[Inbox, list[News]]:
    """The inbox after some reports, and what is new in them, in the order of the plans.

    Raises:
        ValueError: a plan is of a generation or slot that cannot have been.
    """
    generation_H = inbox.generation_H.copy()
    solved_HW, graded_HW = inbox.solved_HW.copy(), inbox.graded_HW.copy()
    ignored, age = inbox.ignored.copy(), inbox.age.copy()
    news = []
    # In the order of the plans, so that it does not matter in which order they were heard.
    for plan, level, all_solved, all_graded in sorted(reports):
        _check(plan, generation, solved_HW.shape[1])
        row = plan.generation % HORIZON
        if plan.generation <= generation - HORIZON:
            ignored[1] += 1
            continue
        if generation_H[row] != plan.generation:
            generation_H[row], solved_HW[row], graded_HW[row] = plan.generation, 0, 0
        at = row, plan.slot
        first = not graded_HW[at]
        solved, graded = all_solved - int(solved_HW[at]), all_graded - int(graded_HW[at])
        if graded <= 0 or not 0 <= solved <= graded:
            ignored[0] += 1
            continue
        if first:
            age += (generation - plan.generation, 1)
        solved_HW[at], graded_HW[at] = all_solved, all_graded
        trained = plan.purpose != Purpose.SCREEN
        new = Game(cells.index[plan.environment], level, solved, graded, trained)
        news.append(News(plan, new, first))
    return Inbox(generation_H, solved_HW, graded_HW, ignored, age), news


def _check(plan: Plan, generation: int, width: int) -> None:
    if not (0 <= plan.generation <= generation and 0 <= plan.slot < width):
        raise ValueError(
            f"a report on plan {plan.slot} of generation {plan.generation} in generation "
            f"{generation}: there are {width} plans in a generation, and none of the future."
        )
