"""A network: a transformer with the parameters that are learnt and those that stay as they are.

Without adapters everything is learnt and both roles share it. With them the checkpoint's weights
are frozen and shared, and each role learns a small change of its own. Feeds tiles.py and the
losses, which are told by the network which role plays.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from selfplay.model import sharding
from selfplay.model.architecture import Architecture
from selfplay.model.layers import Adapter, Linear
from selfplay.model.transformer import Transformer

SOLVER, PROPOSER = 0, 1


class Network(NamedTuple):
    """A transformer split for `jax.jit`, into which it can be passed as it is."""

    graph: nnx.GraphDef[Transformer]
    """Static."""
    params: nnx.State
    """What is learnt: everything, or the adapters of all roles, float [ROLES, ...] each."""
    frozen: nnx.State
    """The rest."""
    role: int | jax.Array = SOLVER
    """Whose adapters are used."""

    @property
    def adapted(self) -> bool:
        """Whether there are adapters."""
        return bool(self.frozen)

    def with_params(self, params: nnx.State) -> "Network":
        """The same network with other parameters."""
        return self._replace(params=params)

    def playing(self, role: int) -> "Network":
        """The same network in a role."""
        return self._replace(role=role)

    def model(self) -> Transformer:
        """The transformer of the role."""
        params = self.params
        if self.adapted:
            params = jax.tree.map(lambda leaf: leaf[self.role], params)
        return nnx.merge(self.graph, params, self.frozen)


def create(built: Architecture, rng: np.random.Generator) -> Network:
    """A new network with random parameters, drawn on the host: nothing is compiled for it."""

    def normal(shape: tuple[int, ...], std: float) -> jax.Array:
        return jax.device_put(np.float32(std) * rng.standard_normal(shape, np.float32))

    made = split(Transformer(built, normal), built)
    return made.with_params(fresh_adapters(made.params, rng)) if made.adapted else made


def shapes(built: Architecture) -> Network:
    """A network of shapes and types alone, without weights."""
    return split(
        nnx.eval_shape(lambda: Transformer(built, lambda shape, _: jnp.zeros(shape))), built
    )


def fresh_adapters(params: nnx.State, rng: np.random.Generator) -> nnx.State:
    """Adapters that change nothing yet: the first half is drawn, the second is 0.

    Args:
        params: an adapted network's, or their shapes.
        rng: what they are drawn from.
    """

    def fresh(path: tuple[Any, ...], leaf: jax.Array) -> jax.Array:
        if not sharding.path_name(path).endswith("adapter_in"):
            return jax.device_put(np.zeros(leaf.shape, np.float32))
        std = np.float32(leaf.shape[1] ** -0.5)
        return jax.device_put(std * rng.standard_normal(leaf.shape, np.float32))

    return jax.tree_util.tree_map_with_path(fresh, params)


def split(model: Transformer, built: Architecture) -> Network:
    """A transformer's network."""
    if built.adapter_rank:
        graph, adapters, frozen = nnx.split(model, Adapter, ...)
        return Network(graph, adapters, frozen)
    graph, params = nnx.split(model)
    return Network(graph, params, nnx.State({}))


def merged_params(network: Network) -> nnx.State:
    """Parameters of the architecture without adapters that do what the role's adapters do.

    Weights that adapters change become float32: a change may be smaller than what bfloat16 keeps.
    """
    if not network.adapted:
        return network.params
    model = nnx.clone(network.model())  # its variables may be those of the network
    for _, part in nnx.iter_modules(model):
        if isinstance(part, Linear):
            part.weight.set_value(part.weight[...] + part.change())
    return nnx.state(model, nnx.Param)


def parameter_count(params: nnx.State) -> int:
    """Number of scalars."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
