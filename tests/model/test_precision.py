"""`mixed`: what is multiplied with weights is rounded to bfloat16, all else is float32."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from selfplay import streams
from selfplay.learning import loss
from selfplay.learning.batch import Example, arrays
from selfplay.learning.loss import imitation
from selfplay.learning.update import Updater
from selfplay.model import decode
from selfplay.model import network as networks
from selfplay.model.architecture import Layer
from selfplay.model.layers import product
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.transformer import DEEP, ModelConfig

PLAIN = replace(
    ModelConfig(width=32, layers=2, heads=4, kv_heads=2, hidden=48).architecture(40, 37),
    precision="mixed",
)
EXAMPLES = [Example([1, 2, 3], [4 + i, 5, 6, i], float((-1) ** i)) for i in range(5)]
KEYS = streams.row_keys(0, 3, "test", 15)
PROMPTS = [[1, 2, 3], [7, 8], [9, 1, 1, 2, 30]]


def rounded(x):
    return np.asarray(jnp.asarray(x).astype(jnp.bfloat16).astype(jnp.float32))


def normal(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def drawn(network, prompts, keys, attempts, **sizes):
    sizes = {"max_tokens": 40, "rows": 8} | sizes
    return decode.sample(
        network, prompts, keys, attempts=attempts, config=DecodeConfig(**sizes),
        sampling=Sampling(), end_ids=(0,),
    )  # fmt: skip


def step(built, examples=EXAMPLES):
    """What one optimiser step with the plain gradient changes, as one vector; its loss."""
    network = networks.create(built, np.random.default_rng(0))
    updater = Updater(network, optax.sgd(1.0), imitation, row_lengths=(16,), tokens=64)
    learner, report = updater.step(updater.start(network.params), examples)
    pairs = zip(jax.tree.leaves(learner.params), jax.tree.leaves(network.params), strict=True)
    return np.concatenate([np.ravel(after - before) for after, before in pairs]), report.loss


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("lead", [(), (1,), (17,), (2, 1), (3, 70)])
def test_both_sides_are_rounded_and_sums_are_not(lead, axis):
    """Both gradients too, in every form of the product that a model has."""
    x, weight, change = normal(*lead, 24), normal(*((24, 10), (10, 24))[axis]), normal(*lead, 10)
    made, back = jax.vjp(jax.jit(lambda x, weight: product(x, weight, "bfloat16", axis)), x, weight)
    near_x, near_IO, near = rounded(x), rounded(weight), rounded(change)
    near_IO = near_IO.T if axis else near_IO
    assert made.dtype == jnp.float32
    assert np.allclose(made, near_x @ near_IO, atol=1e-5)
    change_x, change_weight = back(change)
    assert np.allclose(change_x, near @ near_IO.T, atol=1e-5)
    expected_IO = near_x.reshape(-1, 24).T @ near.reshape(-1, 10)
    assert np.allclose(change_weight, expected_IO.T if axis else expected_IO, atol=1e-4)


@pytest.mark.parametrize("rows", [1, 64])
@pytest.mark.parametrize("inputs", [1, 3, 32])
@pytest.mark.parametrize("outputs", [1, 3, 128])
def test_no_form_is_one_that_the_compiler_stops_at(rows, inputs, outputs):
    """Weights of a stack, parts of weights, results that are transposed; forwards and backwards."""

    def used(x, stack, at):
        made = product(x, stack[at], "bfloat16")
        tied = product(made, stack[0][: max(1, inputs - 1)], "bfloat16", 1)
        part = product(x, stack[1][:, : max(1, outputs - 1)], "bfloat16")
        return sum(jnp.tanh(result.T).sum() for result in (made, tied, part))

    x, stack = normal(rows, inputs), normal(3, inputs, outputs)
    value, gradients = jax.jit(jax.value_and_grad(used, argnums=(0, 1)))(x, stack, 1)
    assert all(np.isfinite(part).all() for part in (value, *gradients))


@pytest.mark.parametrize(
    "built",
    [
        PLAIN,
        replace(PLAIN, tied=False),
        replace(PLAIN, adapter_rank=2),
        replace(PLAIN, heads=1, kv_heads=1, layers=(Layer(None),)),
        replace(PLAIN, layers=PLAIN.layers[:1] * (DEEP + 1)),
    ],
    ids=["tied", "untied", "adapters", "one head without positions", "deep"],
)
def test_a_step_is_nearly_that_of_float32(built):
    """One row alone too: there transposes are free for the compiler, and it moves them about."""
    for examples in (EXAMPLES, EXAMPLES[:1]):
        change, value = step(built, examples)
        exact, exact_value = step(replace(built, precision="float32"), examples)
        assert not np.array_equal(change, exact)
        assert value == pytest.approx(float(exact_value), abs=0.02)
        cosine = change @ exact / np.linalg.norm(change) / np.linalg.norm(exact)
        assert cosine > 0.999


def test_keys_values_and_parameters_stay_wide():
    network = networks.create(PLAIN, np.random.default_rng(0))
    position = np.zeros((1, 1), np.int32)
    state, cache = network.model().states(position, position, np.ones((1, 1, 1), bool))
    kept = [state, *jax.tree.leaves(cache), *jax.tree.leaves(network.params)]
    assert {leaf.dtype.name for leaf in kept} == {"float32"}


def test_a_sample_is_its_own_affair():
    """Alone, among others, and after its row was moved to another tile: bit for bit."""
    network = networks.create(PLAIN, np.random.default_rng(0))
    samples = drawn(network, PROMPTS, KEYS, attempts=5, tiles=1)  # two tiles' worth: refilled
    assert set(samples.ended_N.tolist()) == {True, False}
    for row in range(15):
        alone = drawn(network, [PROMPTS[row // 5]], KEYS[row : row + 1], attempts=1)
        for one, other in zip(alone, samples, strict=True):
            assert np.array_equal(one, other[row : row + 1])


def test_what_was_drawn_is_what_training_computes():
    network = networks.create(PLAIN, np.random.default_rng(0))
    samples = drawn(network, PROMPTS, KEYS, attempts=5)
    examples = [
        Example(PROMPTS[row // 5], samples.response(row),
                logprobs=samples.logprob_NT[row, : samples.length_N[row]].tolist())
        for row in range(15)
    ]  # fmt: skip
    packed = arrays([[example] for example in examples], 64, 16)
    logprob_RT = loss.token_logprobs(network, packed, 1.0)
    # Sums in another order may be rounded to the neighbour, of 256 in an octave.
    assert np.allclose(logprob_RT, packed.logprob_RT, atol=0.02)
    exact = networks.create(replace(PLAIN, precision="float32"), np.random.default_rng(0))
    assert np.allclose(loss.token_logprobs(exact, packed, 1.0), packed.logprob_RT, atol=0.05)
    assert packed.learn_RT.sum() == samples.length_N.sum()
