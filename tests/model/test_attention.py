"""Flash attention: the same as the matrix products, and what is sent to a GPU for it.

No test here runs cuDNN: the plumbing is compared through jax's own implementation of the same
function, and the program for CUDA is made on whatever machine runs the tests.
"""

import re
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax._src.cudnn import fused_attention_stablehlo

from selfplay.learning import update
from selfplay.learning.batch import Example, arrays
from selfplay.learning.loss import imitation, token_logprobs
from selfplay.model import attention, sharding
from selfplay.model import network as networks
from selfplay.model.attention import flash, flash_fits
from selfplay.model.sharding import MeshConfig
from selfplay.model.transformer import ModelConfig

WINDOWED = ModelConfig(width=64, layers=2, heads=4, kv_heads=2, hidden=48).architecture(40, 40)
WINDOWED = replace(WINDOWED, layers=(WINDOWED.layers[0], replace(WINDOWED.layers[1], window=5)))


@pytest.fixture
def packed():
    """Two rows of several sequences each, two of which share their prompt, with some padding."""
    rng = np.random.default_rng(0)
    prompts = rng.integers(40, size=(4, 3)).tolist()
    rows = [
        [Example(prompts[at], rng.integers(40, size=length).tolist()) for at, length in row]
        for row in (((0, 4), (0, 9), (1, 2)), ((2, 11), (3, 3)))
    ]
    return arrays(rows, 28, 2)


@pytest.fixture
def by_xla(monkeypatch):
    """As on a GPU, but for the implementation; counts the calls."""
    calls = []

    def spy(*arrays):
        calls.append(arrays)
        return flash(*arrays, implementation="xla")

    monkeypatch.setattr(attention, "flash_fits", lambda *_: True)
    monkeypatch.setattr(attention, "flash", spy)
    jax.clear_caches()  # layers that were traced before are not traced again
    yield calls
    jax.clear_caches()


def gradient(network, packed):
    def loss(params):
        return imitation(token_logprobs(network.with_params(params), packed, 1.0), packed)

    return jax.value_and_grad(loss)(network.params)


def test_flash_attention_gives_the_loss_and_the_gradient_of_the_matrix_products(packed, request):
    """Segments, windows, and two query heads to a key-value head."""
    network = networks.create(WINDOWED, np.random.default_rng(0))
    plain = gradient(network, packed)
    calls = request.getfixturevalue("by_xla")
    found = gradient(network, packed)
    assert len(calls) == 2
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(plain), strict=True):
        assert np.allclose(ours, theirs, atol=2e-5)


def test_what_is_not_visible_is_not_mixed():
    rng = np.random.default_rng(0)
    query, key, value = rng.normal(size=(3, 1, 2, 4, 8)).astype(np.float32)
    own = np.eye(4, dtype=bool)[None]
    assert np.allclose(flash(query, key, value, own, 1.0, implementation="xla"), value, atol=1e-6)


def shaped(*shape, dtype=jnp.bfloat16):
    return jax.ShapeDtypeStruct(shape, dtype)


@pytest.mark.parametrize(
    ("query", "cap", "fits"),
    [
        (shaped(4, 2, 64, 128), 0.0, True),
        (shaped(4, 2, 64, 64, dtype=jnp.float32), 0.0, False),
        (shaped(4, 2, 64, 256), 0.0, False),
        (shaped(4, 2, 64, 20), 0.0, False),
        (shaped(4, 2, 63, 64), 0.0, False),
        (shaped(4, 2, 64, 64), 50.0, False),
    ],
)
def test_where_flash_attention_fits(monkeypatch, query, cap, fits):
    assert not flash_fits(query, cap) or jax.default_backend() == "gpu"
    monkeypatch.setattr(attention, "_on_cuda", lambda: True)
    assert flash_fits(query, cap) == fits


def test_the_training_program_for_cuda_calls_cudnn(monkeypatch, packed):
    """Both ways, in every layer; on one device, since for several the call is made later on."""
    monkeypatch.setattr(fused_attention_stablehlo, "check_cudnn_version", lambda: 91_100)

    def called():
        network = networks.create(replace(WINDOWED, precision="bfloat16"), np.random.default_rng(0))
        updater = update.Updater(network, optax.sgd(0.1), imitation, row_lengths=(28,), tokens=56)
        turns = update._turns(network, packed.position_RT)
        total = update.Sums.zero(network.params)
        traced = updater._add_gradient.trace(network, total, packed, turns, np.float32(1.0))
        text = traced.lower(lowering_platforms=("cuda",)).as_text()
        return ["Backward" in name for name in re.findall(r"__cudnn\$fmha\w*", text)]

    with sharding.arranged(MeshConfig(), jax.devices()[:1]):
        assert not called()
        monkeypatch.setattr(attention, "_on_cuda", lambda: True)
        jax.clear_caches()
        assert sorted(called()) == [False, False, True, True]
