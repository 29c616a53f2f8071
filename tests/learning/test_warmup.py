"""The cold start: which levels are shown, that demonstrations are right, that it learns."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.learning import warmup
from selfplay.learning.warmup import Teacher, WarmupConfig, level_weights


class EverySecond:
    """Calls about half of all problems frozen."""

    def __contains__(self, key):
        return zlib.crc32(key.encode()) % 2 == 0


FROZEN = EverySecond()


def teacher(environments, tokenizer, proposer_share, frozen=frozenset()):
    return Teacher(
        environments, tokenizer, frozen, lambda problem: 1000.0 + 100 * problem.level,
        proposer_share,
    )  # fmt: skip


def read(tokenizer, example):
    """Environment, what was asked, and the response of an example, as text."""
    prompt = tokenizer.decode(example.prompt)
    role, _, rest = prompt.removeprefix("<").partition("><")
    name, _, asked = rest.removesuffix("<respond>").partition(">")
    return role, name, asked, tokenizer.decode(example.response)


def test_level_weights_by_hand():
    shares = (1, 0.75, 0.5625, 0.421875, 0.31640625, 0.2373046875, 0, 0, 0)
    assert level_weights(9) == pytest.approx([share / 3.2880859375 for share in shares])
    assert level_weights(1) == [1.0]


@given(st.integers(1, 40))
def test_level_weights_fall_and_leave_out_the_top_third(count):
    weights = level_weights(count)
    assert len(weights) == count
    assert sum(weights) == pytest.approx(1.0)
    assert weights == sorted(weights, reverse=True)
    if count > 1:
        assert not any(weights[-(-2 * count // 3) :])


def test_demonstrations_are_right_easy_and_not_frozen(environments, tokenizer):
    teach = teacher(environments, tokenizer, 0.0, FROZEN)
    rng = random.Random(0)
    seen = set()
    for _ in range(300):
        example = teach.example(rng)
        role, name, text, response = read(tokenizer, example)
        problem = environments[name].parse(text)
        assert role == "solve"
        assert environments[name].grade(problem, response).correct
        assert problem.key not in FROZEN
        assert problem.level < 6
        assert (example.response[-1], example.weight, example.logprobs) == (
            tokenizer.end_ids[0], 1.0, None,
        )  # fmt: skip
        seen.add((name, problem.level))
    assert {name for name, _ in seen} == set(environments)


def test_proposals_are_valid_of_every_level_and_told_their_rating(environments, tokenizer):
    teach = teacher(environments, tokenizer, 1.0, FROZEN)
    rng = random.Random(0)
    levels = set()
    for _ in range(300):
        role, name, wish, text = read(tokenizer, teach.example(rng))
        problem = environments[name].parse(text)
        assert role == "propose"
        assert wish == str(1000 + 100 * problem.level)
        assert problem.key not in FROZEN
        levels.add(problem.level)
    assert levels == set(range(9))


def test_the_schedule_rises_over_a_tenth_and_falls_to_a_tenth():
    rate = warmup.schedule(WarmupConfig(steps=100, learning_rate=0.02))
    assert [float(rate(step)) for step in (0, 5, 10, 100)] == pytest.approx([0, 0.01, 0.02, 0.002])


def test_a_few_steps_lower_the_loss(network, environments, tokenizer):
    config = WarmupConfig(steps=12, learning_rate=0.02, rows=4, row_length=128)
    teach = teacher(environments, tokenizer, 0.3)
    losses = [float(report.loss) for _, report in warmup.run(network, teach, config, seed=0)]
    assert len(losses) == 12
    assert sum(losses[-3:]) / 3 < losses[0] - 0.5


def test_a_batch_fills_its_rows_and_no_more(environments, tokenizer):
    config = WarmupConfig(rows=4, row_length=128)
    batch = warmup._full_batch(teacher(environments, tokenizer, 0.3), config, random.Random(0))
    tokens = sum(len(example.prompt) + len(example.response) for example in batch)
    assert 0.8 * 4 * 128 < tokens <= 4 * 128


@pytest.mark.parametrize(("field", "value"), [("steps", -1), ("proposer_share", 1.1)])
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"warmup\.{field}={value}"):
        WarmupConfig(**{field: value})
