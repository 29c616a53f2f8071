"""Attention: queries, keys and values by head, rotary positions, and what a token may see.

Feeds transformer.py; tiles.py keeps the cache. Axes: N sequences, T query tokens, S key slots, B
blocks of C slots, H query heads, K key-value heads, D width of a head, X width of all heads, W
width of the model.
"""

import math
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from selfplay.model import sharding
from selfplay.model.architecture import Architecture, Layer, Rope
from selfplay.model.layers import Draw, Linear, RMSNorm, capped

BLOCK = 32
"""Slots of a block of keys in the cache of decoding; prompts are padded to whole blocks."""
MASKED = -1e30
"""Score of an invisible key; finite, so that a row that sees nothing gives no NaN."""
FLASH_DTYPES = ("bfloat16", "float16")
FLASH_WIDTH = 128
"""Widest head that cuDNN's flash attention takes on every GPU that has it."""


class KeyValues(NamedTuple):
    """Keys and values of one layer, keys in one block or in blocks of `BLOCK` slots.

    The order of the axes is what decoding on CPU reads fastest. Both matrix products of attention
    run along the last axis of what they read (keys with D last took 2.4 times as long), and blocks
    are read in the order of memory (in one block, each stretch of a product would read D places).
    """

    keys_NKBDC: jax.Array
    values_NKSD: jax.Array

    @classmethod
    def of(cls, key_NKTD: jax.Array, value_NKTD: jax.Array) -> "KeyValues":
        """Those of tokens, in one block."""
        return cls(key_NKTD.swapaxes(2, 3)[:, :, None], value_NKTD)

    def in_blocks(self) -> "KeyValues":
        """With the keys of one block, whole `BLOCK`s long, in blocks of that."""
        N, K, _, D, _ = self.keys_NKBDC.shape
        keys_NKDBC = self.keys_NKBDC.reshape(N, K, D, -1, BLOCK)
        return self._replace(keys_NKBDC=keys_NKDBC.swapaxes(2, 3))

    def with_tokens(self, new: "KeyValues", slot: jax.Array | int) -> "KeyValues":
        """The cache with keys and values of new tokens, of one block, written from a slot on."""
        into, size = jax.lax.dynamic_update_slice, self.keys_NKBDC.shape[-1]
        block, column = jax.lax.div(slot, size), jax.lax.rem(slot, size)
        return KeyValues(
            into(self.keys_NKBDC, new.keys_NKBDC, (0, 0, block, 0, column)),
            into(self.values_NKSD, new.values_NKSD, (0, 0, slot, 0)),
        )


class Turn(NamedTuple):
    """How far each pair (d, d + D/2) of a query or key is turned at each position."""

    cos_N1T1D: jax.Array
    """float [N, 1, T, 1, D / 2]."""
    sin_N1T2D: jax.Array
    """float [N, 1, T, 2, D / 2], what each half is given of the other: -sin, sin."""

    @classmethod
    def at(cls, position_NT: jax.Array, rope: Rope, dim: int, dtype: jnp.dtype | str) -> "Turn":
        """The turns of tokens at these positions.

        Args:
            position_NT: int [N, T], the position of each token in its own sequence, from 0.
            rope: how fast each pair turns.
            dim: width D of a head, even.
            dtype: of the result; angles are float32.
        """
        angle_N1TD = position_NT[:, None, :, None].astype(jnp.float32) * rope.frequencies(dim)
        cos, sin = jnp.cos(angle_N1TD), jnp.sin(angle_N1TD)
        if rope.amplitude != 1.0:
            cos, sin = rope.amplitude * cos, rope.amplitude * sin
        cos_N1T1D, sin_N1T2D = cos[..., None, :], jnp.stack([-sin, sin], axis=-2)
        return cls(cos_N1T1D.astype(dtype), sin_N1T2D.astype(dtype))

    def token(self, t: jax.Array | int) -> "Turn":
        """The turns of token t of each sequence alone."""
        return Turn(*(jax.lax.dynamic_slice_in_dim(x, t, 1, axis=2) for x in self))

    def __call__(self, x_NHTD: jax.Array) -> jax.Array:
        """Turn queries or keys: attention then depends on distances only.

        Args:
            x_NHTD: float [N, H, T, D].
        Returns:
            float [N, H, T, D]; the norm of each pair is kept, but for the amplitude.
        Source: Su et al. 2021, arXiv:2104.09864, in the half-split order of Llama and Qwen
            checkpoints.
        """
        half_NHT2D = x_NHTD.reshape(*x_NHTD.shape[:-1], 2, -1)
        other_NHT2D = jnp.flip(half_NHT2D, axis=-2)  # on CPU faster than to join new halves
        turned = half_NHT2D * self.cos_N1T1D + other_NHT2D * self.sin_N1T2D
        return turned.reshape(x_NHTD.shape)


class View(NamedTuple):
    """What all layers are told of the tokens; see `Transformer.states` for the arrays."""

    position_NT: jax.Array
    visible_NTS: jax.Array
    slot: jax.Array | int
    key_position_NS: jax.Array | None
    turns: tuple[Turn, ...]
    """One for each of `Architecture.ropes`."""

    def of(self, window: int) -> jax.Array:
        """bool [N, T, S], which keys are visible to a layer with this window (0: none)."""
        if not window:
            return self.visible_NTS
        distance_NTS = self.position_NT[:, :, None] - self.key_positions()[:, None]
        return self.visible_NTS & (distance_NTS < window)

    def key_positions(self) -> jax.Array:
        """int [N, S], positions of the keys, which windows and linear biases have to know."""
        if self.key_position_NS is None:
            raise ValueError(
                "a window or a linear bias needs to know the positions of the keys in the cache."
            )
        return self.key_position_NS


def flash_fits(query_NHTD: jax.Array, score_cap: float) -> bool:
    """Whether cuDNN's flash attention can take the place of the matrix products.

    It is there on CUDA, for half precision, heads of whole eights and an even number of tokens; it
    cannot bend scores.
    """
    *_, token_count, width = query_NHTD.shape
    return (
        _on_cuda()
        and query_NHTD.dtype.name in FLASH_DTYPES
        and width % 8 == 0
        and width <= FLASH_WIDTH
        and token_count % 2 == 0
        and not score_cap
    )


def _on_cuda() -> bool:
    """Whether the devices are GPUs for which cuDNN has it: Ampere and later."""
    device = sharding.mesh().devices.flat[0]
    return "cuda" in device.client.platform_version and float(device.compute_capability) >= 8.0


def flash(
    query_NHTD: jax.Array,
    key_NKTD: jax.Array,
    value_NKTD: jax.Array,
    visible_NTT: jax.Array,
    scale: float,
    implementation: Literal["cudnn", "xla"] = "cudnn",
) -> jax.Array:
    """Attention that keeps no scores of each head, forwards or backwards.

    Args:
        query_NHTD: float [N, H, T, D].
        key_NKTD: float [N, K, T, D].
        value_NKTD: float [N, K, T, D].
        visible_NTT: bool [N or 1, T, T], which keys a query may attend to: at least one.
        scale: factor on scores.
        implementation: `xla` keeps scores; it is for machines without cuDNN to compare.
    Returns:
        float [N, H, T, D].
    Source: Dao et al. 2022, arXiv:2205.14135, as `jax.nn.dot_product_attention` has it.
    """
    by_token = (x.swapaxes(1, 2) for x in (query_NHTD, key_NKTD, value_NKTD))
    mixed_NTHD = jax.nn.dot_product_attention(
        *by_token, mask=visible_NTT[:, None], scale=scale, implementation=implementation
    )
    return mixed_NTHD.swapaxes(1, 2)


def linear_bias(key_position_NS: jax.Array, heads: int) -> jax.Array:
    """What a score gains by the key's position: near keys are preferred, by a slope a head.

    A softmax does not see what all scores of a query have in common, so that the position of the
    key alone does the work of the distance.

    Args:
        key_position_NS: int [N, S], position of each key in its own sequence, from 0.
        heads: number H of query heads.
    Returns:
        float32 [N, H, 1, S], slope 2^(-8 (h + 1) / H) times the position.
    Source: Press et al. 2022, arXiv:2108.12409 (ALiBi).
    """
    slope_H = 2.0 ** (-8.0 * (jnp.arange(heads, dtype=jnp.float32) + 1.0) / heads)
    return slope_H[:, None, None] * key_position_NS[:, None, None].astype(jnp.float32)


class Attention(nnx.Module):
    """Grouped-query attention over given key slots."""

    def __init__(self, built: Architecture, layer: Layer, draw: Draw) -> None:
        self.heads, self.kv_heads, self.head_dim = built.heads, built.kv_heads, built.head_dim
        self.rope = None if layer.rope is None else built.ropes.index(layer.rope)
        self.window, self.linear_bias = layer.window, layer.linear_bias
        self.score_scale, self.score_cap = built.score_scale, built.score_cap
        width, std = built.width, built.width**-0.5
        across, kv_across = self.heads * self.head_dim, self.kv_heads * self.head_dim
        output_std = std / math.sqrt(2 * len(built.layers))
        self.query = Linear(built, draw, width, across, std, bias=built.query_bias)
        self.key = Linear(built, draw, width, kv_across, std, bias=built.query_bias)
        self.value = Linear(built, draw, width, kv_across, std, bias=built.query_bias)
        self.output = Linear(built, draw, across, width, output_std, bias=built.output_bias)
        norms = (built.head_dim, built.norm_eps, built.norm_offset)
        self.query_norm = RMSNorm(*norms) if built.head_norms else None
        self.key_norm = RMSNorm(*norms) if built.head_norms else None

    def __call__(
        self, x_NTW: jax.Array, view: View, cache: KeyValues | None
    ) -> tuple[jax.Array, KeyValues]:
        """Attend; the new keys and values are written to the cache if there is one."""
        N, T, _ = x_NTW.shape
        K, G, D = self.kv_heads, self.heads // self.kv_heads, self.head_dim

        def by_head(x_NTX: jax.Array, heads: int) -> jax.Array:
            return x_NTX.reshape(N, T, heads, D).transpose(0, 2, 1, 3)

        query_NHTD = by_head(self.query(x_NTW), K * G)
        key_NKTD = by_head(self.key(x_NTW), K)
        value_NKTD = by_head(self.value(x_NTW), K)
        if self.query_norm is not None and self.key_norm is not None:
            query_NHTD, key_NKTD = self.query_norm(query_NHTD), self.key_norm(key_NKTD)
        if self.rope is not None:
            turn = view.turns[self.rope]
            query_NHTD, key_NKTD = turn(query_NHTD), turn(key_NKTD)
        seen, visible_NTS = KeyValues.of(key_NKTD, value_NKTD), view.of(self.window)
        plain = cache is None and not self.linear_bias
        if plain and flash_fits(query_NHTD, self.score_cap):
            mixed_NHTD = flash(query_NHTD, key_NKTD, value_NKTD, visible_NTS, self.score_scale)
        else:
            seen = seen if cache is None else cache.with_tokens(seen, view.slot)
            bias = linear_bias(view.key_positions(), K * G) if self.linear_bias else None
            mixed_NHTD = self._mixed(query_NHTD, seen, visible_NTS, bias)
        return self.output(mixed_NHTD.transpose(0, 2, 1, 3).reshape(N, T, K * G * D)), seen

    def _mixed(
        self,
        query_NHTD: jax.Array,
        seen: KeyValues,
        visible_NTS: jax.Array,
        bias_NH1S: jax.Array | None,
    ) -> jax.Array:
        """float [N, H, T, D], the values weighted by how well their keys fit."""
        N, H, T, D = query_NHTD.shape
        K, blocks = self.kv_heads, seen.keys_NKBDC.shape[2]
        # All query heads of one key-value head become rows of one matrix product.
        query = query_NHTD.reshape(N, K, -1, D) * self.score_scale
        for_blocks = jnp.broadcast_to(query[:, :, None], (N, K, blocks, *query.shape[2:]))
        score = jnp.einsum(
            "nkbqd,nkbdc->nkbqc", for_blocks, seen.keys_NKBDC, preferred_element_type=jnp.float32
        )
        score = score.swapaxes(2, 3).reshape(N, K, H // K, T, -1)
        score = capped(score, self.score_cap)
        if bias_NH1S is not None:
            score = score + bias_NH1S.reshape(N, K, H // K, 1, -1)
        score = jnp.where(visible_NTS[:, None, None], score, MASKED)
        weight = jax.nn.softmax(score, axis=-1).reshape(N, K, H // K * T, -1)
        mixed = jnp.einsum("nkqs,nksd->nkqd", weight.astype(query.dtype), seen.values_NKSD)
        return mixed.reshape(N, H, T, D)
