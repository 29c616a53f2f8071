"""Sampling: prompts -> tokens with the log-probabilities of the distribution they were drawn from.

Prompts of one padded length are run once each, and their attempts take places in tiles (tiles.py).
The tile that has come furthest and is full draws the next chunk; then what has ended leaves, and
the rest joins those that have come as far, so that a place that has become free is taken by the
next attempt. While a tile is at work the host looks at what the one before it has drawn. Axes: P
prompts, N rows, C tokens of a chunk, T tokens, W devices; rows of a call are numbered from 0,
attempts at one prompt side by side.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from selfplay.model import sharding, tiles
from selfplay.model.network import Network
from selfplay.model.sampling import DecodeConfig, Samples, Sampling
from selfplay.model.tiles import CHUNK, Cache, Places
from selfplay.model.tokens import pad, padded_length

PROMPTS = 4
"""A tile has so many times the rows that prompts are run at a time, at least one a device."""
NOBODY = -1
"""The row of a free place."""

OnFinished = Callable[[int, list[int], bool], None]
"""Callback for a finished row: its number, its response, and whether that ended."""

_precompiled: set[Hashable] = set()
"""What decoding was compiled for at once, see `sample`."""


def sample(
    network: Network,
    prompts: Sequence[Sequence[int]],
    key_N2: np.ndarray,
    *,
    attempts: int,
    config: DecodeConfig,
    sampling: Sampling,
    end_ids: tuple[int, ...],
    on_finished: OnFinished | None = None,
    precompile: bool = False,
) -> Samples:
    """Draw `attempts` responses to each prompt.

    A response depends on the network, its prompt, its key, `sampling`, `end_ids`,
    `config.max_tokens`, `config.rows` and the devices, and not on what else is drawn: on CPU to the
    bit.

    Args:
        network: the model; parameters where they belong (`sharding.place`).
        prompts: P sequences of token ids, at least 2 long.
        key_N2: uint32 [P * attempts, 2], data of a key for each row; see `streams.row_keys`.
        attempts: responses to each prompt.
        config: limits.
        sampling: what tokens are drawn from.
        end_ids: tokens that end a response.
        on_finished: called for each row as soon as it is finished, while others are still being
            drawn.
        precompile: compile at once all that later calls with prompts like these may need, however
            long the responses turn out to be.
    Raises:
        ValueError: `sampling` is out of range.
    Returns:
        P * attempts samples; row p * attempts + a is attempt a at prompt p.
    """
    sampling = sampling.checked()
    rows = _Rows(prompts, key_N2, attempts, config.max_tokens, end_ids, on_finished)
    kinds: dict[int, list[int]] = {}
    for p, prompt in enumerate(prompts):
        kinds.setdefault(padded_length(len(prompt)), []).append(p)
    spoken = network.model().spoken
    for slots, own in sorted(kinds.items()):
        kind = _Kind(network, spoken, slots, config, sampling, end_ids)
        if precompile:
            kind.precompile()
        _Tiling(kind, rows, np.array(own)).run()
    return rows.samples()


class _Rows:
    """All rows of a call, and what has been drawn of them so far."""

    def __init__(
        self,
        prompts: Sequence[Sequence[int]],
        key_N2: np.ndarray,
        attempts: int,
        max_tokens: int,
        end_ids: tuple[int, ...],
        on_finished: OnFinished | None,
    ) -> None:
        self.prompts, self.attempts = prompts, attempts
        self._max_tokens, self._end_ids, self._on_finished = max_tokens, end_ids, on_finished
        self._key_N2 = key_N2
        self._last_P = np.array([prompt[-1] for prompt in prompts], np.int32)
        self._length_P = np.array([len(prompt) - 1 for prompt in prompts], np.int32)
        shape = (len(prompts) * attempts, max_tokens)
        self._token_NT = np.full(shape, end_ids[0], np.int32)
        self._logprob_NT = np.zeros(shape, np.float32)
        self._length_N, self._ended_N = np.zeros(shape[0], np.int32), np.zeros(shape[0], bool)

    def places(self, row_N: np.ndarray, drawn: int) -> Places:
        """What a tile is told of the rows in its places, which have drawn so many tokens."""
        own_N = np.maximum(row_N, 0)
        prompt_N = own_N // self.attempts
        return Places(
            token_N=self._token_NT[own_N, drawn - 1] if drawn else self._last_P[prompt_N],
            prompt_length_N=self._length_P[prompt_N],
            key_N2=self._key_N2[own_N],
            done_N=row_N == NOBODY,
        )

    def add(
        self, row_N: np.ndarray, drawn: int, token_NC: np.ndarray, logprob_NC: np.ndarray
    ) -> np.ndarray:
        """Note the next chunk of some rows.

        Returns:
            bool [N], which of them are over.
        """
        stop = min(drawn + CHUNK, self._max_tokens)
        token_NC, logprob_NC = token_NC[:, : stop - drawn], logprob_NC[:, : stop - drawn]
        is_end_NC = np.isin(token_NC, self._end_ids)
        ended_N = np.asarray(is_end_NC.any(axis=1))
        count_N = np.where(ended_N, is_end_NC.argmax(axis=1) + 1, stop - drawn)
        inside_NC = np.arange(stop - drawn) < count_N[:, None]
        self._token_NT[row_N, drawn:stop] = np.where(inside_NC, token_NC, self._end_ids[0])
        self._logprob_NT[row_N, drawn:stop] = np.where(inside_NC, logprob_NC, 0.0)
        self._length_N[row_N], self._ended_N[row_N] = drawn + count_N, ended_N
        over_N = ended_N if stop < self._max_tokens else np.ones_like(ended_N)
        if self._on_finished:
            so_far = self.samples()
            for row in row_N[over_N].tolist():
                self._on_finished(row, so_far.response(row), bool(self._ended_N[row]))
        return over_N

    def samples(self) -> Samples:
        """What has been drawn."""
        return Samples(self._token_NT, self._logprob_NT, self._length_N, self._ended_N)


class _Kind(NamedTuple):
    """How prompts of one padded length are responded to."""

    network: Network
    spoken: int
    """How many tokens can be drawn; to put the model together for each chunk would take as long as
    a token."""
    slots: int
    """Padded length."""
    config: DecodeConfig
    sampling: Sampling
    end_ids: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Rows of a tile."""
        return sharding.rounded_rows(self.config.rows)

    @property
    def prompts_at_once(self) -> int:
        """Prompts that are run together."""
        return max(sharding.row_ways(), self.rows // PROMPTS)

    def room(self, drawn: int) -> int:
        """For how many drawn tokens there is room in the next chunk's cache."""
        stop = drawn + CHUNK
        return next(room for room in tiles.rooms(self.config.max_tokens) if room >= stop)

    def prefilled(self, prompts: Sequence[Sequence[int]]) -> Cache:
        """Run as many prompts as are run together."""
        return tiles.prefilled(self.network, sharding.split_rows(pad(prompts, self.slots, 0)))

    def blank(self, like: Cache) -> Cache:
        """A tile that nothing has been drawn for."""
        return tiles.blank(like, rows=self.rows, slots=self.slots + self.room(0))

    def decoded(
        self, cache: Cache, places: Places, drawn: int
    ) -> tuple[Cache, jax.Array, jax.Array]:
        """The next chunk of a tile: cache, tokens, log-probabilities."""
        place_N5, done, noise = sharding.split_rows(places.packed()), np.int32(drawn), None
        if CHUNK * self.rows * self.spoken <= tiles.MOST_NOISE:
            noise = tiles.noise(place_N5, done, numbers=self.spoken)
        return tiles.decoded(
            self.network, cache, place_N5, done, noise, self.sampling,
            prompt_slots=self.slots, end_ids=self.end_ids, truncate=self.sampling.truncated,
        )  # fmt: skip

    def precompile(self) -> None:
        """Compile all that it takes, whatever comes, unless that was done."""
        shape = (
            self.network.graph, sharding.mesh(), self.slots, self.config.max_tokens, self.rows,
            self.sampling.truncated, self.end_ids,
        )  # fmt: skip
        if shape in _precompiled:
            return
        nobody = Places(
            np.zeros(self.rows, np.int32), np.zeros(self.rows, np.int32),
            np.zeros((self.rows, 2), np.uint32), np.ones(self.rows, bool),
        )  # fmt: skip
        nothing = sharding.split_rows(np.full(self.rows, NOBODY, np.int32))
        source = self.prefilled([[0]] * self.prompts_at_once)
        tile = tiles.refilled(self.blank(source), source, nothing)
        rooms = tiles.rooms(self.config.max_tokens)
        for room, following in zip(rooms, [*rooms[1:], None], strict=True):
            tile, *_ = self.decoded(tile, nobody, 0)
            tile = tiles.refilled(tile, jax.tree.map(jax.numpy.copy, tile), nothing)
            if following:
                tile = tiles.lengthened(tile, more=following - room)
        _precompiled.add(shape)


@dataclass
class _Tile:
    """Rows that have all drawn the same number of tokens.

    It changes, because its cache does: what the device was given is used up.
    """

    cache: Cache
    row_WN: np.ndarray
    """int [W, N / W], who sits where; NOBODY: the place is free."""
    drawn: int = 0

    @property
    def full(self) -> bool:
        """Whether some device has no free place."""
        return bool((self.row_WN != NOBODY).all(axis=1).any())

    @property
    def occupied(self) -> int:
        """Places that are not free."""
        return int((self.row_WN != NOBODY).sum())

    def take_from(self, other: "_Tile") -> None:
        """Fill the free places with rows of another tile, which leave it."""
        index_WN = _moves(self.row_WN, other.row_WN)
        index_N = sharding.split_rows(index_WN.ravel())
        self.cache = tiles.refilled(self.cache, other.cache, index_N)
        taken_WN = index_WN != NOBODY
        moved_WN = np.take_along_axis(other.row_WN, np.maximum(index_WN, 0), axis=1)
        self.row_WN = np.where(taken_WN, moved_WN, self.row_WN)
        other.row_WN = np.where(np.isin(other.row_WN, moved_WN[taken_WN]), NOBODY, other.row_WN)


def _moves(into_WN: np.ndarray, source_WN: np.ndarray) -> np.ndarray:
    """int32 [W, N / W], which rows go where so that free places are filled; NOBODY: none.

    Each device's rows go to its own free places, as many as there are.
    """
    index_WN = np.full(into_WN.shape, NOBODY, np.int32)
    for w, (into_N, source_N) in enumerate(zip(into_WN, source_WN, strict=True)):
        free, there = np.flatnonzero(into_N == NOBODY), np.flatnonzero(source_N != NOBODY)
        count = min(free.size, there.size)
        index_WN[w, free[:count]] = there[:count]
    return index_WN


class _Arrivals:
    """New tiles for the prompts of one kind, which are dealt out to the devices in turn."""

    def __init__(self, kind: _Kind, rows: _Rows, prompt_P: np.ndarray) -> None:
        self._kind, self._rows = kind, rows
        self._prompt_P = prompt_P  # their numbers in the call
        self._devices = sharding.row_ways()
        self._share = -(-prompt_P.size // self._devices)  # prompts of a device
        self._at_once = kind.prompts_at_once // self._devices  # that are run together
        self._latest: tuple[int, Cache] | None = None  # which were run last, and what came of it

    def tiles(self) -> Iterator[_Tile]:
        """Tiles of the rows in their order."""
        attempts, each = self._rows.attempts, self._kind.rows // self._devices
        for first in range(0, self._share * attempts, each):
            place_N = first + np.arange(each)  # among the rows of a device
            own_N = place_N // attempts  # among the prompts of a device
            prompt_WN = self._dealt(own_N)
            row_WN = prompt_WN * attempts + place_N % attempts
            row_WN = np.where(prompt_WN == NOBODY, NOBODY, row_WN)
            yield _Tile(self._with_prompts(own_N), row_WN)

    def _dealt(self, own_N: np.ndarray) -> np.ndarray:
        """int [W, N], the prompts with these numbers among those of each device, NOBODY beyond."""
        at_WN = own_N * self._devices + np.arange(self._devices)[:, None]
        there_WN = at_WN < self._prompt_P.size
        return np.where(there_WN, self._prompt_P[np.where(there_WN, at_WN, 0)], NOBODY)

    def _with_prompts(self, own_N: np.ndarray) -> Cache:
        """A tile whose places know the prompts with these numbers, which rise."""
        batch_N, tile = own_N // self._at_once, None
        for batch in range(batch_N[0], min(batch_N[-1], (self._share - 1) // self._at_once) + 1):
            source = self._prefilled(batch)
            index_N = np.where(batch_N == batch, own_N % self._at_once, NOBODY)
            placed_N = sharding.split_rows(np.tile(index_N, self._devices).astype(np.int32))
            tile = tiles.refilled(tile or self._kind.blank(source), source, placed_N)
        assert tile is not None  # own_N starts below the share
        return tile

    def _prefilled(self, batch: int) -> Cache:
        """Prompts that are run together; the latest are kept, as the next tile begins with them."""
        if self._latest is None or self._latest[0] != batch:
            prompt_WP = self._dealt(batch * self._at_once + np.arange(self._at_once))
            # What is missing is filled up with any.
            numbers = np.where(prompt_WP == NOBODY, self._prompt_P[0], prompt_WP).ravel().tolist()
            own = [self._rows.prompts[p] for p in numbers]
            self._latest = batch, self._kind.prefilled(own)
        return self._latest[1]


class _Tiling:
    """Draws the responses to the prompts of one kind."""

    def __init__(self, kind: _Kind, rows: _Rows, prompt_P: np.ndarray) -> None:
        self._kind, self._rows = kind, rows
        self._new = _Arrivals(kind, rows, prompt_P).tiles()
        # By tokens drawn: tiles that wait for their next chunk, all but the last one full.
        self._ready: dict[int, list[_Tile]] = {}

    def run(self) -> None:
        """Draw everything."""
        at_work = None
        while (tile := self._next(busy=at_work is not None)) or at_work:
            started = self._start(tile) if tile else None
            if at_work:
                self._finish(*at_work)
            at_work = started

    def _next(self, *, busy: bool) -> _Tile | None:
        """The tile to go on with; None if the one at work has to be waited for, or all is done."""
        for drawn in sorted(self._ready, reverse=True):
            if self._ready[drawn][0].full:
                return self._first(drawn)
        if busy + sum(map(len, self._ready.values())) < self._kind.config.tiles:
            new = next(self._new, None)
            if new:
                return new
        if busy or not self._ready:
            return None
        return self._first(min(self._ready))  # so that its rows may join those further on

    def _first(self, drawn: int) -> _Tile:
        """Take the first of the tiles that have drawn so much."""
        tile, *others = self._ready.pop(drawn)
        if others:
            self._ready[drawn] = others
        return tile

    def _start(self, tile: _Tile) -> tuple[_Tile, jax.Array, jax.Array]:
        """Have the next chunk of a tile drawn, without waiting for it."""
        places = self._rows.places(tile.row_WN.ravel(), tile.drawn)
        tile.cache, token_NC, logprob_NC = self._kind.decoded(tile.cache, places, tile.drawn)
        return tile, token_NC, logprob_NC

    def _finish(self, tile: _Tile, token_NC: jax.Array, logprob_NC: jax.Array) -> None:
        """Note what a tile has drawn; who is not over waits for the next chunk."""
        row_N = tile.row_WN.ravel()
        there_N = row_N != NOBODY
        over_N = self._rows.add(
            row_N[there_N], tile.drawn, np.asarray(token_NC)[there_N],
            np.asarray(logprob_NC)[there_N],
        )  # fmt: skip
        tile.row_WN = np.where(np.isin(row_N, row_N[there_N][over_N]), NOBODY, row_N)
        tile.row_WN = tile.row_WN.reshape(sharding.row_ways(), -1)
        if not tile.occupied:
            return
        more = self._kind.room(tile.drawn + CHUNK) - self._kind.room(tile.drawn)
        if more:
            tile.cache = tiles.lengthened(tile.cache, more=more)
        tile.drawn += CHUNK
        others = self._ready.setdefault(tile.drawn, [])
        if others and not others[-1].full:
            open_one = others.pop()
            fuller, emptier = sorted((tile, open_one), key=lambda one: -one.occupied)
            fuller.take_from(emptier)
            others += [fuller, emptier] if emptier.occupied else [fuller]
        else:
            others.append(tile)
