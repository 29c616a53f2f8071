"""Packing: every token once, no row too long, no sequence that sees another."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.learning import loss
from selfplay.learning.batch import Example, arrays, micro_batches, pack

ROW = 24
IDS = st.integers(1, 99)


PROMPTS = st.lists(IDS, min_size=1, max_size=ROW // 2)


@st.composite
def some_examples(draw):
    """Several responses to each of few prompts, in any order."""
    prompts = draw(st.lists(PROMPTS, min_size=1, max_size=5))
    return draw(st.lists(example(st.sampled_from(prompts)), min_size=1, max_size=20))


@st.composite
def example(draw, prompts):
    response = draw(st.lists(IDS, min_size=1, max_size=ROW // 2))
    logprobs = draw(st.sampled_from([None, [-0.25 * (i + 1) for i in range(len(response))]]))
    return Example(draw(prompts), response, draw(st.sampled_from([1.0, -0.5, 2.0])), logprobs)


def distinct(lengths):
    """Sequences of these lengths, to a prompt each of its own."""
    return [Example([at] * (length - 1), [2]) for at, length in enumerate(lengths)]


def unpacked(packed):
    """The examples that arrays hold, read back from their segments."""
    found = []
    for r in range(packed.token_RT.shape[0]):
        segment, learn = packed.segment_RT[r], packed.learn_RT[r]
        for own_id in np.unique(segment[learn]):
            own = segment == own_id
            first = own.argmax()
            assert np.flatnonzero(own).tolist() == list(range(first, first + own.sum()))
            assert learn[own].tolist() == [False] + [True] * (own.sum() - 1)
            (prompt_id,) = np.unique(packed.prompt_RT[r][own])
            shared = segment == prompt_id
            assert (packed.prompt_RT[r][shared] == prompt_id).all()
            assert (np.flatnonzero(shared) < first).all()
            seen = shared | own
            assert packed.position_RT[r][seen].tolist() == list(range(seen.sum()))
            found.append((
                [*packed.token_RT[r][shared].tolist(), int(packed.token_RT[r][first])],
                packed.token_RT[r][own & learn].tolist(),
                packed.weight_RT[r][own & learn].tolist(),
                packed.logprob_RT[r][own & learn].tolist(),
            ))  # fmt: skip
        assert (packed.weight_RT[r][~learn] == 0).all()
        assert not learn[segment == 0].any()
        assert not packed.prompt_RT[r][segment == 0].any()
    return found


def flat(examples):
    return [
        (list(e.prompt), list(e.response), [e.weight] * len(e.response),
         list(e.logprobs or [0.0] * len(e.response)))
        for e in examples
    ]  # fmt: skip


@given(
    examples=some_examples(), tokens=st.integers(1, 100),
    lengths=st.sampled_from([(ROW,), (8, ROW), (6, 12, ROW)]), multiple=st.integers(1, 3),
)  # fmt: skip
def test_packing_keeps_every_token_once(examples, tokens, lengths, multiple):
    batches = list(micro_batches(examples, lengths, tokens, multiple))
    for rows, length in (batch.token_RT.shape for batch in batches):
        assert length in lengths
        assert rows % multiple == 0
        assert rows == multiple or rows * length <= tokens
    found = [item for batch in batches for item in unpacked(batch)]
    assert sorted(found) == sorted(flat(examples))


@given(examples=some_examples())
def test_rows_are_not_too_long_and_at_most_one_is_half_empty(examples):
    rows = pack(examples, ROW)
    lengths = (arrays(rows, ROW, len(rows)).segment_RT > 0).sum(axis=1)
    assert (2 * lengths <= ROW).sum() <= 1


def test_best_fit_by_hand():
    """6, 5, 4, 3, 2 in rows of 10: 4 goes beside 6 and fills it, 3 and 2 beside 5."""
    rows = pack(distinct((2, 3, 4, 5, 6)), 10)
    assert [[len(e.prompt) + 1 for e in row] for row in rows] == [[6, 4], [5, 3, 2]]


def test_a_prompt_is_shared_by_hand():
    """Responses of 3, 2, 2, 1 to a prompt of 4, whose last token each begins with: 3 + 4 + 3 in the
    first row of 10, 3 + 3 + 2 in the second; that of the other prompt fits there no more."""
    examples = [Example([5, 6, 7, 8], [9] * length) for length in (1, 2, 3, 2)]
    rows = pack([Example([3, 4], [1]), *examples], 10)
    packed = arrays(rows, 10, 3)
    assert packed.token_RT.tolist() == [
        [5, 6, 7, 8, 9, 9, 9, 8, 9, 9],
        [5, 6, 7, 8, 9, 9, 8, 9, 0, 0],
        [3, 4, 1, 0, 0, 0, 0, 0, 0, 0],
    ]
    assert packed.position_RT[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 3, 4, 5]
    assert packed.segment_RT[1].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 0, 0]
    assert packed.prompt_RT[1].tolist() == [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    assert packed.segment_RT[2].tolist() == [1, 2, 2, 0, 0, 0, 0, 0, 0, 0]


def test_each_example_goes_to_the_shortest_kind_of_row_by_hand():
    """Lengths 3, 8, 9: the first two fit rows of 8, two of them; the last takes one of 16."""
    batches = micro_batches(distinct((9, 3, 8)), (8, 16), tokens=17, row_multiple=1)
    assert [(b.token_RT.shape, b.learn_RT.sum()) for b in batches] == [((2, 8), 2), ((1, 16), 1)]


def test_what_is_left_over_goes_to_longer_rows_by_hand():
    """Three of 6 in whole batches of two rows of 8; the third beside the one of 9, which has room
    for it, because a batch of its own would be empty but for it."""
    batches = micro_batches(distinct((6, 6, 6, 9)), (8, 16), tokens=16, row_multiple=1)
    assert [(b.token_RT.shape, b.learn_RT.sum()) for b in batches] == [((2, 8), 2), ((1, 16), 2)]


@pytest.mark.parametrize("attempts", [1, 8])
def test_a_generation_s_examples_leave_little_empty(attempts):
    """Under a tenth, for lengths as the quickstart has them."""
    rng = np.random.default_rng(0)
    laid_out, used = 0, 0
    for _ in range(10):
        lengths = np.clip(rng.lognormal(3.0, 0.5, 800).astype(int), 6, 180)
        examples = [
            Example([at // attempts] * 16, [2] * length)
            for at, length in enumerate(lengths.tolist())
        ]
        batches = list(micro_batches(examples, (96, 256), tokens=3072, row_multiple=2))
        laid_out += sum(batch.token_RT.size for batch in batches)
        used += sum(int((batch.segment_RT > 0).sum()) for batch in batches)
        assert len({batch.token_RT.shape for batch in batches}) <= 4
    assert used > 0.9 * laid_out


def test_no_sequence_sees_its_neighbours_and_shared_prompts_change_nothing(network):
    """Log-probabilities and gradients of rows in which every sequence is alone."""
    rng = np.random.default_rng(0)
    prompts = {length: rng.integers(1, 99, length).tolist() for length in (1, 3, 5, 7)}
    examples = [
        Example(prompts[prompt], rng.integers(1, 99, response).tolist(), float(rng.normal()))
        for prompt, response in ((5, 9), (3, 4), (7, 6), (5, 3), (1, 4), (5, 6), (1, 2), (3, 5))
    ]
    rows = pack(examples, 32)
    assert len(rows) < len(examples) / 2
    together = arrays(rows, 32, 8)
    apart = arrays([[example] for row in rows for example in row], 32, 8)
    assert (together.segment_RT > 0).sum() < (apart.segment_RT > 0).sum()

    def learnt(packed):
        def value(params):
            logprob_RT = loss.token_logprobs(network.with_params(params), packed, 1.0)
            return loss.imitation(logprob_RT, packed), logprob_RT

        (_, logprob_RT), gradient = jax.value_and_grad(value, has_aux=True)(network.params)
        return np.asarray(logprob_RT)[packed.learn_RT], gradient

    (both, gradient), (alone, expected) = learnt(together), learnt(apart)
    assert np.allclose(both, alone, atol=1e-5)
    assert both.size == sum(len(example.response) for example in examples)
    for ours, theirs in zip(jax.tree.leaves(gradient), jax.tree.leaves(expected), strict=True):
        assert np.allclose(ours, theirs, atol=1e-4)


def test_an_example_that_does_not_fit_is_an_error():
    with pytest.raises(
        ValueError, match=r"25 tokens does not fit a row of 24; raise the last of update"
    ):
        pack([Example([1] * 20, [2] * 5)], ROW)
