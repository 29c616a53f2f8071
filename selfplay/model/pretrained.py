"""Pretrained checkpoints: a folder as Hugging Face lays it out, read into our transformer and back.

Reads `config.json` and the safetensors, one file or many, tensor by tensor straight to where each
lies on the devices; writes a trained model as a folder that transformers and vLLM load. What is
wrong with a folder is named (pretrained_files.py). Fed by the command line and experiments, feeds
whoever runs a network.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Sharding
from safetensors.numpy import save_file

from selfplay.model import families, sharding
from selfplay.model import network as networks
from selfplay.model.architecture import Architecture, Precision
from selfplay.model.families import Tensor
from selfplay.model.network import Network
from selfplay.model.pretrained_files import (
    CONFIG,
    INDEX,
    WEIGHTS,
    BrokenCheckpoint,
    Files,
    check_folder,
    read_config,
)

SHARD_BYTES = 4 * 10**9
"""Most bytes of tensors in a file that is written."""
COPIED = (
    "generation_config.json", "tokenizer*", "vocab.*", "merges.txt", "special_tokens_map.json",
    "added_tokens.json", "chat_template*", "LICENSE*", "NOTICE*",
)  # fmt: skip
"""Files that belong to a model whose weights have changed, too; others may hold the old weights."""

Dtype = Literal["float32", "bfloat16"]
Place = Callable[[str, tuple[int, ...]], Sharding]
"""Where a parameter lies, by its path and its shape."""


def load(
    folder: Path,
    dtype: Dtype = "float32",
    compute: Precision | None = None,
    place: Place | None = None,
    spoken: int | None = None,
    adapter_rank: int = 0,
    adapter_rng: np.random.Generator | None = None,
) -> Network:
    """A checkpoint's network.

    Args:
        folder: with config.json and safetensors.
        dtype: of the parameters; adapters are float32.
        compute: what matrices are multiplied in; by default `dtype`.
        place: by default as the mesh has it.
        spoken: token ids that can be drawn, the first ones; by default all, also those with which
            checkpoints fill up their vocabulary.
        adapter_rank: of adapters, beside which the checkpoint is frozen; 0: it is learnt itself.
        adapter_rng: what adapters are drawn from; by default the generator of seed 0.
    Raises:
        UnsupportedModel: an unknown family, or an option that is not supported.
        BrokenCheckpoint: a file or tensor that is missing, wrong or too much.
    """
    built = architecture(folder)
    if spoken is not None:
        built = replace(built, spoken=min(spoken, built.vocabulary))
    built = replace(built, precision=compute or dtype, adapter_rank=adapter_rank)
    wanted = families.tensors(built)
    blank = networks.shapes(built)
    place = place or sharding.place_of
    with ExitStack() as opened:
        there = Files(folder, opened)
        there.check(wanted.values(), built.tied)

        def filled(path: tuple[Any, ...], leaf: jax.ShapeDtypeStruct) -> jax.Array:
            name = sharding.path_name(path)
            return there.array(wanted[name], jnp.dtype(dtype), place(name, leaf.shape))

        if not blank.adapted:
            return blank.with_params(jax.tree_util.tree_map_with_path(filled, blank.params))
        frozen = jax.tree_util.tree_map_with_path(filled, blank.frozen)
    adapters = networks.fresh_adapters(blank.params, adapter_rng or np.random.default_rng(0))
    placed = jax.tree_util.tree_map_with_path(
        lambda path, leaf: jax.device_put(leaf, place(sharding.path_name(path), leaf.shape)),
        adapters,
    )
    return Network(blank.graph, placed, frozen)


def save(network: Network, source: Path, folder: Path, dtype: Dtype | None = None) -> None:
    """Write a network as a checkpoint folder, all of it or nothing.

    Args:
        network: of the architecture of `source`; the adapters of its role become part of it.
        source: the folder that it was loaded from: configuration and tokenizer are copied.
        folder: to be made; must not exist.
        dtype: of what is written. By default what the network is kept in; with adapters float32,
            since bfloat16 would round away most of a small change.
    Raises:
        FileExistsError: there is such a folder.
        BrokenCheckpoint: the network is not of the source's architecture.
    """
    config = read_config(source)
    wanted = families.tensors(families.architecture(config))
    leaves = {
        sharding.path_name(path): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(networks.merged_params(network))
    }
    if leaves.keys() != wanted.keys():
        odd = sorted(leaves.keys() ^ wanted.keys())
        raise BrokenCheckpoint(
            f"the network is not of the architecture of {source}: {', '.join(odd[:5])} "
            f"{'is' if len(odd) == 1 else 'are'} only in one of the two."
        )
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; nothing is overwritten. Give another.")
    written = jnp.dtype(dtype or jnp.result_type(*leaves.values()))
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
    partial.mkdir(parents=True)
    try:
        for file in {file for pattern in COPIED for file in source.glob(pattern)}:
            if file.is_file():
                shutil.copyfile(file, partial / file.name)
        named = {"dtype": written.name, "torch_dtype": written.name}  # readers know one of the two
        (partial / CONFIG).write_text(json.dumps(config | named, indent=2) + "\n")
        _write_tensors(partial, {wanted[name]: leaf for name, leaf in leaves.items()}, written)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def architecture(folder: Path) -> Architecture:
    """What a checkpoint's configuration describes.

    Raises:
        UnsupportedModel: an unknown family, or an option that is not supported.
        BrokenCheckpoint: no folder, or no configuration that can be read.
    """
    check_folder(folder)
    return families.architecture(read_config(folder))


def check(folder: Path) -> None:
    """Find out whether `load` would read a checkpoint, as far as the files' heads tell.

    Raises:
        UnsupportedModel: an unknown family, or an option that is not supported.
        BrokenCheckpoint: a file or tensor that is missing, wrong or too much.
    """
    built = architecture(folder)
    with ExitStack() as opened:
        Files(folder, opened).check(families.tensors(built).values(), built.tied)


def _write_tensors(folder: Path, arrays: Mapping[Tensor, jax.Array], dtype: np.dtype) -> None:
    """Write tensors under their names there, in as many files as they need."""
    parts = list(_shards(arrays, dtype))
    if len(parts) == 1:
        _write_file(parts[0], dtype, folder / WEIGHTS)
        return
    where = {}
    for number, part in enumerate(parts, start=1):
        name = f"model-{number:05d}-of-{len(parts):05d}.safetensors"
        _write_file(part, dtype, folder / name)
        where |= {tensor.name: name for tensor in part}
    total = sum(array.size for array in arrays.values()) * dtype.itemsize
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")


def _write_file(part: Mapping[Tensor, jax.Array], dtype: np.dtype, path: Path) -> None:
    """A file that whoever may read the folder's other files may read too."""
    save_file(_named(part, dtype), path, {"format": "pt"})
    shutil.copymode(path.with_name(CONFIG), path)


def _shards(
    arrays: Mapping[Tensor, jax.Array], dtype: np.dtype
) -> Iterator[dict[Tensor, jax.Array]]:
    part: dict[Tensor, jax.Array] = {}
    size = 0
    for tensor, array in arrays.items():
        more = array.size * dtype.itemsize
        if part and size + more > SHARD_BYTES:
            yield part
            part, size = {}, 0
        part[tensor] = array
        size += more
    yield part


def _named(part: Mapping[Tensor, jax.Array], dtype: np.dtype) -> dict[str, np.ndarray]:
    """The tensors as they stand there, on the host."""

    def there(tensor: Tensor, array: jax.Array) -> np.ndarray:
        own = np.asarray(array)
        return np.ascontiguousarray(own.T if tensor.turned else own, dtype)

    return {tensor.name: there(tensor, array) for tensor, array in part.items()}
