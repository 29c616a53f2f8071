"""Pretrained checkpoints: a folder as Hugging Face lays it out, read into our transformer and back.

Reads `config.json` and the safetensors, one file or many, tensor by tensor straight to where each
lies on the devices; writes a trained model as a folder that transformers and vLLM load. Every
tensor has to be there, of the right shape, and no other: what is wrong is named. Fed by the command
line and experiments, feeds whoever runs a network.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Sharding
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from selfplay.model import families, sharding
from selfplay.model import network as networks
from selfplay.model.architecture import Precision
from selfplay.model.families import Tensor
from selfplay.model.network import Network

WEIGHTS, INDEX, CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"
SHARD_BYTES = 4 * 10**9
"""Most bytes of tensors in a file that is written."""
COMPUTED = "rotary_emb.inv_freq"
"""End of the names of tensors that old checkpoints hold and that follow from the configuration."""

Dtype = Literal["float32", "bfloat16"]
Place = Callable[[str, tuple[int, ...]], Sharding]
"""Where a parameter lies, by its path and its shape."""


class BrokenCheckpoint(ValueError):
    """A folder whose files are missing, unreadable or do not fit together."""


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
    config = read_config(folder)
    built = families.architecture(config)
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


def save(network: Network, source: Path, folder: Path) -> None:
    """Write a network as a checkpoint folder.

    Args:
        network: of the architecture of `source`; the adapters of its role become part of it.
        source: the folder that it was loaded from: configuration and tokenizer are copied.
        folder: to be made; must not exist.
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
    folder.mkdir(parents=True)
    for file in sorted(source.iterdir()):
        if file.is_file() and file.suffix not in (".safetensors", ".bin") and file.name != INDEX:
            shutil.copyfile(file, folder / file.name)
    _write_tensors(folder, {wanted[name]: leaf for name, leaf in leaves.items()})
    dtype = str(next(iter(leaves.values())).dtype)
    kept = {key: value for key, value in config.items() if key not in ("dtype", "torch_dtype")}
    (folder / CONFIG).write_text(json.dumps(kept | {"dtype": dtype}, indent=2) + "\n")


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says.

    Raises:
        BrokenCheckpoint: there is none, or it holds no JSON object.
    """
    file = folder / CONFIG
    try:
        config = json.loads(file.read_text())
    except FileNotFoundError:
        raise BrokenCheckpoint(f"{folder} holds no {CONFIG}: it is no checkpoint.") from None
    except (OSError, ValueError) as error:
        raise BrokenCheckpoint(f"{file} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise BrokenCheckpoint(f"{file} holds no JSON object.")
    return config


class Files:
    """The safetensors of a folder, and which of them holds what."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        """Open them; `opened` closes them."""
        self._folder = folder
        self._file_of: dict[str, Any] = {}
        for name in self._names():
            try:
                file = opened.enter_context(safe_open(folder / name, framework="numpy"))
                self._file_of |= dict.fromkeys(file.keys(), file)
            except FileNotFoundError:
                raise BrokenCheckpoint(f"{folder} lacks {name}: a part is missing.") from None
            except (SafetensorError, OSError) as error:
                raise BrokenCheckpoint(f"{folder / name} cannot be read: {error}") from error

    def _names(self) -> list[str]:
        index = self._folder / INDEX
        if not index.exists():
            return [WEIGHTS]
        try:
            return sorted(set(json.loads(index.read_text())["weight_map"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BrokenCheckpoint(f"{index} is no index of safetensors: {error!r}") from error

    def check(self, wanted: Iterable[Tensor], tied: bool) -> None:
        """Hold what is there against what has to be.

        Raises:
            BrokenCheckpoint: a tensor is missing, has another shape, or is one too many.
        """
        names = set()
        for tensor in wanted:
            names.add(tensor.name)
            if tensor.name not in self._file_of:
                raise BrokenCheckpoint(f"{self._folder} lacks the tensor {tensor.name}.")
            shape = tuple(self._file_of[tensor.name].get_slice(tensor.name).get_shape())
            if shape != tensor.shape:
                raise BrokenCheckpoint(
                    f"{tensor.name} in {self._folder} has the shape {shape}; by {CONFIG} it would "
                    f"be {tensor.shape}."
                )
        ignored = {"lm_head.weight"} if tied else set()
        over = sorted(
            name for name in self._file_of.keys() - names - ignored if not name.endswith(COMPUTED)
        )
        if over:
            raise BrokenCheckpoint(
                f"{self._folder} holds {len(over)} tensors that the model has no place for: "
                f"{', '.join(over[:5])}."
            )

    def array(self, tensor: Tensor, dtype: np.dtype, where: Sharding) -> jax.Array:
        """One tensor, of which each device reads its own part only."""
        part = self._file_of[tensor.name].get_slice(tensor.name)
        shape = tensor.shape[::-1] if tensor.turned else tensor.shape

        def own(index: tuple[slice, ...] | None) -> np.ndarray:
            assert index is not None
            read = part[index[::-1] if tensor.turned else index]
            return np.ascontiguousarray(read.T if tensor.turned else read).astype(dtype)

        return jax.make_array_from_callback(shape, where, own)


def _write_tensors(folder: Path, arrays: Mapping[Tensor, jax.Array]) -> None:
    """Write tensors under their names there, in as many files as they need."""
    parts = list(_shards(arrays))
    if len(parts) == 1:
        save_file(_named(parts[0]), folder / WEIGHTS, {"format": "pt"})
        return
    where = {}
    for number, part in enumerate(parts, start=1):
        name = f"model-{number:05d}-of-{len(parts):05d}.safetensors"
        save_file(_named(part), folder / name, {"format": "pt"})
        where |= {tensor.name: name for tensor in part}
    total = sum(array.nbytes for array in arrays.values())
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")


def _shards(arrays: Mapping[Tensor, jax.Array]) -> Iterator[dict[Tensor, jax.Array]]:
    part: dict[Tensor, jax.Array] = {}
    size = 0
    for tensor, array in arrays.items():
        if part and size + array.nbytes > SHARD_BYTES:
            yield part
            part, size = {}, 0
        part[tensor] = array
        size += array.nbytes
    yield part


def _named(part: Mapping[Tensor, jax.Array]) -> dict[str, np.ndarray]:
    return {
        tensor.name: np.ascontiguousarray(np.asarray(array).T if tensor.turned else array)
        for tensor, array in part.items()
    }
