"""The cold start: which levels are shown, that demonstrations are right, that it learns."""

import math
import random
import zlib
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.learning import warmup
from selfplay.learning.warmup import Teacher, WarmupConfig, level_weights, shown_levels


class EverySecond:
    """Calls about half of all problems frozen."""

    def __contains__(self, key):
        return zlib.crc32(key.encode()) % 2 == 0


FROZEN = EverySecond()


def teacher(environments, tokenizer, proposer_share, frozen=frozenset(), **settings):
    return Teacher(
        WarmupConfig(proposer_share=proposer_share, **settings), environments, tokenizer, frozen,
        lambda problem: 1000.0 + 100 * problem.level,
    )  # fmt: skip


def never(learner, step):
    raise AssertionError("asked for mastery, which the configuration does not want")


def read(tokenizer, example):
    """Environment, what was asked, and the response of an example, as text."""
    prompt = tokenizer.decode(example.prompt)
    role, _, rest = prompt.removeprefix("<").partition("><")
    name, _, asked = rest.removesuffix("<respond>").partition(">")
    return role, name, asked, tokenizer.decode(example.response)


def test_level_weights_by_hand():
    assert level_weights(3, 0.5) == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert level_weights(2, 1.0) == [0.5, 0.5]
    assert level_weights(1, 0.75) == [1.0]


@given(count=st.integers(1, 80), share=st.floats(0.01, 1.0))
def test_the_shown_levels_are_a_share_of_all_or_the_share_leaves_none(count, share):
    ladder = SimpleNamespace(name="ladder", level_count=count)
    if count > 1 and share * count < 1:
        with pytest.raises(ValueError, match=rf"leaves none of the {count} levels of ladder"):
            shown_levels(ladder, share)
    else:
        assert shown_levels(ladder, share) in {
            max(1, math.floor(share * count)),
            round(share * count),
        }


def test_two_thirds_of_nine_levels_and_a_tenth_of_forty():
    nine, forty = (SimpleNamespace(name="", level_count=count) for count in (9, 40))
    assert (shown_levels(nine, 2 / 3), shown_levels(forty, 0.1)) == (6, 4)


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


def test_fresh_problems_are_of_the_shown_levels_and_not_frozen(environments, tokenizer):
    teach = teacher(environments, tokenizer, 0.0, FROZEN, shown=0.3)
    problems = teach.fresh(3, random.Random(0))
    assert len(problems) == 3 * 2 * len(environments)
    assert {problem.level for problem in problems} == {0, 1}
    assert not any(problem.key in FROZEN for problem in problems)


def test_the_pace_rises_over_a_tenth_and_falls_to_a_tenth():
    config = WarmupConfig(steps=100)
    assert [warmup.pace(config, step) for step in (0, 5, 10, 55, 100)] == pytest.approx(
        [0.0, 0.5, 1.0, 0.55, 0.1]
    )
    assert warmup.pace(WarmupConfig(steps=5000), 100) == 1.0


def test_a_few_steps_lower_the_loss(network, environments, tokenizer):
    config = WarmupConfig(steps=12, learning_rate=0.02, rows=4, row_length=128)
    teach = teacher(environments, tokenizer, 0.3)
    losses = [float(report.loss) for _, report in warmup.run(network, teach, config, 0, never)]
    assert len(losses) == 12
    assert sum(losses[-3:]) / 3 < losses[0] - 0.5


def test_once_mastered_it_goes_on_for_half_as_many_steps_and_no_more(
    network, environments, tokenizer
):
    config = WarmupConfig(steps=30, mastery=0.9, look_every=4, rows=2, row_length=64)
    asked = []

    def mastered(learner, step):
        asked.append(step)
        return step == 8

    steps = list(warmup.run(network, teacher(environments, tokenizer, 0.0), config, 0, mastered))
    assert asked == [4, 8]
    assert len(steps) == 12


def test_a_batch_fills_its_rows_and_no_more(environments, tokenizer):
    config = WarmupConfig(rows=4, row_length=128)
    batch = warmup._full_batch(teacher(environments, tokenizer, 0.3), config, random.Random(0))
    tokens = sum(len(example.prompt) + len(example.response) for example in batch)
    assert 0.8 * 4 * 128 < tokens <= 4 * 128


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", -1),
        ("proposer_share", 1.1),
        ("mastery", 1.1),
        ("shown", 0.0),
        ("thinning", 1.5),
        ("look_every", 0),
    ],
)
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"warmup\.{field}={value}"):
        WarmupConfig(**{field: value})
