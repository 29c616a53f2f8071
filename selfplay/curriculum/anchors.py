"""Anchors: frozen problems with frozen ratings, which keep the scale from drifting.

Only differences of ratings are observable, so a learning solver and sinking problems look alike.
The anchors' ratings are fixed once for all runs by their levels (scale.py); the solver's attempts
at them give its rating with an error, to which the rating systems are held. Axis: N anchors.
"""

import numpy as np

from selfplay.curriculum.scale import MEAN, POINTS_PER_LOGIT, pass_rate

PRIOR_SD = 700.0
"""Of the solver's rating before it has met an anchor, in points: keeps 0% and 100% finite."""


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
