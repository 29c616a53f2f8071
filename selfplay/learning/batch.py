"""Packing: many short sequences laid end to end in few rows, so that little is spent on padding.

Fed by rollout.py and warmup.py, feeds update.py. A token sees earlier tokens of its own sequence
only (segment ids), and positions start anew with each sequence. Axes: R packed rows, T tokens.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from selfplay.model.network import SOLVER


class Example(NamedTuple):
    """One prompt with its response, and how to learn from it."""

    prompt: Sequence[int]
    """Token ids."""
    response: Sequence[int]
    """Token ids, `<end>` included: the tokens that are learnt."""
    weight: float = 1.0
    """Advantage of each response token (reinforcement), or 1 (imitation)."""
    logprobs: Sequence[float] | None = None
    """Log-probability of each response token when it was drawn, in nats; None for imitation."""
    role: int = SOLVER
    """Who learns from it, where the roles have parameters of their own."""


class Packed(NamedTuple):
    """Rows of packed sequences; position t of an array speaks of the token at t."""

    token_RT: np.ndarray
    """int32 [R, T]; 0 where empty."""
    position_RT: np.ndarray
    """int32 [R, T], position within the own sequence."""
    segment_RT: np.ndarray
    """int32 [R, T], which sequence of the row, from 1; 0 where empty."""
    learn_RT: np.ndarray
    """bool [R, T], True for response tokens."""
    weight_RT: np.ndarray
    """float32 [R, T], the example's weight on its response tokens, 0 elsewhere."""
    logprob_RT: np.ndarray
    """float32 [R, T], log-probabilities at drawing, 0 where not known."""


def pack(examples: Sequence[Example], row_length: int) -> list[list[Example]]:
    """Share the examples out over rows of at most `row_length` tokens, fullest fit first.

    Best-fit decreasing: each example, longest first, goes to the row with the least room that
    still takes it. O(n log n + n * row_length) for n examples.

    Raises:
        ValueError: an example is longer than a row.
    """
    by_room: list[list[list[Example]]] = [[] for _ in range(row_length + 1)]
    rows: list[list[Example]] = []
    for example in sorted(examples, key=_length, reverse=True):
        length = _length(example)
        if length > row_length:
            raise ValueError(
                f"a sequence of {length} tokens does not fit a row of {row_length}; raise the last "
                "of update.row_lengths or lower decode.max_tokens."
            )
        room = next((r for r in range(length, row_length + 1) if by_room[r]), None)
        if room is None:
            room, row = row_length, []
            rows.append(row)
        else:
            row = by_room[room].pop()
        row.append(example)
        by_room[room - length].append(row)
    return rows


def arrays(rows: Sequence[Sequence[Example]], row_length: int, row_count: int) -> Packed:
    """Lay packed rows out as arrays [row_count, row_length]; rows that are missing stay empty."""
    shape = (row_count, row_length)
    packed = Packed(
        *(np.zeros(shape, dtype) for dtype in (np.int32, np.int32, np.int32, bool, np.float32,
                                               np.float32))
    )  # fmt: skip
    for r, row in enumerate(rows):
        start = 0
        for segment, example in enumerate(row, start=1):
            first, stop = start + len(example.prompt), start + _length(example)
            packed.token_RT[r, start:first] = example.prompt
            packed.token_RT[r, first:stop] = example.response
            packed.position_RT[r, start:stop] = np.arange(stop - start)
            packed.segment_RT[r, start:stop] = segment
            packed.learn_RT[r, first:stop] = True
            packed.weight_RT[r, first:stop] = example.weight
            if example.logprobs is not None:
                packed.logprob_RT[r, first:stop] = example.logprobs
            start = stop
    return packed


def micro_batches(
    examples: Sequence[Example], row_lengths: Sequence[int], tokens: int, row_multiple: int
) -> Iterator[Packed]:
    """Pack the examples into as many batches of few shapes as they need.

    Each example goes to the shortest kind of row that holds it: attention costs the square of the
    row's length, so the many short examples should not pay for the few long ones.

    Args:
        examples: in any order.
        row_lengths: kinds of rows, in tokens, shortest first.
        tokens: about how many tokens a batch has room for.
        row_multiple: numbers of rows are multiples of this (the devices).
    Raises:
        ValueError: an example is longer than the longest row.
    """
    kinds: dict[int, list[Example]] = {length: [] for length in row_lengths}
    for example in examples:
        fitting = (length for length in row_lengths if _length(example) <= length)
        kinds[next(fitting, row_lengths[-1])].append(example)
    for length, members in kinds.items():
        row_count = max(1, tokens // (length * row_multiple)) * row_multiple
        rows = pack(members, length)
        for first in range(0, len(rows), row_count):
            yield arrays(rows[first : first + row_count], length, row_count)


def _length(example: Example) -> int:
    return len(example.prompt) + len(example.response)
