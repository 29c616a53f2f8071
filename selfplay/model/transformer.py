"""The decoder-only transformer: one forward pass that serves sampling and training.

Pre-norm blocks with RMSNorm, rotary positions, grouped-query attention and a gated MLP; the rest is
what the architecture says (architecture.py). Fed by tiles.py (one token at a time, with a cache)
and by the losses (whole sequences, without). Axes: N sequences, T query tokens, S key slots, W
width of the model, V vocabulary, U its first ids, which can be drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
from flax import nnx

from selfplay.model.architecture import Architecture, Layer, Rope
from selfplay.model.attention import Attention, KeyValues, Turn, View
from selfplay.model.layers import Draw, GatedMLP, RMSNorm, capped, product

DEEP = 12
"""From so many layers on, training runs them in a scan and computes them again on the way back."""


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a transformer that starts from scratch."""

    width: int = 128
    """Width of the residual stream."""
    layers: int = 4
    """Number of blocks."""
    heads: int = 4
    """Number of query heads."""
    head_dim: int = 0
    """Dimensions of a head; 0: width / heads."""
    kv_heads: int = 2
    """Number of key-value heads; the decode cache, which bounds decoding on CPU, grows with it."""
    hidden: int = 384
    """Width inside the gated MLP."""
    positions: Literal["local", "rotary", "alibi", "none"] = "local"
    """How a token knows where others are. `local`: the first layer sees the last tokens, `window`
    of them, with rotary positions, the others see all without any, and what was learnt on short
    sequences carries over to longer ones; `rotary`: rotary positions in every layer, which stop
    working one step beyond what was shown; `alibi`: every head prefers near tokens by a slope of
    its own; `none`."""
    window: int = 8
    """Tokens that the first layer sees where positions are `local`, the present one included."""
    rope_base: float = 10_000.0
    """Longest wavelength of rotary positions, in tokens / 2 pi."""

    def __post_init__(self) -> None:
        sizes = self.width, self.layers, self.heads, self.kv_heads, self.hidden, self.window
        if min(sizes) < 1:
            raise ValueError(f"{self} has a size below 1; every size must be at least 1.")
        if self.head_dim < 0 or self.head_dim % 2:
            raise ValueError(
                f"model.head_dim={self.head_dim} must be an even number (rotary positions turn "
                "pairs), or 0 for width / heads."
            )
        if not self.head_dim and self.width % (2 * self.heads):
            raise ValueError(
                f"model.width={self.width} cannot be shared by model.heads={self.heads}: "
                "width / heads must be a whole, even number (rotary positions turn pairs). Or "
                "give model.head_dim."
            )
        if self.heads % self.kv_heads:
            raise ValueError(
                f"model.heads={self.heads} is no multiple of model.kv_heads={self.kv_heads}; "
                "each key-value head serves the same number of query heads."
            )

    def architecture(self, vocabulary: int, spoken: int) -> Architecture:
        """All that is to know, with the sizes that the tokenizer gives."""
        head_dim = self.head_dim or self.width // self.heads
        return Architecture(
            vocabulary=vocabulary, spoken=spoken, width=self.width, heads=self.heads,
            kv_heads=self.kv_heads, head_dim=head_dim, hidden=self.hidden,
            layers=self._layers(),
            # Rows of the embedding have unit norm: give unit components.
            embedding_scale=math.sqrt(self.width), score_scale=head_dim**-0.5,
        )  # fmt: skip

    def _layers(self) -> tuple[Layer, ...]:
        rotary = Rope(self.rope_base)
        match self.positions:
            case "local":
                return (Layer(rotary, self.window), *(Layer(None),) * (self.layers - 1))
            case "rotary":
                return (Layer(rotary),) * self.layers
            case "alibi":
                return (Layer(None, linear_bias=True),) * self.layers
            case "none":
                return (Layer(None),) * self.layers


class Block(nnx.Module):
    """One layer: attention and MLP, each on a normalised copy of the residual stream."""

    def __init__(self, built: Architecture, layer: Layer, draw: Draw) -> None:
        norms = (built.width, built.norm_eps, built.norm_offset)
        self.attention_norm = RMSNorm(*norms)
        self.attention = Attention(built, layer, draw)
        self.attention_out_norm = RMSNorm(*norms) if built.sandwich else None
        self.mlp_norm = RMSNorm(*norms)
        self.mlp = GatedMLP(built, draw)
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


@partial(jax.jit, static_argnums=0)
def _applied(
    graph: nnx.GraphDef[Block],
    params: nnx.State,
    x_NTW: jax.Array,
    view: View,
    cache: KeyValues | None,
) -> tuple[jax.Array, KeyValues]:
    """A layer; jitted, so that layers of a kind are traced once."""
    return nnx.merge(graph, params)(x_NTW, view, cache)


class Transformer(nnx.Module):
    """Token ids in, logits and the keys and values of every layer out."""

    def __init__(self, built: Architecture, draw: Draw) -> None:
        self.spoken, self.logit_cap = built.spoken, built.logit_cap
        self.embedding_scale = built.embedding_scale
        self.dtype, self.operands = built.dtype, built.operands
        self.head_dim, self.ropes = built.head_dim, built.ropes
        std = built.width**-0.5
        self.embedding_VW = nnx.Param(draw((built.vocabulary, built.width), std))
        self.blocks = nnx.List([Block(built, layer, draw) for layer in built.layers])
        self.final_norm = RMSNorm(built.width, built.norm_eps, built.norm_offset)
        across = (built.width, built.vocabulary)
        self.unembedding_WV = None if built.tied else nnx.Param(draw(across, std))

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
            graph, params = nnx.split(block)
            own = None if cache is None else cache[layer]
            x_NTW, key_values = _applied(graph, params, x_NTW, view, own)
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
                x_NTW, _ = _applied(graph, state, x_NTW, view, None)
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
        state = state.astype(jnp.float32)
        if self.unembedding_WV is None:
            logits = product(state, self.embedding_VW[: self.spoken], self.operands, 1)
        else:
            logits = product(state, self.unembedding_WV[:, : self.spoken], self.operands)
        return capped(logits, self.logit_cap)


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
