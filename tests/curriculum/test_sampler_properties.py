"""What every sampler promises, over random cells, predictions and games."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from selfplay.curriculum import samplers
from selfplay.curriculum.samplers import DUMP, Ladder, Oracle, View
from selfplay.curriculum.scale import Cells, Game

SAMPLERS = {
    **{name: samplers.make(name) for name in samplers.NAMES},
    **{
        f"{name} shared": samplers.make(name, shared=True)
        for name in samplers.NAMES
        if samplers.make(name, shared=True) != samplers.make(name)
    },
    "ladder in a hurry": Ladder(window=1),
    "dump of the latest group": DUMP(window=1),
}


def every_sampler():
    """One after the other on the same world: drawing a world costs more than all of them."""
    for name, sampler in SAMPLERS.items():
        note(f"sampler: {name}")
        yield sampler


class World(NamedTuple):
    """Some cells, what is predicted of them, and what happened in some generations."""

    cells: Cells
    predicted_EL: np.ndarray
    generations: list[list[Game]]
    progress: float


@st.composite
def worlds(draw):
    counts = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=5)))
    cells = Cells(tuple(f"environment_{e}" for e in range(len(counts))), counts)
    rates = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0]))
    rate = draw(st.one_of(st.just(None), rates))  # None: each its own
    predicted_EL = np.full(cells.shape, np.nan)
    for e, level in np.argwhere(cells.there_EL):
        predicted_EL[e, level] = draw(rates) if rate is None else rate
    generations = draw(st.lists(st.lists(games(counts), max_size=8), max_size=6))
    return World(cells, predicted_EL, generations, draw(st.floats(0, 1)))


@st.composite
def games(draw, counts):
    e = draw(st.integers(0, len(counts) - 1))
    graded = draw(st.sampled_from([0, 1, 2, 8]))
    solved = draw(st.integers(0, graded))
    return Game(e, draw(st.integers(0, counts[e] - 1)), solved, graded, draw(st.booleans()))


def view_of(world, seed=0):
    locked(world.predicted_EL)
    sd_EL = np.where(world.cells.there_EL, 1.0, np.nan)
    rng = np.random.default_rng(seed)
    return View(world.cells, world.predicted_EL, sd_EL, world.progress, rng)


def locked(*arrays):
    """Writing to them raises from now on."""
    for array in arrays:
        array.setflags(write=False)


def states(sampler, world):
    """The state before the first and after each generation, each locked once it was given."""
    state = sampler.initial(world.cells)
    locked(*state)
    yield state
    for generation in world.generations:
        state = sampler.after(state, world.cells, tuple(generation))
        locked(*state)
        yield state


def assert_same(a, b):
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def assert_law(sampler, law_EL, cells):
    assert law_EL.shape == cells.shape
    assert np.isfinite(law_EL).all()
    assert (law_EL >= 0).all()
    assert (law_EL[~cells.there_EL] == 0).all()
    if sampler.within_environments:
        assert np.allclose(law_EL.sum(axis=1), 1.0)
    else:
        assert law_EL.sum() == pytest.approx(1.0)


@settings(deadline=None)  # the time of a busy machine is no property
@given(world=worlds())
def test_laws_are_probabilities_whatever_happened(world):
    for sampler in every_sampler():
        for state in states(sampler, world):
            assert_law(sampler, sampler.law(state, view_of(world)), world.cells)


@settings(deadline=None)
@given(world=worlds())
def test_laws_of_the_oracle_are_probabilities(world):
    sampler = Oracle(truth=lambda: world.predicted_EL)
    assert_law(sampler, sampler.law(sampler.initial(world.cells), view_of(world)), world.cells)


@settings(deadline=None)
@given(world=worlds())
def test_screens_are_counts_of_groups_in_cells_that_are_there(world):
    for sampler in every_sampler():
        for state in states(sampler, world):
            groups_EL = sampler.screen(state, view_of(world))
            assert groups_EL.shape == world.cells.shape
            assert np.issubdtype(groups_EL.dtype, np.integer)
            assert (groups_EL >= 0).all()
            assert (groups_EL[~world.cells.there_EL] == 0).all()


@settings(deadline=None)
@given(world=worlds(), data=st.data())
def test_games_without_a_grade_change_nothing(world, data):
    some = data.draw(st.lists(games(world.cells.level_counts), max_size=5))
    ungraded = [game._replace(solved=0, graded=0) for game in some]
    for sampler in every_sampler():
        *_, state = states(sampler, world)
        assert_same(state, sampler.after(state, world.cells, ungraded))
        # nor do they when they come with others
        with_others = sampler.after(state, world.cells, [*ungraded, *some])
        assert_same(with_others, sampler.after(state, world.cells, some))


@settings(deadline=None)
@given(world=worlds())
def test_states_are_arrays_that_keep_shape_and_type(world):
    """So that a checkpoint can be read into the state of a fresh sampler."""
    for sampler in every_sampler():
        first, *others = states(sampler, world)
        for state in (first, *others):
            assert type(state) is type(first)
            for array, array_before in zip(state, first, strict=True):
                assert isinstance(array, np.ndarray)
                assert (array.shape, array.dtype) == (array_before.shape, array_before.dtype)


@settings(deadline=None)
@given(world=worlds())
def test_the_same_inputs_give_the_same_outputs(world):
    for sampler in every_sampler():
        for a, b in zip(states(sampler, world), states(sampler, world), strict=True):
            assert_same(a, b)
            view, again = view_of(world), view_of(world)
            assert np.array_equal(sampler.screen(a, view), sampler.screen(b, again))
            assert np.array_equal(sampler.law(a, view), sampler.law(b, again))


@settings(deadline=None)
@given(world=worlds())
def test_the_order_of_a_generation_does_not_matter_where_it_is_one_step(world):
    turned = world._replace(generations=[games[::-1] for games in world.generations])
    for name in ("adarft", "sec", "plr", "sfl", "mopps"):
        sampler = samplers.make(name)
        for a, b in zip(states(sampler, world), states(sampler, turned), strict=True):
            assert all(np.allclose(x, y) for x, y in zip(a, b, strict=True)), name


@settings(deadline=None)
@given(world=worlds(), rate=st.floats(0.05, 0.95))
def test_target_prefers_the_nearest_on_either_side(world, rate):
    sampler = samplers.make("target", rate)
    law_EL = sampler.law(sampler.initial(world.cells), view_of(world))
    for e, count in enumerate(world.cells.level_counts):
        predicted_L = world.predicted_EL[e, :count]
        for side_L in (predicted_L <= rate, predicted_L >= rate):
            if side_L.any():
                distance_L = np.where(side_L, np.abs(predicted_L - rate), np.inf)
                nearest = law_EL[e, distance_L.argmin()]
                assert nearest == pytest.approx(law_EL[e, :count][side_L].max())


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())
def test_two_hundred_environments(sampler):
    cells = Cells(tuple(f"environment_{e}" for e in range(200)), (10,) * 199 + (3,))
    rng = np.random.default_rng(0)
    generations = [
        [Game(e, int(rng.integers(cells.level_counts[e])), int(rng.integers(9)), 8, bool(e % 2))
         for e in range(200)]
        for _ in range(5)
    ]  # fmt: skip
    predicted_EL = np.where(cells.there_EL, rng.random(cells.shape), np.nan)
    world = World(cells, predicted_EL, generations, 0.5)
    *_, state = states(sampler, world)
    assert_law(sampler, sampler.law(state, view_of(world)), cells)
