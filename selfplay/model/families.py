"""Families of pretrained models: a checkpoint's config.json -> our architecture and its tensors.

A family is known by `model_type`. Both spellings of transformers are read: `rope_parameters` of
version 5, and `rope_theta` with `rope_scaling` of those before. What a checkpoint asks for and we
do not have is an error, never ignored. Feeds pretrained.py.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from selfplay.model.architecture import Architecture, Layer, Rope

Config = Mapping[str, Any]

FAMILIES = ("llama", "smollm3", "qwen2", "qwen3", "gemma2", "gemma3_text")
"""Values of `model_type`; SmolLM 1 and 2 call themselves `llama`."""
WINDOWED = "sliding_attention"
"""Type of a layer whose tokens see the last ones only."""


class UnsupportedModel(ValueError):
    """A checkpoint that is not of a known family, or asks for what we do not have."""


def architecture(config: Config) -> Architecture:
    """The architecture that a config.json describes.

    Raises:
        UnsupportedModel: an unknown family, or an option that is not supported; it is named.
    """
    family = config.get("model_type")
    if family not in FAMILIES:
        raise UnsupportedModel(
            f"model_type {family!r} is of no known family; known are {', '.join(FAMILIES)}."
        )
    _refuse(config)
    gemma = family in ("gemma2", "gemma3_text")
    width, heads = _number(config, "hidden_size"), _number(config, "num_attention_heads")
    head_dim = config.get("head_dim") or width // heads
    vocabulary = _number(config, "vocab_size")
    # Gemma's defaults are the values of its second generation and stand in no file.
    query_scalar = config.get("query_pre_attn_scalar", 256) if gemma else head_dim
    biased = bool(config.get("attention_bias", False))
    caps = (50.0, 30.0) if family == "gemma2" else (None, None)
    return Architecture(
        vocabulary=vocabulary, spoken=vocabulary, width=width, heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads, head_dim=head_dim,
        hidden=_number(config, "intermediate_size"), layers=tuple(_layers(config)),
        norm_eps=float(config.get("rms_norm_eps", 1e-6)), norm_offset=1.0 if gemma else 0.0,
        head_norms=family in ("qwen3", "gemma3_text"), sandwich=gemma,
        activation=_activation(config, gemma), query_bias=biased or family == "qwen2",
        output_bias=biased and family != "qwen2", mlp_bias=bool(config.get("mlp_bias", False)),
        tied=bool(config.get("tie_word_embeddings", gemma or family == "smollm3")),
        embedding_scale=math.sqrt(width) if gemma else 1.0, score_scale=query_scalar**-0.5,
        score_cap=float(config.get("attn_logit_softcapping", caps[0]) or 0.0),
        logit_cap=float(config.get("final_logit_softcapping", caps[1]) or 0.0),
    )  # fmt: skip


class Tensor(NamedTuple):
    """Where one of our parameters stands in a checkpoint."""

    name: str
    """Its name there."""
    shape: tuple[int, ...]
    """Its shape there."""
    turned: bool
    """Whether ours is its transpose."""


def tensors(built: Architecture) -> dict[str, Tensor]:
    """All parameters by their path in `Transformer`, joined by dots."""
    across, kv_across = built.heads * built.head_dim, built.kv_heads * built.head_dim
    width, hidden = built.width, built.hidden
    found = {
        "embedding_VW": Tensor("model.embed_tokens.weight", (built.vocabulary, width), False),
        "final_norm.scale_W": Tensor("model.norm.weight", (width,), False),
    }
    if not built.tied:
        found["unembedding_WV"] = Tensor("lm_head.weight", (built.vocabulary, width), True)
    matrices = {
        "attention.query": ("self_attn.q_proj", across, width, built.query_bias),
        "attention.key": ("self_attn.k_proj", kv_across, width, built.query_bias),
        "attention.value": ("self_attn.v_proj", kv_across, width, built.query_bias),
        "attention.output": ("self_attn.o_proj", width, across, built.output_bias),
        "mlp.gate": ("mlp.gate_proj", hidden, width, built.mlp_bias),
        "mlp.up": ("mlp.up_proj", hidden, width, built.mlp_bias),
        "mlp.down": ("mlp.down_proj", width, hidden, built.mlp_bias),
    }
    for at in range(len(built.layers)):
        ours, theirs = f"blocks.{at}", f"model.layers.{at}"
        for path, (name, out, into, biased) in matrices.items():
            found[f"{ours}.{path}.weight"] = Tensor(f"{theirs}.{name}.weight", (out, into), True)
            if biased:
                found[f"{ours}.{path}.bias"] = Tensor(f"{theirs}.{name}.bias", (out,), False)
        for path, (name, size) in _norms(built).items():
            found[f"{ours}.{path}.scale_W"] = Tensor(f"{theirs}.{name}.weight", (size,), False)
    return found


def _norms(built: Architecture) -> dict[str, tuple[str, int]]:
    """The norms of a block: name in a checkpoint, and width."""
    width, head_dim = built.width, built.head_dim
    norms = {"attention_norm": ("input_layernorm", width)}
    if built.sandwich:
        norms["attention_out_norm"] = ("post_attention_layernorm", width)
        norms["mlp_norm"] = ("pre_feedforward_layernorm", width)
        norms["mlp_out_norm"] = ("post_feedforward_layernorm", width)
    else:
        norms["mlp_norm"] = ("post_attention_layernorm", width)
    if built.head_norms:
        norms["attention.query_norm"] = ("self_attn.q_norm", head_dim)
        norms["attention.key_norm"] = ("self_attn.k_norm", head_dim)
    return norms


def _refuse(config: Config) -> None:
    for option in ("quantization_config", "use_bidirectional_attention"):
        if config.get(option):
            raise UnsupportedModel(
                f"config.json asks for {option}={config[option]!r}, which is not supported."
            )


def _number(config: Config, name: str) -> int:
    value = config.get(name)
    if not isinstance(value, int) or value < 1:
        raise UnsupportedModel(f"config.json has {name}={value!r}, not a positive whole number.")
    return value


def _activation(config: Config, gemma: bool) -> Any:
    default = "gelu_pytorch_tanh" if gemma else "silu"
    named = config.get("hidden_activation") or config.get("hidden_act") or default
    if gemma and named == "gelu":  # Gemma's early files say so and mean the other
        named = default
    known = {"silu": "silu", "gelu_pytorch_tanh": "gelu_tanh"}
    if named not in known:
        raise UnsupportedModel(
            f"the activation {named!r} is not supported; known are {', '.join(known)}."
        )
    return known[named]


def _layers(config: Config) -> Iterator[Layer]:
    """Rotary positions and window of each layer."""
    family, count = config["model_type"], _number(config, "num_hidden_layers")
    types = config.get("layer_types") or _usual_types(config, count)
    if len(types) != count or not {*types} <= {WINDOWED, "full_attention"}:
        raise UnsupportedModel(f"layer_types={types} does not name the kinds of {count} layers.")
    nowhere = _without_positions(config, count) if family == "smollm3" else ()
    for at, kind in enumerate(types):
        window = _number(config, "sliding_window") if kind == WINDOWED else 0
        yield Layer(None if at in nowhere else _rope(config, kind), window)


def _usual_types(config: Config, count: int) -> list[str]:
    """What the layers are where the file does not say."""

    def windowed(at: int) -> bool:
        match config["model_type"]:
            case "gemma2":
                return at % 2 == 0
            case "gemma3_text":
                return (at + 1) % config.get("sliding_window_pattern", 6) != 0
            case "qwen2" | "qwen3":
                first = config.get("max_window_layers", 28)
                return bool(config.get("use_sliding_window")) and at >= first
        return bool(config.get("use_sliding_window"))

    return [WINDOWED if windowed(at) else "full_attention" for at in range(count)]


def _without_positions(config: Config, count: int) -> set[int]:
    """Layers of SmolLM 3 that know no positions; its file marks the others with 1."""
    marks = config.get("no_rope_layers")
    if not marks:
        every = config.get("no_rope_layer_interval", 4)
        marks = [int((at + 1) % every != 0) for at in range(count)]
    return {at for at, mark in enumerate(marks) if not mark}


def _rope(config: Config, kind: str) -> Rope:
    """Rotary positions of a kind of layer."""
    family = config["model_type"]
    bases = {"gemma2": 10_000.0, "gemma3_text": 1_000_000.0, "smollm3": 2_000_000.0}
    base = config.get("rope_theta") or bases.get(family, 10_000.0)
    said = dict(config.get("rope_parameters") or {})
    if kind in said or "full_attention" in said:
        said = dict(said.get(kind) or {})
    elif not said:
        said = dict(config.get("rope_scaling") or {})
    if family == "gemma3_text" and kind == WINDOWED:
        base = config.get("rope_local_base_freq", 10_000.0)
        if "rope_parameters" not in config:
            said = {}  # the scaling is of the layers that see everything
    base = float(said.get("rope_theta", base))
    name = said.get("rope_type") or said.get("type") or "default"
    if said.get("partial_rotary_factor", 1.0) != 1.0:
        raise UnsupportedModel(f"rotary positions on a part of a head are not supported: {said}.")
    context = said.get("original_max_position_embeddings")
    context = int(context or config.get("max_position_embeddings", 0))
    match name:
        case "default":
            return Rope(base)
        case "linear":
            return Rope(base, "linear", float(said["factor"]))
        case "llama3":
            return Rope(
                base, "llama3", float(said["factor"]), float(said["low_freq_factor"]),
                float(said["high_freq_factor"]), context,
            )  # fmt: skip
        case "yarn":
            return _yarn(said, base, context, config)
    raise UnsupportedModel(
        f"rotary positions of the kind {name!r} are not supported; known are default, linear, "
        "llama3 and yarn."
    )


def _yarn(said: Config, base: float, context: int, config: Config) -> Rope:
    factor = said.get("factor") or config["max_position_embeddings"] / context

    def amplitude(weight: float) -> float:
        return 0.1 * weight * math.log(factor) + 1.0 if factor > 1.0 else 1.0

    scale, scale_all = said.get("mscale"), said.get("mscale_all_dim")
    usual = amplitude(scale) / amplitude(scale_all) if scale and scale_all else amplitude(1.0)
    named = said.get("attention_factor")
    return Rope(
        base, "yarn", float(factor), float(said.get("beta_slow") or 1.0),
        float(said.get("beta_fast") or 32.0), context, float(usual if named is None else named),
        bool(said.get("truncate", True)),
    )  # fmt: skip
