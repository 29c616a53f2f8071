"""The decoder-only transformer: one forward pass that serves sampling and training.

Pre-norm blocks with RMSNorm, rotary positions, grouped-query attention and a gated MLP; the rest is
what the architecture says (architecture.py). Fed by decode.py (one token at a time, with a cache)
and by the losses (whole sequences, without). Axes: N sequences, T query tokens, S key slots, H
heads, K key-value heads, D width of a head, X width of all heads, W width of the model, V
vocabulary, U its first ids, which can be drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from selfplay.model.architecture import Architecture, Layer, Rope

MASKED = -1e30
"""Score of an invisible key; finite, so that a row that sees nothing gives no NaN."""
DEEP = 12
"""From so many layers on, training runs them in a scan and computes them again on the way back."""
ROLES = 2
"""Players that a network may hold adapters for: the solver, then the proposer."""
ADAPTER_SCALE = 32.0
"""Factor on what an adapter adds, divided by its rank."""


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a transformer that starts from scratch."""

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

    def architecture(self, vocabulary: int, spoken: int) -> Architecture:
        """All that is to know, with the sizes that the tokenizer gives."""
        head_dim = self.width // self.heads
        return Architecture(
            vocabulary=vocabulary, spoken=spoken, width=self.width, heads=self.heads,
            kv_heads=self.kv_heads, head_dim=head_dim, hidden=self.hidden,
            layers=(Layer(Rope(self.rope_base)),) * self.layers,
            # Rows of the embedding have unit norm: give unit components.
            embedding_scale=math.sqrt(self.width), score_scale=head_dim**-0.5,
        )  # fmt: skip


class KeyValues(NamedTuple):
    """Keys and values of one layer.

    The order of the axes is what decoding on CPU reads fastest: both matrix products of attention
    then run along the last axis of what they read (keys with D last took 2.4 times as long).
    """

    keys_NKDS: jax.Array
    values_NKSD: jax.Array


class Turn(NamedTuple):
    """How far each pair (d, d + D/2) of a query or key is turned at each position."""

    cos_N1TD: jax.Array
    """float [N, 1, T, D / 2]."""
    sin_N1TD: jax.Array

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
        return cls(cos.astype(dtype), sin.astype(dtype))

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
        half = x_NHTD.shape[-1] // 2
        first, second = x_NHTD[..., :half], x_NHTD[..., half:]
        cos, sin = self.cos_N1TD, self.sin_N1TD
        return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


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
        if self.key_position_NS is None:
            raise ValueError("a window needs to know the positions of the keys in the cache.")
        distance_NTS = self.position_NT[:, :, None] - self.key_position_NS[:, None]
        return self.visible_NTS & (distance_NTS < window)


@partial(jax.jit, static_argnames="size")
def _drawn(key: jax.Array, std: jax.Array | float, size: int) -> jax.Array:
    return std * jax.random.normal(key, (size,), jnp.float32)


def _normal(rngs: nnx.Rngs, shape: tuple[int, ...], std: float) -> jax.Array:
    """float32, compiled once for each size, whatever the shape."""
    return _drawn(rngs.params(), std, math.prod(shape)).reshape(shape)


class Adapter(nnx.Variable[jax.Array]):
    """Half of a low-rank change of a matrix, one for each role.

    Float [ROLES, ...]; network.py takes one role's before the model is called.
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
        self, rngs: nnx.Rngs, inputs: int, outputs: int, std: float, *, bias: bool, rank: int
    ) -> None:
        self.weight = nnx.Param(_normal(rngs, (inputs, outputs), std))
        self.bias = nnx.Param(jnp.zeros((outputs,), jnp.float32)) if bias else None
        self.scale = ADAPTER_SCALE / rank if rank else 0.0
        if not rank:
            self.adapter_in = self.adapter_out = None
            return
        self.adapter_in = Adapter(_normal(rngs, (ROLES, inputs, rank), inputs**-0.5))
        self.adapter_out = Adapter(jnp.zeros((ROLES, rank, outputs), jnp.float32))

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


def _capped(x: jax.Array, cap: float) -> jax.Array:
    """Bent into (-cap, cap); as it is for a cap of 0."""
    return cap * jnp.tanh(x / cap) if cap else x


class RMSNorm(nnx.Module):
    """Divide by the root mean square, multiply by a learnt scale."""

    def __init__(self, width: int, eps: float = 1e-6, offset: float = 0.0) -> None:
        self.eps, self.offset = eps, offset
        self.scale_W = nnx.Param(jnp.full((width,), 1.0 - offset, jnp.float32))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalise the last axis; any leading axes. Computed in float32."""
        wide = x.astype(jnp.float32)
        mean_square = jnp.mean(jnp.square(wide), axis=-1, keepdims=True)
        normal, scale_W = wide * jax.lax.rsqrt(mean_square + self.eps), self.scale_W[...]
        if self.offset:  # such checkpoints scale before they round, the others after
            return (normal * (self.offset + scale_W.astype(jnp.float32))).astype(x.dtype)
        return normal.astype(x.dtype) * scale_W.astype(x.dtype)


class Attention(nnx.Module):
    """Grouped-query attention over given key slots."""

    def __init__(self, built: Architecture, layer: Layer, rngs: nnx.Rngs) -> None:
        self.heads, self.kv_heads, self.head_dim = built.heads, built.kv_heads, built.head_dim
        self.rope = None if layer.rope is None else built.ropes.index(layer.rope)
        self.window = layer.window
        self.score_scale, self.score_cap = built.score_scale, built.score_cap
        width, std = built.width, built.width**-0.5
        across, kv_across = self.heads * self.head_dim, self.kv_heads * self.head_dim
        output_std, rank = std / math.sqrt(2 * len(built.layers)), built.adapter_rank
        self.query = Linear(rngs, width, across, std, bias=built.query_bias, rank=rank)
        self.key = Linear(rngs, width, kv_across, std, bias=built.query_bias, rank=rank)
        self.value = Linear(rngs, width, kv_across, std, bias=built.query_bias, rank=rank)
        self.output = Linear(rngs, across, width, output_std, bias=built.output_bias, rank=rank)
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
        seen = KeyValues(key_NKTD.swapaxes(2, 3), value_NKTD)
        if cache is not None:
            keys, values, into = *cache, jax.lax.dynamic_update_slice_in_dim
            seen = KeyValues(
                into(keys, seen.keys_NKDS, view.slot, axis=3),
                into(values, seen.values_NKSD, view.slot, axis=2),
            )
        # All query heads of one key-value head become rows of one matrix product.
        query = query_NHTD.reshape(N, K, G * T, D) * self.score_scale
        score = jnp.einsum(
            "nkqd,nkds->nkqs", query, seen.keys_NKDS, preferred_element_type=jnp.float32
        )
        score = _capped(score.reshape(N, K, G, T, -1), self.score_cap)
        score = jnp.where(view.of(self.window)[:, None, None], score, MASKED)
        weight = jax.nn.softmax(score, axis=-1).reshape(N, K, G * T, -1)
        mixed = jnp.einsum("nkqs,nksd->nkqd", weight.astype(x_NTW.dtype), seen.values_NKSD)
        mixed_NTX = mixed.reshape(N, K * G, T, D).transpose(0, 2, 1, 3).reshape(N, T, K * G * D)
        return self.output(mixed_NTX), seen


class GatedMLP(nnx.Module):
    """activation(x A) * (x B), then C."""

    def __init__(self, built: Architecture, rngs: nnx.Rngs) -> None:
        self.activation = built.activation
        std, down_std = built.width**-0.5, built.hidden**-0.5 / math.sqrt(2 * len(built.layers))
        bias, rank = built.mlp_bias, built.adapter_rank
        self.gate = Linear(rngs, built.width, built.hidden, std, bias=bias, rank=rank)
        self.up = Linear(rngs, built.width, built.hidden, std, bias=bias, rank=rank)
        self.down = Linear(rngs, built.hidden, built.width, down_std, bias=bias, rank=rank)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to the last axis; any leading axes."""
        gate = self.gate(x)
        bent = jax.nn.silu(gate) if self.activation == "silu" else jax.nn.gelu(gate)
        return self.down(bent * self.up(x))


class Block(nnx.Module):
    """One layer: attention and MLP, each on a normalised copy of the residual stream."""

    def __init__(self, built: Architecture, layer: Layer, rngs: nnx.Rngs) -> None:
        norms = (built.width, built.norm_eps, built.norm_offset)
        self.attention_norm = RMSNorm(*norms)
        self.attention = Attention(built, layer, rngs)
        self.attention_out_norm = RMSNorm(*norms) if built.sandwich else None
        self.mlp_norm = RMSNorm(*norms)
        self.mlp = GatedMLP(built, rngs)
        self.mlp_out_norm = RMSNorm(*norms) if built.sandwich else None

    def __call__(
        self, x_NTW: jax.Array, view: View, cache: KeyValues | None
    ) -> tuple[jax.Array, KeyValues]:
        """Apply; as `Attention`."""
        mixed, seen = self.attention(self.attention_norm(x_NTW), view, cache)
        if self.attention_out_norm is not None:
            mixed = self.attention_out_norm(mixed)
        x_NTW = x_NTW + mixed
        thought = self.mlp(self.mlp_norm(x_NTW))
        if self.mlp_out_norm is not None:
            thought = self.mlp_out_norm(thought)
        return x_NTW + thought, seen


class Transformer(nnx.Module):
    """Token ids in, logits and the keys and values of every layer out."""

    def __init__(self, built: Architecture, rngs: nnx.Rngs) -> None:
        self.spoken, self.logit_cap = built.spoken, built.logit_cap
        self.embedding_scale, self.dtype = built.embedding_scale, built.dtype
        self.head_dim, self.ropes = built.head_dim, built.ropes
        std = built.width**-0.5
        self.embedding_VW = nnx.Param(_normal(rngs, (built.vocabulary, built.width), std))
        self.blocks = nnx.List([Block(built, layer, rngs) for layer in built.layers])
        self.final_norm = RMSNorm(built.width, built.norm_eps, built.norm_offset)
        across = (built.width, built.vocabulary)
        self.unembedding_WV = None if built.tied else nnx.Param(_normal(rngs, across, std))

    def __call__(
        self,
        token_NT: jax.Array,
        position_NT: jax.Array,
        visible_NTS: jax.Array,
        cache: tuple[KeyValues, ...] | None = None,
        slot: jax.Array | int = 0,
        key_position_NS: jax.Array | None = None,
        turns: tuple[Turn, ...] | None = None,
    ) -> tuple[jax.Array, tuple[KeyValues, ...]]:
        """Logits of the next token; see `states` for the arguments.

        Returns:
            logits float [N, T, U], and what `states` gives beside the states.
        """
        state_NTW, seen = self.states(
            token_NT, position_NT, visible_NTS, cache, slot, key_position_NS, turns
        )
        return self.logits(state_NTW), seen

    def states(
        self,
        token_NT: jax.Array,
        position_NT: jax.Array,
        visible_NTS: jax.Array,
        cache: tuple[KeyValues, ...] | None = None,
        slot: jax.Array | int = 0,
        key_position_NS: jax.Array | None = None,
        turns: tuple[Turn, ...] | None = None,
    ) -> tuple[jax.Array, tuple[KeyValues, ...]]:
        """Run all layers one by one (a scan would copy the whole cache at each decoded token).

        Args:
            token_NT: int [N, T], ids.
            position_NT: int [N, T], position of each token in its own sequence, from 0.
            visible_NTS: bool [N, T, S], which key slots each query may attend to. S = T without
                a cache, else the length of the cache.
            cache: keys and values of earlier tokens, one per layer; the T new ones are written at
                `slot`.
            slot: int, first slot that the new tokens take in the cache.
            key_position_NS: int [N, S], positions of the tokens in the cache, the new ones
                included; models with windows need it beside a cache.
            turns: `turns` of the positions, if they are there already.
        Returns:
            normalised states float [N, T, W], and for every layer the keys and values that were
            attended to.
        """
        if cache is None:
            key_position_NS = position_NT
        turns = turns or self.turns(position_NT)
        view = View(position_NT, visible_NTS, slot, key_position_NS, turns)
        x_NTW, seen = self._embedded(token_NT), []
        for layer, block in enumerate(self.blocks):
            x_NTW, key_values = block(x_NTW, view, None if cache is None else cache[layer])
            seen.append(key_values)
        return self.final_norm(x_NTW), tuple(seen)

    def states_to_learn(
        self,
        token_NT: jax.Array,
        position_NT: jax.Array,
        visible_NTT: jax.Array,
        turns: tuple[Turn, ...] | None = None,
    ) -> jax.Array:
        """The states of `states` alone, without a cache, float [N, T, W].

        The layers of a deep model are scanned, one compiled for all of a kind, and only what goes
        from layer to layer is kept for the backward pass.
        """
        if len(self.blocks) < DEEP:
            return self.states(token_NT, position_NT, visible_NTT, turns=turns)[0]
        split = [nnx.split(block) for block in self.blocks]
        graphs, params = [graph for graph, _ in split], [own for _, own in split]
        period, count = _period(graphs), len(graphs)
        view = View(position_NT, visible_NTT, 0, position_NT, turns or self.turns(position_NT))

        @jax.checkpoint
        def stretch(x_NTW: jax.Array, own: Sequence[nnx.State]) -> jax.Array:
            for graph, state in zip(graphs, own, strict=False):
                x_NTW, _ = nnx.merge(graph, state)(x_NTW, view, None)
            return x_NTW

        whole = count - count % period
        stacked = [
            jax.tree.map(lambda *leaves: jnp.stack(leaves), *params[at:whole:period])
            for at in range(period)
        ]
        x_NTW, _ = jax.lax.scan(
            lambda x_NTW, own: (stretch(x_NTW, own), None), self._embedded(token_NT), stacked
        )
        return self.final_norm(stretch(x_NTW, params[whole:]))

    def turns(self, position_NT: jax.Array) -> tuple[Turn, ...]:
        """The rotary turns of tokens at these positions, for each kind of layer.

        XLA on CPU makes them anew for each head of each layer, forwards and backwards, unless they
        come from outside of the loop or of the jitted function that runs the layers.
        """
        return tuple(Turn.at(position_NT, r, self.head_dim, self.dtype) for r in self.ropes)

    def _embedded(self, token_NT: jax.Array) -> jax.Array:
        x_NTW = self.embedding_VW[...][token_NT].astype(self.dtype)
        if self.embedding_scale != 1.0:
            x_NTW = x_NTW * jnp.asarray(self.embedding_scale, x_NTW.dtype)
        return x_NTW

    def logits(self, state: jax.Array) -> jax.Array:
        """float32 [..., U], of normalised states [..., W]."""
        if self.unembedding_WV is None:
            out_WU = self.embedding_VW[: self.spoken].T
        else:
            out_WU = self.unembedding_WV[:, : self.spoken]
        logits = jnp.matmul(state, out_WU.astype(state.dtype), preferred_element_type=jnp.float32)
        return _capped(logits, self.logit_cap)


def _period(kinds: Sequence[object]) -> int:
    """After how many layers their kinds repeat; as many as there are if they never do."""
    return next(
        period
        for period in range(1, len(kinds) + 1)
        if all(kinds[at] == kinds[at - period] for at in range(period, len(kinds)))
    )


def causal(token_count: int) -> jax.Array:
    """bool [1, T, T]: each token sees itself and those before it.

    Right padding needs no mask of its own: it comes after every valid query.
    """
    return jnp.tril(jnp.ones((1, token_count, token_count), bool))
