"""Pretrained checkpoints: the logits and tokens of transformers, and broken ones are named."""

import importlib.util
import json
from pathlib import Path

import checkpoints
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from selfplay.model import decode, families, pretrained, pretrained_files, sharding
from selfplay.model.families import UnsupportedModel
from selfplay.model.pretrained_files import BrokenCheckpoint
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.transformer import causal

LOGIT_ERROR = 1e-4
TORCH = importlib.util.find_spec("torch") is not None


@jax.jit
def forward(network, token_NT):
    position_NT = jnp.broadcast_to(jnp.arange(token_NT.shape[1]), token_NT.shape)
    logits, _ = network.model()(token_NT, position_NT, causal(token_NT.shape[1]))
    return logits


def logits_of(network, tokens):
    """float [T, V] of one sequence, padded so that few shapes are compiled."""
    padded = np.zeros((1, 96), np.int32)
    padded[0, : len(tokens)] = tokens
    return np.asarray(forward(network, padded))[0, : len(tokens)]


def greedy_of(network, prompt, count):
    """The likeliest continuation, through the decoder with its cache."""
    key_N2 = np.zeros((1, 2), np.uint32)
    samples = decode.sample(
        network, [prompt], key_N2, attempts=1, config=DecodeConfig(max_tokens=count, rows=8),
        sampling=Sampling(0.0), end_ids=(-1,),
    )  # fmt: skip
    return samples.token_NT[0].tolist()


def assert_parity(network, prompt, logits, greedy):
    ours = logits_of(network, prompt)[-len(logits) :]
    assert np.abs(ours - logits).max() < LOGIT_ERROR
    assert greedy_of(network, prompt, len(greedy)) == greedy


@pytest.mark.parametrize("name", checkpoints.NAMES)
def test_logits_and_greedy_tokens_are_those_of_transformers(name, tmp_path):
    record = checkpoints.golden(name)
    network = pretrained.load(checkpoints.write(record, tmp_path))
    assert len(record["greedy"]) == 64
    assert_parity(network, record["prompt"], np.array(record["logits"]), record["greedy"])


@pytest.mark.skipif(not TORCH, reason="needs torch, which .ci/run installs")
@pytest.mark.parametrize("name", checkpoints.NAMES)
def test_live_against_transformers(name, tmp_path):
    """The model's own save_pretrained in, ours out, and transformers loads what we wrote."""
    import torch
    from transformers import AutoModelForCausalLM

    spec = importlib.util.spec_from_file_location("make", checkpoints.GOLDEN / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    torch.set_num_threads(1)
    theirs, _ = make.model(name)
    theirs.save_pretrained(tmp_path / "theirs")
    network = pretrained.load(tmp_path / "theirs")
    prompt = list(range(5, 29))
    logits, greedy = make.run(theirs, prompt)
    assert_parity(network, prompt, logits, greedy)
    pretrained.save(network, tmp_path / "theirs", tmp_path / "ours")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "ours", attn_implementation="eager")
    with torch.no_grad():
        assert torch.equal(
            again(torch.tensor([prompt])).logits, theirs(torch.tensor([prompt])).logits
        )


@pytest.mark.parametrize("name", ["llama", "gemma3"])
def test_what_is_written_is_what_was_read(name, tmp_path, monkeypatch):
    record = checkpoints.golden(name)
    source = checkpoints.write(record, tmp_path / "source")
    (source / "tokenizer.json").write_text("{}")
    network = pretrained.load(source)
    monkeypatch.setattr(pretrained, "SHARD_BYTES", 20_000)
    pretrained.save(network, source, tmp_path / "copy")
    files = sorted((tmp_path / "copy").glob("*.safetensors"))
    assert len(files) > 2
    written = {key: value for file in files for key, value in load_file(file).items()}
    expected = checkpoints.weights(record)
    assert written.keys() == expected.keys()
    assert all(np.array_equal(written[key], expected[key]) for key in expected)
    assert (tmp_path / "copy" / "tokenizer.json").read_text() == "{}"
    again = pretrained.load(tmp_path / "copy")
    assert all(map(np.array_equal, *map(jax.tree.leaves, (network.params, again.params))))
    with pytest.raises(FileExistsError):
        pretrained.save(network, source, tmp_path / "copy")
    other = pretrained.load(checkpoints.write(checkpoints.golden("qwen2"), tmp_path / "qwen2"))
    with pytest.raises(BrokenCheckpoint, match="not of the architecture"):
        pretrained.save(other, source, tmp_path / "never")


def test_spellings_of_positions_that_agree_are_read():
    """As tools write it for readers of both; null and nothing are the same."""
    config = checkpoints.golden("llama-3")["config"]
    said = config["rope_parameters"]
    old = {"type" if name == "rope_type" else name: said[name] for name in said}
    theta = old.pop("rope_theta")
    for scaling in (said, old, None, {}):
        both = config | {"rope_scaling": scaling, "rope_theta": theta}
        assert families.architecture(both) == families.architecture(config)
    for other in ({"rope_scaling": old}, {"rope_scaling": old, "rope_theta": 2 * theta}):
        with pytest.raises(UnsupportedModel, match="another in rope_scaling"):
            families.architecture(config | other)
    null = config | {"rope_parameters": said | {"partial_rotary_factor": None}}
    assert families.architecture(null) == families.architecture(config)


def test_scaling_of_gemma3_is_of_the_layers_that_see_everything():
    config = checkpoints.golden("gemma3")["config"] | {"rope_parameters": None}
    built = families.architecture(config | {"rope_scaling": {"rope_type": "linear", "factor": 8.0}})
    assert {layer.rope.kind for layer in built.layers if layer.window} == {"plain"}
    assert {layer.rope.kind for layer in built.layers if not layer.window} == {"linear"}
    with pytest.raises(UnsupportedModel, match="does not say which kind of layer"):
        families.architecture(config | {"rope_parameters": {"rope_theta": 1e4}})


OF_GEMMA = {"hidden_activation": None, "hidden_act": "silu"}


@pytest.mark.parametrize(
    ("name", "change", "same"),
    [
        ("gemma2", OF_GEMMA, True),
        ("gemma3", OF_GEMMA, True),
        ("qwen3", {"attn_logit_softcapping": None}, True),
        ("gemma2", {"attn_logit_softcapping": None}, False),
    ],
)
def test_what_else_a_file_may_say(name, change, same):
    """As transformers has it: Gemma's activation stands in one place, null is no cap."""
    config = checkpoints.golden(name)["config"]
    changed = families.architecture(config | change)
    assert (changed == families.architecture(config)) is same


def test_windows_of_smollm3_are_where_it_knows_no_positions():
    config = checkpoints.golden("smollm3")["config"]
    bare = {key: value for key, value in config.items() if key != "layer_types"}
    built = families.architecture(bare | {"use_sliding_window": True, "sliding_window": 8})
    assert {layer.window for layer in built.layers if layer.rope is None} == {8}
    assert {layer.window for layer in built.layers if layer.rope is not None} == {0}


def test_the_length_before_scaling_may_stand_outside():
    config = checkpoints.golden("llama-3")["config"]
    name, said = "original_max_position_embeddings", config["rope_parameters"]
    outside = {key: value for key, value in said.items() if key != name}
    moved = config | {"rope_parameters": outside, name: said[name]}
    assert families.architecture(moved) == families.architecture(config)


def test_a_checkpoint_in_parts_is_the_same(tmp_path):
    record = checkpoints.golden("qwen3")
    whole = pretrained.load(checkpoints.write(record, tmp_path / "whole"))
    parts = pretrained.load(checkpoints.write(record, tmp_path / "parts", shards=3))
    assert all(map(np.array_equal, *map(jax.tree.leaves, (whole.params, parts.params))))


def test_what_is_no_folder_of_weights_is_told_what_to_do(tmp_path):
    def refused(folder, message):
        with pytest.raises(BrokenCheckpoint, match=message):
            pretrained.check(folder)

    record = checkpoints.golden("qwen3")
    folder = checkpoints.write(record, tmp_path / "qwen3")
    pretrained.check(folder)
    refused(Path("Qwen/Qwen3-0.6B"), r"Qwen/Qwen3-0\.6B does not exist.*not looked up by name")
    refused(folder / "config.json", "is a file. A checkpoint is a folder")
    weights = folder / "model.safetensors"
    weights.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n")
    refused(folder, "cannot be read.*pointer of Git LFS: `git lfs pull`")
    weights.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"")
    refused(folder, r"lacks model\.safetensors\. Its weights are pickles of torch")
    (folder / "adapter_config.json").write_text("{}")
    refused(folder, "adapters without their model: merge them")
    (folder / "config.json").unlink()
    refused(folder, "adapters without their model: merge them")


def test_tensors_that_no_model_can_have(tmp_path):
    record = checkpoints.golden("qwen3")
    tensors, head = checkpoints.weights(record), "lm_head.weight"
    embedding = tensors["model.embed_tokens.weight"]
    norm = "model.norm.weight"

    def with_tensors(**change):
        folder = checkpoints.write(record, tmp_path)
        save_file(tensors | change, folder / "model.safetensors")
        return folder

    with pytest.raises(BrokenCheckpoint, match=r"norm\.weight in .* is of the type I8"):
        pretrained.load(with_tensors(**{norm: np.ones(len(tensors[norm]), np.int8)}))
    with pytest.raises(BrokenCheckpoint, match=r"norm\.weight in .* numbers that are not finite"):
        pretrained.load(with_tensors(**{norm: np.full(len(tensors[norm]), np.nan, np.float32)}))
    pretrained.load(with_tensors(**{head: embedding}))
    with pytest.raises(BrokenCheckpoint, match=r"lm_head\.weight in .* is not model\.embed_tokens"):
        pretrained.load(with_tensors(**{head: embedding + 1}))


def test_a_fingerprint_is_of_the_model(tmp_path):
    folder = checkpoints.write(checkpoints.golden("qwen3"), tmp_path, shards=2)
    first = pretrained_files.fingerprint(folder)
    (folder / "README.md").write_text("words")
    assert pretrained_files.fingerprint(folder) == first
    (folder / "tokenizer.json").write_text("{}")
    told = pretrained_files.fingerprint(folder)
    file = folder / "model-00002-of-00002.safetensors"
    tensors = load_file(file)
    name = next(iter(tensors))
    tensors[name][..., 0] += 1e-3
    save_file(tensors, file)
    assert len({first, told, pretrained_files.fingerprint(folder)}) == 3


def test_what_goes_with_the_weights_goes_with_them(tmp_path, monkeypatch):
    """And nothing that may hold the old ones; all or nothing, for the same readers."""
    source = checkpoints.write(checkpoints.golden("qwen3"), tmp_path / "source")
    goes = {"tokenizer.json", "generation_config.json", "chat_template.jinja", "LICENSE"}
    stays = {"model.gguf", "flax_model.msgpack", "README.md", "optimizer.pt", "model.onnx"}
    for name in goes | stays:
        (source / name).write_text("{}")
    network, made = pretrained.load(source), tmp_path / "deep" / "made"
    monkeypatch.setattr(pretrained, "_write_tensors", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pretrained.save(network, source, made)
    assert not list(made.parent.iterdir())
    monkeypatch.undo()
    pretrained.save(network, source, made)
    assert {path.name for path in made.iterdir()} == goes | {"config.json", "model.safetensors"}
    assert [path.name for path in made.parent.iterdir()] == ["made"]
    assert len({path.stat().st_mode for path in made.iterdir()}) == 1
    with pytest.raises(FileExistsError, match="exists already; nothing is overwritten"):
        pretrained.save(network, source, made)


def test_small_changes_of_adapters_outlive_the_export(tmp_path):
    """bfloat16 would round most of them away."""
    source = checkpoints.write(checkpoints.golden("qwen3"), tmp_path / "source")
    network = pretrained.load(source, "bfloat16", "float32", adapter_rank=4)
    before, rng = logits_of(network, range(5, 29)), np.random.default_rng(0)
    changed = jax.tree.map(
        lambda leaf: leaf + 1e-4 * rng.choice([-1.0, 1.0], leaf.shape), network.params
    )
    network = network.with_params(changed)
    after = logits_of(network, range(5, 29))
    pretrained.save(network, source, tmp_path / "exported")
    pretrained.save(network, source, tmp_path / "rounded", "bfloat16")
    exported, rounded = (
        logits_of(pretrained.load(tmp_path / name), range(5, 29))
        for name in ("exported", "rounded")
    )
    assert np.abs(after - before).max() > 1e-3
    assert np.abs(exported - after).max() < 1e-4
    assert np.abs(rounded - after).max() > 0.3 * np.abs(after - before).max()


def test_half_precision(tmp_path):
    record = checkpoints.golden("llama-3")
    source = checkpoints.write(record, tmp_path / "source")
    network = pretrained.load(source, "bfloat16")
    assert {leaf.dtype for leaf in jax.tree.leaves(network.params)} == {jnp.dtype("bfloat16")}
    ours = logits_of(network, record["prompt"])[-len(record["logits"]) :]
    assert ours.dtype == np.float32
    off = np.abs(ours - np.array(record["logits"])).mean()
    assert 1e-4 < off < 0.1 * np.std(record["logits"])
    pretrained.save(network, source, tmp_path / "copy")
    written = load_file(tmp_path / "copy" / "model.safetensors")
    assert {str(array.dtype) for array in written.values()} == {"bfloat16"}
    assert json.loads((tmp_path / "copy" / "config.json").read_text())["dtype"] == "bfloat16"


def test_each_device_reads_its_part(tmp_path):
    """Matrices split over the devices by their last axis: the same logits."""
    record = checkpoints.golden("qwen3")
    source = checkpoints.write(record, tmp_path)

    def place(path, shape):
        split = len(shape) == 2 and shape[1] % sharding.row_ways() == 0
        last = jax.sharding.PartitionSpec(None, "data") if split else sharding.COPIED
        return jax.sharding.NamedSharding(sharding.mesh(), last)

    network = pretrained.load(source, place=place)
    query = network.params["blocks"][0]["attention"]["query"]["weight"][...]
    part = (32, 64 // sharding.row_ways())
    assert {shard.data.shape for shard in query.addressable_shards} == {part}
    ours = logits_of(network, record["prompt"])[-len(record["logits"]) :]
    assert np.abs(ours - np.array(record["logits"])).max() < LOGIT_ERROR


OLD = {
    "llama-3": {
        "rope_theta": 500.0,
        "rope_scaling": {
            "type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
    },
    "qwen2-yarn": {
        "rope_theta": 1000.0,
        "rope_scaling": {
            "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16,
        },
    },
    "gemma3": {"rope_theta": 1e6, "rope_local_base_freq": 1e4},
    "qwen3": {"rope_theta": 1e4, "rope_scaling": None},
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_both_spellings_of_rotary_positions_mean_the_same(name):
    new = checkpoints.golden(name)["config"]
    old = {key: value for key, value in new.items() if key != "rope_parameters"} | OLD[name]
    assert families.architecture(old) == families.architecture(new)


@pytest.mark.parametrize("name", checkpoints.NAMES)
def test_kinds_of_layers_follow_where_the_file_does_not_say(name):
    config = checkpoints.golden(name)["config"]
    left_out = {"layer_types", "no_rope_layers"}
    bare = {key: value for key, value in config.items() if key not in left_out}
    if name.startswith("gemma3"):
        bare["sliding_window_pattern"] = 3 if name == "gemma3" else 6
    assert families.architecture(bare) == families.architecture(config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mamba"}, "model_type 'mamba' is of no known family; known are llama"),
        ({"model_type": None}, "model_type None is of no known family"),
        ({"hidden_act": "relu"}, "activation 'relu' is not supported; known are silu"),
        ({"quantization_config": {"bits": 4}}, "asks for quantization_config={'bits': 4}"),
        ({"num_hidden_layers": 0}, "num_hidden_layers=0, not a positive whole number"),
        ({"hidden_size": "32"}, "hidden_size='32', not a positive whole number"),
        ({"head_dim": "16"}, "head_dim='16', not a positive whole number"),
        ({"rms_norm_eps": 0}, "rms_norm_eps=0 in config.json is not a positive number"),
        (
            {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}},
            "one thing in rope_parameters and another in rope_scaling",
        ),
        (
            {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4}},
            "factor=None in config.json is not a positive number",
        ),
        ({"final_logit_softcapping": 3.0}, "asks for final_logit_softcapping=3.0"),
        ({"rope_parameters": [1e4]}, r"rope_parameters=\[10000.0\], not an object"),
        ({"use_sliding_window": True, "sliding_window": 8}, "asks for windows"),
        (
            {"layer_types": ["sliding_attention"] * 4, "sliding_window": 8},
            "asks for windows",
        ),
        ({"layer_types": ["full_attention"]}, "does not name the kinds of 4 layers"),
        ({"layer_types": ["linear_attention"] * 4}, "does not name the kinds of 4 layers"),
        (
            {"rope_parameters": {"rope_type": "longrope", "rope_theta": 1e4}},
            "kind 'longrope' are not supported",
        ),
        (
            {"rope_parameters": {"rope_theta": 1e4, "partial_rotary_factor": 0.5}},
            "on a part of a head are not supported",
        ),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(change, message):
    config = checkpoints.golden("llama")["config"] | change
    with pytest.raises(UnsupportedModel, match=message):
        families.architecture(config)


def test_broken_checkpoints_are_named(tmp_path):
    record = checkpoints.golden("llama")
    tensors = checkpoints.weights(record)

    def broken(name, change=None, **config):
        folder = checkpoints.write(record | {"config": record["config"] | config}, tmp_path / name)
        if change is not None:
            save_file(tensors | change, folder / "model.safetensors")
        return folder

    def refused(folder, message):
        with pytest.raises(BrokenCheckpoint, match=message):
            pretrained.load(folder)

    up = "model.layers.1.mlp.up_proj.weight"
    refused(tmp_path, "holds no config.json")
    wrong = {up: np.zeros((48, 31), np.float32)}
    refused(broken("shape", wrong), r"up_proj.weight in .* has the shape \(48, 31\).*\(48, 32\)")
    refused(broken("deep", num_hidden_layers=5), "lacks the tensor model.layers.4.self_attn.q_proj")
    refused(broken("short", num_hidden_layers=3), r"holds 9 tensors .*no place for: model.layers.3")
    extra = {"model.layers.0.self_attn.rotary_emb.inv_freq": np.ones(4, np.float32)}
    pretrained.load(broken("computed", extra))
    cut = broken("cut")
    file = cut / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    refused(cut, "model.safetensors cannot be read")
    file.unlink()
    refused(cut, r"lacks model.safetensors\. A part is missing: fetch it again")
    parts = checkpoints.write(record, tmp_path / "parts", shards=2)
    (parts / "model-00002-of-00002.safetensors").unlink()
    refused(parts, "lacks model-00002-of-00002.safetensors")
    (parts / "model.safetensors.index.json").write_text("[]")
    refused(parts, "index.json holds no JSON object")
    (parts / "model.safetensors.index.json").write_text('{"weight_map": {"a": 1}}')
    refused(parts, "is no index of safetensors")
    (cut / "config.json").write_text("{")
    refused(cut, "config.json cannot be read")
    (cut / "config.json").write_text("3")
    refused(cut, "holds no JSON object")
