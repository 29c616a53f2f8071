"""Sampling: a sample is its own affair; what was drawn is what training computes."""

import jax
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay import streams
from selfplay.learning import loss
from selfplay.learning.batch import Example, arrays
from selfplay.model import decode, tiles, tokens
from selfplay.model.sampling import DecodeConfig, Samples, Sampling, likeliest, truncated
from selfplay.model.tiles import CHUNK
from selfplay.model.transformer import causal
from selfplay.problem import Problem

TEXTS = ("1+1", "(1+2)*(3+4)", "2+3*4", "98-7*6", "5*5")
ATTEMPTS = 3
LIMIT = 70
"""Tokens; no multiple of CHUNK."""


def asked(text):
    return Problem("arithmetic", 0, text, "", "")


@pytest.fixture(scope="module")
def brief(network, tokenizer):
    """The tiny network with a longer `<end>` embedding: some responses end early, some never."""
    model = network.with_params(jax.tree.map(jax.numpy.copy, network.params)).model()
    longer = model.embedding_VW[...].at[tokenizer.end_ids[0]].multiply(2.2)
    model.embedding_VW[...] = longer
    return network.with_params(nnx.split(model)[1])


@pytest.fixture(scope="module")
def prompts(tokenizer):
    return [tokenizer.solver_prompt(asked(text)) for text in TEXTS]


@pytest.fixture(scope="module")
def key_N2():
    return streams.row_keys(0, 3, "test", len(TEXTS) * ATTEMPTS)


@pytest.fixture(scope="module")
def draw(brief, tokenizer):
    def draw(prompts, key_N2, attempts=ATTEMPTS, limit=LIMIT, rows=16, tiles=12, **sampling):
        return decode.sample(
            brief, prompts, key_N2, attempts=attempts,
            config=DecodeConfig(limit, rows, tiles), sampling=Sampling(**sampling),
            end_ids=tokenizer.end_ids,
        )  # fmt: skip

    return draw


@pytest.fixture(scope="module")
def samples(draw, prompts, key_N2):
    """15 rows, no power of two, some of them ended."""
    return draw(prompts, key_N2)


def assert_same(one, other):
    """Bit for bit."""
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def assert_close(one, other):
    """The same tokens; log-probabilities differ by what other shapes round otherwise."""
    assert np.array_equal(one.token_NT, other.token_NT)
    assert np.array_equal(one.length_N, other.length_N)
    assert np.array_equal(one.ended_N, other.ended_N)
    assert np.allclose(one.logprob_NT, other.logprob_NT, atol=1e-5)


def rows_of(samples, rows):
    return Samples(*(part[rows] for part in samples))


def examples_of(samples, prompts, attempts):
    return [
        Example(
            prompts[row // attempts], samples.response(row),
            logprobs=samples.logprob_NT[row, : samples.length_N[row]].tolist(),
        )
        for row in range(len(samples.length_N))
    ]  # fmt: skip


def test_lengths_ends_and_blanks(samples, tokenizer):
    assert samples.token_NT.shape == (15, LIMIT)
    assert set(samples.ended_N.tolist()) == {True, False}
    for row in range(15):
        response = samples.response(row)
        assert tokenizer.end_ids[0] not in response[:-1]
        assert (response[-1] in tokenizer.end_ids) == samples.ended_N[row]
        assert samples.ended_N[row] or len(response) == LIMIT
        assert (samples.logprob_NT[row, : len(response)] < 0).all()
        assert (samples.logprob_NT[row, len(response) :] == 0).all()


def test_the_same_calls_give_the_same_bits(draw, prompts, key_N2, samples):
    assert_same(draw(prompts, key_N2), samples)


@pytest.mark.parametrize("row", range(0, 15, 4))
def test_alone_as_among_others(draw, prompts, key_N2, samples, row):
    alone = draw([prompts[row // ATTEMPTS]], key_N2[row : row + 1], attempts=1)
    assert_same(alone, rows_of(samples, slice(row, row + 1)))


def test_in_another_place_as_here(draw, prompts, key_N2, samples):
    """Other prompts before, so that each sits elsewhere, some of them on another device."""
    order = np.array([4, 2, 0, 3, 1])
    row_N = (order[:, None] * ATTEMPTS + np.arange(ATTEMPTS)).ravel()
    moved = draw([prompts[p] for p in order], key_N2[row_N])
    assert_same(moved, rows_of(samples, row_N))


@pytest.mark.parametrize("at_once", [1, 2, 12])
def test_after_a_refill_as_before(draw, prompts, key_N2, monkeypatch, at_once):
    """Many more attempts than places: free ones are taken by rows of other tiles."""
    count, moved = 40, []
    keys = streams.row_keys(1, 3, "many", len(prompts) * count)
    take_from = decode._Tile.take_from

    def spy(self, other):
        before = other.occupied
        take_from(self, other)
        moved.append((self.drawn, before - other.occupied))

    monkeypatch.setattr(decode._Tile, "take_from", spy)
    many = draw(prompts, keys, attempts=count, tiles=at_once)
    if at_once > 2:
        assert len({drawn for drawn, rows in moved if rows}) > 2, moved
    for row in range(0, len(keys), 7):
        alone = draw([prompts[row // count]], keys[row : row + 1], attempts=1)
        assert_same(alone, rows_of(many, slice(row, row + 1)))


def test_other_tiles_give_the_same_tokens(draw, prompts, key_N2, samples):
    assert_close(draw(prompts, key_N2, rows=64), samples)


def test_noise_made_ahead_is_that_made_token_by_token(draw, prompts, key_N2, samples, monkeypatch):
    monkeypatch.setattr(tiles, "MOST_NOISE", 0)
    assert_close(draw(prompts, key_N2), samples)


def test_few_tiles_are_in_memory_at_once(draw, prompts, monkeypatch):
    """As many as the configuration says, the one at work among them."""
    here, most, at_work = [], [], []
    start, finish = decode._Tiling._start, decode._Tiling._finish

    def spy_start(self, tile):
        at_work.append(tile)
        here.append(len(at_work) + sum(map(len, self._ready.values())))
        return start(self, tile)

    def spy_finish(self, tile, *drawn):
        finish(self, tile, *drawn)
        at_work.remove(tile)

    monkeypatch.setattr(decode._Tiling, "_start", spy_start)
    monkeypatch.setattr(decode._Tiling, "_finish", spy_finish)
    keys = streams.row_keys(1, 3, "many", len(prompts) * 20)
    for at_once in (1, 3, 100):
        here.clear()
        draw(prompts, keys, attempts=20, tiles=at_once)
        most.append(max(here))
    assert most[0] == 1 and most[1] == 3 and most[2] > 3, most


@pytest.mark.parametrize(
    ("most", "rooms"),
    [
        (20, [32]), (64, [64]), (96, [96]), (120, [64, 128]), (160, [64, 160]),
        (300, [64, 128, 320]), (512, [64, 128, 256, 512]),
    ],
)  # fmt: skip
def test_the_cache_grows_to_twice_its_room(most, rooms):
    assert tiles.rooms(most) == rooms


def test_prompts_and_rooms_are_whole_blocks_of_keys():
    assert tokens.SHORTEST % tiles.BLOCK == 0
    assert all(room % tiles.BLOCK == 0 for most in range(1, 700) for room in tiles.rooms(most))


def test_rows_move_to_free_places_of_their_own_device():
    """Three of four rows fit on the first device, one of one on the second."""
    into_WN = np.array([[7, -1, -1, -1], [-1, 5, 6, -1]])
    source_WN = np.array([[1, 2, 3, 4], [-1, -1, 9, -1]])
    index_WN = decode._moves(into_WN, source_WN)
    assert index_WN.tolist() == [[-1, 0, 1, 2], [2, -1, -1, -1]]


def test_places_arrive_as_they_were():
    """Keys of all 32 bits too."""
    places = tiles.Places(
        np.array([7, 0], np.int32), np.array([3, 40], np.int32),
        np.array([[2**32 - 1, 5], [0, 2**31]], np.uint32), np.array([False, True]),
    )  # fmt: skip
    for there, here in zip(tiles.unpacked(places.packed()), places, strict=True):
        assert there.dtype == here.dtype and np.array_equal(there, here)


def test_neighbours_with_longer_prompts_change_nothing(draw, tokenizer, prompts, key_N2, samples):
    long = tokenizer.solver_prompt(asked("1+2" + "+3" * 20))
    assert len(long) > 32 >= max(map(len, prompts))
    beside = draw([*prompts[:4], long], key_N2)
    assert_same(rows_of(beside, slice(0, 12)), rows_of(samples, slice(0, 12)))


def test_a_cut_response_is_the_beginning_of_the_whole(draw, prompts, key_N2, samples):
    cut = draw(prompts, key_N2, limit=CHUNK + 3)
    assert np.array_equal(cut.length_N, np.minimum(samples.length_N, CHUNK + 3))
    assert np.array_equal(cut.token_NT, samples.token_NT[:, : CHUNK + 3])
    assert np.array_equal(cut.ended_N, samples.ended_N & (samples.length_N <= CHUNK + 3))
    assert not cut.ended_N.all()


def test_every_attempt_draws_from_its_own_key(draw, prompts, key_N2, samples):
    groups = samples.token_NT.reshape(len(prompts), ATTEMPTS, LIMIT)
    assert all(len(np.unique(group, axis=0)) == ATTEMPTS for group in groups)
    same = draw(prompts, np.repeat(key_N2[::ATTEMPTS], ATTEMPTS, axis=0))
    groups = same.token_NT.reshape(len(prompts), ATTEMPTS, LIMIT)
    assert all(len(np.unique(group, axis=0)) == 1 for group in groups)


def test_first_tokens_are_drawn_with_their_probabilities(draw, brief, prompts):
    """400 first tokens of one prompt: the 4 likeliest occur as often as the network says."""
    count = 400
    many = draw(prompts[:1], streams.row_keys(5, 1, "many", count), attempts=count, limit=1)
    logits, _ = brief.model()(
        np.array(prompts[:1]), np.arange(len(prompts[0]))[None], causal(len(prompts[0]))
    )
    probability_V = np.asarray(jax.nn.softmax(logits[0, -1]))
    for token in np.argsort(probability_V)[-4:]:
        p = probability_V[token]
        seen = (many.token_NT[:, 0] == token).mean()
        assert abs(seen - p) < 4 * np.sqrt(p * (1 - p) / count)


def test_greedy_is_the_argmax_of_the_whole_forward_pass(draw, brief, prompts, key_N2, tokenizer):
    greedy = draw(prompts, key_N2, temperature=0.0)
    length = 64

    @jax.jit
    def last_logits(token_1T, last):
        logits, _ = brief.model()(token_1T, np.arange(length)[None], causal(length))
        return logits[0, last]

    for p, prompt in enumerate(prompts):
        sequence = list(prompt)
        for _ in range(min(CHUNK + 6, int(greedy.length_N[p * ATTEMPTS]))):
            padded = np.array([sequence + [0] * (length - len(sequence))])
            sequence.append(int(last_logits(padded, len(sequence) - 1).argmax()))
        drawn = sequence[len(prompt) :]
        for attempt in range(ATTEMPTS):
            assert greedy.response(p * ATTEMPTS + attempt)[: len(drawn)] == drawn


@pytest.mark.parametrize("temperature", [1.0, 0.6, 1.7])
def test_sampling_and_training_agree(draw, brief, prompts, key_N2, temperature):
    """So the importance ratio of the first optimiser step is 1."""
    drawn = draw(prompts, key_N2, temperature=temperature)
    rows = [[example] for example in examples_of(drawn, prompts, ATTEMPTS)]
    packed = arrays(rows, 96, 16)
    logprob_RT = loss.token_logprobs(brief, packed, temperature)
    assert np.allclose(logprob_RT, packed.logprob_RT, atol=1e-4)
    assert packed.learn_RT.sum() == drawn.length_N.sum()


def test_another_temperature_is_not_compiled_anew(draw, prompts, key_N2, samples):
    for _ in range(2):  # the second call with the same arguments makes an entry of its own
        draw(prompts, key_N2)
    compiled = tiles.decoded._cache_size()
    results = [draw(prompts, key_N2, temperature=t) for t in (0.0, 0.31, 0.97, 1.0)]
    assert tiles.decoded._cache_size() == compiled
    assert not np.array_equal(results[1].token_NT, results[2].token_NT)
    assert_same(results[3], samples)


@pytest.mark.parametrize("sizes", [{"max_tokens": 0}, {"rows": 0}, {"tiles": 0}])
def test_limits_out_of_range(sizes):
    with pytest.raises(ValueError, match=r"decode\.max_tokens=.*decode\.rows=.*at least 1"):
        DecodeConfig(**sizes)


def test_surprisal_is_the_sum_over_the_tokens_drawn():
    samples = Samples(
        token_NT=np.ones((2, 3), np.int32),
        logprob_NT=np.array([[-1.0, -0.5, 0.0], [-2.0, -2.0, -0.5]], np.float32),
        length_N=np.array([2, 3]),
        ended_N=np.array([True, False]),
    )
    assert samples.surprisal_N.tolist() == [1.5, 4.5]


def test_any_of_several_tokens_ends_a_response(brief, tokenizer, prompts, key_N2, samples):
    """The same draws, cut at the first token that ends them."""
    ends = (tokenizer.end_ids[0], *tokenizer.encode("a7"))
    cut = decode.sample(
        brief, prompts, key_N2, attempts=ATTEMPTS, config=DecodeConfig(LIMIT, rows=16),
        sampling=Sampling(), end_ids=ends,
    )  # fmt: skip
    for row in range(len(key_N2)):
        long, short = samples.response(row), cut.response(row)
        first = next((t for t, token in enumerate(long) if token in ends), len(long) - 1)
        assert short == long[: first + 1]
    assert cut.ended_N.sum() > samples.ended_N.sum()


def test_rows_are_finished_once_and_as_soon_as_they_are_done(brief, tokenizer, prompts, key_N2):
    """In one tile: what ended in an earlier chunk is finished before what took the next one."""
    finished = []
    drawn = decode.sample(
        brief, prompts, key_N2, attempts=ATTEMPTS, config=DecodeConfig(LIMIT, rows=32),
        sampling=Sampling(), end_ids=tokenizer.end_ids,
        on_finished=lambda *row: finished.append(row),
    )  # fmt: skip
    assert sorted(finished) == [
        (row, drawn.response(row), bool(drawn.ended_N[row])) for row in range(len(key_N2))
    ]
    assert [row for row, *_ in finished] != sorted(row for row, *_ in finished)
    chunks = [(len(response) - 1) // CHUNK for _, response, _ in finished]
    assert chunks == sorted(chunks) and len(set(chunks)) > 1


@given(
    st.lists(
        st.lists(st.sampled_from([-np.inf, -2.5, -1.0, 0.0, 1.0]), min_size=5, max_size=5),
        min_size=1, max_size=4,
    )
)  # fmt: skip
@settings(deadline=None)  # each number of rows is compiled
def test_the_likeliest_is_the_first_with_the_greatest_score(score_NU):
    scores = np.array(score_NU, np.float32)
    assert np.array_equal(likeliest(jax.numpy.asarray(scores)), scores.argmax(axis=1))


def test_a_broken_model_still_gives_a_token():
    assert int(likeliest(jax.numpy.full((1, 7), np.nan))[0]) in range(7)


def test_truncation_by_hand():
    """Of 1/2, 1/4, 1/8 and 1/8 the best two are left, or what 0.8 takes: 2/3 and 1/3; 4/8, 2/8
    and both eighths, which are equally likely."""
    whole = np.log([[0.125, 0.5, 0.125, 0.25]])
    two = np.exp(truncated(whole, 2, 1.0))
    assert np.allclose(two, [[0, 2 / 3, 0, 1 / 3]])
    assert np.allclose(np.exp(truncated(whole, 0, 0.75)), two)
    assert np.allclose(np.exp(truncated(whole, 0, 0.8)), np.exp(whole))
    assert np.allclose(np.exp(truncated(whole, 1, 0.9)), [[0, 1, 0, 0]])
    rare = jax.nn.log_softmax(np.array([[0.0, -20.0, -21.0, -30.0]]))
    assert np.isfinite(truncated(rare, 3, 1.0)).tolist() == [[True, True, True, False]]
    # The best is 2/3 of the best two, though 1/2 of all.
    assert np.allclose(np.exp(truncated(whole, 2, 0.6)), [[0, 1, 0, 0]])
    assert np.allclose(np.exp(truncated(whole, 2, 0.7)), two)
    assert np.allclose(np.exp(truncated(whole, 0, 1e-6)), [[0, 1, 0, 0]])
    assert np.allclose(truncated(whole, 0, 1.0), whole)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-8, 8), min_size=2, max_size=12), st.integers(0, 12), st.floats(0.05, 1.0)
)
def test_truncation_keeps_the_likeliest_and_their_ratios(logits, top_k, top_p):
    whole = np.asarray(jax.nn.log_softmax(np.float32(logits)))[None]
    left = np.asarray(truncated(whole, top_k, top_p))
    there = np.isfinite(left)
    assert np.exp(left).sum() == pytest.approx(1.0, abs=1e-5)
    assert there[0, whole[0].argmax()]
    assert whole[there].min() >= whole[~there].max(initial=-np.inf)
    assert np.allclose(left[there] - whole[there], (left - whole)[there][0], atol=1e-4)
    falling = np.sort(np.exp(whole[0]))[::-1]
    wanted = top_p * falling[: top_k or None].sum()
    assert np.exp(whole[there]).sum() >= wanted - 1e-5


def test_log_probabilities_are_those_of_the_truncated_distribution(draw, brief, prompts, key_N2):
    drawn = draw(prompts, key_N2, temperature=0.8, top_k=5, top_p=0.9)
    model = brief.model()
    for example in examples_of(drawn, prompts, ATTEMPTS)[::4]:
        token_1T = np.array([[*example.prompt, *example.response]])
        length = token_1T.shape[1]
        logits, _ = model(token_1T, np.arange(length)[None], causal(length))
        whole_TU = jax.nn.log_softmax(logits[0, len(example.prompt) - 1 : -1] / 0.8)
        left_TU = np.asarray(truncated(whole_TU, 5, 0.9))
        found = np.take_along_axis(left_TU, np.array(example.response)[:, None], axis=1)[:, 0]
        assert np.allclose(found, example.logprobs, atol=2e-4)


@pytest.mark.parametrize("temperature", [1e-6, 1e-9, 1e-30])
def test_hardly_any_temperature_takes_the_likeliest(draw, prompts, key_N2, temperature):
    greedy, drawn = (draw(prompts, key_N2, temperature=t) for t in (0.0, temperature))
    assert np.array_equal(greedy.token_NT, drawn.token_NT)
    assert np.isfinite(drawn.logprob_NT).all()


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1.0}, {"top_k": -1}, {"top_k": 10**12}, {"top_p": 0.0}]
)
def test_sampling_out_of_range(draw, prompts, key_N2, wrong):
    with pytest.raises(ValueError, match="must be at least 0"):
        draw(prompts, key_N2, **wrong)
