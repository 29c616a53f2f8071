"""Cells, views and states of samplers, for their tests."""

import numpy as np

from selfplay.curriculum.samplers import View
from selfplay.curriculum.scale import Cells


def cells_of(*level_counts):
    return Cells(tuple(f"environment_{e}" for e in range(len(level_counts))), level_counts)


def view_of(cells, predicted_EL=None, progress=0.0, seed=0):
    if predicted_EL is None:
        predicted_EL = np.full(cells.shape, 0.5)
    predicted_EL = np.where(cells.there_EL, predicted_EL, np.nan)
    return View(cells, predicted_EL, predicted_EL, progress, np.random.default_rng(seed))


def run(sampler, cells, *generations):
    """The state after some generations."""
    state = sampler.initial(cells)
    for games in generations:
        state = sampler.after(state, cells, games)
    return state


def law_of(sampler, cells, *generations, seed=0):
    return sampler.law(run(sampler, cells, *generations), view_of(cells, seed=seed))
