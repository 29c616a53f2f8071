"""Packing: many short sequences laid end to end in few rows, so that little is spent on padding.

Fed by rollout.py and warmup.py, feeds update.py. Attempts at one prompt that are in the same row
share it: the prompt lies there once, but for its last token, which each attempt begins with, since
what follows it is learnt. A token sees the earlier ones of its own sequence only (segment ids), and
its position is that in its sequence. Axes: R packed rows, T tokens.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from selfplay.model.network import SOLVER

Item = TypeVar("Item")


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
    """int32 [R, T], which prompt or response of the row, from 1; 0 where empty."""
    prompt_RT: np.ndarray
    """int32 [R, T], the segment of the prompt that a response is to; elsewhere the own one."""
    learn_RT: np.ndarray
    """bool [R, T], True for response tokens."""
    weight_RT: np.ndarray
    """float32 [R, T], the example's weight on its response tokens, 0 elsewhere."""
    logprob_RT: np.ndarray
    """float32 [R, T], log-probabilities at drawing, 0 where not known."""


def pack(examples: Sequence[Example], row_length: int) -> list[list[Example]]:
    """Share the examples out over rows of at most `row_length` tokens.

    Those with one prompt first share as few copies of it as they can; then these bundles share the
    rows. O(n log n + n * row_length) for n examples.

    Returns:
        rows, in which the examples with one prompt lie side by side, as `arrays` takes them.
    Raises:
        ValueError: an example is longer than a row.
    """
    by_prompt: dict[tuple[int, ...], list[Example]] = {}
    for example in examples:
        if (length := _length(example)) > row_length:
            raise ValueError(
                f"a sequence of {length} tokens does not fit a row of {row_length}; raise the last "
                "of update.row_lengths or lower decode.max_tokens."
            )
        by_prompt.setdefault(tuple(example.prompt), []).append(example)
    bundles: list[list[Example]] = []
    for prompt, own in by_prompt.items():
        shared = len(prompt) - 1
        bundles += _best_fit(own, [_length(e) - shared for e in own], row_length - shared)
    rows = _best_fit(bundles, [_laid_out(bundle) for bundle in bundles], row_length)
    return [[example for bundle in row for example in bundle] for row in rows]


def _best_fit(items: Sequence[Item], sizes: Sequence[int], capacity: int) -> list[list[Item]]:
    """Share items out over bins: the largest first, each to the fullest that still takes it."""
    by_room: list[list[list[Item]]] = [[] for _ in range(capacity + 1)]
    bins: list[list[Item]] = []
    for at in sorted(range(len(items)), key=sizes.__getitem__, reverse=True):
        room = next((r for r in range(sizes[at], capacity + 1) if by_room[r]), None)
        if room is None:
            room, chosen = capacity, []
            bins.append(chosen)
        else:
            chosen = by_room[room].pop()
        chosen.append(items[at])
        by_room[room - sizes[at]].append(chosen)
    return bins


def arrays(rows: Sequence[Sequence[Example]], row_length: int, row_count: int) -> Packed:
    """Lay packed rows out as arrays [row_count, row_length]; rows that are missing stay empty."""
    shape = (row_count, row_length)
    packed = Packed(
        *(np.zeros(shape, dtype) for dtype in (np.int32, np.int32, np.int32, np.int32, bool,
                                               np.float32, np.float32))
    )  # fmt: skip
    for r, row in enumerate(rows):
        stop = segment = 0
        for prompt, bundle in groupby(row, key=lambda example: tuple(example.prompt)):
            shared, start = len(prompt) - 1, stop
            stop, segment = start + shared, segment + 1
            prompt_segment = segment
            packed.token_RT[r, start:stop] = prompt[:-1]
            packed.position_RT[r, start:stop] = np.arange(shared)
            packed.segment_RT[r, start:stop] = packed.prompt_RT[r, start:stop] = segment
            for example in bundle:
                start, first, segment = stop, stop + 1, segment + 1
                stop = first + len(example.response)
                packed.token_RT[r, start:stop] = [prompt[-1], *example.response]
                packed.position_RT[r, start:stop] = shared + np.arange(stop - start)
                packed.segment_RT[r, start:stop] = segment
                packed.prompt_RT[r, start:stop] = prompt_segment
                packed.learn_RT[r, first:stop] = True
                packed.weight_RT[r, first:stop] = example.weight
                if example.logprobs is not None:
                    packed.logprob_RT[r, first:stop] = example.logprobs
    return packed


def batch_rows(row_length: int, tokens: int, row_multiple: int) -> tuple[int, int]:
    """Rows of a half and of a whole micro-batch; see `micro_batches` for the arguments."""
    most = max(1, tokens // (row_length * row_multiple)) * row_multiple
    return max(1, most // (2 * row_multiple)) * row_multiple, most


def micro_batches(
    examples: Sequence[Example], row_lengths: Sequence[int], tokens: int, row_multiple: int
) -> Iterator[Packed]:
    """Pack the examples into as many batches of few shapes as they need.

    Each example goes to the shortest kind of row that holds it: attention costs the square of the
    row's length, so the many short examples should not pay for the few long ones. Those left over
    when batches of their kind are full go to longer rows if less stays empty so. A batch is whole
    or half: two shapes for each kind of row.

    Args:
        examples: in any order.
        row_lengths: kinds of rows, in tokens, shortest first.
        tokens: about how many tokens a whole batch has room for.
        row_multiple: numbers of rows are multiples of this (the devices).
    Raises:
        ValueError: an example is longer than the longest row.
    """
    kinds: dict[int, list[Example]] = {length: [] for length in row_lengths}
    for example in examples:
        fitting = (length for length in row_lengths if _length(example) <= length)
        kinds[next(fitting, row_lengths[-1])].append(example)
    rows = {length: pack(members, length) for length, members in kinds.items()}
    whole = {n: batch_rows(n, tokens, row_multiple)[1] for n in row_lengths}

    def sizes(row_count: int, length: int) -> list[int]:
        """Rows of the batches that hold so many."""
        half, most = batch_rows(length, tokens, row_multiple)
        full, left = divmod(row_count, most)
        return [most] * full + ([half if left <= half else most] if left else [])

    def laid_out(row_count: int, length: int) -> int:
        return length * sum(sizes(row_count, length))

    for short, long in pairwise(row_lengths):
        kept = len(rows[short]) - len(rows[short]) % whole[short]
        over = [example for row in rows[short][kept:] for example in row]
        joined = pack([*kinds[long], *over], long)
        apart = laid_out(len(rows[short]), short) + laid_out(len(rows[long]), long)
        if laid_out(kept, short) + laid_out(len(joined), long) < apart:
            rows[short], rows[long] = rows[short][:kept], joined
            kinds[long] += over
    for length, packed in rows.items():
        first = 0
        for size in sizes(len(packed), length):
            yield arrays(packed[first : first + size], length, size)
            first += size


def _length(example: Example) -> int:
    return len(example.prompt) + len(example.response)


def _laid_out(bundle: Sequence[Example]) -> int:
    """Tokens of attempts at one prompt that share it."""
    shared = len(bundle[0].prompt) - 1
    return shared + sum(_length(example) - shared for example in bundle)
