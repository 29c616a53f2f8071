"""The forward pass against hand values, a plain numpy attention, and itself with a cache."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay.model import network as networks
from selfplay.model.architecture import Layer, Rope
from selfplay.model.attention import BLOCK, Attention, KeyValues, Turn, View, linear_bias
from selfplay.model.layers import product
from selfplay.model.transformer import ModelConfig, causal

LENGTH = 12


@pytest.fixture(scope="module")
def model(network):
    return network.model()


@pytest.fixture(scope="module")
def forward(network):
    """Logits [N, T, V] of whole sequences, without a cache."""

    @jax.jit
    def run(token_NT, position_NT):
        logits, _ = network.model()(token_NT, position_NT, causal(token_NT.shape[1]))
        return logits

    return run


def tokens(count, seed=0):
    return np.random.default_rng(seed).integers(1, 100, (count, LENGTH), dtype=np.int32)


POSITION = np.broadcast_to(np.arange(LENGTH, dtype=np.int32), (2, LENGTH))


def test_rotate_by_hand():
    """At base 100 with D = 4, pair 0 turns by 1 radian a token, pair 1 by 100 ** -(1/2)."""
    x = jnp.array([1.0, 0.0, 0.0, 2.0]).reshape(1, 1, 1, 4)
    turned = Turn.at(jnp.array([[3]]), Rope(100.0), 4, jnp.float32)(x)[0, 0, 0]
    expected = [np.cos(3.0), -2 * np.sin(0.3), np.sin(3.0), 2 * np.cos(0.3)]
    assert np.allclose(turned, expected, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(
    at=st.integers(0, 300), distance=st.integers(-100, 100), shift=st.integers(0, 300),
    seed=st.integers(0, 100),
)  # fmt: skip
def test_rotated_scores_depend_on_the_distance_only(at, distance, shift, seed):
    at = max(at, -distance)
    query, key = np.random.default_rng(seed).normal(size=(2, 1, 1, 1, 8)).astype(np.float32)

    def turned(x, position):
        return Turn.at(jnp.array([[position]]), Rope(1e4), 8, jnp.float32)(x)

    def score(query_at, key_at):
        return float(jnp.sum(turned(query, query_at) * turned(key, key_at)))

    assert score(at, at + distance) == pytest.approx(
        score(at + shift, at + distance + shift), abs=2e-3
    )
    assert np.linalg.norm(turned(query, at)) == pytest.approx(np.linalg.norm(query), rel=1e-5)


def test_logits_do_not_depend_on_where_positions_start(forward):
    token_NT = tokens(2)
    assert np.allclose(forward(token_NT, POSITION), forward(token_NT, POSITION + 40), atol=1e-4)
    stretched = forward(token_NT, 2 * POSITION)
    assert not np.allclose(forward(token_NT, POSITION), stretched, atol=1e-2)


@settings(max_examples=8, deadline=None)
@given(changed=st.integers(1, LENGTH - 1), seed=st.integers(0, 50))
def test_a_later_token_does_not_change_earlier_logits(forward, changed, seed):
    before = tokens(2, seed)
    after = before.copy()
    after[:, changed] = (after[:, changed] + 7) % 100
    logits, others = np.asarray(forward(before, POSITION)), np.asarray(forward(after, POSITION))
    assert np.array_equal(logits[:, :changed], others[:, :changed])
    assert not np.allclose(logits[:, changed], others[:, changed], atol=1e-3)


def test_with_a_cache_token_by_token_as_without(model, forward, model_config):
    token_NT = tokens(2, seed=3)
    width = model_config.width // model_config.heads
    blocks, block = 4, 4
    keys = jnp.zeros((2, model_config.kv_heads, blocks, width, block))
    values = jnp.zeros((2, model_config.kv_heads, blocks * block, width))
    cache = (KeyValues(keys, values),) * model_config.layers
    step = nnx.jit(lambda model, *inputs: model(*inputs))
    slots = np.arange(blocks * block)
    logits = []
    for t in range(LENGTH):
        visible = np.broadcast_to(slots <= t, (2, 1, slots.size))
        step_logits, cache = step(
            model, token_NT[:, t : t + 1], np.full((2, 1), t), visible, cache, np.int32(t),
            np.broadcast_to(slots, (2, slots.size)),
        )  # fmt: skip
        logits.append(step_logits)
    whole = forward(token_NT, POSITION)
    assert np.allclose(np.concatenate(logits, axis=1), whole, atol=1e-5)


def test_keys_in_blocks_are_the_same_keys():
    """Slot s is column s % BLOCK of block s // BLOCK."""
    key_NKTD = np.arange(2 * 3 * 2 * BLOCK * 4, dtype=np.float32).reshape(2, 3, 2 * BLOCK, 4)
    whole = KeyValues.of(jnp.asarray(key_NKTD), jnp.asarray(key_NKTD))
    keys_NKBDC = np.asarray(whole.in_blocks().keys_NKBDC)
    assert keys_NKBDC.shape == (2, 3, 2, 4, BLOCK)
    for slot in (0, 1, BLOCK - 1, BLOCK, 2 * BLOCK - 1):
        column = keys_NKBDC[:, :, slot // BLOCK, :, slot % BLOCK]
        assert np.array_equal(column, key_NKTD[:, :, slot])
        assert np.array_equal(column, np.asarray(whole.keys_NKBDC)[:, :, 0, :, slot])


def test_product_and_its_gradients():
    rng = np.random.default_rng(0)
    x, weight, change = (
        rng.normal(size=s).astype(np.float32) for s in ((2, 5, 3), (3, 4), (2, 5, 4))
    )
    made, back = jax.vjp(lambda x, weight: product(x, weight, "float32"), x, weight)
    expected, plain_back = jax.vjp(jnp.matmul, x, weight)
    assert np.allclose(made, expected, atol=1e-6)
    for ours, theirs in zip(back(change), plain_back(change), strict=True):
        assert np.allclose(ours, theirs, atol=1e-5)


def test_grouped_query_attention_against_loops():
    """Four query heads on two key-value heads at position 0, where nothing is rotated."""
    built = ModelConfig(width=16, layers=1, heads=4, kv_heads=2, hidden=8).architecture(9, 9)
    rng = np.random.default_rng(0)
    layer = Attention(built, built.layers[0], lambda shape, std: std * rng.normal(size=shape))
    x = rng.normal(size=(5, 16)).astype(np.float32)
    position, rope = jnp.zeros((1, 5), jnp.int32), built.layers[0].rope
    turns = (Turn.at(position, rope, built.head_dim, jnp.float32),)
    out, _ = layer(x[None], View(position, causal(5), 0, position, turns), None)

    query, key, value = (
        np.asarray(x @ w.weight[...]).reshape(5, -1, 4)
        for w in (layer.query, layer.key, layer.value)
    )
    mixed = np.zeros((5, 4, 4), np.float32)
    for head in range(4):
        for t in range(5):
            score = key[: t + 1, head // 2] @ query[t, head] / np.sqrt(4)
            weight = np.exp(score) / np.exp(score).sum()
            mixed[t, head] = weight @ value[: t + 1, head // 2]
    assert np.allclose(out[0], mixed.reshape(5, 16) @ layer.output.weight[...], atol=1e-5)


def test_a_query_that_sees_nothing_gives_no_nan(model):
    nothing = np.zeros((1, LENGTH, LENGTH), bool)
    logits, _ = model(tokens(1), POSITION[:1], nothing)
    assert np.isfinite(logits).all()


def test_parameters_follow_from_the_key(network, model_config, tokenizer):
    built = model_config.architecture(tokenizer.vocabulary, tokenizer.spoken)
    again = networks.create(built, np.random.default_rng(0))
    other = networks.create(built, np.random.default_rng(1))
    leaves = [jax.tree.leaves(made.params) for made in (network, again, other)]
    assert all(np.array_equal(a, b) for a, b in zip(leaves[0], leaves[1], strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(leaves[0], leaves[2], strict=True))


def test_parameter_count_by_hand(network, tokenizer):
    attention = 2 * 32 * 32 + 2 * 32 * 16
    block = attention + 3 * 32 * 48 + 2 * 32
    assert networks.parameter_count(network.params) == (tokenizer.vocabulary * 32 + 2 * block + 32)


def test_heads_have_their_share_of_the_width_or_dimensions_of_their_own():
    assert ModelConfig(width=32, heads=4).architecture(90, 80).head_dim == 8
    built = ModelConfig(width=30, heads=4, head_dim=16).architecture(90, 80)
    assert (built.head_dim, built.score_scale) == (16, 0.25)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"layers": 0}, "size below 1"),
        ({"width": 30, "heads": 4}, r"model\.width=30 cannot be shared by model\.heads=4"),
        ({"width": 12, "heads": 4}, "whole, even number"),
        ({"head_dim": 7}, r"model\.head_dim=7 must be an even number"),
        ({"head_dim": -2}, r"model\.head_dim=-2 must be an even number"),
        ({"heads": 4, "kv_heads": 3}, r"model\.heads=4 is no multiple of model\.kv_heads=3"),
    ],
)
def test_sizes_that_do_not_fit(sizes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**sizes)


# positions


def laid_out(positions, **sizes):
    config = ModelConfig(width=32, layers=3, heads=2, kv_heads=1, hidden=48, positions=positions)
    return replace(config, **sizes).architecture(110, 100)


def test_positions_by_layer():
    rope = Rope(1e4)
    assert laid_out("local").layers == (Layer(rope, 8), Layer(None), Layer(None))
    assert laid_out("local", window=5).layers[0] == Layer(rope, 5)
    assert laid_out("rotary").layers == (Layer(rope),) * 3
    assert laid_out("none").layers == (Layer(None),) * 3
    assert laid_out("alibi").layers == (Layer(None, linear_bias=True),) * 3


@pytest.mark.parametrize("positions", ["local", "rotary", "alibi", "none"])
def test_with_a_cache_the_logits_are_the_same_at_every_kind_of_positions(positions):
    network = networks.create(laid_out(positions), np.random.default_rng(0))
    token_NT, model = tokens(2), network.model()
    whole, _ = model(token_NT, POSITION, causal(LENGTH))
    shape = (2, 1, LENGTH, 16)
    cache = tuple(KeyValues(jnp.zeros((2, 1, 1, 16, LENGTH)), jnp.zeros(shape)) for _ in range(3))
    for at in range(LENGTH):
        visible = jnp.broadcast_to(jnp.arange(LENGTH) <= at, (2, 1, LENGTH))
        logits, cache = model(
            token_NT[:, at : at + 1], POSITION[:, at : at + 1], visible, cache, at, POSITION
        )
        assert np.allclose(logits[:, 0], whole[:, at], atol=1e-4)


def test_linear_bias_by_hand():
    """Two heads: slopes 2^-4 and 2^-8; only differences between keys count."""
    bias = linear_bias(jnp.array([[0, 1, 5]]), 2)
    assert bias.shape == (1, 2, 1, 3)
    assert np.allclose(bias[0, :, 0], [[0, 1 / 16, 5 / 16], [0, 1 / 256, 5 / 256]])


@pytest.mark.parametrize("positions", ["local", "rotary", "alibi", "none"])
def test_distances_alone_count(positions):
    network = networks.create(laid_out(positions), np.random.default_rng(0))
    token_NT, model = tokens(2), network.model()
    first, _ = model(token_NT, POSITION, causal(LENGTH))
    later, _ = model(token_NT, POSITION + 40, causal(LENGTH))
    assert np.allclose(first, later, atol=1e-3)


def test_a_size_below_one_is_refused():
    with pytest.raises(ValueError, match="size below 1"):
        ModelConfig(window=0)
