"""What tokens are drawn from, and what was drawn. Feeds decode.py and tiles.py.

Axes: N rows, T tokens, U tokens that can be drawn.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LEAST_TEMPERATURE = 1e-6
"""Below it all but the likeliest have no probability that float32 can tell from 0, and logits that
are divided by it lose the digits in which they differ."""
MOST_TOP_K = 2**31 - 1


@dataclass(frozen=True)
class DecodeConfig:
    """How responses are drawn."""

    max_tokens: int = 160
    """Longest response, in tokens, `<end>` included; longer ones are cut and unparsable."""
    rows: int = 128
    """Rows of a tile: how many responses are decoded together, whatever their number, so that none
    depends on it. Rounded up to a power of two on each device. Larger tiles fill an accelerator
    better; smaller ones lose less when only a few long responses are left."""
    tiles: int = 12
    """Tiles in memory at once, and a copy of one while it grows. As rows end, tiles that have come
    as far are merged; the more there are, the fewer places stay empty."""

    def __post_init__(self) -> None:
        if min(self.max_tokens, self.rows, self.tiles) < 1:
            raise ValueError(
                f"decode.max_tokens={self.max_tokens}, decode.rows={self.rows} and decode.tiles="
                f"{self.tiles} must be at least 1; the defaults are 160, 128 and 12."
            )


class Sampling(NamedTuple):
    """The distribution that tokens are drawn from; a change of these is not compiled anew."""

    temperature: float = 1.0
    """Divides the logits; 0, and what is less than LEAST_TEMPERATURE, takes the likeliest token."""
    top_k: int = 0
    """Only so many tokens, the likeliest, can be drawn (and those as likely as the last of them);
    0: all."""
    top_p: float = 1.0
    """Only the likeliest tokens that have this share of what top_k leaves together can be drawn
    (and those as likely as the last of them); 1: all."""

    @property
    def truncated(self) -> bool:
        """Whether some tokens cannot be drawn; finding out which takes a sort."""
        return self.top_k > 0 or self.top_p < 1.0

    def checked(self) -> "Sampling":
        """Itself, with numbers of the types that the fields have.

        Raises:
            ValueError: a value out of range.
        """
        fits = 0.0 <= self.temperature < math.inf and 0 <= self.top_k <= MOST_TOP_K
        if not (fits and 0.0 < self.top_p <= 1.0):
            raise ValueError(
                f"temperature={self.temperature} must be at least 0, top_k={self.top_k} from 0 to "
                f"{MOST_TOP_K} and top_p={self.top_p} within (0, 1]; the defaults are 1, 0 and 1."
            )
        temperature = self.temperature if self.temperature >= LEAST_TEMPERATURE else 0.0
        return Sampling(float(temperature), int(self.top_k), float(self.top_p))


def truncated(logprob_NU: jax.Array, top_k: jax.Array | int, top_p: jax.Array | float) -> jax.Array:
    """Log-probabilities float [N, U] of what is left, which sum to 1; -inf for the rest.

    The token that crosses `top_p` is still there, so that there always is one.

    Args:
        logprob_NU: float [N, U], of the whole distribution.
        top_k: int, see `Sampling`.
        top_p: float, see `Sampling`.
    Source: Fan et al. 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2020, arXiv:1904.09751.
    """
    falling_NU = -jnp.sort(-logprob_NU, axis=-1)
    among_U = (top_k <= 0) | (jnp.arange(logprob_NU.shape[-1]) < top_k)
    p_NU = jnp.where(among_U, jnp.exp(falling_NU), 0.0)
    above_NU = jnp.cumsum(p_NU, axis=-1) - p_NU
    inside_NU = above_NU < top_p * jnp.sum(p_NU, axis=-1, keepdims=True)
    left_NU = among_U & (inside_NU | (top_p >= 1.0))  # what is too rare for the sum is there too
    least_N1 = jnp.min(jnp.where(left_NU, falling_NU, jnp.inf), axis=-1, keepdims=True)
    return jax.nn.log_softmax(jnp.where(logprob_NU >= least_N1, logprob_NU, -jnp.inf))


def likeliest(score_NU: jax.Array) -> jax.Array:
    """int32 [N], the token with the greatest score of each row, the first of equals.

    In two reductions: XLA on CPU shares an `argmax` out to threads that wait for each other, which
    took four times as long as one thread alone.
    """
    best_N1 = jnp.max(score_NU, axis=-1, keepdims=True)
    last = score_NU.shape[-1] - 1
    number_U = jnp.arange(last + 1, dtype=jnp.int32)
    return jnp.min(jnp.where(score_NU == best_N1, number_U, last), axis=-1)


def gumbel(key_N: jax.Array, token_A: jax.Array, numbers: int) -> jax.Array:
    """float [A, N, U]: the argmax of log-probabilities and this is a draw of each token.

    Args:
        key_N: keys, one a row.
        token_A: int [A], which tokens of a response they are for.
        numbers: how many tokens can be drawn, U.
    """
    key_AN = jax.vmap(jax.vmap(jax.random.fold_in, (0, None)), (None, 0))(key_N, token_A)
    return jax.vmap(jax.vmap(lambda key: jax.random.gumbel(key, (numbers,))))(key_AN)


class Samples(NamedTuple):
    """Sampled responses, attempts at the same prompt side by side."""

    token_NT: np.ndarray
    """int32 [N, T], right-padded."""
    logprob_NT: np.ndarray
    """float32 [N, T], in nats, of each token under the distribution it was drawn from; 0 beyond
    the length."""
    length_N: np.ndarray
    """int32 [N], tokens with `<end>`."""
    ended_N: np.ndarray
    """bool [N], False where the response was cut at `max_tokens`."""

    @property
    def surprisal_N(self) -> np.ndarray:
        """float [N], -log P of each response when it was drawn, in nats."""
        return -self.logprob_NT.sum(axis=1)

    def response(self, row: int) -> list[int]:
        """Token ids of one row, `<end>` included."""
        return self.token_NT[row, : self.length_N[row]].tolist()
