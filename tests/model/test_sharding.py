"""Rows are split over the devices, parameters copied; numbers of rows come in few sizes."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.model import sharding


def test_tests_run_on_two_devices():
    assert sharding.device_count() == len(jax.devices()) == 2


def test_rows_are_halved_and_copies_are_whole():
    rows = np.arange(12.0).reshape(4, 3)
    split, copied = sharding.split_rows({"a": rows})["a"], sharding.copy_to_all(rows)
    assert [shard.data.tolist() for shard in split.addressable_shards] == [
        rows[:2].tolist(), rows[2:].tolist(),
    ]  # fmt: skip
    assert all(np.array_equal(shard.data, rows) for shard in copied.addressable_shards)
    assert len(copied.addressable_shards) == 2


def test_constrained_rows_stay_split():
    doubled = jax.jit(lambda x: sharding.constrain_rows(2 * x))(np.ones((4, 3)))
    assert doubled.sharding.is_equivalent_to(sharding.split_rows(np.ones((4, 3))).sharding, 2)


def test_rows_that_cannot_be_split_are_refused():
    with pytest.raises(ValueError, match="should evenly divide"):
        sharding.split_rows(np.ones((3, 2)))


@pytest.mark.parametrize(("rows", "rounded"), [(1, 2), (2, 2), (3, 4), (5, 8), (8, 8), (9, 16)])
def test_rounded_rows_by_hand(rows, rounded):
    assert sharding.rounded_rows(rows) == rounded


@given(rows=st.integers(1, 5000), smallest=st.integers(1, 100))
def test_rounded_rows_hold_and_waste_less_than_half(rows, smallest):
    rounded = sharding.rounded_rows(rows, smallest=smallest)
    wanted = max(rows, smallest)
    assert rounded >= wanted
    assert rounded == 2 or rounded < 2 * (wanted + 1)
    assert (rounded // 2).bit_count() == 1
