"""The optimiser: who takes care of what, and that sharing the work changes nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from selfplay.learning.optimizer import MUON_RATE, optimizer
from selfplay.model import sharding


def first_update(gradient, max_norm=1e9):
    params = jax.tree.map(jnp.zeros_like, gradient)
    transformation = optimizer(optax.constant_schedule(0.01), max_norm)
    return transformation.update(gradient, transformation.init(params), params)


def test_matrices_are_muons_the_rest_is_adams():
    """Both steps have a length of their own, whatever the gradient's: Adam's (with Nesterov's look
    ahead, 1.47 times the rate at first) is the same for every number, Muon's about MUON_RATE x rate
    for every direction, here the diagonal."""
    gradient = {
        "matrix": 0.3 * jnp.eye(4), "norm": jnp.array([-0.2, 7.0]),
        "embedding_VW": jnp.array([[0.1, -2.0], [3.0, 0.5]]),
    }  # fmt: skip
    updates, _ = first_update(gradient)
    for name in ("norm", "embedding_VW"):
        assert np.allclose(updates[name], -0.0147368 * np.sign(gradient[name]), rtol=1e-3)
    direction = np.asarray(updates["matrix"]) / (-0.01 * MUON_RATE)
    assert np.allclose(np.diag(direction), 1.0, atol=0.35)
    assert np.allclose(direction, np.diag(np.diag(direction)), atol=1e-5)


def test_long_gradients_are_shortened():
    gradient = {"norm": jnp.array([0.6, 0.8]), "matrix": jnp.zeros((2, 2))}
    states = [
        first_update(jax.tree.map(lambda g, by=by: by * g, gradient), max_norm=1.0)[1]
        for by in (1.0, 50.0, 0.5)
    ]
    one, long, short = (jax.tree.leaves(state) for state in states)
    assert all(np.allclose(a, b) for a, b in zip(one, long, strict=True))
    assert not all(np.allclose(a, b) for a, b in zip(one, short, strict=True))


def test_shared_matrices_are_treated_as_each_alone():
    """Three of one shape on two devices, so that one takes a matrix that is not there."""
    shapes = {"a": (4, 6), "b": (4, 6), "c": (4, 6), "d": (6, 4), "norm": (5,)}
    rng = np.random.default_rng(0)
    params, *gradients = (
        {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in shapes.items()}
        for _ in range(4)
    )
    rate = optax.constant_schedule(0.01)
    ours, plain = optimizer(rate, 1.0), optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.contrib.muon(MUON_RATE * 0.01, adam_learning_rate=0.01, adam_b2=0.95),
    )  # fmt: skip
    state, plain_state = ours.init(params), plain.init(params)
    for gradient in gradients:
        updates, state = jax.jit(ours.update)(gradient, state, params)
        expected, plain_state = jax.jit(plain.update)(gradient, plain_state, params)
        for name in shapes:
            assert np.allclose(updates[name], expected[name], atol=1e-6)
            assert np.abs(expected[name]).max() > 1e-3


def test_momentum_is_shared_out():
    """Stacks whose number of matrices the devices divide are split, others are whole."""
    params = sharding.place({"a": jnp.ones((4, 4)), "b": jnp.ones((4, 4)), "c": jnp.ones((2, 4))})
    state = sharding.place(optimizer(optax.constant_schedule(0.01), 1.0).init(params))
    split = {
        leaf.shape: not leaf.sharding.is_fully_replicated
        for leaf in jax.tree.leaves(state)
        if leaf.ndim == 3
    }
    assert split == {(2, 4, 4): True, (1, 2, 4): False}
