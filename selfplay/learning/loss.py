"""The objectives: clipped policy gradient for reinforcement, cross-entropy for imitation, both.

All take the log-probabilities of packed tokens (batch.py) and return sums over tokens; update.py
divides by the number of tokens of the whole batch. Pure jax. Axes: R packed rows, T tokens.
"""

import jax
import jax.numpy as jnp

from selfplay.learning.batch import Packed
from selfplay.model.attention import Turn
from selfplay.model.network import Network
from selfplay.model.transformer import Transformer

WHOLE_VOCABULARY = 8192
"""Up to so many tokens that can be drawn, the logits of all positions are in memory at once."""
STRETCH_TOKENS = 1024
"""Positions whose logits are in memory at once beyond that."""


def token_logprobs(
    network: Network,
    packed: Packed,
    temperature: float | jax.Array,
    turns: tuple[Turn, ...] | None = None,
) -> jax.Array:
    """Log-probability of each token given those before it in its sequence.

    Args:
        network: the model.
        packed: R rows of T tokens.
        temperature: divides the logits, as it did when the tokens were drawn.
        turns: `Transformer.turns` of the positions, if they are there already.
    Returns:
        float [R, T], in nats; 0 at tokens that are not learnt (no response token starts a row).
    """
    model = network.model()
    of_R1T = packed.segment_RT[:, None, :]
    seen_RTT = (packed.segment_RT[:, :, None] == of_R1T) | (packed.prompt_RT[:, :, None] == of_R1T)
    earlier_TT = jnp.tril(jnp.ones((of_R1T.shape[2],) * 2, bool))
    token_RT, position_RT = jnp.asarray(packed.token_RT), jnp.asarray(packed.position_RT)
    state_RTW = model.states_to_learn(token_RT, position_RT, seen_RTT & earlier_TT, turns)
    drawn_RT = jnp.minimum(token_RT[:, 1:], model.spoken - 1)  # prompts hold more
    chosen = _chosen if model.spoken <= WHOLE_VOCABULARY else _chosen_in_parts
    chosen_RT = chosen(model, state_RTW[:, :-1], drawn_RT, temperature)
    shifted_RT = jnp.pad(chosen_RT, ((0, 0), (1, 0)))
    return jnp.where(packed.learn_RT, shifted_RT, 0.0)


def _chosen(
    model: Transformer, state_RTW: jax.Array, drawn_RT: jax.Array, temperature: float | jax.Array
) -> jax.Array:
    """float [R, T], log-probability of each drawn token after its state."""
    logprob_RTU = jax.nn.log_softmax(model.logits(state_RTW) / temperature)
    return jnp.take_along_axis(logprob_RTU, drawn_RT[..., None], axis=2)[..., 0]


def _chosen_in_parts(
    model: Transformer, state_RTW: jax.Array, drawn_RT: jax.Array, temperature: float | jax.Array
) -> jax.Array:
    """The same, a stretch of tokens after the other, in the backward pass too.

    For a large vocabulary all logits at once would take more memory than everything else.
    """
    R, T = drawn_RT.shape
    stretch = max(1, min(T, STRETCH_TOKENS // R))
    stretches = -(-T // stretch)
    room = ((0, 0), (0, stretches * stretch - T))

    def by_stretch(x: jax.Array) -> jax.Array:
        padded = jnp.pad(x, room + ((0, 0),) * (x.ndim - 2))
        return padded.reshape(R, stretches, stretch, *x.shape[2:]).swapaxes(0, 1)

    part = jax.checkpoint(lambda state, drawn: _chosen(model, state, drawn, temperature))
    chosen = jax.lax.map(lambda own: part(*own), (by_stretch(state_RTW), by_stretch(drawn_RT)))
    return chosen.swapaxes(0, 1).reshape(R, stretches * stretch)[:, :T]


def imitation(logprob_RT: jax.Array, packed: Packed) -> jax.Array:
    """Sum over response tokens of the cross-entropy, in nats."""
    return -jnp.sum(logprob_RT * packed.weight_RT)


def clipped_policy_gradient(
    logprob_RT: jax.Array, packed: Packed, clip_low: float, clip_high: float
) -> jax.Array:
    """Sum over response tokens of -min(rho A, clip(rho, 1 - low, 1 + high) A).

    rho = exp(logprob - logprob at drawing) is 1 at the first step of a batch, where the gradient
    is that of REINFORCE. The upper clip is the wider one: it keeps rare tokens explorable.

    Args:
        logprob_RT: float [R, T], of the network being trained.
        packed: advantages in `weight_RT`, log-probabilities at drawing in `logprob_RT`.
        clip_low: how far rho may fall below 1 and still earn, in (0, 1).
        clip_high: how far rho may rise above 1 and still earn, > 0.
    Source: Schulman et al. 2017, arXiv:1707.06347; asymmetric clip of Yu et al. 2025,
        arXiv:2503.14476 (DAPO).
    """
    ratio_RT = jnp.exp(jnp.where(packed.learn_RT, logprob_RT - packed.logprob_RT, 0.0))
    clipped_RT = jnp.clip(ratio_RT, 1.0 - clip_low, 1.0 + clip_high)
    gain_RT = jnp.minimum(ratio_RT * packed.weight_RT, clipped_RT * packed.weight_RT)
    return -jnp.sum(jnp.where(packed.learn_RT, gain_RT, 0.0))


def reinforcement_and_imitation(
    logprob_RT: jax.Array, packed: Packed, clip_low: float, clip_high: float
) -> jax.Array:
    """`clipped_policy_gradient` of the tokens that were drawn, `imitation` of the others.

    A token counts as drawn if its log-probability at drawing is known. One that was drawn with
    probability 1 counts as imitated: its gradient is 0 either way. Arguments as of the former.
    """
    drawn_RT = packed.logprob_RT != 0.0
    drawn = packed._replace(learn_RT=packed.learn_RT & drawn_RT)
    shown = packed._replace(weight_RT=jnp.where(drawn_RT, 0.0, packed.weight_RT))
    return clipped_policy_gradient(logprob_RT, drawn, clip_low, clip_high) + imitation(
        logprob_RT, shown
    )
