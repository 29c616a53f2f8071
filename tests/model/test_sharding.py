"""Rows are split over the devices, parameters copied; numbers of rows come in few sizes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.sharding import PartitionSpec

from selfplay.model import sharding
from selfplay.model.sharding import MeshConfig


def test_tests_run_on_two_devices():
    assert sharding.row_ways() == len(jax.devices()) == 2


def test_rows_are_halved_and_copies_are_whole():
    rows = np.arange(12.0).reshape(4, 3)
    split, copied = sharding.split_rows({"a": rows})["a"], sharding.place(rows)
    assert [shard.data.tolist() for shard in split.addressable_shards] == [
        rows[:2].tolist(), rows[2:].tolist(),
    ]  # fmt: skip
    assert all(np.array_equal(shard.data, rows) for shard in copied.addressable_shards)
    assert len(copied.addressable_shards) == 2


def test_shares_of_a_stack_are_split_and_put_together_again():
    shared = jax.jit(lambda x: sharding.constrain_shares(2 * x))(np.ones((4, 3, 3)))
    assert shared.sharding.is_equivalent_to(sharding.split_rows(np.ones((4, 3, 3))).sharding, 3)
    assert jax.jit(sharding.constrain_whole)(shared).sharding.is_fully_replicated


def test_one_device_and_eight_in_any_arrangement_do_the_same():
    """In a process of its own, which has eight devices."""
    script = Path(__file__).with_name("eight_devices.py")
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, check=True
    )
    found = json.loads(done.stdout)
    assert [(one["rank"], one["fsdp"], one["tensor"]) for one in found] == [
        (0, 1, 1), (0, 8, 1), (0, 2, 2), (4, 2, 2), (4, 1, 4),
    ]  # fmt: skip
    for one in found:
        assert one["same_tokens"], one
        assert one["logprobs"] < 1e-4 and one["params"] < 5e-5, one
        assert one["compiled_late"] == 0, one
        assert (one["split_leaves"] > 0) == (one["fsdp"] * one["tensor"] > 1), one


@pytest.mark.parametrize(
    ("path", "shape", "axes"),
    [
        ("embedding_VW", (64, 32), ("tensor", "fsdp")),
        ("blocks.3.attention.query.weight", (32, 16), ("fsdp", "tensor")),
        ("blocks.0.mlp.down.weight", (48, 32), ("tensor", "fsdp")),
        ("blocks.0.mlp.down.weight", (47, 32), (None, "fsdp")),
        ("blocks.0.mlp.up.bias", (48,), ("tensor",)),
        ("blocks.0.attention.output.bias", (32,), ()),
        ("blocks.0.mlp_norm.scale_W", (32,), ()),
        ("blocks.0.mlp.gate.adapter_in", (2, 32, 4), (None, "fsdp", None)),
        ("blocks.0.mlp.down.adapter_in", (2, 48, 4), (None, "tensor", None)),
    ],
)
def test_where_parameters_lie(path, shape, axes):
    with sharding.arranged(MeshConfig(fsdp=1, tensor=2)):
        assert sharding.place_of(path, shape).spec == PartitionSpec(*axes)


def test_an_arrangement_that_the_devices_do_not_allow_is_refused():
    with pytest.raises(ValueError, match=r"mesh\.fsdp=3 .* does not divide the 2 devices"):
        sharding.arrange(MeshConfig(fsdp=3))
    with pytest.raises(ValueError, match=r"mesh\.tensor=0"):
        MeshConfig(tensor=0)
    assert sharding.row_ways() == 2  # as before


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
