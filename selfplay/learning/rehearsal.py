"""Rehearsal: the newest right attempts of every level are kept, and imitated again and again.

A verdict that can be trusted makes a right attempt as good as a worked solution. Fed by loop.py
with graded attempts, feeds its optimiser steps with examples; what is kept is part of a run's
state. Does not look at wrong attempts: that is the policy gradient's part. Axes: C cells
(environment x level), M places of a cell, T tokens.

Source: expert iteration of Anthony et al. 2017, arXiv:1705.08439; STaR of Zelikman et al. 2022,
arXiv:2203.14465; ReST-EM of Singh et al. 2023, arXiv:2312.06585. There, the attempts of a whole
round are imitated alike; here each level and the frontier have their share, so that the many easy
attempts do not drown the few hard ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay.learning.batch import Example

FADING = 0.8
"""What counts as lately, by the generation."""
MOST_BYTES = 4 * 2**30
"""Largest memory of attempts."""


@dataclass(frozen=True)
class RehearsalConfig:
    """How right attempts are kept and imitated, where `update.rule` rehearses."""

    steps: int = 3
    """Optimiser steps a generation."""
    tokens: int = 3072
    """Prompt and response tokens of the attempts that a step imitates."""
    memory: int = 256
    """Right attempts kept of each environment and level, the newest ones."""
    frontier: float = 0.5
    """Share of the imitated attempts that are drawn by how many of each level were kept lately,
    which is where the curriculum is; the others are drawn alike over all levels. On a long ladder
    the frontier would else get less of every step the higher it lies."""
    demonstrations: float = 0.1
    """Share of the imitated examples that are worked solutions of the levels shown in the
    warm-up: it keeps what was taught."""

    def __post_init__(self) -> None:
        shares = 0.0 <= self.demonstrations < 1.0 and 0.0 <= self.frontier <= 1.0
        if min(self.steps, self.tokens, self.memory) < 1 or not shares:
            raise ValueError(
                f"update.rehearsal.steps={self.steps}, update.rehearsal.tokens={self.tokens} and "
                f"update.rehearsal.memory={self.memory} must be at least 1, "
                f"update.rehearsal.demonstrations={self.demonstrations} within [0, 1) and "
                f"update.rehearsal.frontier={self.frontier} within [0, 1]."
            )


class Memory(NamedTuple):
    """Right attempts by cell; of each cell the newest M, in a ring."""

    token_CMT: np.ndarray
    """unsigned int [C, M, T], ids of the prompt and, behind it, the response; 0 beyond."""
    prompt_CM: np.ndarray
    """int32 [C, M], length of the prompt, in tokens."""
    length_CM: np.ndarray
    """int32 [C, M], length of both, in tokens."""
    added_C: np.ndarray
    """int64 [C], attempts that have ever been kept; the next one's place is this modulo M."""
    lately_C: np.ndarray
    """float64 [C], attempts kept, those of n generations ago counting for FADING to the n."""

    @property
    def held_C(self) -> np.ndarray:
        """int [C], attempts that are there now."""
        return np.minimum(self.added_C, self.length_CM.shape[1])


class Kept(NamedTuple):
    """A right attempt that is to be kept."""

    cell: int
    """Index of its cell."""
    prompt: Sequence[int]
    """Token ids."""
    response: Sequence[int]
    """Token ids, `<end>` included."""


def empty(cells: int, places: int, longest: int, vocabulary: int) -> Memory:
    """A memory that holds nothing.

    Args:
        cells: number C of cells.
        places: number M of attempts kept of each.
        longest: most tokens T of a prompt with its response.
        vocabulary: number of token ids.
    Raises:
        ValueError: it would not fit.
    """
    dtype = np.min_scalar_type(vocabulary - 1)
    size = cells * places * longest * dtype.itemsize
    if size > MOST_BYTES:
        raise ValueError(
            f"update.rehearsal.memory={places} attempts of each of {cells} levels with up to "
            f"{longest} tokens would take {size / 2**30:.1f} GiB, and {MOST_BYTES / 2**30:.0f} GiB "
            "is the most; keep fewer, lower the last of update.row_lengths, or take fewer "
            "environments."
        )
    at_CM = np.zeros((cells, places), np.int32)
    return Memory(
        np.zeros((cells, places, longest), dtype),
        at_CM,
        at_CM,
        np.zeros(cells, np.int64),
        np.zeros(cells),
    )


def remembered(memory: Memory, new: Sequence[Kept]) -> Memory:
    """The memory with a generation's attempts, each in the place of the oldest of its cell.

    Copies the memory: cost grows with its size, a few milliseconds for 10 MB.
    """
    memory = Memory(*(array.copy() for array in memory))
    memory.lately_C[:] *= FADING
    places = memory.length_CM.shape[1]
    for cell, prompt, response in new:
        place = memory.added_C[cell] % places
        length = len(prompt) + len(response)
        memory.token_CMT[cell, place] = 0
        memory.token_CMT[cell, place, :length] = [*prompt, *response]
        memory.prompt_CM[cell, place], memory.length_CM[cell, place] = len(prompt), length
        memory.added_C[cell] += 1
        memory.lately_C[cell] += 1.0
    return memory


def drawn(memory: Memory, tokens: int, frontier: float, rng: np.random.Generator) -> list[Example]:
    """Kept attempts with about so many tokens.

    Args:
        memory: to draw from, with replacement; nothing is drawn from an empty one.
        tokens: the last one drawn is the one that reaches this number.
        frontier: share of the draws from cells in proportion to `lately_C`; the others are from a
            random cell, all alike that hold any.
        rng: drawn from.
    """
    held_C, examples, total = memory.held_C, list[Example](), 0
    if not held_C.any():
        return examples
    chance_C = frontier * memory.lately_C / memory.lately_C.sum()
    chance_C += (1.0 - frontier) * (held_C > 0) / (held_C > 0).sum()
    while total < tokens:
        cell = rng.choice(chance_C.size, p=chance_C)
        place = rng.integers(held_C[cell])
        length, prompt = memory.length_CM[cell, place], memory.prompt_CM[cell, place]
        token_T = memory.token_CMT[cell, place, :length].tolist()
        examples.append(Example(token_T[:prompt], token_T[prompt:]))
        total += int(length)
    return examples
