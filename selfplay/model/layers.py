"""The parts of a transformer that know nothing of positions or of other tokens.

Feeds attention.py and transformer.py. Axes: I inputs, O outputs, W width of the model.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from selfplay.model.architecture import Architecture

ROLES = 2
"""Players that a network may hold adapters for: the solver, then the proposer."""
ADAPTER_SCALE = 32.0
"""Factor on what an adapter adds, divided by its rank."""

Draw = Callable[[tuple[int, ...], float], jax.Array]
"""Makes the weights of a shape, float32, with a standard deviation; see network.py."""


def filled(shape: tuple[int, ...], value: float = 0.0) -> jax.Array:
    """Constants, made by numpy: to make or convert them in jax takes a compilation each shape."""
    return jax.device_put(np.full(shape, value, np.float32))


class Adapter(nnx.Variable[jax.Array]):
    """Half of a low-rank change of a matrix, one for each role.

    Float [ROLES, ...]; network.py draws them, and takes one role's before the model is called.
    """


@jax.custom_vjp
def product(x: jax.Array, weight_IO: jax.Array) -> jax.Array:
    """x A over the last axis of x; any leading axes.

    On the way back, what is transposed for the gradient of A is x and not the gradient of the
    product: XLA makes that transpose one with whatever made the gradient, and on CPU computes it
    element by element across memory.
    """
    return x @ weight_IO


def _product_forward(x: jax.Array, weight_IO: jax.Array) -> tuple[jax.Array, tuple]:
    return product(x, weight_IO), (x, weight_IO)


def _product_backward(kept: tuple, change: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, weight_IO = kept
    flat_x, flat = x.reshape(-1, x.shape[-1]), change.reshape(-1, change.shape[-1])
    return change @ weight_IO.T, flat_x.T @ flat


product.defvjp(_product_forward, _product_backward)


class Linear(nnx.Module):
    """x A, and a bias if there is one; with an adapter of rank R: x (A + scale B C).

    Source: Hu et al. 2021, arXiv:2106.09685 (adapters; C starts at 0, so that nothing is changed).
    """

    def __init__(
        self, draw: Draw, inputs: int, outputs: int, std: float, *, bias: bool, rank: int
    ) -> None:
        self.weight = nnx.Param(draw((inputs, outputs), std))
        self.bias = nnx.Param(filled((outputs,))) if bias else None
        self.scale = ADAPTER_SCALE / rank if rank else 0.0
        if not rank:
            self.adapter_in = self.adapter_out = None
            return
        self.adapter_in = Adapter(filled((ROLES, inputs, rank)))
        self.adapter_out = Adapter(filled((ROLES, rank, outputs)))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to the last axis, in the type of x; any leading axes."""
        made = product(x, self.weight[...].astype(x.dtype))
        if self.bias is not None:
            made += self.bias[...].astype(x.dtype)
        if self.adapter_in is not None and self.adapter_out is not None:
            narrow = x @ self.adapter_in[...].astype(x.dtype)
            made += self.scale * (narrow @ self.adapter_out[...].astype(x.dtype))
        return made

    def change(self) -> jax.Array:
        """float [inputs, outputs], what the adapter adds to the weight."""
        assert self.adapter_in is not None and self.adapter_out is not None
        return self.scale * (self.adapter_in[...] @ self.adapter_out[...])


def capped(x: jax.Array, cap: float) -> jax.Array:
    """Bent into (-cap, cap); as it is for a cap of 0."""
    return cap * jnp.tanh(x / cap) if cap else x


class RMSNorm(nnx.Module):
    """Divide by the root mean square, multiply by a learnt scale."""

    def __init__(self, width: int, eps: float = 1e-6, offset: float = 0.0) -> None:
        self.eps, self.offset = eps, offset
        self.scale_W = nnx.Param(filled((width,), 1.0 - offset))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalise the last axis; any leading axes. Computed in float32."""
        wide = x.astype(jnp.float32)
        mean_square = jnp.mean(jnp.square(wide), axis=-1, keepdims=True)
        normal, scale_W = wide * jax.lax.rsqrt(mean_square + self.eps), self.scale_W[...]
        if self.offset:  # such checkpoints scale before they round, the others after
            return (normal * (self.offset + scale_W.astype(jnp.float32))).astype(x.dtype)
        return normal.astype(x.dtype) * scale_W.astype(x.dtype)


class GatedMLP(nnx.Module):
    """activation(x A) * (x B), then C."""

    def __init__(self, built: Architecture, draw: Draw) -> None:
        self.activation = built.activation
        std, down_std = built.width**-0.5, built.hidden**-0.5 / math.sqrt(2 * len(built.layers))
        bias, rank = built.mlp_bias, built.adapter_rank
        self.gate = Linear(draw, built.width, built.hidden, std, bias=bias, rank=rank)
        self.up = Linear(draw, built.width, built.hidden, std, bias=bias, rank=rank)
        self.down = Linear(draw, built.hidden, built.width, down_std, bias=bias, rank=rank)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to the last axis; any leading axes."""
        gate = self.gate(x)
        bent = jax.nn.silu(gate) if self.activation == "silu" else jax.nn.gelu(gate)
        return self.down(bent * self.up(x))
