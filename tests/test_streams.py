"""Random streams: the same arguments give the same draws, any other argument gives others."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay import streams

SEEDS = st.integers(0, 2**31 - 1)
NAMES = st.sampled_from(["plan", "solve", "propose", "share"])


@given(seed=SEEDS, generation=st.integers(0, 10_000), name=NAMES, index=st.integers(0, 500))
def test_a_stream_depends_on_each_of_its_arguments(seed, generation, name, index):
    def draws(*arguments):
        return tuple(streams.numpy_rng(*arguments).integers(2**60, size=2))

    here = (seed, generation, name, index)
    others = [
        (seed + 1, generation, name, index),
        (seed, generation + 1, name, index),
        (seed, generation, f"{name}s", index),
        (seed, generation, name, index + 1),
        (generation, seed, name, index) if seed != generation else (seed + 2, *here[1:]),
    ]
    assert draws(*here) == draws(*here)
    assert len({draws(*arguments) for arguments in [here, *others]}) == 6


def test_item_1_of_seed_42_is_not_item_0_of_seed_43():
    first = streams.python_rng(42, 3, "procedural", 1).random()
    assert first != streams.python_rng(43, 3, "procedural", 0).random()
    assert first == streams.python_rng(42, 3, "procedural", 1).random()


def test_numpy_and_python_draws_are_uniform():
    draws = [streams.python_rng(0, 1, "x", index).random() for index in range(4000)]
    draws += [streams.numpy_rng(0, 1, "y", index).random() for index in range(4000)]
    counts, _ = np.histogram(draws, bins=10, range=(0, 1))
    assert np.abs(counts - 800).max() < 4 * np.sqrt(800)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, generation=st.integers(0, 1000), rows=st.integers(1, 6))
def test_a_row_key_does_not_depend_on_the_number_of_rows(seed, generation, rows):
    few = streams.row_keys(seed, generation, "solve", rows)
    many = streams.row_keys(seed, generation, "solve", 6)
    assert np.array_equal(few, many[:rows])
    assert len({tuple(key) for key in many.tolist()}) == 6


def test_keys_of_other_names_generations_and_seeds_differ():
    keys = [
        streams.row_keys(seed, generation, name, 1)
        for seed in (0, 1) for generation in (0, 1) for name in ("solve", "propose")
    ]  # fmt: skip
    assert len({tuple(key.ravel().tolist()) for key in keys}) == 8
