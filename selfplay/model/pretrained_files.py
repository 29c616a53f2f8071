"""The files of a checkpoint folder: opened, held against what has to be there, and named if wrong.

Every tensor has to be there, of the right shape and type, and no other. Feeds pretrained.py and
pretrained_tokens.py.
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Sharding
from safetensors import SafetensorError, safe_open

from selfplay.model.families import Tensor

WEIGHTS, INDEX, CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"
TOLD = ("tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja")
"""Files beside config.json and the weights on which depends what a model does."""
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
COMPUTED = "rotary_emb.inv_freq"
"""End of the names of tensors that old checkpoints hold and that follow from the configuration."""
FLOATS = ("F64", "F32", "F16", "BF16")
"""Types of tensors that can be read, as safetensors names them."""
STRETCH = 1024
"""Rows of two matrices that are compared at a time."""
SAMPLED, SAMPLED_BYTES = 8, 4096
"""Rows, and at most so many bytes, of each tensor that a fingerprint is made of."""
LFS = b"version https://git-lfs"


class BrokenCheckpoint(ValueError):
    """A folder whose files are missing, unreadable or do not fit together."""


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says.

    Raises:
        BrokenCheckpoint: there is none, or it holds no JSON object.
    """
    config = read_object(folder / CONFIG)
    if config is None:
        adapters = (folder / "adapter_config.json").exists()
        raise BrokenCheckpoint(
            f"{folder} holds adapters without their model: merge them into it first, with `peft`."
            if adapters
            else f"{folder} holds no {CONFIG}: it is no checkpoint, or not all of one."
        )
    return config


def read_object(file: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if there is no such file.

    Raises:
        BrokenCheckpoint: it cannot be read, or holds something else.
    """
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenCheckpoint(f"{file} cannot be read: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise BrokenCheckpoint(f"{file} cannot be read: {error}. {_mend(file)}") from error
    if not isinstance(found, dict):
        raise BrokenCheckpoint(f"{file} holds no JSON object. {_mend(file)}")
    return found


def check_folder(folder: Path) -> None:
    """Tell what is not even a folder.

    Raises:
        BrokenCheckpoint: it is none.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise BrokenCheckpoint(
            f"the checkpoint folder {folder} {what}. A checkpoint is a folder on this machine with "
            "config.json, safetensors and tokenizer.json. Models are not looked up by name: "
            "`hf download NAME --local-dir FOLDER` fetches one."
        )


def fingerprint(folder: Path) -> str:
    """Hex digits that change with the configuration, the tokenizer or the weights.

    Of each tensor the first bytes are read: training changes all of a tensor, and a whole large
    model would take minutes.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in (CONFIG, *TOLD):
        file = folder / name
        digest.update(name.encode() + (file.read_bytes() if file.is_file() else b""))
    with ExitStack() as opened:
        for name, file in sorted(Files(folder, opened).file_of.items()):
            part = file.get_slice(name)
            shape = part.get_shape()
            digest.update(f"{name} {part.get_dtype()} {shape}".encode())
            if min(shape, default=0):
                first = part[: min(SAMPLED, shape[0])]
                digest.update(np.ascontiguousarray(first).tobytes()[:SAMPLED_BYTES])
    return digest.hexdigest()


class Files:
    """The safetensors of a folder, and which of them holds what."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        """Open them; `opened` closes them."""
        self._folder = folder
        self.file_of: dict[str, Any] = {}
        """The open file of each tensor."""
        for name in self._names():
            path = folder / name
            if not path.exists():
                raise BrokenCheckpoint(f"{folder} lacks {name}. {self._instead()}")
            try:
                file = opened.enter_context(safe_open(path, framework="numpy"))
                self.file_of |= dict.fromkeys(file.keys(), file)
            except OSError as error:
                raise BrokenCheckpoint(f"{path} cannot be read: {error}.") from error
            except SafetensorError as error:
                raise BrokenCheckpoint(f"{path} cannot be read: {error}. {_mend(path)}") from error

    def _names(self) -> list[str]:
        index = self._folder / INDEX
        found = read_object(index)
        if found is None:
            return [WEIGHTS]
        where = found.get("weight_map")
        if not isinstance(where, dict) or not all(isinstance(v, str) for v in where.values()):
            raise BrokenCheckpoint(f"{index} is no index of safetensors. {_mend(index)}")
        return sorted(set(where.values()))

    def _instead(self) -> str:
        """What to do where a file of weights is missing."""
        if (self._folder / "adapter_config.json").exists():
            return "It holds adapters without their model: merge them into it first, with `peft`."
        if any(self._folder.glob("*.bin")) or any(self._folder.glob("*.pt*")):
            return (
                "Its weights are pickles of torch, which can run programs and are not read: load "
                "them with transformers and `save_pretrained` as safetensors."
            )
        return "A part is missing: fetch it again."

    def check(self, wanted: Iterable[Tensor], tied: bool) -> None:
        """Hold what is there against what has to be.

        Raises:
            BrokenCheckpoint: a tensor is missing, has another shape or no floating-point numbers,
                or is one too many.
        """
        names = set()
        for tensor in wanted:
            names.add(tensor.name)
            if tensor.name not in self.file_of:
                raise BrokenCheckpoint(
                    f"{self._folder} lacks the tensor {tensor.name}: {CONFIG} and the weights are "
                    "of two models, or a part was not fetched."
                )
            part = self.file_of[tensor.name].get_slice(tensor.name)
            shape = tuple(part.get_shape())
            if shape != tensor.shape:
                raise BrokenCheckpoint(
                    f"{tensor.name} in {self._folder} has the shape {shape}; by {CONFIG} it would "
                    f"be {tensor.shape}: the two are not of one model."
                )
            if part.get_dtype() not in FLOATS:
                raise BrokenCheckpoint(
                    f"{tensor.name} in {self._folder} is of the type {part.get_dtype()}; weights "
                    f"have to be one of {', '.join(FLOATS)}. Quantised models are not supported."
                )
        head = {HEAD} if tied else set()
        over = sorted(
            name for name in self.file_of.keys() - names - head if not name.endswith(COMPUTED)
        )
        if over:
            raise BrokenCheckpoint(
                f"{self._folder} holds {len(over)} tensors that the model has no place for: "
                f"{', '.join(over[:5])}."
            )
        if tied and HEAD in self.file_of and not self._alike(HEAD, EMBEDDING):
            raise BrokenCheckpoint(
                f"{HEAD} in {self._folder} is not {EMBEDDING}, though {CONFIG} ties the two (by "
                "tie_word_embeddings, or by its absence). Set tie_word_embeddings to false there "
                f"if {HEAD} is to be used; take it out otherwise."
            )

    def _alike(self, one: str, other: str) -> bool:
        """Whether two matrices hold the same numbers, a stretch of rows at a time."""
        first, second = (self.file_of[name].get_slice(name) for name in (one, other))
        count = first.get_shape()[0]
        parts = (slice(at, min(at + STRETCH, count)) for at in range(0, count, STRETCH))
        return first.get_shape() == second.get_shape() and all(
            np.array_equal(first[part], second[part], equal_nan=True) for part in parts
        )

    def array(self, tensor: Tensor, dtype: np.dtype, where: Sharding) -> jax.Array:
        """One tensor, of which each device reads its own part only.

        Raises:
            BrokenCheckpoint: it holds numbers that are not finite.
        """
        part = self.file_of[tensor.name].get_slice(tensor.name)
        shape = tensor.shape[::-1] if tensor.turned else tensor.shape

        def own(index: tuple[slice, ...] | None) -> np.ndarray:
            assert index is not None
            read = part[index[::-1] if tensor.turned else index]
            if not np.isfinite(read).all():
                raise BrokenCheckpoint(
                    f"{tensor.name} in {self._folder} holds numbers that are not finite: whoever "
                    "trained or converted it went wrong."
                )
            return np.ascontiguousarray(read.T if tensor.turned else read).astype(dtype)

        return jax.make_array_from_callback(shape, where, own)


def _mend(file: Path) -> str:
    """What to do about a file that cannot be read."""
    with suppress(OSError), file.open("rb") as opened:
        if opened.read(len(LFS)) == LFS:
            return "It is a pointer of Git LFS: `git lfs pull` fetches the file itself."
    return "Fetch it again: it was cut off or changed on the way."
