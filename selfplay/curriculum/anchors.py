"""Anchors: frozen problems with frozen ratings, which keep the scale from drifting.

Only differences of ratings are observable, so a learning solver and sinking problems look alike.
The anchors' ratings are fixed once for all runs; the solver's attempts at them give its rating with
an error, and the whole scale is shifted to agree. Axes: E environments, L levels, N anchors.
"""

from collections.abc import Sequence

import numpy as np

from selfplay.curriculum.elo import MEAN, POINTS_PER_LOGIT, Ratings, pass_rate

LEVEL_SPACING = 0.75 * POINTS_PER_LOGIT
"""Rating points between neighbouring levels, at first; cells then move by their games."""
PRIOR_SD = 700.0
"""Of the solver's rating before it has met an anchor, in points: keeps 0% and 100% finite."""


def level_rating(level: int, level_count: int) -> float:
    """Frozen rating of the anchors of a level, in points; the mean over the levels is 1500."""
    return MEAN + LEVEL_SPACING * (level - (level_count - 1) / 2)


def prior_cells(level_counts: Sequence[int]) -> np.ndarray:
    """float [E, L], where the cells' ratings start; NaN beyond an environment's levels."""
    cell_EL = np.full((len(level_counts), max(level_counts)), np.nan)
    for e, count in enumerate(level_counts):
        cell_EL[e, :count] = [level_rating(level, count) for level in range(count)]
    return cell_EL


def performance(
    rating_N: np.ndarray, solved_N: np.ndarray, graded_N: np.ndarray
) -> tuple[float, float]:
    """The solver's rating from its attempts at anchors: the mode of the posterior, and its sd.

    Args:
        rating_N: float [N], the anchors' frozen ratings, in points.
        solved_N: int [N], attempts that were right.
        graded_N: int [N], attempts that were graded.
    Returns:
        rating and standard deviation, in points; prior N(1500, 700^2).
    Source: Newton's method on the Rasch log-likelihood (Rasch 1960) with a normal prior.
    """
    rating, prior_precision = MEAN, (POINTS_PER_LOGIT / PRIOR_SD) ** 2
    information = prior_precision
    for _ in range(50):
        p_N = pass_rate(rating, rating_N)
        slope = (solved_N - graded_N * p_N).sum() - prior_precision * (
            rating - MEAN
        ) / POINTS_PER_LOGIT
        information = (graded_N * p_N * (1.0 - p_N)).sum() + prior_precision
        # Far from the mode the curve is flat and a full step would overshoot.
        step = float(np.clip(slope / information, -1.0, 1.0))
        rating += POINTS_PER_LOGIT * step
        if abs(step) < 1e-9:
            break
    return rating, POINTS_PER_LOGIT / float(np.sqrt(information))


def place(ratings: Ratings, performance_E: np.ndarray, sd_E: np.ndarray) -> Ratings:
    """Put the solver where its first look at the anchors says; the cells stay at their priors."""
    return ratings._replace(solver_E=performance_E, anchored_E=performance_E, anchored_sd_E=sd_E)


def refix(ratings: Ratings, performance_E: np.ndarray, sd_E: np.ndarray, gain: float) -> Ratings:
    """Shift solver and cells of each environment towards its rating on the anchors.

    Predicted pass rates stay as they are; only the scale moves. A gain below 1 averages out the
    sampling error of the anchors.
    """
    shift_E = gain * (performance_E - ratings.solver_E)
    return ratings._replace(
        solver_E=ratings.solver_E + shift_E,
        cell_EL=ratings.cell_EL + shift_E[:, None],
        anchored_E=performance_E,
        anchored_sd_E=sd_E,
    )
