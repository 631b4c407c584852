"""What the table cannot say: initial weights, masks, statistics, logits, errors in a graph."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell import activations
from fitwell.errors import FrozenDescription
from fitwell.layers import (
    Activation,
    ActivityRegularization,
    Add,
    Dense,
    Dropout,
    GaussianNoise,
    Input,
    Lambda,
    Layer,
    Normalization,
    PReLU,
    Softmax,
)

KEY = jax.random.key(0)
MANY = jnp.full((100, 400), 3.0)


def run(layer: Layer, x: Any, *, key: Any = KEY, train: bool = True) -> Any:
    return layer.forward({}, layer.init_state(x.shape[1:]), x, key=key, train=train)[0]


# Initial weights


@pytest.mark.parametrize(
    ("layer", "names", "variance"),
    [  # kernels are (200, 300): He 2 / fan-in, LeCun 1 / fan-in, Glorot 2 / (fan-in + fan-out)
        (Dense(300, "relu"), {"kernel": "HeNormal", "bias": "Zeros"}, 2 / 200),
        (Dense(300, "selu"), {"kernel": "LecunNormal", "bias": "Zeros"}, 1 / 200),
        (Dense(300), {"kernel": "GlorotUniform", "bias": "Zeros"}, 2 / 500),
        (Dense(300, "relu", kernel_initializer="ones"), {"kernel": "Ones", "bias": "Zeros"}, 0),
    ],
)
def test_dense_starts_as_its_activation_needs(
    layer: Dense, names: dict[str, str], variance: float
) -> None:
    assert layer.initializer_names() == names
    params = layer.init(KEY, (200,))
    assert float(jnp.var(params["kernel"])) == pytest.approx(variance, rel=0.05)
    assert params["bias"].tolist() == [0.0] * 300


def test_an_initializer_of_ones_own_is_called_by_its_name() -> None:
    def tens(key: Any, shape: Any) -> Any:
        return jnp.full(shape, 10.0)

    layer = Dense(2, kernel_initializer=tens)
    assert layer.initializer_names()["kernel"] == "tens"
    assert layer.init(KEY, (1,))["kernel"].tolist() == [[10.0, 10.0]]


def test_the_key_decides_the_weights() -> None:
    kernels = [Dense(4).init(jax.random.key(seed), (4,))["kernel"].tolist() for seed in (1, 1, 2)]
    assert kernels[0] == kernels[1] != kernels[2]


def test_prelu_shares_alpha_along_axes() -> None:
    assert PReLU().init(KEY, (5, 4, 3))["alpha"].shape == (5, 4, 3)
    assert PReLU(shared_axes=1).init(KEY, (5, 4, 3))["alpha"].shape == (1, 4, 3)


# Randomness


def test_dropout_keeps_the_mean_and_the_rate() -> None:
    y = run(Dropout(0.3), MANY)
    kept = float(jnp.mean(y != 0))
    # 40,000 draws: the standard error of the rate is sqrt(0.3 * 0.7 / 40,000) = 0.0023.
    assert kept == pytest.approx(0.7, abs=5 * 0.0023)
    assert float(y.mean()) == pytest.approx(3.0, abs=5 * 0.0023 * 3 / 0.7)
    assert set(np.unique(y).tolist()) == {0.0, float(np.float32(3) / np.float32(0.7))}


def test_gaussian_noise_has_its_standard_deviation_and_mean_zero() -> None:
    noise = run(GaussianNoise(0.5), MANY) - MANY
    assert float(noise.mean()) == pytest.approx(0, abs=5 * 0.5 / 200)
    assert float(noise.std()) == pytest.approx(0.5, abs=5 * 0.5 / 283)


@pytest.mark.parametrize("layer", [Dropout(0.5), GaussianNoise(0.5)])
def test_noise_follows_the_key_and_is_off_in_prediction(layer: Layer) -> None:
    first, again, other = (run(layer, MANY, key=jax.random.key(s)) for s in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).all()
    assert run(layer, MANY, train=False) is MANY


@pytest.mark.parametrize(
    ("plain", "seeded", "other"),
    [
        (Dropout(0.5), Dropout(0.5, seed=1), Dropout(0.5, seed=-1)),
        (GaussianNoise(1.0), GaussianNoise(1.0, seed=1), GaussianNoise(1.0, seed=-1)),
    ],
)
def test_a_seed_of_the_layer_gives_other_noise(plain: Layer, seeded: Layer, other: Layer) -> None:
    results = {np.asarray(run(layer, MANY)).tobytes() for layer in (plain, seeded, other)}
    assert len(results) == 3


@pytest.mark.parametrize("layer", [Dropout(0.0), GaussianNoise(0)])
def test_no_noise_at_rate_zero(layer: Layer) -> None:
    assert run(layer, MANY) is MANY


def test_noise_shape_shares_the_mask() -> None:
    y = run(Dropout(0.5, noise_shape=(None, 1, 8)), jnp.ones((20, 10, 8)))
    assert (y == y[:, :1]).all()
    assert 0 < float(y.mean()) < 2
    over_batch = run(Dropout(0.5, noise_shape=(1, None)), jnp.ones((20, 50)))
    assert (over_batch == over_batch[:1]).all()


# Normalization


def test_adapt_sets_the_fields_before_the_model_is_built() -> None:
    layer = Normalization()
    assert layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 20.0]])) is None
    assert layer.mean == (3.0, 20.0)
    assert layer.variance == pytest.approx((8 / 3, 200 / 3), rel=1e-15)
    y = run(layer, jnp.array([[3.0, 30.0]]))
    np.testing.assert_allclose(y, [[0.0, 10 / np.sqrt(200 / 3)]], rtol=1e-6)
    with pytest.raises(FrozenDescription):
        layer.mean = 0.0  # type: ignore[misc]


def test_adapt_reads_long_data_iterators_and_single_numbers() -> None:
    data = np.random.default_rng(0).normal(5, 2, (20_001, 2))
    whole, chunked, scalar = Normalization(), Normalization(), Normalization(axis=None)
    whole.adapt(data)
    chunked.adapt(iter([data[:7], data[7:7], data[7:]]))
    scalar.adapt([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(whole.mean, data.mean(0), rtol=1e-14)
    np.testing.assert_allclose(whole.variance, data.var(0), rtol=1e-13)
    np.testing.assert_allclose(chunked.variance, data.var(0), rtol=1e-13)
    assert (scalar.mean, scalar.variance) == (2.5, 1.25)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any),
    st.sampled_from([-1, 1, 2, (1, 2), None]),
    st.floats(-1e8, 1e8),
)
def test_statistics_of_chunks_are_those_of_the_whole(
    sizes: list[int], axis: Any, offset: float
) -> None:
    rng = np.random.default_rng(sum(sizes))
    chunks = [rng.normal(offset, 1, (n, 3, 2)) for n in sizes]
    whole = np.concatenate(chunks)
    kept = {-1: (2,), 1: (1,), 2: (2,), (1, 2): (1, 2), None: ()}[axis]
    rest = tuple(d for d in range(3) if d not in kept)
    state = Normalization(axis).statistics(chunks)
    np.testing.assert_allclose(state["mean"], whole.mean(rest), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(state["variance"], whole.var(rest), rtol=1e-5, atol=1e-6)
    assert state["count"] == whole.size // state["mean"].size
    assert {v.dtype for v in state.values()} == {np.dtype("float32"), np.dtype("int32")}


def test_a_large_offset_does_not_swallow_the_variance() -> None:
    values = 1e9 + np.array([[4.0], [7.0], [13.0], [16.0]])
    state = Normalization().statistics([values[:1], values[1:]])
    assert state["variance"].tolist() == [22.5]


def test_unadapted_it_is_the_identity_and_statistics_switch_it_on() -> None:
    layer, x = Normalization(), jnp.array([[1.0, 2.0], [3.0, 6.0]])
    assert layer.adapts
    state = layer.init_state((2,))
    assert (layer.forward({}, state, x, key=KEY, train=False)[0] == x).all()
    new = layer.statistics([np.asarray(x)])
    assert jax.tree.map(jnp.shape, new) == jax.tree.map(jnp.shape, state)
    y = layer.forward({}, new, x, key=KEY, train=False)[0]
    assert y.tolist() == [[-1.0, -1.0], [1.0, 1.0]]


def test_a_constant_feature_becomes_zero_even_where_it_varies_later() -> None:
    layer = Normalization()
    layer.adapt(np.array([[0.1, 1.0], [0.1, 3.0]], np.float32))
    assert layer.variance[0] == 0.0
    assert run(layer, jnp.array([[0.1, 2.0], [7.0, 3.0]])).tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_invert_undoes_normalization() -> None:
    x = np.random.default_rng(1).normal(3, 5, (50, 4)).astype(np.float32)
    there, back = Normalization(), Normalization(invert=True)
    there.adapt(x)
    back.adapt(x)
    np.testing.assert_allclose(run(back, run(there, jnp.asarray(x))), x, rtol=1e-5, atol=1e-5)


# What the network reads


def test_split_activation_leaves_the_logits() -> None:
    layer = Dense(3, activation="softmax", name="out")
    bare, activation = layer.split_activation()
    assert (bare, activation) == (Dense(3, name="out"), "softmax")
    assert Dense(3).split_activation() == (Dense(3), None)
    assert Activation("sigmoid").split_activation() == (None, "sigmoid")
    assert Activation(activations.relu).split_activation() == (None, activations.relu)
    assert Softmax().split_activation() == (None, "softmax")
    assert Softmax(axis=1).split_activation() == (Softmax(axis=1), None)


def test_activity_regularization_is_found_by_the_network() -> None:
    penalty = ActivityRegularization(l1=0.5, l2=0.25).activity_regularizer
    assert float(penalty(jnp.array([1.0, -2.0]))) == pytest.approx(0.5 * 3 + 0.25 * 5)


def test_a_lambda_is_its_function_and_cannot_be_saved() -> None:
    def square(x: Any) -> Any:
        return x**2

    assert Lambda(square) == Lambda(square)
    assert hash(Lambda(square)) == hash(Lambda(square))
    assert Lambda(lambda x: x) != Lambda(lambda x: x)
    assert (Lambda.saveable, Dense.saveable) == (False, True)


def test_lists_and_tuples_make_equal_layers() -> None:
    assert Normalization(axis=[1, 2]) == Normalization(axis=(1, 2))
    assert hash(PReLU(shared_axes=[1])) == hash(PReLU(shared_axes=(1,)))


def test_symbols_go_through_layers_and_merge() -> None:
    x = Input(shape=(4,))
    merged = Add()([Dense(3)(x), Dense(3)(x)])
    assert (merged.shape, merged.dtype) == ((None, 3), "float32")
