"""The parts of a transformer that know nothing of positions or of other tokens.

Feeds attention.py and transformer.py. Axes: I inputs, O outputs, W width of the model.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.typing import DTypeLike

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


def product(x: jax.Array, weight: jax.Array, operands: DTypeLike, axis: int = 0) -> jax.Array:
    """x A over the last axis of x, in the type of x; any leading axes.

    On the way back, what is transposed for the gradient of A is x and not the gradient of the
    product: XLA makes that transpose one with whatever made the gradient, and on CPU computes it
    element by element across memory.

    Args:
        x: float [..., I].
        weight: A, float [I, O], or its transpose.
        operands: to what both sides of each product are rounded, the gradient's too.
        axis: of the weight that is I, 0 or 1.
    Returns:
        float [..., O].
    """
    return _product(x, weight, operands, axis)


def _product_alone(x: jax.Array, weight: jax.Array, operands: DTypeLike, axis: int) -> jax.Array:
    return _multiplied(x.astype(operands), weight.astype(operands), axis, x.dtype)


def _product_forward(
    x: jax.Array, weight: jax.Array, operands: DTypeLike, axis: int
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _product_alone(x, weight, operands, axis), (x.astype(operands), weight)


def _product_backward(
    operands: DTypeLike, axis: int, kept: tuple[jax.Array, jax.Array], change: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, weight = kept
    rounded = change.astype(operands)
    change_x = _multiplied(rounded, weight.astype(operands), 1 - axis, change.dtype)
    flat_x, flat = x.reshape(-1, x.shape[-1]), rounded.reshape(-1, change.shape[-1])
    change_IO = _multiplied(_transposed(flat_x), flat, 0, weight.dtype)
    return change_x, change_IO.T if axis else change_IO


def _multiplied(left: jax.Array, right: jax.Array, axis: int, result: DTypeLike) -> jax.Array:
    """The last axis of `left` with an axis of the matrix `right`.

    XLA has no product for the CPU of bfloat16 operands in another order in memory, but makes one of
    a product that is transposed, and then stops with "Unsupported element type". So no operand is
    a transpose, and what is summed in a wider type lies behind a barrier.
    """
    over = (((left.ndim - 1,), (axis,)), ((), ()))
    made = jax.lax.dot_general(left, right, over, preferred_element_type=result)
    return made if left.dtype == made.dtype else jax.lax.optimization_barrier(made)


def _transposed(matrix: jax.Array) -> jax.Array:
    """Rows as columns; on CPU, for bfloat16, in a way that XLA does not see through.

    A transpose would become part of the product, which is then done in float32 with operands that
    are converted back: half as fast as this copy and a product of bfloat16.
    """
    if matrix.dtype != jnp.bfloat16:
        return matrix.T
    return jax.lax.platform_dependent(
        matrix,
        cpu=lambda matrix: jnp.concatenate([matrix[:, :-1].T, matrix[:, -1:].T]),
        default=jnp.transpose,
    )


_product = jax.custom_vjp(_product_alone, nondiff_argnums=(2, 3))
_product.defvjp(_product_forward, _product_backward)


class Linear(nnx.Module):
    """x A, and a bias if there is one; with an adapter of rank R: x (A + scale B C).

    Source: Hu et al. 2021, arXiv:2106.09685 (adapters; C starts at 0, so that nothing is changed).
    """

    def __init__(
        self, built: Architecture, draw: Draw, inputs: int, outputs: int, std: float, *, bias: bool
    ) -> None:
        rank, self.operands = built.adapter_rank, built.operands
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
        made = product(x, self.weight[...], self.operands)
        if self.bias is not None:
            made += self.bias[...].astype(x.dtype)
        if self.adapter_in is not None and self.adapter_out is not None:
            narrow = product(x, self.adapter_in[...], self.operands)
            made += self.scale * product(narrow, self.adapter_out[...], self.operands)
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
        bias = built.mlp_bias
        self.gate = Linear(built, draw, built.width, built.hidden, std, bias=bias)
        self.up = Linear(built, draw, built.width, built.hidden, std, bias=bias)
        self.down = Linear(built, draw, built.hidden, built.width, down_std, bias=bias)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to the last axis; any leading axes."""
        gate = self.gate(x)
        bent = jax.nn.silu(gate) if self.activation == "silu" else jax.nn.gelu(gate)
        return self.down(bent * self.up(x))
