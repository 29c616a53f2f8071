"""Shapes for `selfplay bench decode|train --preset`: networks of random weights, batches, memory.

For benchmarks only: nothing that trains or serves a model reads these. Feeds bench_model.py.
"""

from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from selfplay.cli import bench_limits
from selfplay.model import network as networks
from selfplay.model import sharding
from selfplay.model.architecture import Architecture, Layer, Precision, Rope
from selfplay.model.network import Network

PresetName = Literal["tiny", "small", "qwen3-0.6b", "llama3.2-1b"]


def _from_scratch(width: int, layers: int, heads: int, kv_heads: int, hidden: int) -> Architecture:
    return Architecture(
        vocabulary=128, spoken=128, width=width, heads=heads, kv_heads=kv_heads,
        head_dim=width // heads, hidden=hidden, layers=(Layer(Rope(10_000.0)),) * layers,
        embedding_scale=width**0.5, score_scale=(width // heads) ** -0.5,
    )  # fmt: skip


PRESETS: dict[PresetName, Architecture] = {
    "tiny": _from_scratch(width=128, layers=4, heads=4, kv_heads=2, hidden=384),
    "small": _from_scratch(width=256, layers=8, heads=8, kv_heads=4, hidden=768),
    "qwen3-0.6b": Architecture(
        vocabulary=151_936, spoken=151_936, width=1024, heads=16, kv_heads=8, head_dim=128,
        hidden=3072, layers=(Layer(Rope(1_000_000.0)),) * 28, head_norms=True,
        score_scale=128**-0.5, precision="bfloat16",
    ),
    "llama3.2-1b": Architecture(
        vocabulary=128_256, spoken=128_256, width=2048, heads=32, kv_heads=8, head_dim=64,
        hidden=8192, layers=(Layer(Rope(500_000.0, "llama3", 32.0, 1.0, 4.0, 8192)),) * 16,
        norm_eps=1e-5, score_scale=64**-0.5, precision="bfloat16",
    ),
}  # fmt: skip
"""0.8 M, 6.3 M, 0.6 G and 1.2 G parameters; the last two are meant for accelerators, their weights
kept in the type that they are multiplied in."""


@dataclass(frozen=True)
class DecodeShape:
    """How much a preset decodes."""

    rows: int = 64
    """Responses, each to a prompt of its own."""
    prompt: int = 16
    """Tokens of a prompt."""
    tokens: int = 120
    """Tokens of a response."""

    def __post_init__(self) -> None:
        if self.rows < 1 or self.prompt < 2 or self.tokens < 1:
            raise ValueError(
                f"--rows {self.rows} and --tokens {self.tokens} must be at least 1 and --prompt "
                f"{self.prompt} at least 2; the defaults are 64, 120 and 16."
            )


@dataclass(frozen=True)
class TrainShape:
    """How much a preset trains on in one optimiser step."""

    sequences: int = 64
    """Prompts with their responses."""
    length: int = 48
    """Tokens of each, a third of them the prompt."""
    attempts: int = 8
    """Responses to each prompt, which share it in training."""

    def __post_init__(self) -> None:
        if min(self.sequences, self.attempts) < 1 or self.length < 3:
            raise ValueError(
                f"--sequences {self.sequences} and --attempts {self.attempts} must be at least 1 "
                f"and --length {self.length} at least 3 (a prompt and a response); the defaults "
                "are 64, 8 and 48."
            )


def architecture(name: PresetName, precision: Precision | None = None) -> Architecture:
    """A preset, in another precision if one is given."""
    return replace(PRESETS[name], precision=precision or PRESETS[name].precision)


def network(built: Architecture) -> Network:
    """Random weights, cast one after the other."""
    drawn = networks.create(built, np.random.default_rng(0))
    cast = jax.tree.map(lambda x: x.astype(built.dtype), drawn.params)
    return drawn.with_params(sharding.place(cast))


def cached_bytes(built: Architecture) -> int:
    """Bytes of the keys and values of one token."""
    each = jnp.dtype(built.dtype).itemsize
    return 2 * len(built.layers) * built.kv_heads * built.head_dim * each


def score_bytes(built: Architecture, queries: int, keys: int) -> int:
    """Bytes of the scores of a layer for a sequence, and of what they are made into.

    Only on CPU: accelerators may have attention that keeps none.
    """
    on_cpu = jax.local_devices()[0].platform == "cpu"
    return 2 * 4 * built.heads * queries * keys if on_cpu else 0


def parameter_count(built: Architecture) -> int:
    """Number of parameters, none of which is made."""
    return networks.parameter_count(networks.shapes(built).params)


def check_memory(
    name: PresetName, built: Architecture, *, copies: int, beside: float, smaller: str
) -> None:
    """Find out that it cannot work before anything is made.

    Weights are drawn in float32 and then cast; devices of a CPU share its memory.

    Args:
        name: of the preset.
        built: its architecture.
        copies: arrays as large as the weights that a device holds.
        beside: bytes that are needed beside these.
        smaller: what to take less of.
    Raises:
        ValueError: there is less memory here.
    """
    on_cpu = jax.local_devices()[0].platform == "cpu"
    copies = 1 + copies * (sharding.row_ways() if on_cpu else 1)
    need = parameter_count(built) * (4 + jnp.dtype(built.dtype).itemsize * copies) + beside
    free = bench_limits.free_memory()
    if need > free:
        raise ValueError(
            f"the preset {name} needs about {need / 1e9:.1f} GB of memory here, and "
            f"{free / 1e9:.1f} GB are free. Take {smaller}, --preset small, or a larger machine."
        )
