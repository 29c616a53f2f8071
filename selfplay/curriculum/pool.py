"""The pool: the latest problems of a run, each with a rating of its own, to be posed again.

A problem differs from the mean of its cell by a residual, which no training changes. It is normal
at first, as wide as the problems of the cell differ, and every visit tells of it. Problem number n
has the place n % N, so the pool holds the latest N and nothing is searched. Axes: N problems of the
pool, M problems of a batch.
"""

from typing import NamedTuple

import numpy as np

from selfplay.curriculum import kalman
from selfplay.curriculum.plans import UNNUMBERED
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Beliefs, sigmoid

REST = 10
"""Generations that a problem is left alone after a visit."""
LEAST_SD = 0.25
"""Problems of a cell are taken to differ by so many logits at least, whatever was learnt so far: a
few outcomes that are alike by chance would else make all of them the same for good."""
REACH = 2.0
"""Widths of the window beyond which a problem is not posed again."""


class Pool(NamedTuple):
    """Problems and what their visits told."""

    number_N: np.ndarray
    """int64 [N], number of the problem in the run; `UNNUMBERED` where there is none yet."""
    environment_N: np.ndarray
    """int16 [N], index of its environment."""
    level_N: np.ndarray
    """int16 [N], its level."""
    residual_N: np.ndarray
    """float [N], by how much it is harder than the mean of its cell, in logits."""
    variance_N: np.ndarray
    """float [N], how unsure that is, in square logits."""
    generation_N: np.ndarray
    """int32 [N], of its latest visit."""


class Rated(NamedTuple):
    """Problems after their latest attempts."""

    residual_M: np.ndarray
    """float [M], in logits; see `Pool`."""
    variance_M: np.ndarray
    """float [M], in square logits."""
    rating_M: np.ndarray
    """float [M], in points."""
    rating_sd_M: np.ndarray
    """float [M], with what the rating of the cell is unsure of, in points."""


class Batch(NamedTuple):
    """Outcomes of a generation, a row for each problem."""

    number_M: np.ndarray
    """int [M], numbers of the problems; `UNNUMBERED` for one that the pool does not keep."""
    environment_M: np.ndarray
    """int [M]."""
    level_M: np.ndarray
    """int [M]."""
    solved_M: np.ndarray
    """int [M], new attempts that were right."""
    graded_M: np.ndarray
    """int [M], new attempts."""


def empty(size: int) -> Pool:
    """No problems yet."""
    return Pool(
        np.full(size, UNNUMBERED, np.int64), np.zeros(size, np.int16), np.zeros(size, np.int16),
        np.zeros(size), np.zeros(size), np.zeros(size, np.int32),
    )  # fmt: skip


def rated(pool: Pool, beliefs: Beliefs, batch: Batch) -> Rated:
    """Each problem of a batch after its attempts; cost grows with the batch only."""
    place_M = batch.number_M % pool.number_N.size
    known_M = (batch.number_M != UNNUMBERED) & (pool.number_N[place_M] == batch.number_M)
    cell_M = batch.environment_M, batch.level_M
    spread_M = np.square(np.maximum(beliefs.problem_sd_E[batch.environment_M], LEAST_SD))
    residual_M = np.where(known_M, pool.residual_N[place_M], 0.0)
    variance_M = np.where(known_M, pool.variance_N[place_M], spread_M)
    mean_M = _mean_logit(beliefs, *cell_M)
    share_M = batch.solved_M / np.maximum(batch.graded_M, 1)
    logit_M, information_M = kalman.mode(
        share_M, batch.graded_M, np.zeros(()), mean_M - residual_M, variance_M
    )
    residual_M = mean_M - logit_M
    variance_M = variance_M / (1.0 + variance_M * information_M)
    sd_M = np.sqrt(np.square(beliefs.logit_sd_EL[cell_M]) + variance_M)
    rating_M = beliefs.cell_EL[cell_M] + POINTS_PER_LOGIT * residual_M
    return Rated(residual_M, variance_M, rating_M, POINTS_PER_LOGIT * sd_M)


def after(pool: Pool, beliefs: Beliefs, batch: Batch, generation: int) -> Pool:
    """The pool with the outcomes of a generation.

    Numbers in the batch differ. Problems that later ones have replaced are left out.
    """
    place_M = batch.number_M % pool.number_N.size
    kept_M = (batch.number_M != UNNUMBERED) & (batch.number_M >= pool.number_N[place_M])
    batch = Batch(*(values_M[kept_M] for values_M in batch))
    if not batch.number_M.size:
        return pool
    # Of several new problems with one place, the last one stays.
    batch = Batch(*(values_M[np.argsort(batch.number_M)] for values_M in batch))
    place_M, new = batch.number_M % pool.number_N.size, rated(pool, beliefs, batch)
    rows = (
        batch.number_M, batch.environment_M, batch.level_M, new.residual_M, new.variance_M,
        np.full(place_M.size, generation),
    )  # fmt: skip
    changed = Pool(*(values_N.copy() for values_N in pool))
    for values_N, row_M in zip(changed, rows, strict=True):
        values_N[place_M] = row_M
    return changed


def predicted(pool: Pool, beliefs: Beliefs, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predicted pass rate at some places of the pool, and its standard deviation."""
    cell = pool.environment_N[place], pool.level_N[place]
    p = sigmoid(_mean_logit(beliefs, *cell) - pool.residual_N[place])
    variance = np.square(beliefs.logit_sd_EL[cell]) + pool.variance_N[place]
    return p, p * (1.0 - p) * np.sqrt(variance)


def weights(
    pool: Pool, beliefs: Beliefs, generation: int, target: float, width: float
) -> np.ndarray:
    """float [N], how well each problem fits a window of pass rates; 0 for one that is not posed.

    Args:
        pool: problems.
        beliefs: of the rating system.
        generation: that is planned; problems rest after a visit.
        target: middle of the window.
        width: standard deviation of the window.
    """
    rested = pool.generation_N <= generation - REST
    place = np.flatnonzero(rested & (pool.number_N != UNNUMBERED))
    logit = _mean_logit(beliefs, pool.environment_N[place], pool.level_N[place])
    off = (sigmoid(logit - pool.residual_N[place]) - target) / width
    weight_N = np.zeros(pool.number_N.size)
    weight_N[place] = np.where(np.abs(off) <= REACH, np.exp(-0.5 * np.square(off)), 0.0)
    return weight_N


def draw(weight_N: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Places drawn one after the other in proportion to their weights, none twice.

    Fewer than `count` if not so many have a weight. Cost grows with the number of weights.

    Source: Efraimidis, Spirakis 2006, "Weighted random sampling with a reservoir": the draw is the
    order in which exponential clocks with these rates ring.
    """
    place = np.flatnonzero(weight_N)
    rings = rng.standard_exponential(place.size) / weight_N[place]
    if place.size > count:
        first = np.argpartition(rings, count)[:count]
        place, rings = place[first], rings[first]
    return place[np.argsort(rings)]


def _mean_logit(beliefs: Beliefs, environment: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Logit of the solver's pass rate on the mean problem of some cells."""
    logit_EL = (beliefs.solver_E[:, None] - beliefs.cell_EL) / POINTS_PER_LOGIT
    return logit_EL[environment, level]
