"""The decoder-only transformer: one forward pass that serves sampling and training.

Pre-norm blocks with RMSNorm, rotary positions, grouped-query attention and a gated MLP; input and
output embeddings are tied. Fed by decode.py (one token at a time, with a cache) and by the losses
(whole sequences, without). Axes: N sequences, T query tokens, S key slots, H heads, K key-value
heads, D width of a head, W width of the model, V vocabulary, U its first ids, which can be drawn.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

MASKED = -1e30
"""Score of an invisible key; finite, so that a row that sees nothing gives no NaN."""


@dataclass(frozen=True)
class ModelConfig:
    """Shape of the transformer."""

    width: int = 128
    """Width of the residual stream."""
    layers: int = 4
    """Number of blocks."""
    heads: int = 4
    """Number of query heads; each has width / heads dimensions."""
    kv_heads: int = 2
    """Number of key-value heads; the decode cache, which bounds decoding on CPU, grows with it."""
    hidden: int = 384
    """Width inside the gated MLP."""
    rope_base: float = 10_000.0
    """Longest wavelength of the rotary positions, in tokens / 2 pi."""

    def __post_init__(self) -> None:
        if min(self.width, self.layers, self.heads, self.kv_heads, self.hidden) < 1:
            raise ValueError(f"{self} has a size below 1; every size must be at least 1.")
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise ValueError(
                f"model.width={self.width} cannot be shared by model.heads={self.heads}: "
                "width / heads must be a whole, even number (rotary positions turn pairs)."
            )
        if self.heads % self.kv_heads:
            raise ValueError(
                f"model.heads={self.heads} is no multiple of model.kv_heads={self.kv_heads}; "
                "each key-value head serves the same number of query heads."
            )


class KeyValues(NamedTuple):
    """Keys and values of one layer; axis order chosen for decode on CPU (time next to last)."""

    keys_NKSD: jax.Array
    values_NKSD: jax.Array


def rotate(x_NHTD: jax.Array, position_NT: jax.Array, base: float) -> jax.Array:
    """Turn each pair (d, d + D/2) by its position: attention then depends on distances only.

    Args:
        x_NHTD: float [N, H, T, D], D even.
        position_NT: int [N, T], the position of each token in its own sequence, from 0.
        base: longest wavelength in tokens / 2 pi.
    Returns:
        float [N, H, T, D]; the norm of each pair is kept.
    Source: Su et al. 2021, arXiv:2104.09864, in the half-split order of Llama and Qwen checkpoints.
    """
    half = x_NHTD.shape[-1] // 2
    frequency_D = base ** (-jnp.arange(half, dtype=jnp.float32) / half)
    angle_N1TD = position_NT[:, None, :, None].astype(jnp.float32) * frequency_D
    cos, sin = jnp.cos(angle_N1TD), jnp.sin(angle_N1TD)
    first, second = x_NHTD[..., :half], x_NHTD[..., half:]
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def _normal(rngs: nnx.Rngs, shape: tuple[int, ...], std: float) -> nnx.Param[jax.Array]:
    return nnx.Param(std * jax.random.normal(rngs.params(), shape, jnp.float32))


class RMSNorm(nnx.Module):
    """Divide by the root mean square, multiply by a learnt scale."""

    def __init__(self, width: int) -> None:
        self.scale_W = nnx.Param(jnp.ones((width,), jnp.float32))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalise the last axis; any leading axes."""
        mean_square = jnp.mean(jnp.square(x), axis=-1, keepdims=True)
        return x * jax.lax.rsqrt(mean_square + 1e-6) * self.scale_W[...]


class Attention(nnx.Module):
    """Grouped-query attention over given key slots."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs) -> None:
        self.heads, self.kv_heads = config.heads, config.kv_heads
        self.head_dim = config.width // config.heads
        self.rope_base = config.rope_base
        width, std = config.width, config.width**-0.5
        self.query = _normal(rngs, (width, self.heads * self.head_dim), std)
        self.key = _normal(rngs, (width, self.kv_heads * self.head_dim), std)
        self.value = _normal(rngs, (width, self.kv_heads * self.head_dim), std)
        self.output = _normal(rngs, (width, width), std / math.sqrt(2 * config.layers))

    def __call__(
        self,
        x_NTW: jax.Array,
        position_NT: jax.Array,
        visible_NTS: jax.Array,
        cache: KeyValues | None,
        slot: jax.Array | int,
    ) -> tuple[jax.Array, KeyValues]:
        """Attend; see `Transformer.__call__` for the arguments."""
        N, T, W = x_NTW.shape
        K, G, D = self.kv_heads, self.heads // self.kv_heads, self.head_dim

        def by_head(weight: jax.Array, heads: int) -> jax.Array:
            return (x_NTW @ weight).reshape(N, T, heads, D).transpose(0, 2, 1, 3)

        query_NHTD = rotate(by_head(self.query[...], K * G), position_NT, self.rope_base)
        fresh = KeyValues(
            rotate(by_head(self.key[...], K), position_NT, self.rope_base),
            by_head(self.value[...], K),
        )
        if cache is None:
            seen = fresh
        else:
            seen = KeyValues(
                *(
                    jax.lax.dynamic_update_slice_in_dim(old, new, slot, axis=2)
                    for old, new in zip(cache, fresh, strict=True)
                )
            )
        # All query heads of one key-value head become rows of one matrix product.
        query = query_NHTD.reshape(N, K, G * T, D) * D**-0.5
        score = jnp.einsum("nkqd,nksd->nkqs", query, seen.keys_NKSD)
        score = score.reshape(N, K, G, T, -1)
        score = jnp.where(visible_NTS[:, None, None], score, MASKED)
        weight = jax.nn.softmax(score, axis=-1).reshape(N, K, G * T, -1)
        mixed = jnp.einsum("nkqs,nksd->nkqd", weight, seen.values_NKSD)
        mixed_NTW = mixed.reshape(N, K * G, T, D).transpose(0, 2, 1, 3).reshape(N, T, W)
        return mixed_NTW @ self.output[...], seen


class GatedMLP(nnx.Module):
    """silu(x A) * (x B), then C."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs) -> None:
        std = config.width**-0.5
        self.gate = _normal(rngs, (config.width, config.hidden), std)
        self.up = _normal(rngs, (config.width, config.hidden), std)
        down_std = config.hidden**-0.5 / math.sqrt(2 * config.layers)
        self.down = _normal(rngs, (config.hidden, config.width), down_std)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to the last axis; any leading axes."""
        return (jax.nn.silu(x @ self.gate[...]) * (x @ self.up[...])) @ self.down[...]


class Block(nnx.Module):
    """One layer: attention and MLP, each on a normalised copy of the residual stream."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs) -> None:
        self.attention_norm = RMSNorm(config.width)
        self.attention = Attention(config, rngs)
        self.mlp_norm = RMSNorm(config.width)
        self.mlp = GatedMLP(config, rngs)

    def __call__(
        self,
        x_NTW: jax.Array,
        position_NT: jax.Array,
        visible_NTS: jax.Array,
        cache: KeyValues | None,
        slot: jax.Array | int,
    ) -> tuple[jax.Array, KeyValues]:
        """Apply; see `Transformer.__call__` for the arguments."""
        mixed, seen = self.attention(
            self.attention_norm(x_NTW), position_NT, visible_NTS, cache, slot
        )
        x_NTW = x_NTW + mixed
        return x_NTW + self.mlp(self.mlp_norm(x_NTW)), seen


class Transformer(nnx.Module):
    """Token ids in, logits and the keys and values of every layer out."""

    def __init__(self, config: ModelConfig, vocabulary: int, spoken: int, rngs: nnx.Rngs) -> None:
        self.spoken = spoken
        self.embedding_VW = _normal(rngs, (vocabulary, config.width), config.width**-0.5)
        self.blocks = nnx.List([Block(config, rngs) for _ in range(config.layers)])
        self.final_norm = RMSNorm(config.width)

    def __call__(
        self,
        token_NT: jax.Array,
        position_NT: jax.Array,
        visible_NTS: jax.Array,
        cache: tuple[KeyValues, ...] | None = None,
        slot: jax.Array | int = 0,
    ) -> tuple[jax.Array, tuple[KeyValues, ...]]:
        """Run all layers, unrolled (a scan would copy the whole cache at each decoded token).

        Args:
            token_NT: int [N, T], ids.
            position_NT: int [N, T], position of each token in its own sequence, from 0.
            visible_NTS: bool [N, T, S], which key slots each query may attend to. S = T without
                a cache, else the length of the cache.
            cache: keys and values of earlier tokens, one per layer, each [N, K, S, D]; the T new
                ones are written at `slot`.
            slot: int, first slot that the new tokens take in the cache.
        Returns:
            logits float [N, T, U], and for every layer the keys and values that were attended to,
            each [N, K, S, D].
        """
        scale = math.sqrt(self.embedding_VW.shape[1])  # rows have unit norm: give unit components
        x_NTW = self.embedding_VW[...][token_NT] * scale
        seen = []
        for layer, block in enumerate(self.blocks):
            x_NTW, key_values = block(
                x_NTW, position_NT, visible_NTS, None if cache is None else cache[layer], slot
            )
            seen.append(key_values)
        return self.final_norm(x_NTW) @ self.embedding_VW[: self.spoken].T, tuple(seen)


class Network(NamedTuple):
    """A transformer split for `jax.jit`: the static graph and the parameters as a pytree."""

    graph: nnx.GraphDef[Transformer]
    params: nnx.State

    def with_params(self, params: nnx.State) -> "Network":
        """The same network with other parameters."""
        return Network(self.graph, params)


def create(config: ModelConfig, vocabulary: int, spoken: int, key: jax.Array) -> Network:
    """A new network with random parameters.

    Args:
        config: the shape.
        vocabulary: number of token ids that it reads.
        spoken: how many of them, the first ones, it can draw.
        key: what the parameters are drawn from.
    """
    graph, params = nnx.split(Transformer(config, vocabulary, spoken, nnx.Rngs(params=key)))
    return Network(graph, params)


def parameter_count(params: nnx.State) -> int:
    """Number of trainable scalars."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def causal(token_count: int) -> jax.Array:
    """bool [1, T, T]: each token sees itself and those before it.

    Right padding needs no mask of its own: it comes after every valid query.
    """
    return jnp.tril(jnp.ones((1, token_count, token_count), bool))
