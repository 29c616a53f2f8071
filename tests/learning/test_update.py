"""Optimiser steps: against plain gradients on one device, micro-batches, reports, the ramp."""

import jax
import numpy as np
import optax
import pytest

from selfplay.learning import loss
from selfplay.learning.batch import Example, arrays
from selfplay.learning.update import UpdateConfig, Updater, schedule

ROW = 32


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(0)
    sizes = [(5, 9), (3, 20), (7, 12), (2, 24), (4, 14), (6, 18)]
    return [
        Example(rng.integers(2, 99, p).tolist(), rng.integers(2, 99, r).tolist()) for p, r in sizes
    ]


def updater(network, tokens=4 * ROW, objective=loss.imitation, rate=1.0, row_lengths=(ROW,)):
    transformation = optax.sgd(rate)
    return Updater(network, transformation, objective, row_lengths=row_lengths, tokens=tokens)


def difference(params, others):
    leaves = zip(jax.tree.leaves(params), jax.tree.leaves(others), strict=True)
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in leaves)


@pytest.fixture(scope="module")
def stepped(network, examples):
    """One step of plain gradient descent, four rows at a time."""
    made = updater(network)
    return made.step(made.start(network.params), examples)


def test_a_step_is_the_mean_gradient_computed_on_one_device(network, examples, stepped):
    packed = arrays([[example] for example in examples], ROW, len(examples))
    params = jax.device_put(network.params, jax.devices()[0])

    def mean_loss(params):
        logprob = loss.token_logprobs(network.with_params(params), packed, 1.0)
        return -logprob.sum() / packed.learn_RT.sum()

    value, gradient = jax.jit(jax.value_and_grad(mean_loss))(params)
    expected = jax.tree.map(lambda w, g: w - g, params, gradient)
    learner, report = stepped
    assert difference(learner.params, expected) < 1e-5
    assert difference(learner.params, network.params) > 1e-3
    assert float(report.loss) == pytest.approx(float(value), rel=1e-5)
    assert float(report.gradient_norm) == pytest.approx(float(optax.tree.norm(gradient)), rel=1e-4)


def test_micro_batches_add_up_to_one_big_batch(network, examples, stepped):
    small = updater(network, tokens=1, row_lengths=(20, ROW))  # one row a device
    learner, report = small.step(small.start(network.params), examples)
    assert difference(learner.params, stepped[0].params) < 1e-5
    assert float(report.loss) == pytest.approx(float(stepped[1].loss), rel=1e-5)


def test_the_report_counts_prompts_and_responses(examples, stepped):
    assert stepped[1].tokens == sum(len(e.prompt) + len(e.response) for e in examples)
    assert float(stepped[1].largest_ratio_gap) == 0.0


def test_start_copies(network, examples):
    made = updater(network)
    learner = made.start(network.params)
    made.step(learner, examples)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(learner.params))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(network.params))


def test_the_ratio_gap_is_what_drawing_and_training_disagree_on(network, examples):
    """Drawn at 2/3 of the probability that the network gives now: the ratio is 1.5."""
    packed = arrays([[example] for example in examples], ROW, len(examples))
    logprob = np.asarray(loss.token_logprobs(network, packed, 1.0))
    drawn = [
        Example(e.prompt, e.response, 1.0, logprob[r][packed.learn_RT[r]].tolist())
        for r, e in enumerate(examples)
    ]
    one = drawn[2]
    moved = [*drawn[:2], one._replace(logprobs=[p - np.log(1.5) for p in one.logprobs]), *drawn[3:]]

    def objective(logprob_RT, packed):
        return loss.clipped_policy_gradient(logprob_RT, packed, 0.2, 0.28)

    made = updater(network, objective=objective, rate=0.0)
    learner, on_policy = made.step(made.start(network.params), drawn)
    _, report = made.step(learner, moved)
    assert float(on_policy.largest_ratio_gap) < 1e-4
    assert float(on_policy.loss) == pytest.approx(-1.0, abs=1e-4)
    assert float(report.largest_ratio_gap) == pytest.approx(0.5, abs=1e-3)


def test_no_examples_is_an_error(network):
    made = updater(network)
    with pytest.raises(ValueError, match="at least one example; skip the step"):
        made.step(made.start(network.params), [])


@pytest.mark.parametrize(
    ("ramp", "shares"), [(0, [1, 1, 1]), (1, [1 / 2, 1, 1]), (2, [1 / 3, 2 / 3, 1])]
)
def test_the_learning_rate_rises_over_the_ramp(ramp, shares):
    rate = schedule(UpdateConfig(learning_rate=0.01, ramp=ramp), generations=10**6)
    assert [float(rate(step)) for step in range(3)] == pytest.approx(
        [0.01 * s for s in shares], rel=1e-4
    )


def test_the_learning_rate_falls_to_a_tenth_by_the_last_generation():
    rate = schedule(UpdateConfig(learning_rate=0.01, ramp=4, minibatches=2), generations=12)
    falling = [float(rate(step)) for step in range(4, 25)]
    assert falling == sorted(falling, reverse=True)
    assert float(rate(14)) == pytest.approx(0.0055)  # half way
    assert float(rate(24)) == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"learning_rate": 0.0}, "learning_rate=0.0"),
        ({"learning_rate": 1.0}, "learning_rate=1.0"),
        ({"clip_low": 1.0}, "clip_low=1.0"),
        ({"clip_high": 0.0}, "clip_high=0.0"),
        ({"minibatches": 0}, "minibatches=0"),
        ({"tokens": 0}, "tokens=0"),
        ({"row_lengths": ()}, "row_lengths=()"),
        ({"row_lengths": (96, 96)}, "row_lengths=(96, 96)"),
        ({"row_lengths": (256, 96)}, "row_lengths=(256, 96)"),
        ({"ramp": -1}, "ramp=-1"),
    ],
)
def test_values_out_of_range(wrong, field):
    with pytest.raises(ValueError) as caught:
        UpdateConfig(**wrong)
    assert f"update.{field}" in str(caught.value).replace("\n", " ")


# trust region


def as_drawn(network, examples):
    """The examples with the log-probabilities that the network gives their responses."""
    packed = arrays([[example] for example in examples], ROW, len(examples))
    logprob = np.asarray(loss.token_logprobs(network, packed, 1.0))
    return [
        e._replace(logprobs=logprob[r][packed.learn_RT[r]].tolist()) for r, e in enumerate(examples)
    ]


def moved_by(network, params, drawn):
    """Half the mean squared change of the log-probability, in nats a token."""
    after = as_drawn(network.with_params(params), drawn)
    pairs = zip(drawn, after, strict=True)
    changes = [np.subtract(new.logprobs, old.logprobs) for old, new in pairs]
    return 0.5 * float(np.mean(np.square(np.concatenate(changes))))


def trusting(network, limit, rate):
    return Updater(
        network, optax.sgd(rate), loss.imitation, row_lengths=(ROW,), tokens=4 * ROW,
        max_divergence=limit,
    )  # fmt: skip


@pytest.mark.parametrize("limit", [1e-4, 1e-3])
def test_a_step_too_long_for_the_trust_region_is_shortened_to_it(network, examples, limit):
    drawn = as_drawn(network, examples)
    made = trusting(network, limit, 0.05)
    learner, report = made.step(made.start(network.params), drawn)
    assert 0.0 < report.length < 1.0
    assert moved_by(network, learner.params, drawn) == pytest.approx(limit, rel=0.5)


def test_a_step_within_the_trust_region_is_taken_whole(network, examples):
    drawn = as_drawn(network, examples)
    free, bound = trusting(network, 0.0, 1e-3), trusting(network, 10.0, 1e-3)
    whole, _ = free.step(free.start(network.params), drawn)
    learner, report = bound.step(bound.start(network.params), drawn)
    assert report.length == 1.0
    assert difference(learner.params, whole.params) == 0.0


def test_imitation_knows_no_trust_region(network, examples):
    made = trusting(network, 1e-6, 0.05)
    _, report = made.step(made.start(network.params), examples)
    assert report.length == 1.0


def test_half_the_pace_is_half_the_step(network, examples, stepped):
    made = updater(network)
    learner, _ = made.step(made.start(network.params), examples, pace=0.5)
    half = jax.tree.map(lambda old, new: (old + new) / 2, network.params, stepped[0].params)
    assert difference(learner.params, half) < 1e-5
