"""One optimiser step: packed examples in, new parameters out.

Gradients of micro-batches of one shape are summed, so that memory and compilations stay the same
however many examples a generation gives; the sum is divided by the tokens of the whole batch.
Fed by loop.py and warmup.py.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from selfplay.learning import loss
from selfplay.learning.batch import Example, Packed, arrays, batch_rows, micro_batches
from selfplay.learning.rehearsal import RehearsalConfig
from selfplay.model import sharding
from selfplay.model.attention import Turn
from selfplay.model.network import PROPOSER, SOLVER, Network


@dataclass(frozen=True)
class UpdateConfig:
    """How the network is changed by a batch of attempts."""

    rule: Literal["gradient", "positive", "rehearsal", "mixture"] = "gradient"
    """What the solver learns from. `gradient`: the clipped policy gradient on attempts that did
    better or worse than their siblings; `positive`: on those alone that did better; `rehearsal`:
    imitation of right attempts that are kept by level; `mixture`: rehearsal and gradient. The
    learned proposer keeps its policy gradient under each."""
    learning_rate: float = 5e-4
    """Highest step size of Adam, after `ramp` steps; it falls to a tenth by the last generation.
    Muon's is 5 times that."""
    ramp: int = 10
    """Optimiser steps over which the learning rate rises from 0."""
    max_norm: float = 1.0
    """Gradients longer than this (L2) are shortened to it."""
    minibatches: int = 2
    """Optimiser steps a generation where nothing is rehearsed, each on its share of the samples;
    from the second on, the importance ratio is not 1 and the clip has work to do."""
    max_divergence: float = 0.0
    """Trust region: how far a generation's steps may move the network from the one that drew the
    attempts, in nats a token (half the mean squared change of their log-probability); a longer step
    is shortened. It costs a forward pass a step; 0: no limit."""
    clip_low: float = 0.2
    """Importance ratios below 1 - clip_low earn nothing more."""
    clip_high: float = 0.28
    """Importance ratios above 1 + clip_high earn nothing more."""
    row_lengths: tuple[int, ...] = (96, 256)
    """Tokens in the kinds of packed rows, shortest first; the longest prompt with its response must
    fit the last."""
    tokens: int = 3072
    """Tokens in a micro-batch: what is in memory at once."""
    rehearsal: RehearsalConfig = field(default_factory=RehearsalConfig)
    """What `rehearsal` and `mixture` keep and imitate."""

    @property
    def rehearses(self) -> bool:
        """Whether right attempts are kept and imitated."""
        return self.rule in ("rehearsal", "mixture")

    @property
    def steps(self) -> int:
        """Optimiser steps a generation."""
        return self.rehearsal.steps if self.rehearses else self.minibatches

    def __post_init__(self) -> None:
        if not 0.0 < self.learning_rate < 1.0:
            raise ValueError(
                f"update.learning_rate={self.learning_rate} is outside (0, 1); small models learn "
                "from about 5e-4, pretrained ones from about 1e-6."
            )
        if not (0.0 < self.clip_low < 1.0 and self.clip_high > 0.0):
            raise ValueError(
                f"update.clip_low={self.clip_low} must lie in (0, 1) and update.clip_high="
                f"{self.clip_high} above 0; the defaults are 0.2 and 0.28."
            )
        if min(self.minibatches, self.tokens) < 1 or min(self.ramp, self.max_divergence) < 0:
            raise ValueError(
                f"update.minibatches={self.minibatches} and update.tokens={self.tokens} must be at "
                f"least 1, update.ramp={self.ramp} and update.max_divergence={self.max_divergence} "
                "at least 0."
            )
        rising = list(self.row_lengths) == sorted(set(self.row_lengths))
        if not self.row_lengths or self.row_lengths[0] < 1 or not rising:
            raise ValueError(
                f"update.row_lengths={self.row_lengths} must be positive and rise; the default is "
                "(96, 256)."
            )


class Learner(NamedTuple):
    """What an optimiser step changes."""

    params: nnx.State
    moments: optax.OptState


class StepReport(NamedTuple):
    """What one optimiser step did; scalars stay on the device until somebody reads them."""

    loss: jax.Array
    """Mean over response tokens."""
    gradient_norm: jax.Array
    """L2, before shortening."""
    tokens: int
    """Prompt and response tokens that were trained on."""
    largest_ratio_gap: jax.Array
    """Largest |importance ratio - 1| of a response token; 0 for imitation."""
    length: float = 1.0
    """Share of the optimiser's step that the trust region let it take."""


class NotFiniteError(ValueError):
    """An optimiser step whose loss or gradient is no number: the parameters after it are lost."""


def check_finite(report: StepReport, step: str) -> None:
    """Wait for a step and see whether it can be built on.

    Args:
        report: of the step.
        step: which one it was, for the message.
    Raises:
        NotFiniteError: its loss or its gradient is infinite or no number.
    """
    loss, norm = float(report.loss), float(report.gradient_norm)
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise NotFiniteError(
            f"{step} has the loss {loss} and a gradient of length {norm}: nothing can be learnt "
            "from there on. Start a run with a lower learning rate (--update.learning-rate, or "
            "--warmup.learning-rate if it was the warm-up's), or with --precision float32 if it "
            "was lower."
        )


def schedule(config: UpdateConfig, generations: int) -> optax.Schedule:
    """Learning rate by step: rises in a line over the ramp, then falls in a line to a tenth.

    The fall averages out what noise the last steps would leave in the parameters.
    """
    first = config.learning_rate / (config.ramp + 1)  # at rate 0 the first step would be wasted
    rise = optax.linear_schedule(first, config.learning_rate, max(1, config.ramp))
    left = max(1, generations * config.steps - config.ramp)
    fall = optax.linear_schedule(config.learning_rate, 0.1 * config.learning_rate, left)
    return optax.join_schedules([rise, fall], [config.ramp])


class Batch(NamedTuple):
    """A micro-batch on the devices."""

    role: int
    """Who learns from it."""
    packed: Packed
    turns: tuple[Turn, ...]


class Updater:
    """One objective with one optimiser, compiled once for each kind of micro-batch."""

    def __init__(
        self,
        network: Network,
        transformation: optax.GradientTransformation,
        objective: Callable[[jax.Array, Packed], jax.Array],
        *,
        row_lengths: Sequence[int],
        tokens: int,
        temperature: float = 1.0,
        max_divergence: float = 0.0,
    ) -> None:
        """Prepare.

        Args:
            network: whose parameters change; those that are given to `start` and `step` count.
            transformation: the optimiser.
            objective: (log-probabilities [R, T], batch) -> sum of the loss over response tokens.
            row_lengths: tokens in the kinds of packed rows, shortest first.
            tokens: about how many a micro-batch has room for.
            temperature: of the distribution that the log-probabilities are of.
            max_divergence: see `UpdateConfig`.
        """
        self._network = network
        self._transformation = transformation
        self._row_lengths = row_lengths
        self._tokens = tokens
        self._add_gradient = jax.jit(
            partial(_add_gradient, objective, temperature), donate_argnums=1
        )
        self._apply = jax.jit(partial(_apply, transformation), donate_argnums=0)
        self._max_divergence = max_divergence
        self._divergence = jax.jit(partial(_divergence, temperature))

    def start(self, params: nnx.State) -> Learner:
        """Fresh optimiser state for a copy of these parameters, both where they belong."""
        own = jax.tree.map(jnp.copy, params)  # steps use the learner up; the caller's stay good
        return sharding.place(Learner(own, self._transformation.init(own)))

    def precompile(self, learner: Learner) -> None:
        """Compile for all kinds of micro-batches, whichever come; `learner` stays as it is."""
        network = self._network.with_params(learner.params)
        for length in self._row_lengths:
            for row_count in set(batch_rows(length, self._tokens, sharding.row_ways())):
                packed = sharding.split_rows(arrays([], length, row_count))
                turns = _turns(network, packed.position_RT)
                total = Sums.zero(learner.params)
                self._add_gradient(network, total, packed, turns, np.float32(0.0))

    def step(
        self, learner: Learner, examples: Sequence[Example], pace: float = 1.0
    ) -> tuple[Learner, StepReport]:
        """Learn from all the examples in one optimiser step.

        Args:
            learner: used up (donated).
            examples: at least one.
            pace: factor on the learning rate of this step.
        Raises:
            ValueError: no examples, or one that is longer than a packed row.
        """
        if not examples:
            raise ValueError("an optimiser step needs at least one example; skip the step instead.")
        learnt = sum(len(example.response) for example in examples)
        total, batches = Sums.zero(learner.params), list(self._batches(examples))
        for role, packed, turns in batches:
            network = self._network.with_params(learner.params).playing(role)
            total = self._add_gradient(network, total, packed, turns, np.float32(1.0 / learnt))
        learner, change, norm = self._apply(learner, total.gradient, np.float32(pace))
        length = 1.0
        if self._max_divergence:
            length = self._trusted(learner.params, batches)
            if length < 1.0:
                learner = learner._replace(
                    params=_shortened(learner.params, change, np.float32(length))
                )
        tokens = learnt + sum(len(example.prompt) for example in examples)
        return learner, StepReport(total.loss, norm, tokens, total.largest_ratio_gap, length)

    def _trusted(self, params: nnx.State, batches: Sequence[Batch]) -> float:
        """Share of a step to these parameters that stays within the trust region.

        The divergence grows with the square of the step.
        """
        squares = count = 0.0
        for role, packed, turns in batches:
            network = self._network.with_params(params).playing(role)
            own_squares, own_count = self._divergence(network, packed, turns)
            squares, count = squares + float(own_squares), count + float(own_count)
        divergence = 0.5 * squares / max(count, 1.0)
        return min(1.0, math.sqrt(self._max_divergence / max(divergence, 1e-12)))

    def _batches(self, examples: Sequence[Example]) -> Iterator[Batch]:
        """Micro-batches with the role that learns: each its own if the roles have adapters."""
        parts = {SOLVER: examples}
        if self._network.adapted:
            parts = {role: [e for e in examples if e.role == role] for role in (SOLVER, PROPOSER)}
        for role, part in parts.items():
            for packed in micro_batches(part, self._row_lengths, self._tokens, sharding.row_ways()):
                placed = sharding.split_rows(packed)
                yield Batch(role, placed, _turns(self._network, placed.position_RT))


class Sums(NamedTuple):
    """What micro-batches add up to."""

    gradient: nnx.State
    loss: jax.Array
    largest_ratio_gap: jax.Array

    @classmethod
    def zero(cls, params: nnx.State) -> "Sums":
        """Before the first micro-batch."""
        return cls(*_zeros(params))


@jax.jit
def _zeros(params: nnx.State) -> tuple[nnx.State, jax.Array, jax.Array]:
    gradient = sharding.constrain_places(jax.tree.map(jnp.zeros_like, params))
    return gradient, jnp.float32(0.0), jnp.float32(0.0)


@jax.jit
def _turns(network: Network, position_RT: jax.Array) -> tuple[Turn, ...]:
    return network.model().turns(position_RT)


def _add_gradient(
    objective: Callable[[jax.Array, Packed], jax.Array],
    temperature: float,
    network: Network,
    total: Sums,
    packed: Packed,
    turns: tuple[Turn, ...],
    scale: jax.Array,
) -> Sums:
    def scaled_loss(params: nnx.State) -> tuple[jax.Array, jax.Array]:
        logprob_RT = loss.token_logprobs(network.with_params(params), packed, temperature, turns)
        known_RT = packed.learn_RT & (packed.logprob_RT != 0.0)
        gap_RT = jnp.abs(jnp.expm1(logprob_RT - packed.logprob_RT))
        return scale * objective(logprob_RT, packed), jnp.max(jnp.where(known_RT, gap_RT, 0.0))

    (value, gap), gradient = jax.value_and_grad(scaled_loss, has_aux=True)(network.params)
    return Sums(
        sharding.constrain_places(jax.tree.map(jnp.add, total.gradient, gradient)),
        total.loss + value,
        jnp.maximum(total.largest_ratio_gap, gap),
    )


def _apply(
    transformation: optax.GradientTransformation,
    learner: Learner,
    gradient: nnx.State,
    pace: jax.Array,
) -> tuple[Learner, optax.Updates, jax.Array]:
    """The learner after a step, what was added to its parameters, and the gradient's norm."""
    norm = optax.tree.norm(gradient)
    updates, moments = transformation.update(gradient, learner.moments, learner.params)
    updates = jax.tree.map(lambda change: pace * change, updates)
    params = cast(nnx.State, optax.apply_updates(learner.params, updates))
    return sharding.constrain_places(Learner(params, moments)), updates, norm


def _divergence(
    temperature: float, network: Network, packed: Packed, turns: tuple[Turn, ...]
) -> tuple[jax.Array, jax.Array]:
    """Squared changes of the log-probability of drawn tokens since their drawing; how many."""
    drawn_RT = packed.learn_RT & (packed.logprob_RT != 0.0)
    logprob_RT = loss.token_logprobs(network, packed, temperature, turns)
    change_RT = jnp.where(drawn_RT, logprob_RT - packed.logprob_RT, 0.0)
    return jnp.sum(jnp.square(change_RT)), jnp.sum(drawn_RT)


@partial(jax.jit, donate_argnums=0)
def _shortened(params: nnx.State, change: optax.Updates, length: jax.Array) -> nnx.State:
    """Parameters as if only that share of the change had been added."""
    shorter = jax.tree.map(lambda new, added: new - (1.0 - length) * added, params, change)
    return sharding.constrain_places(shorter)
