"""`selfplay bench decode|train`: speed of what runs spend their time in, beside the limits.

The shapes are those of an experiment, or of a preset with random weights. Decoding goes through
`decode.sample`, training through `Updater.step`: nothing is rebuilt for the benchmark. What a token
costs is counted from the network's own sizes. Axes: P prompts, T drawn tokens.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from selfplay import streams
from selfplay.cli import bench_limits, bench_presets
from selfplay.cli.bench_limits import Workload
from selfplay.cli.bench_presets import DecodeShape, PresetName, TrainShape
from selfplay.config import RunConfig
from selfplay.curriculum.archive import Archive
from selfplay.learning import warmup
from selfplay.learning.batch import Example, Packed, micro_batches, pack
from selfplay.learning.loss import clipped_policy_gradient
from selfplay.learning.optimizer import optimizer
from selfplay.learning.update import UpdateConfig, Updater, schedule
from selfplay.model import decode, sharding
from selfplay.model.architecture import Precision
from selfplay.model.network import Network, parameter_count
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.tokens import padded_length
from selfplay.parts import Parts, build
from selfplay.problem import Problem

NEVER = (-1,)
"""Ids that end a response: none that can be drawn, so that every response has the full length."""
PROMPT_SHARE = 3
"""One in so many tokens of a preset's training is the prompt's."""
MICRO_BATCH = 8192
"""Most tokens that a preset's optimiser step has in memory at once."""


class Decoding(NamedTuple):
    """A network and what it responds to."""

    network: Network
    prompts: Sequence[Sequence[int]]
    attempts: int
    """Responses to each prompt."""
    config: DecodeConfig


class Training(NamedTuple):
    """A network, who trains it, and on what."""

    network: Network
    updater: Updater
    config: UpdateConfig
    examples: list[Example]


def decode_figures(
    make: Callable[[], Decoding], repetitions: int, *, cached: bool = False
) -> dict[str, Any]:
    """Draw responses of the full length.

    Args:
        make: makes the network; its time is part of the time to the first decode.
        repetitions: medians are over this many.
        cached: take compiled programs from the disk if they are there.
    """
    with bench_limits.compiling_anew(not cached):
        start = time.perf_counter()
        task = make()
        workload = decoding_workload(task)
        made = time.perf_counter() - start
        found = bench_limits.timed(workload, repetitions)
    return {
        "parameters": parameter_count(task.network.params),
        "rows": len(task.prompts) * task.attempts,
        "tokens_each": task.config.max_tokens,
        **bench_limits.figures(workload, found),
        "seconds_to_first_decode": made + found.first,
        "flops_counted": "2 a parameter and drawn token, and attention; prompts are not counted",
        "bytes_counted": "weights for each step of a tile and device; keys, values of filled slots",
        **bench_limits.here(),
    }


def train_figures(
    make: Callable[[], Training], repetitions: int, *, cached: bool = False
) -> dict[str, Any]:
    """Take optimiser steps, all on the same examples.

    Args:
        make: makes the network and the examples.
        repetitions: medians are over this many.
        cached: take compiled programs from the disk if they are there.
    """
    with bench_limits.compiling_anew(not cached):
        task = make()
        workload = training_workload(task)
        found = bench_limits.timed(workload, repetitions)
    laid_out = list(batches(task))
    segment = np.concatenate([packed.segment_RT.ravel() for packed in laid_out])
    return {
        "parameters": parameter_count(task.network.params),
        "tokens": _token_count(task.examples),
        **bench_limits.figures(workload, found),
        "micro_batches": len(laid_out),
        "tokens_computed": segment.size,
        "padding_share": float((segment == 0).mean()),
        "flops_counted": "6 a parameter and token, and attention; padding is not counted, a prompt "
        "that responses share once",
        "bytes_counted": "weights, gradients and moments on each device; not the activations",
        **bench_limits.here(),
    }


def preset_decoding(
    name: PresetName, shape: DecodeShape, precision: Precision | None = None
) -> Decoding:
    """Random prompts for a preset's network.

    Raises:
        ValueError: the memory here is too small for it.
    """
    preset = bench_presets.architecture(name, precision)
    slots = padded_length(shape.prompt) + shape.tokens
    rows = sharding.rounded_rows(shape.rows)
    cache = rows * slots * bench_presets.cached_bytes(preset)
    at_once, prompt = max(1, rows // decode.PROMPTS), padded_length(shape.prompt)
    scores = max(
        at_once * bench_presets.score_bytes(preset, prompt, prompt),
        rows * bench_presets.score_bytes(preset, 1, slots),
    )
    fewer = "fewer --rows or --tokens, a shorter --prompt"
    bench_presets.check_memory(name, preset, copies=1, beside=cache + scores, smaller=fewer)
    rng = np.random.default_rng(0)
    prompts = rng.integers(preset.spoken, size=(shape.rows, shape.prompt)).tolist()
    return Decoding(
        bench_presets.network(preset), prompts, 1, DecodeConfig(shape.tokens, shape.rows)
    )


def preset_training(
    name: PresetName, shape: TrainShape, precision: Precision | None = None
) -> Training:
    """Random examples for a preset's network, with rows for two attempts at a prompt.

    Raises:
        ValueError: the memory here is too small for it.
    """
    preset = bench_presets.architecture(name, precision)
    response = shape.length - shape.length // PROMPT_SHARE
    row = shape.length + (response + 1 if shape.attempts > 1 else 0)
    row += row % 2  # as cuDNN's attention wants it
    scores = max(1, MICRO_BATCH // row) * bench_presets.score_bytes(preset, row, row)
    # The parameters, at most two moments, the sum of gradients, a new gradient, the updates.
    fewer = "a smaller preset or --length"
    bench_presets.check_memory(name, preset, copies=6, beside=scores, smaller=fewer)
    network = bench_presets.network(preset)
    examples = _attempts(preset.spoken, shape)
    tokens = len(pack(examples, row)) * row
    config = UpdateConfig(row_lengths=(row,), tokens=min(MICRO_BATCH, tokens))
    updater = Updater(
        network,
        optimizer(schedule(config, generations=100), config.max_norm),
        lambda logprob_RT, packed: clipped_policy_gradient(
            logprob_RT, packed, config.clip_low, config.clip_high
        ),
        row_lengths=config.row_lengths,
        tokens=config.tokens,
    )
    return Training(network, updater, config, examples)


def _attempts(spoken: int, shape: TrainShape) -> list[Example]:
    """Random prompts with random responses, which were as likely as any other."""
    rng, cut = np.random.default_rng(0), shape.length // PROMPT_SHARE
    rows = rng.integers(spoken, size=(shape.sequences, shape.length)).tolist()
    prompts = [rows[at - at % shape.attempts][:cut] for at in range(shape.sequences)]
    surprised = [-float(np.log(spoken))] * (shape.length - cut)
    return [
        Example(prompt, row[cut:], float(rng.choice([-1.0, 1.0])), surprised)
        for prompt, row in zip(prompts, rows, strict=True)
    ]


def experiment_decoding(config: RunConfig) -> Decoding:
    """A generation's attempts, by the untrained network."""
    parts = build(config, Archive(":memory:"))
    problems = draw(parts, config.rollout.problems)
    prompts = [parts.ring.tokenizer.solver_prompt(problem) for problem in problems]
    return Decoding(parts.network, prompts, config.rollout.attempts, config.decode)


def experiment_training(parts: Parts) -> Training:
    """As many worked solutions as a generation has attempts, at most as long."""
    config, tokenizer, rng = parts.config, parts.ring.tokenizer, random.Random(0)
    examples = []
    for problem in draw(parts, config.rollout.problems * config.rollout.attempts):
        response = warmup.worked(parts.environments[problem.environment], problem, rng)
        prompt = tokenizer.solver_prompt(problem)
        examples.append(Example(prompt, tokenizer.response(response), rng.choice([-1.0, 1.0])))
    return Training(parts.network, parts.ring.trainer.updater, config.update, examples)


def draw(parts: Parts, count: int) -> list[Problem]:
    """Problems of all environments and the easier two thirds of the levels, in turn."""
    rng = random.Random(0)
    environments = list(parts.environments.values())
    return [
        environment.generate(rng.randrange(2 * environment.level_count // 3), rng)
        for environment in (environments[i % len(environments)] for i in range(count))
    ]


def steps(task: Training) -> Callable[[], int]:
    """One optimiser step a call; returns the tokens that were trained on."""
    learner = task.updater.start(task.network.params)

    def step() -> int:
        nonlocal learner
        learner, taken = task.updater.step(learner, task.examples)
        jax.block_until_ready(learner)
        return taken.tokens

    return step


def decoding_workload(task: Decoding) -> Workload:
    """Draw all responses anew in a call, from other keys each time."""
    network = task.network
    repetition = iter(range(1_000_000))

    def run() -> int:
        rows = len(task.prompts) * task.attempts
        key_N2 = streams.row_keys(0, next(repetition), "bench", rows)
        samples = decode.sample(
            network, task.prompts, key_N2, attempts=task.attempts, config=task.config,
            sampling=Sampling(), end_ids=NEVER,
        )  # fmt: skip
        return int(samples.length_N.sum())

    sizes, drawn = Sizes.of(network), task.config.max_tokens
    # A token sees itself, its prompt and what was drawn before it.
    length_P = np.array([len(prompt) for prompt in task.prompts])
    visible_PT = length_P[:, None] + np.arange(drawn)
    tokens = task.attempts * visible_PT.size
    tiles = -(-len(task.prompts) * task.attempts // sharding.rounded_rows(task.config.rows))
    passes = tiles * drawn * sharding.row_ways()
    read, written = sizes.cached(visible_PT), sizes.cached(np.ones_like(visible_PT))
    return Workload(
        run,
        flops=2 * sizes.passed * tokens + task.attempts * sizes.attention(visible_PT),
        moved=passes * sizes.passed * sizes.operands.itemsize + task.attempts * (read + written),
        operands=sizes.operands,
        sums=sizes.dtype,
    )


def training_workload(task: Training) -> Workload:
    """Take one optimiser step a call."""
    sizes, laid_out = Sizes.of(task.network), list(batches(task))
    # A token sees those before it in its sequence, and itself.
    visible = np.concatenate([1 + b.position_RT[b.segment_RT > 0] for b in laid_out])
    weights = _bytes(task.network.params)
    moments = _bytes(jax.eval_shape(task.updater.start, task.network.params).moments)
    # Each micro-batch reads the weights forwards and backwards, and adds to the gradient; the step
    # reads that and changes parameters and moments.
    moved = len(laid_out) * 4 * weights + 3 * weights + 2 * moments
    return Workload(
        steps(task),
        flops=6 * sizes.passed * visible.size + 3 * sizes.attention(visible),
        moved=moved * sharding.row_ways(),
        operands=sizes.operands,
        sums=sizes.dtype,
    )


class Sizes(NamedTuple):
    """What one token costs in a network."""

    passed: int
    """Parameters in the matrix products that a token passes through: all matrices but the rows of
    the embedding; the output matrix as far as tokens can be drawn."""
    operands: jnp.dtype
    """What is multiplied with weights, and so are they."""
    dtype: jnp.dtype
    """Of activations, keys and values."""
    layers: list[tuple[int, int, int]]
    """Width of all query heads, width of all key-value heads, window (0: none) of each layer."""

    @classmethod
    def of(cls, network: Network) -> "Sizes":
        """Read off the parameters' shapes."""
        model = network.model()
        inside = sum(x.size for x in jax.tree.leaves(nnx.state(model.blocks)) if x.ndim == 2)
        layers = [
            (a.heads * a.head_dim, a.kv_heads * a.head_dim, a.window)
            for a in (block.attention for block in model.blocks)
        ]
        width = model.embedding_VW.shape[1]
        operands, dtype = jnp.dtype(model.operands), jnp.dtype(model.dtype)
        return cls(inside + width * model.spoken, operands, dtype, layers)

    def attention(self, visible: np.ndarray) -> float:
        """FLOP of scores and mixing for queries that see so many keys each, any shape."""
        return sum(4 * width * float(_within(visible, w).sum()) for width, _, w in self.layers)

    def cached(self, visible: np.ndarray) -> float:
        """Bytes of so many keys and values each."""
        slots = ((2 * width, _within(visible, window)) for _, width, window in self.layers)
        return self.dtype.itemsize * sum(width * float(seen.sum()) for width, seen in slots)


def _within(visible: np.ndarray, window: int) -> np.ndarray:
    return np.minimum(visible, window) if window else visible


def batches(task: Training) -> Iterator[Packed]:
    """What an optimiser step is taken on."""
    return micro_batches(
        task.examples, task.config.row_lengths, task.config.tokens, sharding.row_ways()
    )


def _token_count(examples: Sequence[Example]) -> int:
    return sum(len(example.prompt) + len(example.response) for example in examples)


def _bytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
