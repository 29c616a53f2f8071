"""Small checkpoints of every family, with weights that follow from their names.

So a test needs no torch to have the checkpoint that transformers was run on: golden/*.json hold its
configuration, the names and shapes of its tensors, and what transformers made of it.
"""

import json
import zlib
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

GOLDEN = Path(__file__).parent / "model" / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))


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
