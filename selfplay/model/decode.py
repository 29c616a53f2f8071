"""Sampling: prompts -> tokens with the log-probabilities of the distribution they were drawn from.

A prompt is run once for all attempts at it; then tokens are drawn in chunks. Between chunks the
host drops finished rows (to a quarter of the rows or fewer) and doubles the cache when it is full,
so that few shapes are compiled. Each row draws from a key of its own, so a sample does not depend
on its neighbours, on compaction or on the number of rows. Axes: P prompts, N rows (P times
attempts), T tokens, C tokens of a chunk, A tokens that noise is made ahead for, S cache slots, W
devices, M rows that are kept.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from selfplay.model import sharding
from selfplay.model.network import Network
from selfplay.model.tokens import pad, padded_length
from selfplay.model.transformer import KeyValues, causal

CHUNK = 32
"""Tokens drawn between two looks at which rows have finished."""
LEAST_ROOM = 64
"""Tokens that the cache has room for from the start: a size more is compiled in a second."""
MOST_NOISE = 2**18
"""Random numbers that are made at a time for the next tokens; at least those of one token."""
FEWEST_ROWS = 64
"""Compaction stops here: smaller batches gain nothing and would be compiled anew."""


@dataclass(frozen=True)
class DecodeConfig:
    """How responses are drawn."""

    max_tokens: int = 160
    """Longest response, in tokens, `<end>` included; longer ones are cut and unparsable."""
    rows: int = 512
    """Rows decoded together; more fill an accelerator better and take more memory for the cache."""

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or self.rows < 1:
            raise ValueError(
                f"decode.max_tokens={self.max_tokens} and decode.rows={self.rows} must be at least "
                "1; the defaults are 160 and 512."
            )


class Sampling(NamedTuple):
    """The distribution that tokens are drawn from; a change of these is not compiled anew."""

    temperature: float = 1.0
    """Divides the logits; 0 takes the likeliest token."""
    top_k: int = 0
    """Only so many tokens, the likeliest, can be drawn (and those as likely as the last of them);
    0: all."""
    top_p: float = 1.0
    """Only the likeliest tokens that have this probability together can be drawn; 1: all."""

    @property
    def truncated(self) -> bool:
        """Whether some tokens cannot be drawn; finding out which takes a sort."""
        return self.top_k > 0 or self.top_p < 1.0

    def checked(self) -> "Sampling":
        """Itself, with numbers of the types that the fields have.

        Raises:
            ValueError: a value out of range.
        """
        if not (0.0 <= self.temperature < math.inf and self.top_k >= 0 and 0.0 < self.top_p <= 1.0):
            raise ValueError(
                f"temperature={self.temperature} must be at least 0, top_k={self.top_k} at least 0 "
                f"and top_p={self.top_p} within (0, 1]; the defaults are 1, 0 and 1."
            )
        return Sampling(float(self.temperature), int(self.top_k), float(self.top_p))


def truncated(logprob_NU: jax.Array, top_k: jax.Array | int, top_p: jax.Array | float) -> jax.Array:
    """Log-probabilities float [N, U] of what is left, which sum to 1; -inf for the rest.

    The token that crosses `top_p` is still there, so that there always is one.

    Args:
        logprob_NU: float [N, U], of the whole distribution.
        top_k: int, see `Sampling`.
        top_p: float, see `Sampling`.
    Source: Fan et al. 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2020, arXiv:1904.09751.
    """
    falling_NU = -jnp.sort(-logprob_NU, axis=-1)
    p_NU = jnp.exp(falling_NU)
    rank_U = jnp.arange(logprob_NU.shape[-1])
    left_NU = (jnp.cumsum(p_NU, axis=-1) - p_NU < top_p) & ((top_k <= 0) | (rank_U < top_k))
    least_N1 = jnp.min(jnp.where(left_NU, falling_NU, jnp.inf), axis=-1, keepdims=True)
    return jax.nn.log_softmax(jnp.where(logprob_NU >= least_N1, logprob_NU, -jnp.inf))


class Samples(NamedTuple):
    """Sampled responses, attempts at the same prompt side by side."""

    token_NT: np.ndarray
    """int32 [N, T], right-padded."""
    logprob_NT: np.ndarray
    """float32 [N, T], in nats, of each token under the distribution it was drawn from; 0 beyond
    the length."""
    length_N: np.ndarray
    """int32 [N], tokens with `<end>`."""
    ended_N: np.ndarray
    """bool [N], False where the response was cut at `max_tokens`."""

    @property
    def surprisal_N(self) -> np.ndarray:
        """float [N], -log P of each response when it was drawn, in nats."""
        return -self.logprob_NT.sum(axis=1)

    def response(self, row: int) -> list[int]:
        """Token ids of one row, `<end>` included."""
        return self.token_NT[row, : self.length_N[row]].tolist()


Hear = Callable[[int, list[int], bool], None]
"""Is told of a row: its number, its response, and whether that ended."""


_rehearsed: set[Hashable] = set()
"""What decoding was compiled for at once, see `sample`."""


class _Rows(NamedTuple):
    """What decoding carries from token to token, one leading row axis throughout."""

    token_N: jax.Array
    """int32 [N], the token to feed next."""
    cache: tuple[KeyValues, ...]
    prompt_length_N: jax.Array
    """int32 [N], prompt tokens in the cache: all but the last one, which is fed first."""
    key_N: jax.Array
    done_N: jax.Array


@partial(jax.jit, static_argnames=("attempts", "slots"))
def _prefill(
    network: Network,
    prompt_PT: jax.Array,
    prompt_length_P: jax.Array,
    key_N: jax.Array,
    done_N: jax.Array,
    *,
    attempts: int,
    slots: int,
) -> _Rows:
    """Fill the cache with each prompt, all but its last token, once; copy it to its attempts."""
    model = network.model()
    length = prompt_PT.shape[1]
    position_PT = jnp.broadcast_to(jnp.arange(length), prompt_PT.shape)
    _, cache = model(prompt_PT, position_PT, causal(length))
    repeat = partial(jnp.repeat, repeats=attempts, axis=0)
    last_P = jnp.take_along_axis(prompt_PT, prompt_length_P[:, None], axis=1)[:, 0]
    return _Rows(
        token_N=repeat(last_P),
        cache=jax.tree.map(repeat, _lengthened(cache, slots - length)),
        prompt_length_N=repeat(prompt_length_P),
        key_N=key_N,
        done_N=done_N,
    )


def room_for(tokens: int, max_tokens: int) -> int:
    """For how many tokens the cache has room when so many are to be in it.

    Whole chunks: all of `max_tokens`, or half of that, and so on. Attention reads the empty part
    too, and each size is compiled.
    """
    room = CHUNK * -(-max_tokens // CHUNK)
    half = CHUNK * -(-room // (2 * CHUNK))
    while room >= 2 * LEAST_ROOM and half >= tokens:
        room, half = half, CHUNK * -(-half // (2 * CHUNK))
    return room


def _lengthened(cache: tuple[KeyValues, ...], more: int) -> tuple[KeyValues, ...]:
    """The cache with room for more tokens."""
    slots, rest = (0, more), (0, 0)
    return tuple(
        KeyValues(
            jnp.pad(keys, (rest, rest, rest, slots)), jnp.pad(values, (rest, rest, slots, rest))
        )
        for keys, values in cache
    )


def noisy_tokens(each: int) -> int:
    """For how many tokens noise is made at a time, a divisor of CHUNK.

    Small batches gain by many: making noise takes the same small steps for any amount of it.

    Args:
        each: numbers that one token of all rows takes.
    """
    return next(n for n in (CHUNK, 16, 8, 4, 2, 1) if n * each <= MOST_NOISE or n == 1)


def _gumbel(key_N: jax.Array, token_A: jax.Array, numbers: int) -> jax.Array:
    """float [A, N, U]: the argmax of log-probabilities and this is a draw of each token."""
    key_AN = jax.vmap(jax.vmap(jax.random.fold_in, (0, None)), (None, 0))(key_N, token_A)
    return jax.vmap(jax.vmap(partial(jax.random.gumbel, shape=(numbers,))))(key_AN)


@partial(
    jax.jit,
    static_argnames=("prompt_slots", "end_ids", "truncate"),
    donate_argnames=("rows",),
)
def _decode_chunk(
    network: Network,
    rows: _Rows,
    drawn: jax.Array,
    sampling: Sampling,
    *,
    prompt_slots: int,
    end_ids: tuple[int, ...],
    truncate: bool,
) -> tuple[_Rows, jax.Array, jax.Array]:
    """Draw up to CHUNK tokens for every row that is not done; returns tokens and log-probs [N, C].

    `drawn` is the number of tokens already drawn, `prompt_slots` where drawn tokens start in the
    cache. Devices that hold all parameters stop each when their own rows are done.
    """

    def on_device(
        network: Network, rows: _Rows, drawn: jax.Array, sampling: Sampling
    ) -> tuple[_Rows, jax.Array, jax.Array]:
        model = network.model()
        slot_S = jnp.arange(rows.cache[0].values_NKSD.shape[2])
        in_prompt_NS = slot_S < rows.prompt_length_N[:, None]
        in_response_NS = rows.prompt_length_N[:, None] + slot_S - prompt_slots
        position_NS = jnp.where(slot_S < prompt_slots, slot_S, in_response_NS)
        position_NC = (rows.prompt_length_N + drawn)[:, None] + jnp.arange(CHUNK)
        turns = model.turns(position_NC)
        greedy = sampling.temperature <= 0.0
        scale = 1.0 / jnp.where(greedy, 1.0, sampling.temperature)

        ahead = noisy_tokens(rows.token_N.size * model.spoken)

        def noise(token: jax.Array) -> jax.Array:
            made_ANU = _gumbel(rows.key_N, token + jnp.arange(ahead), model.spoken)
            return jnp.where(greedy, 0.0, made_ANU)  # without noise the likeliest is taken

        def unfinished(carry: tuple) -> jax.Array:
            step, rows, *_ = carry
            return (step < CHUNK) & ~jnp.all(rows.done_N)

        def draw(carry: tuple) -> tuple:
            step, rows, noise_ANU, token_NC, logprob_NC = carry
            slot = prompt_slots + drawn + step
            in_response_S = (slot_S >= prompt_slots) & (slot_S <= slot)
            visible_NTS = (in_prompt_NS | in_response_S)[:, None]
            logits, cache = model(
                rows.token_N[:, None],
                jax.lax.dynamic_slice_in_dim(position_NC, step, 1, axis=1),
                visible_NTS,
                rows.cache,
                slot,
                position_NS,
                tuple(turn.token(step) for turn in turns),
            )
            logprob_NU = jax.nn.log_softmax(logits[:, 0] * scale)
            if truncate:
                logprob_NU = truncated(logprob_NU, sampling.top_k, sampling.top_p)
            noise_ANU = jax.lax.cond(step % ahead == 0, noise, lambda _: noise_ANU, drawn + step)
            next_N = jnp.argmax(logprob_NU + noise_ANU[step % ahead], axis=-1).astype(jnp.int32)
            next_N = jnp.where(rows.done_N, end_ids[0], next_N)
            chosen_N1 = jnp.take_along_axis(logprob_NU, next_N[:, None], axis=1)
            done_N = rows.done_N | jnp.isin(next_N, np.array(end_ids))
            return (
                step + 1,
                rows._replace(token_N=next_N, cache=cache, done_N=done_N),
                noise_ANU,
                jax.lax.dynamic_update_slice_in_dim(token_NC, next_N[:, None], step, axis=1),
                jax.lax.dynamic_update_slice_in_dim(logprob_NC, chosen_N1, step, axis=1),
            )

        blank_NC = jnp.full((rows.token_N.shape[0], CHUNK), end_ids[0], jnp.int32)
        start = (
            jnp.int32(0), rows, jnp.zeros((ahead, rows.token_N.size, model.spoken)),
            blank_NC, jnp.zeros(blank_NC.shape, jnp.float32),
        )  # fmt: skip
        _, rows, _, token_NC, logprob_NC = jax.lax.while_loop(unfinished, draw, start)
        return rows, token_NC, logprob_NC

    if not sharding.whole_parameters():  # devices need each other at every step
        return on_device(network, rows, drawn, sampling)
    by_row, copied = sharding.ROWS, sharding.COPIED
    return jax.shard_map(
        on_device,
        mesh=sharding.mesh(),
        in_specs=(copied, by_row, copied, copied),
        out_specs=by_row,
        check_vma=False,  # the loop's length differs between devices, on purpose
    )(network, rows, drawn, sampling)


@partial(jax.jit, static_argnames="more")
def _go_on(rows: _Rows, kept: tuple[jax.Array, jax.Array] | None, *, more: int) -> _Rows:
    """Drop rows, and make room for `more` tokens in the cache.

    `kept`, None for all: int [M], which of its own rows each device keeps, and bool [M], those of
    them that only fill up; they are marked as done.
    """

    def on_device(rows: _Rows, kept: tuple[jax.Array, jax.Array] | None) -> _Rows:
        if kept is not None:
            index_M, spare_M = kept
            rows = jax.tree.map(lambda x: x[index_M], rows)
            rows = rows._replace(done_N=rows.done_N | spare_M)
        return rows._replace(cache=_lengthened(rows.cache, more))

    by_row = sharding.ROWS  # rows stay on their device: nothing is sent
    return jax.shard_map(
        on_device, mesh=sharding.mesh(), in_specs=by_row, out_specs=by_row, check_vma=False
    )(rows, kept)


def smaller(row_count: int) -> list[int]:
    """To how many rows so many can be dropped: about a quarter, a sixteenth, and so on."""
    sizes = []
    while (left := sharding.rounded_rows(-(-row_count // 4), smallest=FEWEST_ROWS)) < row_count:
        sizes.append(row_count := left)
    return sizes


def _dropping(done_WN: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """What `_go_on` keeps of the rows of each device; None for all."""
    alive = [np.flatnonzero(~done_N) for done_N in done_WN]
    needed = sharding.row_ways() * max(own.size for own in alive)
    sizes = [size for size in smaller(done_WN.size) if size >= needed]
    if not sizes:
        return None
    each = sizes[-1] // sharding.row_ways()
    index_WM = np.stack(
        [np.resize(own, each) if own.size else np.zeros(each, int) for own in alive]
    )
    spare_WM = np.arange(each) >= np.array([[own.size] for own in alive])
    return index_WM, spare_WM


def sample(
    network: Network,
    prompts: Sequence[Sequence[int]],
    key_N: jax.Array,
    *,
    attempts: int,
    config: DecodeConfig,
    sampling: Sampling,
    end_ids: tuple[int, ...],
    hear: Hear | None = None,
    often: bool = False,
) -> Samples:
    """Draw `attempts` responses to each prompt.

    Args:
        network: the model; parameters where they belong (`sharding.place`).
        prompts: P sequences of token ids, at least 2 long.
        key_N: [P * attempts] keys, one a row; see `streams.row_keys`.
        attempts: responses to each prompt.
        config: limits; more rows than `config.rows` are drawn in several batches.
        sampling: what tokens are drawn from.
        end_ids: tokens that end a response.
        hear: told of each row as soon as it is done, while others are still being drawn: its
            number, its response, and whether that ended.
        often: more calls with prompts like these will come: all that they may need is compiled at
            once, however long the responses turn out to be.
    Raises:
        ValueError: `sampling` is out of range.
    Returns:
        N = P * attempts samples; row p * attempts + a is attempt a at prompt p.
    """
    sampling = sampling.checked()
    at_once = max(1, config.rows // attempts)
    width = padded_length(max(len(prompt) for prompt in prompts))
    parts = [
        _sample_batch(
            network,
            prompts[first : first + at_once],
            key_N[first * attempts : (first + at_once) * attempts],
            width, attempts, config.max_tokens, sampling, end_ids, hear, first * attempts, often,
        )
        for first in range(0, len(prompts), at_once)
    ]  # fmt: skip
    return Samples(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _sample_batch(
    network: Network,
    prompts: Sequence[Sequence[int]],
    key_N: jax.Array,
    prompt_slots: int,
    attempts: int,
    max_tokens: int,
    sampling: Sampling,
    end_ids: tuple[int, ...],
    hear: Hear | None,
    first_row: int,
    often: bool,
) -> Samples:
    row_count = len(prompts) * attempts
    # Dealt out to the devices in turn, so that each gets its share of what is real and of what is
    # easy; what is there to fill up has the last numbers.
    prompt_P = np.arange(sharding.rounded_rows(len(prompts)))
    prompt_P = prompt_P.reshape(-1, sharding.row_ways()).T.ravel()
    row_N = (prompt_P[:, None] * attempts + np.arange(attempts)).ravel()
    padded = [prompts[p if p < len(prompts) else 0] for p in prompt_P.tolist()]
    inputs = sharding.split_rows((
        pad(padded, prompt_slots, 0),
        np.array([len(prompt) - 1 for prompt in padded], np.int32),
        key_N[np.minimum(row_N, row_count - 1)],
        row_N >= row_count,
    ))  # fmt: skip
    prefill = partial(_prefill, attempts=attempts, slots=prompt_slots + room_for(CHUNK, max_tokens))
    shape = (
        network.graph, sharding.mesh(), row_N.size, prompt_slots, max_tokens, sampling.truncated,
        end_ids,
    )  # fmt: skip
    if often and shape not in _rehearsed:
        rows = jax.eval_shape(prefill, network, *inputs)
        _rehearse(network, rows, key_N[:1], prompt_slots, max_tokens, sampling, end_ids)
        _rehearsed.add(shape)
    rows = prefill(network, *inputs)

    token_NT = np.full((row_count, max_tokens), end_ids[0], np.int32)
    logprob_NT = np.zeros((row_count, max_tokens), np.float32)
    told_N = np.zeros(row_count, bool)
    for drawn in range(0, max_tokens, CHUNK):
        rows, token_NC, logprob_NC = _decode_chunk(
            network, rows, np.int32(drawn), sampling,
            prompt_slots=prompt_slots, end_ids=end_ids, truncate=sampling.truncated,
        )  # fmt: skip
        real = row_N < row_count
        stop = min(drawn + CHUNK, max_tokens)
        token_NT[row_N[real], drawn:stop] = np.asarray(token_NC)[real, : stop - drawn]
        logprob_NT[row_N[real], drawn:stop] = np.asarray(logprob_NC)[real, : stop - drawn]
        done_N = np.asarray(rows.done_N)
        last = done_N.all() or stop == max_tokens
        if hear:
            so_far = _finish(token_NT[:, :stop], logprob_NT[:, :stop], end_ids)
            over_N = so_far.ended_N | last
            for row in np.flatnonzero(over_N & ~told_N).tolist():
                hear(first_row + row, so_far.response(row), bool(so_far.ended_N[row]))
            told_N |= over_N
        if last:
            break
        more = room_for(stop + CHUNK, max_tokens) - room_for(stop, max_tokens)
        kept = _dropping(done_N.reshape(sharding.row_ways(), -1))
        if kept is not None:
            index_WM, spare_WM = kept
            own_WN = row_N.reshape(sharding.row_ways(), -1)
            row_N = np.take_along_axis(own_WN, index_WM, axis=1)
            row_N = np.where(spare_WM, row_count, row_N).ravel()
            kept = sharding.split_rows((index_WM.ravel(), spare_WM.ravel()))
        if kept is not None or more:
            rows = _go_on(rows, kept, more=more)
    return _finish(token_NT, logprob_NT, end_ids)


def _rehearse(
    network: Network,
    rows: _Rows,
    key_1: jax.Array,
    prompt_slots: int,
    max_tokens: int,
    sampling: Sampling,
    end_ids: tuple[int, ...],
) -> None:
    """Call `_decode_chunk` and `_go_on` in all shapes that rows like these can come to.

    None of these rows is alive, so nothing is drawn. `rows` holds shapes and types alone.
    """
    steps = {  # how the room for tokens changes from chunk to chunk
        (room_for(stop, max_tokens), room_for(stop + CHUNK, max_tokens))
        for stop in range(CHUNK, max_tokens, CHUNK)
    }
    rooms = sorted({room_for(CHUNK, max_tokens)} | {room for step in steps for room in step})

    def blank(size: int, room: int) -> _Rows:
        def zeros(leaf: jax.Array, axis: int | None = None) -> Any:
            shape = [size, *leaf.shape[1:]]
            if axis is not None:
                shape[axis] = prompt_slots + room
            return np.zeros(shape, leaf.dtype)

        return sharding.split_rows(_Rows(
            zeros(rows.token_N),
            tuple(KeyValues(zeros(keys, 3), zeros(values, 2)) for keys, values in rows.cache),
            zeros(rows.prompt_length_N), jnp.repeat(key_1, size), jnp.ones(size, bool),
        ))  # fmt: skip

    for size in (rows.done_N.size, *smaller(rows.done_N.size)):
        for room in rooms:
            over, *_ = _decode_chunk(
                network, blank(size, room), np.int32(0), sampling,
                prompt_slots=prompt_slots, end_ids=end_ids, truncate=sampling.truncated,
            )  # fmt: skip
            for more in (after - before for before, after in steps if before == room):
                if more:
                    _go_on(over, None, more=more)
                for left in smaller(size):
                    kept = sharding.split_rows((np.zeros(left, int), np.ones(left, bool)))
                    _go_on(over, kept, more=more)


def _finish(token_NT: np.ndarray, logprob_NT: np.ndarray, end_ids: tuple[int, ...]) -> Samples:
    is_end_NT = np.isin(token_NT, end_ids)
    ended_N = np.any(is_end_NT, axis=1)
    length_N = np.where(ended_N, is_end_NT.argmax(axis=1) + 1, token_NT.shape[1]).astype(np.int32)
    inside_NT = np.arange(token_NT.shape[1]) < length_N[:, None]
    return Samples(token_NT, np.where(inside_NT, logprob_NT, 0.0), length_N, ended_N)
