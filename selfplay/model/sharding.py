"""The device mesh, and how batches and parameters lie on it.

One axis, `data`: rows are split over the devices, parameters are copied to each. On CPU every core
is a device of its own (device.py), which keeps all cores busy through the many small operations of
a small model: measured 1.6 times the decoding speed of one device with two threads.
"""

from functools import cache
from typing import TypeVar

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

Tree = TypeVar("Tree")

ROWS = PartitionSpec("data")
COPIED = PartitionSpec()


@cache
def mesh() -> Mesh:
    """All local devices along the axis `data`."""
    devices = jax.local_devices()
    return jax.make_mesh((len(devices),), ("data",), (AxisType.Auto,), devices=devices)


def device_count() -> int:
    """Number of devices in the mesh; numbers of rows are multiples of it."""
    return mesh().size


def split_rows(tree: Tree) -> Tree:
    """Place arrays with their leading axis split over the devices."""
    return jax.device_put(tree, NamedSharding(mesh(), ROWS))


def everywhere() -> NamedSharding:
    """Copied to every device."""
    return NamedSharding(mesh(), COPIED)


def copy_to_all(tree: Tree) -> Tree:
    """Place arrays on every device."""
    return jax.device_put(tree, everywhere())


def constrain_rows(tree: Tree) -> Tree:
    """Inside a jitted function: keep the leading axis split over the devices."""
    return jax.lax.with_sharding_constraint(tree, NamedSharding(mesh(), ROWS))


def rounded_rows(row_count: int, *, smallest: int = 1) -> int:
    """The power of two times the number of devices that holds this many rows: few shapes."""
    per_device = -(-max(row_count, smallest) // device_count())
    return device_count() * int(2 ** np.ceil(np.log2(per_device)))
