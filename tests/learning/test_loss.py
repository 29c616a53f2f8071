"""The objectives: hand values inside and beyond both clips, gradients, log-probabilities."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay.learning import loss
from selfplay.learning.batch import Example, arrays, pack
from selfplay.model.transformer import causal

LOW, HIGH = 0.2, 0.28


def batch(weights, logprobs):
    """One row: a prompt token, then the response."""
    example = Example([5], [6] * len(weights), 1.0, logprobs)
    packed = arrays([[example]], 1 + len(weights), 1)
    return packed._replace(weight_RT=np.array([[0.0, *weights]], np.float32))


def objective(ratios, weights, drawn=-1.5):
    packed = batch(weights, [drawn] * len(weights))
    logprob = jnp.array([[0.0, *(drawn + np.log(ratios))]], jnp.float32)
    value, gradient = jax.value_and_grad(loss.clipped_policy_gradient)(logprob, packed, LOW, HIGH)
    return float(value), np.asarray(gradient)[0, 1:]


@pytest.mark.parametrize(
    ("ratio", "weight", "value", "slope"),
    [
        (1.5, 1.0, -1.28, 0.0),  # likelier and good: beyond the upper clip nothing more is earned
        (0.5, 1.0, -0.5, -0.5),  # less likely and good: pulled back without a limit
        (0.5, -1.0, 0.8, 0.0),  # less likely and bad: beyond the lower clip nothing more
        (1.5, -1.0, 1.5, 1.5),  # likelier and bad: pushed down without a limit
        (1.1, 2.0, -2.2, -2.2),  # inside both
        (0.9, -2.0, 1.8, 1.8),
        (1.5, 0.0, 0.0, 0.0),
    ],
)
def test_clipped_objective_by_hand(ratio, weight, value, slope):
    """Slope: d loss / d log-probability = -ratio x advantage where not clipped."""
    found, gradient = objective([ratio], [weight])
    assert found == pytest.approx(value, abs=1e-5)
    assert gradient[0] == pytest.approx(slope, abs=1e-5)


def test_it_is_a_sum_over_tokens():
    value, _ = objective([1.5, 0.5, 1.5], [1.0, 1.0, -1.0])
    assert value == pytest.approx(-1.28 - 0.5 + 1.5, abs=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(-3, 3, width=32), min_size=4, max_size=4))
def test_at_ratio_one_the_gradient_is_that_of_reinforce(weights):
    _, gradient = objective([1.0] * 4, weights)
    assert np.allclose(gradient, [-weight for weight in weights], atol=1e-6)


def test_prompt_and_empty_tokens_count_nothing():
    packed = arrays([[Example([5, 7], [6], 1.0, [-1.0])]], 6, 2)
    logprob = np.full((2, 6), 50.0, np.float32)  # would be exp(50) if it were read
    logprob[0, 2] = -1.0
    assert float(loss.clipped_policy_gradient(logprob, packed, LOW, HIGH)) == pytest.approx(-1.0)


def test_imitation_is_the_sum_of_the_cross_entropy():
    packed = batch([1.0, 1.0], None)
    logprob = jnp.log(jnp.array([[1.0, 0.5, 0.25]]))
    assert float(loss.imitation(logprob, packed)) == pytest.approx(3 * np.log(2))


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_token_logprobs_are_those_of_the_forward_pass(network, temperature):
    prompt, response = [9, 8, 7], [20, 21, 22, 1]
    packed = arrays([[Example(prompt, response)]], 12, 2)
    sequence = np.array([prompt + response])
    logits, _ = network.model()(sequence, np.arange(7)[None], causal(7))
    logprob_TV = np.asarray(jax.nn.log_softmax(logits[0] / temperature))
    expected = [logprob_TV[t - 1, sequence[0, t]] for t in range(3, 7)]
    found = np.asarray(loss.token_logprobs(network, packed, temperature))
    assert np.allclose(found[0, 3:7], expected, atol=1e-5)
    assert not found[~packed.learn_RT].any()


def shapes(jaxpr):
    """Shapes of everything that is computed, in inner jaxprs too."""
    for equation in jaxpr.eqns:
        yield from (variable.aval.shape for variable in equation.outvars)
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    yield from shapes(inner)


def test_a_large_vocabulary_is_never_there_for_all_tokens(network, monkeypatch):
    """In parts: the same values and gradients, and no array of rows x tokens x vocabulary."""
    rng = np.random.default_rng(0)
    lengths = [(9, 30), (20, 7), (5, 40)]
    examples = [
        Example(
            rng.integers(0, 90, prompt).tolist(), rng.integers(0, 90, response).tolist(),
            float(rng.normal()),
        )
        for prompt, response in lengths
    ]  # fmt: skip
    packed = arrays(pack(examples, 64), 64, 4)
    spoken = network.model().spoken

    def value(params):
        logprob_RT = loss.token_logprobs(network.with_params(params), packed, 0.7)
        return loss.imitation(logprob_RT, packed)

    def most_logits():
        """Elements of the largest array over the vocabulary, for the gradient."""
        found = shapes(jax.make_jaxpr(jax.grad(value))(network.params).jaxpr)
        return max(math.prod(shape) for shape in found if spoken in shape and len(shape) > 2)

    whole, whole_gradient = jax.value_and_grad(value)(network.params)
    assert most_logits() == 4 * 63 * spoken
    monkeypatch.setattr(loss, "WHOLE_VOCABULARY", spoken - 1)
    monkeypatch.setattr(loss, "STRETCH_TOKENS", 40)  # 10 of 63 tokens at a time
    parts, parts_gradient = jax.value_and_grad(value)(network.params)
    assert float(parts) == pytest.approx(float(whole), rel=1e-5)
    for one, other in zip(*map(jax.tree.leaves, (whole_gradient, parts_gradient)), strict=True):
        assert np.allclose(one, other, atol=1e-4)
    assert most_logits() == 4 * 10 * spoken


def test_drawn_tokens_are_reinforced_and_others_imitated():
    """Ratio 1.5 at advantage 1 is clipped to 1.28; an imitated token costs its -log-probability."""
    packed = batch([1.0, 1.0], [-1.5, 0.0])
    logprob = jnp.array([[0.0, -1.5 + math.log(1.5), -0.7]], jnp.float32)
    value, gradient = jax.value_and_grad(loss.reinforcement_and_imitation)(
        logprob, packed, LOW, HIGH
    )
    assert float(value) == pytest.approx(-1.28 + 0.7, abs=1e-5)
    assert np.asarray(gradient)[0].tolist() == pytest.approx([0.0, 0.0, -1.0])
