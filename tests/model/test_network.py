"""Adapters: they change nothing at first, belong to one role, and become part of the weights."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from selfplay.learning.batch import Example
from selfplay.learning.loss import imitation
from selfplay.learning.update import Updater
from selfplay.model import network as networks
from selfplay.model import transformer
from selfplay.model.network import PROPOSER, SOLVER
from selfplay.model.transformer import ModelConfig, causal

PLAIN = ModelConfig(width=32, layers=2, heads=4, kv_heads=2, hidden=48).architecture(40, 40)
TOKENS = np.arange(12).reshape(2, 6) % 40
RANK = 3


@pytest.fixture(scope="module")
def adapted():
    return networks.create(replace(PLAIN, adapter_rank=RANK), np.random.default_rng(0))


@pytest.fixture(scope="module")
def trained(adapted):
    """After three steps on examples of the solver's, and three of the proposer's on others."""
    updater = Updater(adapted, optax.adam(1e-2), imitation, row_lengths=(16,), tokens=64)
    learner = updater.start(adapted.params)
    for role in (SOLVER, PROPOSER) * 3:
        example = Example([1, 2, 3], [4 + role, 5, 6], role=role)
        learner, _ = updater.step(learner, [example])
    return adapted.with_params(learner.params)


def logits(network):
    position = np.broadcast_to(np.arange(TOKENS.shape[1]), TOKENS.shape)
    return network.model()(TOKENS, position, causal(TOKENS.shape[1]))[0]


def test_what_is_learnt_are_the_adapters(adapted):
    plain = networks.create(PLAIN, np.random.default_rng(0))
    assert not plain.adapted and adapted.adapted
    assert networks.parameter_count(adapted.frozen) == networks.parameter_count(plain.params)
    sizes = [(32, 32), (32, 16), (32, 16), (32, 32), (32, 48), (32, 48), (48, 32)]
    by_hand = 2 * len(PLAIN.layers) * sum(RANK * (rows + columns) for rows, columns in sizes)
    assert networks.parameter_count(adapted.params) == by_hand


def test_a_new_adapter_changes_nothing(adapted):
    plain = networks.create(PLAIN, np.random.default_rng(0)).with_params(
        networks.merged_params(adapted)
    )
    for role in (SOLVER, PROPOSER):
        assert np.array_equal(logits(adapted.playing(role)), logits(plain))


def test_roles_learn_apart(adapted, trained):
    """An example of one role's leaves the other's adapters as they were."""
    updater = Updater(trained, optax.sgd(1.0), imitation, row_lengths=(16,), tokens=64)
    learner, _ = updater.step(updater.start(trained.params), [Example([1], [2, 3], role=PROPOSER)])
    before, after = jax.tree.leaves(trained.params), jax.tree.leaves(learner.params)
    assert all(np.array_equal(a[SOLVER], b[SOLVER]) for a, b in zip(before, after, strict=True))
    assert any((a[PROPOSER] != b[PROPOSER]).any() for a, b in zip(before, after, strict=True))
    gap = jnp.abs(logits(trained.playing(SOLVER)) - logits(trained.playing(PROPOSER))).max()
    assert gap > 1e-2


def test_a_batch_of_both_roles_is_the_sum_of_its_parts(trained):
    """Per token of the whole batch, so that it does not matter how it is shared out."""
    both = [Example([1, 2], [3, 4], role=SOLVER), Example([2, 1], [7, 8], role=PROPOSER)]
    updater = Updater(trained, optax.sgd(1.0), imitation, row_lengths=(16,), tokens=64)

    def change(examples):
        learner, _ = updater.step(updater.start(trained.params), examples)
        return jax.tree.map(jnp.subtract, learner.params, trained.params)

    parts = [change([example]) for example in both]
    whole = change(both)
    for all_of_it, one, other in zip(*map(jax.tree.leaves, (whole, *parts)), strict=True):
        assert np.allclose(2 * all_of_it, one + other, atol=1e-6)


@pytest.mark.parametrize("role", [SOLVER, PROPOSER])
def test_merged_weights_do_what_the_adapters_did(trained, role):
    network = trained.playing(role)
    params = networks.merged_params(network)
    plain = networks.create(PLAIN, np.random.default_rng(0)).with_params(params)
    assert np.allclose(logits(plain), logits(network), atol=1e-5)
    assert not np.allclose(logits(plain), logits(trained.with_params(params_at_first(trained))))


def params_at_first(network):
    """Adapters that change nothing."""
    return jax.tree.map(jnp.zeros_like, network.params)


@pytest.mark.parametrize("depth", [4, 5])
def test_deep_models_are_scanned_and_do_the_same(depth, monkeypatch):
    """Layers of two kinds in turn; with five one is left over, and is run by itself."""
    monkeypatch.setattr(transformer, "DEEP", 4)
    first, other = PLAIN.layers[0], replace(PLAIN.layers[0], window=4)
    deep = replace(PLAIN, layers=tuple((first, other)[at % 2] for at in range(depth)))
    made = networks.create(deep, np.random.default_rng(0))
    position = np.broadcast_to(np.arange(TOKENS.shape[1]), TOKENS.shape)

    def loss(params, method):
        state = method(made.with_params(params).model(), TOKENS, position, causal(6))
        return jnp.sum(jnp.sin(state))

    def all_kept(model, *arguments):
        return model.states(*arguments)[0]

    def scanned(model, *arguments):
        return model.states_to_learn(*arguments)

    one, two = (
        jax.jit(jax.value_and_grad(lambda params, way=way: loss(params, way)))(made.params)
        for way in (all_kept, scanned)
    )
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        assert np.allclose(a, b, atol=1e-4)
    # Layers of a kind, traced once, would be written once.
    monkeypatch.setattr(transformer, "_applied", transformer._applied.__wrapped__)
    jaxpr = str(jax.make_jaxpr(lambda params: loss(params, scanned))(made.params))
    assert jaxpr.count("scan[") == 1
    kept = str(jax.make_jaxpr(lambda params: loss(params, all_kept))(made.params))
    products = [text.count("dot_general") for text in (jaxpr, kept)]
    assert products[0] * depth == products[1] * (2 + depth % 2)


def test_layers_of_a_kind_are_traced_once(monkeypatch):
    traced, apply = [], transformer.Block.__call__

    def spy(block, *inputs):
        traced.append(block.attention.window)
        return apply(block, *inputs)

    monkeypatch.setattr(transformer.Block, "__call__", spy)
    kinds = tuple(replace(PLAIN.layers[0], window=window) for window in (2, 3))  # new to jax
    made = networks.create(replace(PLAIN, layers=kinds * 3), np.random.default_rng(0))
    position = np.broadcast_to(np.arange(TOKENS.shape[1]), TOKENS.shape)
    made.model().states(TOKENS, position, causal(6))
    assert sorted(traced) == [2, 3]


def test_bfloat16_computes_narrow_and_learns_wide():
    narrow = networks.create(replace(PLAIN, precision="bfloat16"), np.random.default_rng(0))
    wide = networks.create(PLAIN, np.random.default_rng(0))
    assert {leaf.dtype.name for leaf in jax.tree.leaves(narrow.params)} == {"float32"}
    position = np.broadcast_to(np.arange(TOKENS.shape[1]), TOKENS.shape)
    state, cache = narrow.model().states(TOKENS, position, causal(6))
    assert {state.dtype.name, *(leaf.dtype.name for leaf in jax.tree.leaves(cache))} == {"bfloat16"}
    assert logits(narrow).dtype == jnp.float32
    error = np.abs(logits(narrow) - logits(wide)).max()
    assert 0.0 < error < 0.1
    graph, state = nnx.split(narrow.model())
    assert graph != nnx.split(wide.model())[0]
    assert jax.tree.structure(state) == jax.tree.structure(narrow.params)
