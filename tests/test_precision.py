"""compile(precision="bfloat16"): what is rounded, what is not, and what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell.layers import BatchNormalization, Dense, Dropout, Layer
from fitwell.types import Array, Key, Params, Shape

BIT = 2.0**-8  # what rounding to bfloat16 changes a number by, at most, relative to it
RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 4)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int32)


def network(seed: int = 0) -> fw.Sequential:
    layers = [Dense(8, activation="tanh"), Dropout(0.1), Dense(2, activation="softmax")]
    return fw.Sequential([fw.Input((4,)), *layers], seed=seed)


def low(model: fw.Sequential, **arguments: Any) -> fw.Sequential:
    model.compile(fw.optimizers.Adam(0.01), precision="bfloat16", **arguments)
    return model


def dtypes(tree: Any) -> set[str]:
    return {str(a.dtype) for a in jax.tree.leaves(tree) if jnp.issubdtype(a.dtype, jnp.floating)}


def test_layers_compute_in_it_and_all_that_is_kept_is_float32() -> None:
    seen: set[tuple[str, str]] = set()

    class Spy(Layer):
        def init(self, key: Key, shape: Shape) -> Params:
            return {"kernel": jnp.eye(shape[-1])}

        def apply(self, params: Params, x: Array) -> Array:
            seen.add((str(x.dtype), str(params["kernel"].dtype)))
            return x @ params["kernel"]

    model = low(fw.Sequential([Dense(4), Spy(), Dense(2, activation="softmax")]))
    model.build((None, 4))
    seen.clear()  # of shapes, before anything computes
    history = model.fit(X, Y, validation_split=0.25)
    assert seen == {("bfloat16", "bfloat16")}
    assert dtypes(model.train_state) == {"float32"}
    assert model.predict(X).dtype == np.float32
    np.testing.assert_allclose(model.predict(X).sum(axis=1), 1, rtol=1e-6)  # softmax is not rounded
    assert np.isfinite(list(history.history.values())).all()


def test_predictions_are_the_rounded_arithmetic() -> None:
    """Of one product: 1 + 2^-9 rounds to 1, so x @ kernel does, too; float32 tells them apart."""
    model = fw.Sequential([fw.Input((1,)), Dense(1, use_bias=False)])
    model["dense"].kernel = [[1.0]]
    x = np.array([[1 + 2**-9]])
    for precision, expected in (("float32", 1 + 2**-9), ("bfloat16", 1.0), ("float32", 1 + 2**-9)):
        model.compile(loss="mse", precision=precision)
        assert model.precision == precision
        assert model.predict(x).item() == expected
    model.compile(loss="mse", precision="bfloat16")
    model.compile(loss="mse")
    assert model.precision == "float32"


def test_steps_far_below_a_rounding_add_up() -> None:
    """w <- w - rate 1000 times with d loss / d w = 1: in bfloat16, 1 - 1e-4 would be 1 again."""
    model = fw.Sequential([fw.Input((1,)), Dense(1, use_bias=False)])
    model["dense"].kernel = [[1.0]]
    model.compile(fw.optimizers.SGD(1e-4), loss=lambda y, p: p[:, 0], precision="bfloat16")
    model.fit(np.ones((10, 1)), np.ones((10, 1)), batch_size=1, epochs=100)
    assert model["dense"].kernel.item() == pytest.approx(0.9, rel=1e-4)


def test_statistics_of_a_normalization_have_all_their_digits() -> None:
    x = RNG.normal(1000.0, 1.0, size=(256, 3)).astype(np.float32)  # bfloat16 knows 1000, then 1004
    model = fw.Sequential([BatchNormalization(momentum=0.0), Dense(1)])
    model.compile(loss="mse", precision="bfloat16")
    model.fit(x, x[:, :1], batch_size="full")
    layer = model["batch_normalization"]
    np.testing.assert_allclose(layer.moving_mean, x.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, x.var(axis=0), rtol=1e-4)


def test_a_file_keeps_it(tmp_path: Path) -> None:
    model = low(network())
    model.fit(X, Y)
    model.save(tmp_path / "m.safetensors")
    again = fw.load(tmp_path / "m.safetensors")
    assert again.precision == "bfloat16"
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    full = network()
    full.set_weights(model.get_weights())
    distance = np.abs(full.predict(X) - model.predict(X)).max()
    assert 1e-5 < distance < 4 * BIT


def test_it_can_be_chosen_before_the_shapes_are_known() -> None:
    model = low(fw.Sequential([Dense(2, activation="softmax")]))
    model.fit(X, Y)
    assert (model.precision, model.network.precision) == ("bfloat16", "bfloat16")
    model.add(Dense(1))
    assert model.network.precision == "bfloat16"


def test_lanes_and_their_ensemble_compute_in_it() -> None:
    found = fw.fit_many(low(network()), X, Y, seeds=[3, 4], epochs=5)
    for seed, lane in zip((3, 4), found.models, strict=True):
        solo = low(network(seed))
        solo.fit(X, Y, epochs=5)
        assert lane.precision == "bfloat16"
        for a, b in zip(lane.get_weights(), solo.get_weights(), strict=True):
            assert np.abs(a - b).max() < 4 * BIT * np.abs(b).max()
    ensemble = found.ensemble()
    assert ensemble.precision == "bfloat16"
    mean = np.mean([lane.predict(X) for lane in found.models], axis=0)
    np.testing.assert_allclose(ensemble.predict(X), mean, atol=1e-6)


def test_curvature_has_all_digits() -> None:
    model = network()
    spectra = []
    for precision in ("float32", "bfloat16"):
        model.compile(loss="sparse_categorical_crossentropy", precision=precision)
        spectra.append(model.curvature(X, Y).eigenvalues)
    np.testing.assert_array_equal(*spectra)


@pytest.mark.parametrize("given", ["mixed_bfloat16", "float16", 16])
def test_a_precision_that_there_is_not(given: Any) -> None:
    model = low(network())
    with pytest.raises(fw.errors.InvalidArgument) as caught:
        model.compile(loss="mse", precision=given)
    assert str(caught.value) == (
        f'compile, precision: expected "float32" or "bfloat16", received {given!r}. '
        'Pass "bfloat16" for Keras\' mixed_bfloat16; there is no float16.'
    )
    assert model.precision == "bfloat16"
