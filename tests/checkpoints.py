"""Small checkpoints of every family, with weights that follow from their names.

So a test needs no torch to have the checkpoint that transformers was run on: golden/*.json hold its
configuration, the names and shapes of its tensors, and what transformers made of it.
"""

import json
import zlib
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

GOLDEN = Path(__file__).parent / "model" / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))


SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = """\
{%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nBe brief.<|im_end|>\\n' }}
{%- endif %}
{% for message in messages %}
    {%- if message.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}
    {%- if loop.index > 8 %}{% break %}{% endif %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content | trim + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and not enable_thinking %}{{ '<think></think>' }}{% endif %}
{%- endif %}
"""


def golden(name):
    """What was recorded of a checkpoint; see golden/make.py."""
    return json.loads((GOLDEN / f"{name}.json").read_text())


def weight(name, shape, gemma):
    """float32 of this shape, normal numbers from a stream of this name."""
    drawn = np.random.default_rng(zlib.crc32(name.encode())).normal(size=shape)
    if "norm" in name:
        drawn = 0.3 * drawn + (0.0 if gemma else 1.0)
    elif len(shape) == 2 and "embed" not in name:
        drawn = 1.5 * drawn / shape[1] ** 0.5
    else:  # Gemma multiplies embeddings by the root of the width; they should not drown the rest
        drawn = (0.05 if gemma else 0.5) * drawn
    return drawn.astype(np.float32)


def weights(record):
    """All tensors of a recorded checkpoint by name."""
    gemma = record["config"]["model_type"].startswith("gemma")
    return {name: weight(name, shape, gemma) for name, shape in record["tensors"].items()}


def write(record, folder, shards=1):
    """Lay a recorded checkpoint out as a folder, in one file or several."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(record["config"]))
    tensors = weights(record)
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        return folder
    where = {}
    for part in range(shards):
        file = f"model-{part + 1:05d}-of-{shards:05d}.safetensors"
        own = dict(list(tensors.items())[part::shards])
        save_file(own, folder / file, {"format": "pt"})
        where |= dict.fromkeys(own, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    return folder


def write_tokenizer(folder):
    """Lay a checkpoint's tokenizer files out: byte-level BPE, as Llama 3 and Qwen have it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(["the answer is 12 and the sum is 34"] * 5, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": {"content": "<|im_end|>", "__type": "AddedToken"},
        "pad_token": "<|endoftext|>",
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 0]}))
    return folder


def resized(record, vocabulary):
    """A record of a tied checkpoint with another size of the vocabulary."""
    embedding = {"model.embed_tokens.weight": [vocabulary, record["config"]["hidden_size"]]}
    return record | {
        "config": record["config"] | {"vocab_size": vocabulary},
        "tensors": record["tensors"] | embedding,
    }
