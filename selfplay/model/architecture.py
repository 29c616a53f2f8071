"""What a transformer is made of: the static part of every model, from scratch or pretrained.

One code serves all: a family of models is a set of values here. Fed by `ModelConfig` (from scratch)
and pretrained.py (from a checkpoint's config.json), feeds transformer.py.
"""

import math
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp

Precision = Literal["float32", "mixed", "bfloat16"]
"""Types of what is multiplied. `mixed`: activations are float32, and both sides of a product with
a weight are rounded to bfloat16, which CPUs with AVX512-BF16 or AMX multiply twice as fast.
Products are summed in float32 in each."""


@dataclass(frozen=True)
class Rope:
    """Rotary positions: how fast each pair of components turns with the position.

    Source: Su et al. 2021, arXiv:2104.09864; `yarn`: Peng et al. 2023, arXiv:2309.00071; `llama3`:
        Llama 3.1's reference code.
    """

    base: float
    """Longest wavelength, in tokens / 2 pi."""
    kind: Literal["plain", "linear", "llama3", "yarn"] = "plain"
    """How the frequencies are changed for contexts longer than those trained on first."""
    factor: float = 1.0
    """By which the context is longer."""
    low_factor: float = 1.0
    """`llama3`: wavelengths longer than the first context / this are stretched by `factor`.
    `yarn`: pairs that turn less often than this in the first context are."""
    high_factor: float = 1.0
    """`llama3`: wavelengths shorter than the first context / this stay. `yarn`: pairs that turn
    more often than this do."""
    first_context: int = 0
    """Tokens of the context that was trained on first."""
    amplitude: float = 1.0
    """Factor on the turned queries and keys."""
    whole_pairs: bool = True
    """`yarn`: the pairs between which the frequencies are blended are whole numbers."""

    def frequencies(self, dim: int) -> jax.Array:
        """float32 [D / 2], radians a token of each pair."""
        half = dim // 2
        frequency = self.base ** (-jnp.arange(half, dtype=jnp.float32) / half)
        match self.kind:
            case "plain":
                return frequency
            case "linear":
                return frequency / self.factor
            case "llama3":
                return self._llama3(frequency)
            case "yarn":
                return self._yarn(frequency)

    def _llama3(self, frequency: jax.Array) -> jax.Array:
        turns = self.first_context * frequency / (2.0 * math.pi)
        kept = (turns - self.low_factor) / (self.high_factor - self.low_factor)
        return _blended(frequency, self.factor, jnp.clip(kept, 0.0, 1.0))

    def _yarn(self, frequency: jax.Array) -> jax.Array:
        half = frequency.size

        def pair(turns: float) -> float:
            """The pair that turns so often in the first context; not a whole number."""
            return half * math.log(self.first_context / (turns * 2 * math.pi)) / math.log(self.base)

        low, high = pair(self.high_factor), pair(self.low_factor)
        if self.whole_pairs:
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, 2 * half - 1)
        stretched = (jnp.arange(half, dtype=jnp.float32) - low) / max(high - low, 1e-3)
        return _blended(frequency, self.factor, 1.0 - jnp.clip(stretched, 0.0, 1.0))


def _blended(frequency: jax.Array, factor: float, kept: jax.Array) -> jax.Array:
    return frequency * kept + frequency / factor * (1.0 - kept)


@dataclass(frozen=True)
class Layer:
    """What may differ from layer to layer."""

    rope: Rope | None
    """None: this layer knows no positions."""
    window: int = 0
    """How many of the last tokens a token sees, itself included; 0: all."""
    linear_bias: bool = False
    """Whether each head prefers near tokens by a slope of its own (ALiBi)."""


@dataclass(frozen=True)
class Architecture:
    """Shape and kind of every part; hashable, so that it can be static under jit."""

    vocabulary: int
    """Token ids that can be read."""
    spoken: int
    """How many of them, the first ones, can be drawn."""
    width: int
    """Of the residual stream."""
    heads: int
    """Query heads."""
    kv_heads: int
    """Key-value heads; each serves heads / kv_heads query heads."""
    head_dim: int
    """Width of a head."""
    hidden: int
    """Width inside the gated MLP."""
    layers: tuple[Layer, ...]
    """One for each block."""
    norm_eps: float = 1e-6
    """Added to the mean square."""
    norm_offset: float = 0.0
    """Added to the learnt scale of every norm; 1 where the checkpoint holds the difference to 1."""
    head_norms: bool = False
    """Whether queries and keys are normalised, head by head."""
    sandwich: bool = False
    """Whether what attention and MLP give is normalised too, before it is added."""
    activation: Literal["silu", "gelu_tanh"] = "silu"
    """Inside the MLP."""
    query_bias: bool = False
    """Whether queries, keys and values have a bias."""
    output_bias: bool = False
    """Whether the output of attention has one."""
    mlp_bias: bool = False
    """Whether the MLP's three matrices have one."""
    tied: bool = True
    """Whether the output matrix is the embedding."""
    embedding_scale: float = 1.0
    """Factor on the embeddings."""
    score_scale: float = 1.0
    """Factor on the scores of attention, before the cap."""
    score_cap: float = 0.0
    """Scores are bent into (-cap, cap) by a tanh; 0: they are not."""
    logit_cap: float = 0.0
    """The same for the logits."""
    precision: Precision = "float32"
    """Of activations and products; norms and the weights of attention are float32 in each."""
    adapter_rank: int = 0
    """Of the low-rank adapters of all matrices but the embeddings; 0: there are none."""

    @property
    def dtype(self) -> Literal["float32", "bfloat16"]:
        """Of activations, and so of keys and values."""
        return "bfloat16" if self.precision == "bfloat16" else "float32"

    @property
    def operands(self) -> Literal["float32", "bfloat16"]:
        """To which both sides of a product with a weight are rounded."""
        return "float32" if self.precision == "float32" else "bfloat16"

    @property
    def ropes(self) -> tuple[Rope, ...]:
        """The kinds of rotary positions that layers have, each once."""
        return tuple({layer.rope: None for layer in self.layers if layer.rope is not None})
