"""Rehearsal: what is kept, what is forgotten, and that all levels are drawn alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.learning import rehearsal
from selfplay.learning.batch import Example
from selfplay.learning.rehearsal import Kept, Memory, RehearsalConfig


def filled(*kept: Kept, cells=3, places=2) -> Memory:
    return rehearsal.remembered(rehearsal.empty(cells, places, 8, 100), kept)


def texts(memory: Memory, cell: int) -> set[tuple[int, ...]]:
    """Prompt and response of each attempt of a cell."""
    return {
        tuple(memory.token_CMT[cell, place, : memory.length_CM[cell, place]].tolist())
        for place in range(memory.held_C[cell])
    }


def test_the_newest_of_each_cell_stay_by_hand():
    attempts = [Kept(1, [1, 2], [number]) for number in (10, 11, 12)]
    memory = filled(*attempts, Kept(2, [5], [6, 7]))
    assert memory.held_C.tolist() == [0, 2, 1]
    assert texts(memory, 1) == {(1, 2, 11), (1, 2, 12)}
    assert texts(memory, 2) == {(5, 6, 7)}
    assert memory.added_C.tolist() == [0, 3, 1]


def test_an_attempt_comes_out_as_it_went_in():
    memory = filled(Kept(0, [1, 2, 3], [4, 5]))
    assert rehearsal.drawn(memory, 1, 0.5, np.random.default_rng(0)) == [Example([1, 2, 3], [4, 5])]


def test_a_longer_attempt_before_leaves_nothing_behind():
    memory = filled(Kept(0, [9] * 4, [9] * 4), Kept(0, [1], [2]), places=1)
    assert memory.token_CMT[0, 0].tolist() == [1, 2, 0, 0, 0, 0, 0, 0]


def test_remembering_changes_no_earlier_memory():
    before = filled(Kept(0, [1], [2]))
    copy = Memory(*(array.copy() for array in before))
    rehearsal.remembered(before, [Kept(0, [3], [4]), Kept(1, [5], [6])])
    assert all(np.array_equal(old, new) for old, new in zip(copy, before, strict=True))


def test_cells_are_drawn_alike_however_many_attempts_they_hold():
    many = [Kept(0, [1], [2])] * 50 + [Kept(2, [3], [4])]
    memory = filled(*many, places=50)
    examples = rehearsal.drawn(memory, 4000, 0.0, np.random.default_rng(0))
    assert len(examples) == 2000
    share = np.mean([example.response == [4] for example in examples])
    assert share == pytest.approx(0.5, abs=0.05)


def test_a_share_is_drawn_where_attempts_were_kept_lately():
    """Of cell 0, 3 attempts a generation ago; of cell 2, 1 now: 3 x 0.8 to 1."""
    memory = filled(*[Kept(0, [1], [2])] * 3)
    memory = rehearsal.remembered(memory, [Kept(2, [3], [4])])
    assert memory.lately_C.tolist() == pytest.approx([2.4, 0.0, 1.0])
    for frontier, expected in ((1.0, 1.0 / 3.4), (0.5, 0.5 / 3.4 + 0.25)):
        examples = rehearsal.drawn(memory, 8000, frontier, np.random.default_rng(0))
        share = np.mean([example.response == [4] for example in examples])
        assert share == pytest.approx(expected, abs=0.03)


@given(tokens=st.integers(1, 200), seed=st.integers(0, 99))
def test_a_draw_reaches_its_tokens_with_its_last_example(tokens, seed):
    memory = filled(Kept(0, [1, 2], [3]), Kept(1, [1], [2, 3, 4]))
    examples = rehearsal.drawn(memory, tokens, 0.5, np.random.default_rng(seed))
    lengths = [len(e.prompt) + len(e.response) for e in examples]
    assert sum(lengths) >= tokens > sum(lengths[:-1])


def test_nothing_is_drawn_from_nothing():
    assert rehearsal.drawn(filled(), 100, 0.5, np.random.default_rng(0)) == []


def test_tokens_are_kept_in_the_narrowest_type():
    kinds = [rehearsal.empty(1, 1, 1, size).token_CMT.dtype for size in (100, 256, 257, 151_936)]
    assert kinds == [np.uint8, np.uint8, np.uint16, np.uint32]


def test_a_memory_that_does_not_fit_is_refused_before_it_is_made():
    with pytest.raises(ValueError, match=r"memory=2000 attempts of each of 1000 .* 7\.6 GiB"):
        rehearsal.empty(1000, 2000, 4096, 100)
    with pytest.raises(ValueError, match=r"update\.rehearsal\.demonstrations=1\.0"):
        RehearsalConfig(demonstrations=1.0)
    with pytest.raises(ValueError, match=r"update\.rehearsal\.frontier=-0\.1"):
        RehearsalConfig(frontier=-0.1)
    with pytest.raises(ValueError, match=r"update\.rehearsal\.memory=0"):
        RehearsalConfig(memory=0)
