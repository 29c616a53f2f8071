"""What many tests need: two host devices, the four environments, a tokenizer, a tiny network."""

import pytest
from selfplay_envs.arithmetic import Arithmetic
from selfplay_envs.countdown import Countdown
from selfplay_envs.linear_equations import LinearEquations
from selfplay_envs.modular import Modular

from selfplay import device

device.prepare(cores=2)  # before anything imports jax: tests run on two host devices


@pytest.fixture(scope="session")
def environments():
    """The four environments by name; not looked up, so that tests need no installation."""
    kinds = (Arithmetic, Countdown, LinearEquations, Modular)
    return {kind.name: kind() for kind in kinds}


@pytest.fixture(scope="session")
def tokenizer(environments):
    from selfplay.model.tokens import CharacterTokenizer

    return CharacterTokenizer(tuple(environments))


@pytest.fixture(scope="session")
def model_config():
    from selfplay.model.transformer import ModelConfig

    return ModelConfig(width=32, layers=2, heads=2, kv_heads=1, hidden=48)


@pytest.fixture(scope="session")
def network(model_config, tokenizer):
    """A tiny network with random parameters, on all devices."""
    import numpy as np

    from selfplay.model import network as networks
    from selfplay.model import sharding

    made = networks.create(
        model_config.architecture(tokenizer.vocabulary, tokenizer.spoken), np.random.default_rng(0)
    )
    return made.with_params(sharding.place(made.params))
