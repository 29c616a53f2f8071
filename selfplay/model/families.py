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

CAPPED = {
    "attn_logit_softcapping": ("gemma2",),
    "final_logit_softcapping": ("gemma2", "gemma3_text"),
}
"""Bounds of scores and of logits, and the families that have them."""


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
    head_dim = _number(config, "head_dim", width // heads)
    vocabulary = _number(config, "vocab_size")
    # Gemma's defaults are the values of its second generation and stand in no file.
    query_scalar = _amount(config, "query_pre_attn_scalar", 256) if gemma else head_dim
    biased = bool(config.get("attention_bias", False))
    caps = (50.0, 30.0) if family == "gemma2" else (None, None)
    return Architecture(
        vocabulary=vocabulary, spoken=vocabulary, width=width, heads=heads,
        kv_heads=_number(config, "num_key_value_heads", heads), head_dim=head_dim,
        hidden=_number(config, "intermediate_size"), layers=tuple(_layers(config)),
        norm_eps=_amount(config, "rms_norm_eps", 1e-6), norm_offset=1.0 if gemma else 0.0,
        head_norms=family in ("qwen3", "gemma3_text"), sandwich=gemma,
        activation=_activation(config, gemma), query_bias=biased or family == "qwen2",
        output_bias=biased and family != "qwen2", mlp_bias=bool(config.get("mlp_bias", False)),
        tied=bool(config.get("tie_word_embeddings", gemma or family == "smollm3")),
        embedding_scale=math.sqrt(width) if gemma else 1.0, score_scale=query_scalar**-0.5,
        score_cap=_cap(config, "attn_logit_softcapping", caps[0]),
        logit_cap=_cap(config, "final_logit_softcapping", caps[1]),
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
    for option, families in CAPPED.items():
        if config.get(option) and config["model_type"] not in families:
            raise UnsupportedModel(
                f"config.json asks for {option}={config[option]!r}, which models of the family "
                f"{config['model_type']} do not have."
            )
    if not _spellings_agree(config):
        raise UnsupportedModel(
            "config.json says one thing in rope_parameters and another in rope_scaling with "
            "rope_theta, and programs differ in which one holds. Keep one: rope_parameters, with "
            "rope_theta in it."
        )
    windows = config.get("use_sliding_window") or WINDOWED in (config.get("layer_types") or ())
    if config["model_type"] == "llama" and windows:
        raise UnsupportedModel(
            "config.json asks for windows (layer_types, use_sliding_window), and programs differ "
            "in whether a model of the family llama has them. Take them out if it has none."
        )


def _spellings_agree(config: Config) -> bool:
    """Whether the two spellings of rotary positions say the same, or one of them nothing."""
    new, old = config.get("rope_parameters"), config.get("rope_scaling")
    if not isinstance(new, Mapping) or not isinstance(old, Mapping) or not new or not old:
        return True

    def said(spelling: Config) -> dict[str, Any]:
        kind = spelling.get("rope_type") or spelling.get("type") or "default"
        base = {"rope_type": kind, "rope_theta": config.get("rope_theta")}
        return base | {k: v for k, v in spelling.items() if k not in ("rope_type", "type")}

    return said(new) == said(old)


def _number(config: Config, name: str, default: int | None = None, least: int = 1) -> int:
    """A whole number of at least so much; the default where the file has none or null."""
    value = config.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        kind = "positive whole number" if least else "whole number from 0"
        raise UnsupportedModel(f"config.json has {name}={value!r}, not a {kind}.")
    return value


def _amount(said: Config, name: str, default: float | None = None) -> float:
    """A positive number; the default where there is none or null."""
    value = said.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise UnsupportedModel(f"{name}={value!r} in config.json is not a positive number.")
    return float(value)


def _cap(config: Config, name: str, usual: float | None) -> float:
    """A bound of scores or logits; 0 where there is none, which a file says with null."""
    if config.get(name, usual) is None:
        return 0.0
    return _amount(config, name, usual)


def _activation(config: Config, gemma: bool) -> Any:
    if gemma:  # what else its files say of activations is not looked at by anybody
        named = config.get("hidden_activation") or "gelu_pytorch_tanh"
    else:
        named = config.get("hidden_act") or "silu"
    known = {"silu": "silu", "gelu_pytorch_tanh": "gelu_tanh"}
    if not isinstance(named, str) or named not in known:
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
                return (at + 1) % _number(config, "sliding_window_pattern", 6) != 0
            case "qwen2" | "qwen3":
                first = _number(config, "max_window_layers", 28, least=0)
                return bool(config.get("use_sliding_window")) and at >= first
            case "smollm3":
                wished = config.get("use_sliding_window") and config.get("sliding_window")
                return bool(wished) and at in _without_positions(config, count)
        return False

    return [WINDOWED if windowed(at) else "full_attention" for at in range(count)]


def _without_positions(config: Config, count: int) -> set[int]:
    """Layers of SmolLM 3 that know no positions; its file marks the others with 1."""
    marks = config.get("no_rope_layers")
    if not marks:
        every = _number(config, "no_rope_layer_interval", 4)
        marks = [int((at + 1) % every != 0) for at in range(count)]
    return {at for at, mark in enumerate(marks) if not mark}


def _rope(config: Config, kind: str) -> Rope:
    """Rotary positions of a kind of layer."""
    family = config["model_type"]
    bases = {"gemma2": 10_000.0, "gemma3_text": 1_000_000.0, "smollm3": 2_000_000.0}
    base = _amount(config, "rope_theta", bases.get(family, 10_000.0))
    said = _object(config, "rope_parameters")
    if kind in said or "full_attention" in said:
        said = _object(said, kind)
    elif said and family == "gemma3_text":
        raise UnsupportedModel(
            "rope_parameters in config.json does not say which kind of layer it is of "
            "(full_attention, sliding_attention)."
        )
    elif not said:
        said = _object(config, "rope_scaling")
    if family == "gemma3_text" and kind == WINDOWED:
        base = _amount(config, "rope_local_base_freq", 10_000.0)
        if not config.get("rope_parameters"):
            said = {}  # the scaling is of the layers that see everything
    base = _amount(said, "rope_theta", base)
    name = said.get("rope_type") or said.get("type") or "default"
    if (said.get("partial_rotary_factor") or 1.0) != 1.0:
        raise UnsupportedModel(f"rotary positions on a part of a head are not supported: {said}.")
    match name:
        case "default":
            return Rope(base)
        case "linear":
            return Rope(base, "linear", _amount(said, "factor"))
        case "llama3":
            return Rope(
                base, "llama3", _amount(said, "factor"), _amount(said, "low_freq_factor"),
                _amount(said, "high_freq_factor"), _context(said, config),
            )  # fmt: skip
        case "yarn":
            return _yarn(said, base, config)
    raise UnsupportedModel(
        f"rotary positions of the kind {name!r} are not supported; known are default, linear, "
        "llama3 and yarn."
    )


def _object(config: Config, name: str) -> Config:
    """A part of the file that holds names and values; empty where there is none or null."""
    value = config.get(name) or {}
    if not isinstance(value, Mapping):
        raise UnsupportedModel(f"config.json has {name}={value!r}, not an object.")
    return value


def _context(said: Config, config: Config) -> int:
    """Tokens that the model saw at once before its positions were scaled."""
    name = "original_max_position_embeddings"
    where = config if config.get(name) else said
    return _number(where, name, config.get("max_position_embeddings"))


def _yarn(said: Config, base: float, config: Config) -> Rope:
    context = _context(said, config)
    grown = _number(config, "max_position_embeddings", context) / context
    factor = _amount(said, "factor", grown)

    def amplitude(weight: float) -> float:
        return 0.1 * weight * math.log(factor) + 1.0 if factor > 1.0 else 1.0

    usual = amplitude(1.0)
    if said.get("mscale") and said.get("mscale_all_dim"):
        usual = amplitude(_amount(said, "mscale")) / amplitude(_amount(said, "mscale_all_dim"))
    return Rope(
        base, "yarn", factor, _amount(said, "beta_slow", 1.0), _amount(said, "beta_fast", 32.0),
        context, _amount(said, "attention_factor", usual), bool(said.get("truncate", True)),
    )  # fmt: skip
