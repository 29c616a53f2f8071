"""Packing: every token once, no row too long, no sequence that sees another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.learning import loss
from selfplay.learning.batch import Example, arrays, micro_batches, pack

ROW = 24
IDS = st.integers(1, 99)


@st.composite
def example(draw):
    response = draw(st.lists(IDS, min_size=1, max_size=ROW // 2))
    logprobs = draw(st.sampled_from([None, [-0.25 * (i + 1) for i in range(len(response))]]))
    prompt = draw(st.lists(IDS, min_size=1, max_size=ROW // 2))
    return Example(prompt, response, draw(st.sampled_from([1.0, -0.5, 2.0])), logprobs)


def unpacked(packed):
    """The examples that arrays hold, read back from their segments."""
    found = []
    for r in range(packed.token_RT.shape[0]):
        for segment in range(1, packed.segment_RT[r].max(initial=0) + 1):
            own = packed.segment_RT[r] == segment
            learn = packed.learn_RT[r][own]
            assert packed.position_RT[r][own].tolist() == list(range(own.sum()))
            assert np.flatnonzero(own).tolist() == list(
                range(own.argmax(), own.argmax() + own.sum())
            )
            assert (packed.weight_RT[r][own][~learn] == 0).all()
            found.append((
                packed.token_RT[r][own][~learn].tolist(),
                packed.token_RT[r][own][learn].tolist(),
                packed.weight_RT[r][own][learn].tolist(),
                packed.logprob_RT[r][own][learn].tolist(),
            ))  # fmt: skip
        empty = packed.segment_RT[r] == 0
        assert not packed.learn_RT[r][empty].any()
        assert not packed.weight_RT[r][empty].any()
    return found


def flat(examples):
    return [
        (list(e.prompt), list(e.response), [e.weight] * len(e.response),
         list(e.logprobs or [0.0] * len(e.response)))
        for e in examples
    ]  # fmt: skip


@given(
    examples=st.lists(example(), min_size=1, max_size=20), tokens=st.integers(1, 100),
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


@given(examples=st.lists(example(), min_size=1, max_size=20))
def test_rows_are_not_too_long_and_at_most_one_is_half_empty(examples):
    lengths = [sum(len(e.prompt) + len(e.response) for e in row) for row in pack(examples, ROW)]
    assert max(lengths) <= ROW
    assert sum(2 * length <= ROW for length in lengths) <= 1


def test_best_fit_by_hand():
    """6, 5, 4, 3, 2 in rows of 10: 4 goes beside 6 and fills it, 3 and 2 beside 5."""
    examples = [Example([1] * (length - 1), [2]) for length in (2, 3, 4, 5, 6)]
    rows = pack(examples, 10)
    assert [[len(e.prompt) + 1 for e in row] for row in rows] == [[6, 4], [5, 3, 2]]


def test_each_example_goes_to_the_shortest_kind_of_row_by_hand():
    """Lengths 3, 8, 9: the first two fit rows of 8, two of them; the last takes one of 16."""
    examples = [Example([1] * (length - 1), [2]) for length in (9, 3, 8)]
    batches = micro_batches(examples, (8, 16), tokens=17, row_multiple=1)
    assert [(b.token_RT.shape, b.learn_RT.sum()) for b in batches] == [((2, 8), 2), ((1, 16), 1)]


def test_what_is_left_over_goes_to_longer_rows_by_hand():
    """Three of 6 in whole batches of two rows of 8; the third beside the one of 9, which has room
    for it, because a batch of its own would be empty but for it."""
    examples = [Example([1] * (length - 1), [2]) for length in (6, 6, 6, 9)]
    batches = micro_batches(examples, (8, 16), tokens=16, row_multiple=1)
    assert [(b.token_RT.shape, b.learn_RT.sum()) for b in batches] == [((2, 8), 2), ((1, 16), 2)]


def test_a_generation_s_examples_leave_little_empty():
    """Under a tenth, for lengths as the quickstart has them."""
    rng = np.random.default_rng(0)
    laid_out, used = 0, 0
    for _ in range(20):
        lengths = np.clip(rng.lognormal(3.8, 0.5, 300).astype(int), 12, 200)
        examples = [Example([1] * (length - 1), [2]) for length in lengths.tolist()]
        batches = list(micro_batches(examples, (96, 256), tokens=3072, row_multiple=2))
        laid_out += sum(batch.token_RT.size for batch in batches)
        used += int(lengths.sum())
        assert len({batch.token_RT.shape for batch in batches}) <= 4
    assert used > 0.9 * laid_out


def test_no_sequence_sees_its_neighbours(network):
    rng = np.random.default_rng(0)
    examples = [
        Example(rng.integers(1, 99, prompt).tolist(), rng.integers(1, 99, response).tolist())
        for prompt, response in ((5, 9), (3, 4), (7, 6), (2, 12), (4, 3), (6, 8))
    ]
    rows = pack(examples, 32)
    assert len(rows) < len(examples)
    together = arrays(rows, 32, 6)
    apart = arrays([[example] for row in rows for example in row], 32, 6)
    both = [
        np.asarray(loss.token_logprobs(network, packed, 1.0))[packed.learn_RT]
        for packed in (together, apart)
    ]
    assert np.allclose(both[0], both[1], atol=1e-5)
    assert both[0].size == sum(len(example.response) for example in examples)


def test_an_example_that_does_not_fit_is_an_error():
    with pytest.raises(
        ValueError, match=r"25 tokens does not fit a row of 24; raise the last of update"
    ):
        pack([Example([1] * 20, [2] * 5)], ROW)
