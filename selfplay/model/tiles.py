"""Tiles: a fixed number of rows that are decoded together, and the programs that decode them.

However many responses are wanted, decode.py has them drawn in tiles of one size, whose rows have
all come equally far. So there is one program for each room of the cache, and what it computes for a
row depends on that row alone: on CPU the same bits alone, among others, and after rows were moved
to another tile. Small tiles also stay in the processor's caches.

A tile on the device is its cache; the rest is a few numbers a row, which the host knows (`Places`).
Axes: P prompts, N rows of a tile, T tokens of a prompt, C tokens of a chunk, S cache slots, U
tokens that can be drawn.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from selfplay.model import sharding
from selfplay.model.attention import BLOCK, KeyValues
from selfplay.model.network import Network
from selfplay.model.sampling import Sampling, gumbel, likeliest, truncated
from selfplay.model.transformer import causal

CHUNK = 16
"""Tokens drawn between two looks at which rows have ended."""
LEAST_ROOM = 64
"""Tokens that the cache has room for from the start: a size more is compiled in a second."""
MOST_NOISE = 2**24
"""Random numbers that are made ahead; where a chunk needs more, for a large vocabulary, they are
made token by token."""

Cache = tuple[KeyValues, ...]
"""Keys and values of each layer."""


class Places(NamedTuple):
    """What the host knows of the rows of a tile."""

    token_N: np.ndarray
    """int32 [N], the token to feed next."""
    prompt_length_N: np.ndarray
    """int32 [N], prompt tokens in the cache: all but the last one, which is fed first."""
    key_N2: np.ndarray
    """uint32 [N, 2], data of the key that a row draws from."""
    done_N: np.ndarray
    """bool [N], True where nothing is to be drawn."""

    def packed(self) -> np.ndarray:
        """uint32 [N, 5], all of it: each array takes its time on the way to the devices."""
        columns = (self.token_N, self.prompt_length_N, self.key_N2, self.done_N)
        return np.column_stack(columns).astype(np.uint32)


def unpacked(place_N5: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """The fields of `Places.packed`."""
    number_N2 = place_N5[:, :2].astype(jnp.int32)
    return number_N2[:, 0], number_N2[:, 1], place_N5[:, 2:4], place_N5[:, 4] != 0


def rooms(max_tokens: int) -> list[int]:
    """For how many drawn tokens a cache has room, one size after the other as responses grow.

    Twice as many each time, until all of `max_tokens` fit, in whole blocks; no size that the last
    one hardly exceeds. Attention reads the empty part too, and each size is compiled.
    """
    whole, sizes, room = BLOCK * -(-max_tokens // BLOCK), [], LEAST_ROOM
    while 3 * room < 2 * whole:
        sizes.append(room)
        room *= 2
    return [*sizes, whole]


@jax.jit
def prefilled(network: Network, prompt_PT: jax.Array) -> Cache:
    """Keys and values of prompts, right-padded int [P, T]."""
    length = prompt_PT.shape[1]
    position_PT = jnp.broadcast_to(jnp.arange(length), prompt_PT.shape)
    _, seen = network.model()(prompt_PT, position_PT, causal(length))
    return sharding.constrain_cache(tuple(layer.in_blocks() for layer in seen))


@partial(jax.jit, static_argnames=("rows", "slots"))
def blank(like: Cache, *, rows: int, slots: int) -> Cache:
    """A tile of no rows, with the layers of another cache."""

    def zeros(leaf: jax.Array, length: int) -> jax.Array:
        return jnp.zeros((rows, leaf.shape[1], length, *leaf.shape[3:]), leaf.dtype)

    return sharding.constrain_cache(
        tuple(KeyValues(zeros(keys, slots // BLOCK), zeros(values, slots)) for keys, values in like)
    )


@partial(jax.jit, donate_argnames="cache")
def refilled(cache: Cache, source: Cache, index_N: jax.Array) -> Cache:
    """A tile with some of its rows replaced, in the slots that the source has.

    Args:
        cache: of the tile, used up.
        source: of prefilled prompts or of another tile.
        index_N: int [N], the row to take from the source's rows on the same device; below 0: none,
            the tile's own row stays.
    """

    def on_device(cache: Cache, source: Cache, index_N: jax.Array) -> Cache:
        def filled(own: jax.Array, other: jax.Array) -> jax.Array:
            start = jax.lax.slice(own, (0,) * own.ndim, (len(own), *other.shape[1:]))
            taken = jnp.expand_dims(index_N >= 0, range(1, own.ndim))
            start = jnp.where(taken, other[jnp.maximum(index_N, 0)], start)
            return jax.lax.dynamic_update_slice(own, start, (0,) * own.ndim)

        return jax.tree.map(filled, cache, source)

    # Rows and heads stay on their device: nothing is sent.
    heads = sharding.cache_spec(cache[0].values_NKSD.shape[1])
    return jax.shard_map(
        on_device, mesh=sharding.mesh(), in_specs=(heads, heads, sharding.ROWS), out_specs=heads,
        check_vma=False,
    )(cache, source, index_N)  # fmt: skip


@partial(jax.jit, static_argnames="more")
def lengthened(cache: Cache, *, more: int) -> Cache:
    """A tile with room for more tokens."""

    def longer(leaf: jax.Array, more: int) -> jax.Array:
        return jnp.pad(leaf, ((0, 0), (0, 0), (0, more), *((0, 0),) * (leaf.ndim - 3)))

    return sharding.constrain_cache(
        tuple(
            KeyValues(longer(keys, more // BLOCK), longer(values, more)) for keys, values in cache
        )
    )


@partial(jax.jit, static_argnames="numbers")
def noise(place_N5: jax.Array, drawn: jax.Array, *, numbers: int) -> jax.Array:
    """float [C, N, U], what makes draws of the next chunk of `Places`, see `sampling.gumbel`.

    A program of its own, since making random numbers takes nearly as long to compile as the rest.
    """

    def on_device(place_N5: jax.Array, drawn: jax.Array) -> jax.Array:
        _, _, key_N2, _ = unpacked(place_N5)
        return gumbel(jax.random.wrap_key_data(key_N2), drawn + jnp.arange(CHUNK), numbers)

    by_row = sharding.ROWS
    return jax.shard_map(
        on_device, mesh=sharding.mesh(), in_specs=(by_row, sharding.COPIED),
        out_specs=sharding.COLUMNS, check_vma=False,
    )(place_N5, drawn)  # fmt: skip


@partial(
    jax.jit,
    static_argnames=("prompt_slots", "end_ids", "truncate"),
    donate_argnames=("cache",),
)
def decoded(
    network: Network,
    cache: Cache,
    place_N5: jax.Array,
    drawn: jax.Array,
    noise_CNU: jax.Array | None,
    sampling: Sampling,
    *,
    prompt_slots: int,
    end_ids: tuple[int, ...],
    truncate: bool,
) -> tuple[Cache, jax.Array, jax.Array]:
    """Draw up to CHUNK tokens for every row that is not done.

    Devices that hold all parameters stop each when their own rows are done.

    Args:
        network: the model.
        cache: of the tile, used up.
        place_N5: its rows, `Places.packed`.
        drawn: int, how many tokens each of them has drawn already.
        noise_CNU: float [C, N, U], of `noise`; None: made here.
        sampling: what tokens are drawn from.
        prompt_slots: where drawn tokens start in the cache.
        end_ids: tokens that end a response.
        truncate: whether `sampling` is truncated.
    Returns:
        the cache; tokens int [N, C] and their log-probabilities [N, C], arbitrary after an end.
    """

    def on_device(
        network: Network,
        cache: Cache,
        place_N5: jax.Array,
        drawn: jax.Array,
        noise_CNU: jax.Array | None,
        sampling: Sampling,
    ) -> tuple[Cache, jax.Array, jax.Array]:
        model = network.model()
        token_N, length_N, key_N2, done_N = unpacked(place_N5)
        N, S = token_N.size, cache[0].values_NKSD.shape[2]
        key_N, slot_S = jax.random.wrap_key_data(key_N2), jnp.arange(S)
        length_N1 = length_N[:, None]
        in_prompt_NS = slot_S < length_N1
        position_NS = jnp.where(slot_S < prompt_slots, slot_S, length_N1 + slot_S - prompt_slots)
        position_NC = length_N1 + drawn + jnp.arange(CHUNK)
        turns = model.turns(position_NC)
        greedy = sampling.temperature <= 0.0
        scale = 1.0 / jnp.where(greedy, 1.0, sampling.temperature)

        def noise_of(step: jax.Array) -> jax.Array:
            if noise_CNU is None:
                return gumbel(key_N, drawn + step[None], model.spoken)[0]
            return noise_CNU[step]

        def unfinished(carry: tuple) -> jax.Array:
            step, _, _, done_N, *_ = carry
            return (step < CHUNK) & ~jnp.all(done_N)

        def draw(carry: tuple) -> tuple:
            step, token_N, cache, done_N, token_NC, logprob_NC = carry
            slot = prompt_slots + drawn + step
            in_response_S = (slot_S >= prompt_slots) & (slot_S <= slot)
            visible_NTS = (in_prompt_NS | in_response_S)[:, None]
            logits, cache = model(
                token_N[:, None],
                jax.lax.dynamic_slice_in_dim(position_NC, step, 1, axis=1),
                visible_NTS,
                cache,
                slot,
                position_NS,
                tuple(turn.token(step) for turn in turns),
            )
            logprob_NU = jax.nn.log_softmax(logits[:, 0] * scale)
            if truncate:
                logprob_NU = truncated(logprob_NU, sampling.top_k, sampling.top_p)
            noise_NU = jnp.where(greedy, 0.0, noise_of(step))  # then the likeliest is taken
            next_N = likeliest(logprob_NU + noise_NU)
            next_N = jnp.where(done_N, end_ids[0], next_N)
            chosen_N1 = jnp.take_along_axis(logprob_NU, next_N[:, None], axis=1)
            return (
                step + 1,
                next_N,
                cache,
                done_N | jnp.isin(next_N, np.array(end_ids)),
                jax.lax.dynamic_update_slice_in_dim(token_NC, next_N[:, None], step, axis=1),
                jax.lax.dynamic_update_slice_in_dim(logprob_NC, chosen_N1, step, axis=1),
            )

        start = (
            jnp.int32(0), token_N, cache, done_N,
            jnp.full((N, CHUNK), end_ids[0], jnp.int32), jnp.zeros((N, CHUNK), jnp.float32),
        )  # fmt: skip
        _, _, cache, _, token_NC, logprob_NC = jax.lax.while_loop(unfinished, draw, start)
        return cache, token_NC, logprob_NC

    if not sharding.whole_parameters():  # devices need each other at every step
        cache, *made = on_device(network, cache, place_N5, drawn, noise_CNU, sampling)
        token_NC, logprob_NC = map(sharding.constrain_rows, made)
        return sharding.constrain_cache(cache), token_NC, logprob_NC
    by_row, copied = sharding.ROWS, sharding.COPIED
    return jax.shard_map(
        on_device,
        mesh=sharding.mesh(),
        in_specs=(copied, by_row, by_row, copied, sharding.COLUMNS, copied),
        out_specs=by_row,
        check_vma=False,  # the loop's length differs between devices, on purpose
    )(network, cache, place_N5, drawn, noise_CNU, sampling)
