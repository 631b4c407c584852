"""Attention beyond the contract table: masks, causality, safety, dropout, calls, positions."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, InvalidArgument, ShapeMismatch
from fitwell.layers import Layer
from fitwell.layers.base import infer
from fitwell.ops import attention as ops

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return jnp.asarray(RNG.normal(size=shape), jnp.float32)


@functools.cache
def program(layer: Layer, train: bool) -> Any:
    """Compiled as a whole: operation by operation is what the contract compares it with."""

    def call(params: Any, xs: Any, key: Any, mask: Any) -> Any:
        return layer.forward(params, {}, xs, key=key, train=train, mask=mask)[0]

    return jax.jit(call)


def forward(
    layer: Layer, params: Any, xs: Any, *, key: Any = KEY, train: bool = False, mask: Any = None
) -> Any:
    return program(layer, train)(params, xs, key, mask)


def run(layer: Layer, *xs: Any, mask: Any = None) -> tuple[Any, Any]:
    shapes = [x.shape[1:] for x in xs]
    params = jax.jit(lambda key: layer.init(key, shapes))(KEY)
    return forward(layer, params, list(xs), mask=mask), params


ALL: list[Layer] = [
    L.MultiHeadAttention(2, 4, causal=True),
    L.GroupQueryAttention(4, 4, 2, causal=True),
    L.Attention(causal=True),
    L.AdditiveAttention(causal=True),
    L.TransformerEncoder(8, 2, causal=True),
    L.TransformerDecoder(8, 2, normalize_first=True),
]
every_layer = pytest.mark.parametrize("layer", ALL, ids=lambda layer: type(layer).__name__)


@every_layer
def test_causal_attention_does_not_see_what_comes_later(layer: Layer) -> None:
    x = normal(2, 6, 4)
    y, params = run(layer, x)
    later = x.at[:, 4:].add(1.0)
    z = forward(layer, params, [later])
    np.testing.assert_array_equal(y[:, :4], z[:, :4])
    assert np.abs(y[:, 4:] - z[:, 4:]).min() > 0


@every_layer
def test_padding_is_as_if_it_were_not_there(layer: Layer) -> None:
    """Left padding, which causality alone does not hide."""
    x = normal(2, 6, 4)
    real = jnp.arange(6) >= 2
    y, params = run(layer, x, mask=[jnp.broadcast_to(real, (2, 6))])
    z = forward(layer, params, [x[:, 2:]])
    np.testing.assert_allclose(y[:, 2:], z, rtol=1e-5, atol=1e-6)


def test_a_decoder_leaves_the_padding_of_the_encoder_out() -> None:
    x, encoded = normal(2, 3, 4), normal(2, 5, 4)
    layer = L.TransformerDecoder(8, 2)
    real = jnp.broadcast_to(jnp.arange(5) < 3, (2, 5))
    y, params = run(layer, x, encoded, mask=[None, real])
    z = forward(layer, params, [x, encoded[:, :3]])
    np.testing.assert_allclose(y, z, rtol=1e-5, atol=1e-6)
    explicit = jnp.broadcast_to(real[:, None].astype(jnp.float32), (2, 1, 5))
    z = forward(layer, params, [x, encoded, explicit])
    np.testing.assert_allclose(y, z, rtol=1e-5, atol=1e-6)


def test_a_query_that_may_attend_to_nothing_gets_0_and_finite_gradients() -> None:
    layer = L.MultiHeadAttention(2, 4, use_bias=False)
    x, mask = normal(1, 3, 4), jnp.array([[[1.0, 0, 0], [0, 0, 0], [1, 1, 1]]])
    y, params = run(layer, x, x, x, mask)
    assert y[0, 1].tolist() == [0.0] * 4
    assert np.abs(y[0, [0, 2]]).min() > 0

    def total(params: Any, x: Any) -> Any:
        y, _ = layer.forward(params, {}, [x, x, x, mask], key=KEY, train=False)
        return jnp.sum(jnp.square(y))

    for gradient in jax.tree.leaves(jax.jit(jax.grad(total, (0, 1)))(params, x)):
        assert np.isfinite(gradient).all()


def test_the_softmax_is_safe_at_the_extremes() -> None:
    scores = jnp.array([[3e38, 0.0, -3e38], [1e4, 1e4, -1e4], [-3e38, -3e38, 5.0]])
    where = np.array([[True, True, True], [True, True, True], [True, True, False]])
    expected = [[1, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]]
    np.testing.assert_allclose(ops.softmax(scores, where), expected)
    slope = jax.jit(jax.grad(lambda s: jnp.sum(ops.softmax(s, where) * jnp.arange(3.0))))(scores)
    np.testing.assert_allclose(slope, [[0, 0, 0], [-0.25, 0.25, 0], [-0.25, 0.25, 0]], atol=1e-7)


def test_the_sliding_window() -> None:
    found = ops.allowed(4, 4, causal=True, window=2)
    assert found is not None
    assert found[0, 0].astype(int).tolist() == [
        [1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1],
    ]  # fmt: skip


def test_attention_scores_are_returned_on_request() -> None:
    x = normal(2, 3, 4)
    y, weights = run(L.MultiHeadAttention(2, 4, causal=True, return_attention_scores=True), x)[0]
    assert y.shape == (2, 3, 4)
    assert weights.shape == (2, 2, 3, 3)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)
    assert np.abs(np.triu(weights, 1)).max() == 0
    _, weights = run(L.Attention(return_attention_scores=True), x)[0]
    assert weights.shape == (2, 3, 3)


def test_one_head_for_each_head_is_grouped_attention_without_groups() -> None:
    x = normal(2, 5, 6)
    grouped, plain = L.GroupQueryAttention(3, 2, 2), L.MultiHeadAttention(2, 3)
    y, params = run(grouped, x)
    z, _ = plain.forward(params, {}, [x], key=KEY, train=False)
    np.testing.assert_array_equal(y, z)


DROPPING = [
    L.MultiHeadAttention(2, 4, dropout=0.5, seed=1),
    L.Attention(dropout=0.5),
    L.TransformerEncoder(8, 2, dropout=0.5),
]


@pytest.mark.parametrize("layer", DROPPING, ids=lambda layer: type(layer).__name__)
def test_dropout_is_on_in_training_alone(layer: Layer) -> None:
    x = normal(2, 5, 4)
    y, params = run(layer, x)
    trained = forward(layer, params, [x], train=True)
    assert np.abs(y - trained).max() > 1e-3
    other = forward(layer, params, [x], key=jax.random.key(1), train=True)
    assert np.abs(other - trained).max() > 1e-3


def test_dropout_keeps_the_mean() -> None:
    layer, x = L.Attention(dropout=0.5), jnp.ones((1, 4, 2))
    keys = jax.random.split(KEY, 4000)
    ys = jax.vmap(lambda k: layer.forward({}, {}, [x], key=k, train=True)[0])(keys)
    np.testing.assert_allclose(ys.mean(0), x, atol=0.05)  # 5 standard errors: 0.5 / sqrt(4000) * 5


def test_kernels_are_drawn_as_the_matrices_they_are() -> None:
    """Glorot: uniform up to sqrt(6 / (in + out)), for (in, heads * key_dim)."""
    params = L.MultiHeadAttention(4, 32).init(KEY, [(5, 128)])
    for part in params.values():
        limit = np.sqrt(6 / (128 + 128))
        assert 0.98 * limit < np.abs(part["kernel"]).max() < limit


def test_every_kernel_is_regularized_and_constrained() -> None:
    layer = L.MultiHeadAttention(2, 3, kernel_regularizer="l2", bias_constraint="non_neg")
    x = L.Input((4, 6))
    model = fw.Model(x, layer(x, x))
    params, _ = model.network.init(KEY)
    own = jax.tree.map(lambda a: a - 1.0, params["multi_head_attention"])
    expected = sum(0.01 * np.square(part["kernel"]).sum() for part in own.values())
    np.testing.assert_allclose(
        model.network.penalty({"multi_head_attention": own}), expected, rtol=1e-5
    )
    after = model.network.project({"multi_head_attention": own}, jnp.float32(0.1))
    for name, part in after["multi_head_attention"].items():
        np.testing.assert_array_equal(part["kernel"], own[name]["kernel"])
        assert part["bias"].min() == 0


def test_calls_by_position_by_list_and_by_keyword_are_one() -> None:
    layer = L.MultiHeadAttention(2, 3)
    q, v, mask = L.Input((4, 6)), L.Input((5, 2)), L.Input((4, 5))
    assert len(layer(q).call.inputs) == 1
    assert len(layer(q, q).call.inputs) == 1
    assert layer(q, v).call.inputs == layer([q, v]).call.inputs == (q, v)
    assert layer(q, v, attention_mask=mask).call.inputs == (q, v, v, mask)
    assert layer([q, v, v], attention_mask=mask).call.inputs == (q, v, v, mask)
    block = L.TransformerEncoder(8, 2)
    assert block(q, attention_mask=L.Input((4, 4))).shape == (None, 4, 6)
    decoder = L.TransformerDecoder(8, 2)
    assert decoder(q, v, encoder_attention_mask=mask).call.inputs == (q, v, mask)


def test_use_causal_mask_in_a_call_is_the_field_causal() -> None:
    x, mask = L.Input((4, 6)), L.Input((4, 4))
    called = fw.Model([x, mask], L.MultiHeadAttention(2, 3)(
        x, x, attention_mask=mask, use_causal_mask=True
    ))  # fmt: skip
    field = fw.Model([x, mask], L.MultiHeadAttention(2, 3, causal=True)(x, x, attention_mask=mask))
    field.set_weights(called.get_weights())
    data = [RNG.normal(size=(3, 4, 6)), RNG.normal(size=(3, 4, 4)) + 1]
    np.testing.assert_allclose(
        called.predict(data, verbose=0), field.predict(data, verbose=0), rtol=1e-5, atol=1e-6
    )


def test_masks_travel_from_the_embedding_through_the_blocks() -> None:
    model = fw.Sequential([
        L.Embedding(9, 4, mask_zero=True), L.TransformerEncoder(8, 2), L.TransformerDecoder(8, 2),
    ])  # fmt: skip
    ids = np.array([[3, 1, 4, 1, 5], [3, 1, 4, 0, 0]])
    model.build((None, 5))
    long = np.asarray(model.predict(ids, verbose=0))
    short = fw.Sequential([L.Input((3,), dtype="int32"), *(v.description for v in model.layers)])
    short.set_weights(model.get_weights())
    np.testing.assert_allclose(
        long[1:, :3], short.predict(ids[1:, :3], verbose=0), rtol=1e-5, atol=1e-6
    )


# Positions


def test_turned_queries_and_keys_meet_by_the_difference_of_their_positions() -> None:
    rotary = L.RotaryEmbedding(100)
    query, key = normal(8), normal(8)
    turned = [rotary.apply({}, jnp.broadcast_to(v, (1, 12, 8)))[0] for v in (query, key)]
    products = np.asarray(turned[0] @ turned[1].T)
    for shift in range(-11, 12):
        line = np.diagonal(products, shift)
        np.testing.assert_allclose(line, line[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(products[3, 3], query @ key, rtol=1e-5)
    assert np.ptp(products[:, 0]) > 0.1
    lengths = np.linalg.norm(turned[0], axis=-1)
    np.testing.assert_allclose(lengths, np.linalg.norm(query), rtol=1e-6)


def test_scaled_rotary_positions_are_positions_in_between() -> None:
    x = jnp.broadcast_to(normal(6), (1, 8, 6))
    half = L.RotaryEmbedding(scaling_factor=2.0).apply({}, x)
    np.testing.assert_allclose(half[:, ::2], L.RotaryEmbedding().apply({}, x)[:, :4], atol=1e-6)


def test_a_shift_of_the_waves_is_one_linear_map() -> None:
    waves = np.asarray(L.SinePositionEncoding(50).apply({}, jnp.zeros((1, 30, 8)))[0], np.float64)
    shift, *_ = np.linalg.lstsq(waves[:-3], waves[3:], rcond=None)
    np.testing.assert_allclose(waves[:-3] @ shift, waves[3:], atol=1e-5)
    np.testing.assert_allclose(shift @ shift.T, np.eye(8), atol=1e-3)  # and a rotation


# Messages

ARGUMENTS: list[tuple[Callable[[], Layer], str]] = [
    (
        lambda: L.MultiHeadAttention(0, 4),
        "MultiHeadAttention: expected num_heads to be a whole number >= 1, received num_heads=0. "
        "Pass num_heads=1 or more.",
    ),
    (
        lambda: L.MultiHeadAttention(2, 4, output_shape=(3, 0)),
        "MultiHeadAttention: expected output_shape to be a whole number >= 1 or a tuple of them, "
        "received output_shape=(3, 0). Leave it out for as many features as the query has.",
    ),
    (
        lambda: L.MultiHeadAttention(2, 4, use_bias=False, bias_regularizer="l2"),
        "MultiHeadAttention: expected use_bias=True where bias_regularizer is given, received "
        "use_bias=False, bias_regularizer='l2'. Leave one of them out.",
    ),
    (
        lambda: L.GroupQueryAttention(4, 6, 4),
        "GroupQueryAttention: expected num_query_heads to be a multiple of num_key_value_heads, "
        "received num_query_heads=6, num_key_value_heads=4. Every head of key and value serves "
        "the same number of the query's heads.",
    ),
    (
        lambda: L.Attention(score_mode="cosine"),
        "Attention: expected score_mode to be one of 'dot', 'concat', received "
        "score_mode='cosine'. The choices are concat, dot.",
    ),
    (
        lambda: L.TransformerEncoder(8, 2, layer_norm_epsilon=0),
        "TransformerEncoder: expected layer_norm_epsilon to be a number in (0, inf], received "
        "layer_norm_epsilon=0. Choose layer_norm_epsilon inside it.",
    ),
    (
        lambda: L.RotaryEmbedding(sequence_axis=0),
        "RotaryEmbedding: expected sequence_axis to be a whole number other than 0, received "
        "sequence_axis=0. Axis 0 is the batch; the first axis of an example is 1.",
    ),
]


@pytest.mark.parametrize(("make", "message"), ARGUMENTS)
def test_a_wrong_argument_is_refused(make: Callable[[], Layer], message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        make()


SHAPES: list[tuple[Layer, list[tuple[int, ...]], type[FitwellError], str]] = [
    (
        L.MultiHeadAttention(2, 4),
        [(5,)],
        ShapeMismatch,
        "MultiHeadAttention: expected a query of shape (time, features), received shape (5,). "
        "Put Embedding before it for whole numbers, or Reshape((time, features)).",
    ),
    (
        L.MultiHeadAttention(2, 4),
        [(5, 3), (4, 3), (6, 3)],
        ShapeMismatch,
        "MultiHeadAttention: expected as many keys as values, received 6 and 4. "
        "Take both from the same sequence: layer(query, value).",
    ),
    (
        L.MultiHeadAttention(2, 4),
        [(5, 3), (4, 3), (4, 3), (4, 5)],
        ShapeMismatch,
        "MultiHeadAttention: expected a mask of shape (5, 4) or (2, 5, 4), or with 1 in place of "
        "a size, received shape (4, 5). Its rows are the queries, its columns the keys; for "
        "padding give it shape (1, 4).",
    ),
    (
        L.MultiHeadAttention(2, 4),
        [(5, 3), (4, 3), (4, 3), (4,)],
        ShapeMismatch,
        "MultiHeadAttention: expected a mask of shape (5, 4) or (2, 5, 4), or with 1 in place of "
        "a size, received shape (4,). Its rows are the queries, its columns the keys; for "
        "padding give it shape (1, 4).",
    ),
    (
        L.Attention(),
        [(5, 3), (4, 3), (4, 3), (2, 5, 4)],
        ShapeMismatch,
        "Attention: expected a mask of shape (5, 4), or with 1 in place of a size, received shape "
        "(2, 5, 4). Its rows are the queries, its columns the keys; for padding give it shape "
        "(1, 4).",
    ),
    (
        L.MultiHeadAttention(2, 4),
        [(5, 3)] * 5,
        InvalidArgument,
        "MultiHeadAttention: expected one to four inputs: query, value, key, mask, received 5. "
        "Write layer(query, value), or layer(x) for self-attention.",
    ),
    (
        L.AdditiveAttention(),
        [(5, 3), (4, 2)],
        ShapeMismatch,
        "AdditiveAttention: expected a query and a key of as many features, received 3 and 2. "
        "Put a Dense before one of them, or use MultiHeadAttention.",
    ),
    (
        L.TransformerEncoder(8, 4),
        [(5, 6)],
        ShapeMismatch,
        "TransformerEncoder: expected a number of features that num_heads=4 divides, received 6. "
        "Choose another num_heads, or put a Dense before the block.",
    ),
    (
        L.TransformerEncoder(8, 2),
        [(5, 6)] * 3,
        InvalidArgument,
        "TransformerEncoder: expected a sequence, or a sequence and a mask, received 3 inputs. "
        "Write layer(x) or layer(x, attention_mask=mask).",
    ),
    (
        L.TransformerDecoder(8, 2),
        [(5, 6)] * 4,
        InvalidArgument,
        "TransformerDecoder: expected a sequence, an encoder's output and a mask, received 4 "
        "inputs. Write layer(x), layer(x, encoded) or "
        "layer(x, encoded, encoder_attention_mask=mask).",
    ),
    (
        L.PositionEmbedding(4),
        [(5, 6)],
        ShapeMismatch,
        "PositionEmbedding: expected a sequence of at most sequence_length=4 positions, received "
        "5. Make it PositionEmbedding(5), or cut the sequences.",
    ),
    (
        L.SinePositionEncoding(),
        [(6,)],
        ShapeMismatch,
        "SinePositionEncoding: expected a sequence of vectors: shape (time, features), received "
        "shape (6,). Put Embedding before it for whole numbers, or Reshape((time, features)).",
    ),
    (
        L.RotaryEmbedding(),
        [(4, 3)],
        ShapeMismatch,
        "RotaryEmbedding: expected a sequence along axis 1 of vectors along axis -1, of even "
        "length, received shape (4, 3). Choose other axes, or make the number of features even.",
    ),
]


@pytest.mark.parametrize(("layer", "shapes", "error", "message"), SHAPES)
def test_a_wrong_shape_is_refused_before_anything_trains(
    layer: Layer, shapes: list[tuple[int, ...]], error: type[FitwellError], message: str
) -> None:
    many = layer.several_inputs is True
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        infer(layer, shapes, ["float32"] * len(shapes), many=many)


def test_errors_in_a_graph_name_the_place() -> None:
    x = L.Dense(6, name="wide")(L.Input((5, 3)))
    with pytest.raises(ShapeMismatch, match=r"^block \(TransformerEncoder\) after wide \(Dense\):"):
        L.TransformerEncoder(8, 4, name="block")(x)
    message = "MultiHeadAttention: expected the inputs once, received them twice. "
    with pytest.raises(InvalidArgument, match=f"^{message}"):
        L.MultiHeadAttention(2, 3)([x, x], x)
