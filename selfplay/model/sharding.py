"""The device mesh, and how batches and parameters lie on it.

Three axes. Rows are split over `data` and `fsdp`. A parameter is shared out over `fsdp`, and
gathered where it is used, and over `tensor`, whose devices work on one matrix product together; by
default both are 1 and every device holds all parameters. On CPU every core is a device of its own
(device.py), which keeps all cores busy through the many small operations of a small model: measured
1.6 times the decoding speed of one device with two threads.
"""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

Tree = TypeVar("Tree")

AXES = ("data", "fsdp", "tensor")
ROWS = PartitionSpec(("data", "fsdp"))
COLUMNS = PartitionSpec(None, ("data", "fsdp"))
"""Rows along the second axis."""
COPIED = PartitionSpec()

_RULES = (  # the last part of a path that matches; leading axes that are not named are copied
    (r"embedding_VW", ("tensor", "fsdp")),
    (r"unembedding_WV", ("fsdp", "tensor")),
    (r"(query|key|value|gate|up)\.weight", ("fsdp", "tensor")),
    (r"(output|down)\.weight", ("tensor", "fsdp")),
    (r"(query|key|value|gate|up)\.bias", ("tensor",)),
    (r"(query|key|value|gate|up)\.adapter_in", (None, "fsdp", None)),
    (r"(query|key|value|gate|up)\.adapter_out", (None, None, "tensor")),
    (r"(output|down)\.adapter_in", (None, "tensor", None)),
    (r"(output|down)\.adapter_out", (None, None, "fsdp")),
    (r"stack\d+x\d+", (AXES, None, None)),
    (r"stack\d+x\d+", (None, "fsdp", "tensor")),
)
"""Parameters by their path: the axis of the mesh that each of their axes is split over. A rule none
of whose axes divides what it should is passed over. Stacks are the optimiser's."""


@dataclass(frozen=True)
class MeshConfig:
    """How the devices are arranged; those that the two axes leave over split the rows."""

    fsdp: int = 1
    """Devices that share out every parameter, for models that do not fit one device."""
    tensor: int = 1
    """Devices that share out every matrix product; it wants fast links between them."""

    def __post_init__(self) -> None:
        if min(self.fsdp, self.tensor) < 1:
            raise ValueError(f"mesh.fsdp={self.fsdp} and mesh.tensor={self.tensor} are at least 1.")


class _Arranged:
    """The mesh of this process: one at a time."""

    mesh: Mesh | None = None


def arrange(config: MeshConfig, devices: Sequence[Any] | None = None) -> None:
    """Use a mesh from now on.

    Args:
        config: its shape.
        devices: all local ones by default.
    Raises:
        ValueError: the devices cannot be arranged so.
    """
    found = jax.local_devices() if devices is None else list(devices)
    each = config.fsdp * config.tensor
    if len(found) % each:
        raise ValueError(
            f"mesh.fsdp={config.fsdp} times mesh.tensor={config.tensor} does not divide the "
            f"{len(found)} devices here."
        )
    shape = (len(found) // each, config.fsdp, config.tensor)
    _use(jax.make_mesh(shape, AXES, (AxisType.Auto,) * 3, devices=found))


def _use(chosen: Mesh) -> None:
    if _Arranged.mesh not in (None, chosen):
        jax.clear_caches()  # functions traced so far name the mesh of before
    _Arranged.mesh = chosen


@contextmanager
def arranged(config: MeshConfig, devices: Sequence[Any] | None = None) -> Iterator[None]:
    """Use a mesh in the body only; for what compares arrangements."""
    before = mesh()
    arrange(config, devices)
    try:
        yield
    finally:
        _use(before)


def mesh() -> Mesh:
    """The mesh in use: all local devices along `data` if nothing else was arranged."""
    if _Arranged.mesh is None:
        arrange(MeshConfig())
    assert _Arranged.mesh is not None
    return _Arranged.mesh


def row_ways() -> int:
    """Into how many parts rows are split; numbers of rows are multiples of it."""
    return mesh().shape["data"] * mesh().shape["fsdp"]


def whole_parameters() -> bool:
    """Whether every device holds all parameters."""
    return mesh().size == mesh().shape["data"]


def split_rows(tree: Tree) -> Tree:
    """Place arrays with their leading axis split over the devices."""
    return jax.device_put(tree, NamedSharding(mesh(), ROWS))


def constrain_rows(array: jax.Array) -> jax.Array:
    """Inside a jitted function: split the leading axis as `split_rows` does."""
    return jax.lax.with_sharding_constraint(array, NamedSharding(mesh(), ROWS))


def cache_spec(heads: int) -> PartitionSpec:
    """How keys and values [N, K, ...] lie: split by rows, and by heads over `tensor`."""
    tensor = mesh().shape["tensor"]
    return PartitionSpec(*ROWS, "tensor") if tensor > 1 and heads % tensor == 0 else ROWS


def constrain_cache(cache: Tree) -> Tree:
    """Inside a jitted function: lay keys and values so."""

    def place_of_heads(leaf: jax.Array) -> NamedSharding:
        return NamedSharding(mesh(), cache_spec(leaf.shape[1]))

    return jax.lax.with_sharding_constraint(cache, jax.tree.map(place_of_heads, cache))


def constrain_whole(stack: jax.Array) -> jax.Array:
    """Inside a jitted function: each matrix of a stack [B, I, O] lies as parameters do."""
    return jax.lax.with_sharding_constraint(stack, _fitting((None, "fsdp", "tensor"), stack.shape))


def constrain_shares(stack: jax.Array) -> jax.Array:
    """Inside a jitted function: split the leading axis over all devices of the mesh."""
    return jax.lax.with_sharding_constraint(stack, NamedSharding(mesh(), PartitionSpec(AXES)))


def place_of(path: str, shape: tuple[int, ...]) -> NamedSharding:
    """Where a parameter lies, or an optimiser's moment of it.

    Args:
        path: its keys joined by dots.
        shape: axes that the devices do not divide are not split.
    """
    for pattern, axes in _RULES:
        if re.search(rf"(^|\.){pattern}($|\.)", path) and len(axes) == len(shape):
            place = _fitting(axes, shape)
            if any(place.spec):
                return place
    return NamedSharding(mesh(), COPIED)


def _fitting(axes: Sequence[str | tuple[str, ...] | None], shape: tuple[int, ...]) -> NamedSharding:
    """Split where the devices divide the axis."""
    fitting = (
        axis if axis and size % _ways(axis) == 0 else None
        for axis, size in zip(axes, shape, strict=True)
    )
    return NamedSharding(mesh(), PartitionSpec(*fitting))


def _ways(axis: str | tuple[str, ...]) -> int:
    return math.prod(mesh().shape[name] for name in ([axis] if isinstance(axis, str) else axis))


def place(tree: Tree) -> Tree:
    """Lay parameters, moments and what else goes with them where they belong."""
    return jax.device_put(tree, _places(tree))


def constrain_places(tree: Tree) -> Tree:
    """Inside a jitted function: keep them there."""
    return jax.lax.with_sharding_constraint(tree, _places(tree))


def _places(tree: Tree) -> Tree:
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: place_of(path_name(path), np.shape(leaf)), tree
    )


def path_name(path: tuple[Any, ...]) -> str:
    """The keys of a path, joined by dots, without the names of what they are keys of."""
    keys = (part.key for part in path if isinstance(part, jax.tree_util.DictKey))
    return ".".join(map(str, keys))


def rounded_rows(row_count: int, *, smallest: int = 1) -> int:
    """The power of two times the ways of splitting rows that holds this many: few shapes."""
    each = -(-max(row_count, smallest) // row_ways())
    return row_ways() * int(2 ** np.ceil(np.log2(each)))
