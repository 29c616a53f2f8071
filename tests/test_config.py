"""RunConfig: JSON round trip; whatever is wrong with a text is named."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.cli.training import variant, variants
from selfplay.config import RunConfig, from_json
from selfplay.curriculum.config import CurriculumConfig
from selfplay.model.transformer import ModelConfig
from selfplay.parts import check


def text_with(**changes):
    """The default configuration as JSON, with fields set by dotted name (dots as `__`)."""
    data = json.loads(RunConfig().to_json())
    for name, value in changes.items():
        *path, last = name.split("__")
        part = data
        for step in path:
            part = part[step]
        part[last] = value
    return json.dumps(data)


def test_the_defaults_survive():
    assert from_json(RunConfig().to_json()) == RunConfig()
    assert from_json("{}") == RunConfig()


@given(
    seed=st.integers(0, 2**40), generations=st.integers(0, 10**6), arm=st.text(),
    target=st.floats(0.01, 0.99), width=st.integers(1, 64).map(lambda n: 8 * n),
    names=st.lists(st.sampled_from("abcdef"), min_size=1, unique=True).map(tuple),
)  # fmt: skip
def test_json_round_trip(seed, generations, arm, target, width, names):
    config = RunConfig(
        seed=seed, generations=generations, arm=arm, environments=names,
        curriculum=CurriculumConfig(target=target, sampler="uniform"),
        model=ModelConfig(width=width),
    )  # fmt: skip
    assert from_json(config.to_json()) == config


def test_the_round_trip_keeps_types():
    config = from_json(RunConfig().to_json())
    assert isinstance(config.environments, tuple)
    assert isinstance(config.model, ModelConfig)
    assert hash(config) == hash(RunConfig())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sede": 1}, ["sede"]),
        ({"model__widht": 64}, ["widht"]),
        ({"seed": "1"}, ["seed"]),
        ({"seed": 1.5}, ["seed"]),
        ({"seed": None}, ["seed"]),
        ({"model": 7}, ["model"]),
        ({"model__width": "128"}, ["model.width"]),
        ({"device": "abacus"}, ["device"]),
        ({"curriculum__sampler": "magic"}, ["curriculum.sampler"]),
        ({"environments": "modular"}, ["environments"]),
        ({"environments": [1]}, ["environments"]),
        ({"environments": []}, ["environments=()"]),
        ({"environments": ["modular", "modular"]}, ["environments", "each once"]),
        ({"seed": -1}, ["seed=-1"]),
        ({"generations": -1}, ["generations=-1"]),
        ({"checkpoint_every": 0}, ["checkpoint_every=0"]),
        ({"attempts_every": -1}, ["attempts_every=-1"]),
        ({"curriculum__target": 1.0}, ["curriculum.target=1.0", "default"]),
        ({"curriculum__elo__step": 0.0}, ["elo.step=0.0"]),
        ({"update__learning_rate": math.nan}, ["update.learning_rate=nan"]),
        ({"model__heads": 3}, ["model.heads=3"]),
    ],
)
def test_what_is_wrong_is_named(changes, words):
    with pytest.raises(ValueError) as caught:
        from_json(text_with(**changes))
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '"x"', '{"seed": 1} x', "\x00"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ValueError, match=r"Expecting|instead of an object|Extra data"):
        from_json(text)


def test_replace_checks_as_well():
    with pytest.raises(ValueError, match="generations=-3"):
        replace(RunConfig(), generations=-3)


@pytest.mark.parametrize("name", ["ladder", "ladder_arms", "quickstart", "breadth"])
def test_the_parts_of_every_arm_fit(name):
    for arm in ("main", *variants(name)):
        check(variant(name, arm))
