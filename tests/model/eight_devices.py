"""Samples and two optimiser steps on one device and on eight, arranged in several ways.

Run by test_sharding.py in a process of its own: the number of host devices is fixed at the start.
Prints what was found as JSON: for each arrangement whether the tokens are those of one device, the
largest differences of log-probabilities and of trained parameters, how parameters lie, and what was
compiled for decoding after all had been that it takes.
"""

from selfplay import device

device.prepare(cores=8)

import json  # noqa: E402 (jax is set up first)
import sys  # noqa: E402

import jax  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

from selfplay import machine, streams  # noqa: E402
from selfplay.learning.batch import Example  # noqa: E402
from selfplay.learning.loss import imitation  # noqa: E402
from selfplay.learning.optimizer import optimizer  # noqa: E402
from selfplay.learning.update import Updater  # noqa: E402
from selfplay.model import decode, sharding  # noqa: E402
from selfplay.model import network as networks  # noqa: E402
from selfplay.model.sampling import DecodeConfig, Sampling  # noqa: E402
from selfplay.model.sharding import MeshConfig  # noqa: E402
from selfplay.model.transformer import ModelConfig  # noqa: E402

ARRANGEMENTS = {
    0: [MeshConfig(), MeshConfig(fsdp=8), MeshConfig(2, 2)],
    4: [MeshConfig(2, 2), MeshConfig(tensor=4)],
}
"""By the rank of the adapters."""
VOCABULARY = 64


def outcome(adapter_rank):
    """Samples, parameters after two steps, how many are split, late compilations; on this mesh."""
    model = ModelConfig(width=64, layers=2, heads=4, kv_heads=4, hidden=96)
    built = model.architecture(VOCABULARY, VOCABULARY)
    built = type(built)(**(vars(built) | {"adapter_rank": adapter_rank}))
    made = networks.create(built, np.random.default_rng(0))
    made = made._replace(params=sharding.place(made.params), frozen=sharding.place(made.frozen))
    rng = np.random.default_rng(0)
    prompts = [rng.integers(3, VOCABULARY, 4 + i % 5).tolist() for i in range(16)]
    config = DecodeConfig(max_tokens=160, rows=16)
    decode._Kind(made, made.model().spoken, 32, config, Sampling(), (1,)).precompile()
    compiled = machine.compilations()
    assert compiled > 0
    samples = decode.sample(
        made, prompts, streams.row_keys(0, 0, "mesh", 64), attempts=4,
        config=config, sampling=Sampling(), end_ids=(1,),
    )  # fmt: skip
    late = machine.compilations() - compiled
    examples = [Example(p, samples.response(4 * i), role=i % 2) for i, p in enumerate(prompts)]
    steps = optimizer(optax.constant_schedule(1e-3), 1.0)
    updater = Updater(made, steps, imitation, row_lengths=(192,), tokens=1536)
    learner = updater.start(made.params)
    for _ in range(2):
        learner, _ = updater.step(learner, examples)
    split = sum(not leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(learner.params))
    return samples, jax.tree.map(np.asarray, learner.params), split, late


def difference(tree, other):
    """Largest absolute difference."""
    pairs = zip(jax.tree.leaves(tree), jax.tree.leaves(other), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def main():
    found = []
    for rank, arrangements in ARRANGEMENTS.items():
        with sharding.arranged(MeshConfig(), jax.devices()[:1]):
            samples, params, *_ = outcome(rank)
        for config in arrangements:
            with sharding.arranged(config):
                own, own_params, split, late = outcome(rank)
            same = bool((own.token_NT == samples.token_NT).all())
            found.append({
                "rank": rank, "fsdp": config.fsdp, "tensor": config.tensor, "same_tokens": same,
                "logprobs": difference(own.logprob_NT, samples.logprob_NT) if same else None,
                "params": difference(own_params, params), "split_leaves": split,
                "compiled_late": late,
            })  # fmt: skip
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
