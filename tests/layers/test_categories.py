"""CategoryEncoding and Discretization: adapting, in a model and its file, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.layers import Layer

RNG = np.random.default_rng(0)
DATA = np.exp(RNG.normal(size=(1000, 3)))


def test_boundaries_are_the_quantiles_of_numpy() -> None:
    layer = L.Discretization(num_bins=8)
    layer.adapt(DATA)
    wanted = np.quantile(DATA, np.arange(1, 8) / 8)
    np.testing.assert_allclose(layer.bin_boundaries, wanted, rtol=1e-6)
    state = L.Discretization(num_bins=8).statistics(iter(np.split(DATA, 10)))
    np.testing.assert_allclose(state["boundaries"], wanted, rtol=1e-6)
    bins, _ = layer.forward(
        {}, layer.init_state((3,)), jnp.asarray(DATA), key=jax.random.key(0), train=False
    )
    counts = np.bincount(np.asarray(bins).ravel(), minlength=8)
    assert abs(counts - 375).max() <= 1
    layer.adapt(iter([DATA, DATA + 1]))  # again, and in chunks: the fields are set anew
    np.testing.assert_allclose(
        layer.bin_boundaries,
        np.quantile(np.concatenate([DATA, DATA + 1]), np.arange(1, 8) / 8),
        rtol=1e-6,
    )


def test_a_long_stream_is_summarized_within_epsilon() -> None:
    """Chunks that drift, so that no chunk has the quantiles of the whole."""
    chunks = [np.exp(RNG.normal(i / 5, 1, size=60_000)) for i in range(15)]
    state = L.Discretization(num_bins=10, epsilon=0.01).statistics(iter(chunks))
    everything = np.sort(np.concatenate(chunks))
    ranks = np.searchsorted(everything, state["boundaries"]) / len(everything)
    np.testing.assert_allclose(ranks, np.arange(1, 10) / 10, atol=0.01)


def test_bins_close_below_and_nan_is_in_none() -> None:
    layer = L.Discretization([0.0, 1.0], output_mode="one_hot")
    x = jnp.array([-jnp.inf, -0.5, 0.0, 1.0, jnp.inf, jnp.nan])
    y, _ = layer.forward({}, layer.init_state(()), x, key=jax.random.key(0), train=False)
    assert y.argmax(-1)[:5].tolist() == [0, 0, 1, 2, 2]
    assert np.isnan(y[5]).all()


def test_a_number_outside_the_range_is_nan_deep_in_a_network() -> None:
    for mode in ("one_hot", "multi_hot", "count"):
        x = jnp.array([[0.0, 1.0], [0.0, 3.0], [-1.0, 0.0], [0.5, 0.0]])
        y = np.asarray(L.CategoryEncoding(3, mode).apply({}, x)).reshape(4, -1)
        assert np.isfinite(y[0]).all()
        assert np.isnan(y[1:]).any(1).all()


def test_a_model_adapts_at_its_first_fit_and_keeps_the_boundaries_in_its_file(
    tmp_path: Path,
) -> None:
    x = RNG.normal(size=(300, 1))
    y = (np.abs(x[:, 0]) < 0.7).astype(int)  # no linear function of x
    model = fw.Sequential(
        [
            L.Input((1,)),
            L.Discretization(num_bins=10, output_mode="one_hot"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=fw.optimizers.Adam(0.1), loss="binary_crossentropy")
    model.fit(x, y, epochs=30)
    assert ((model.predict(x)[:, 0] > 0.5) == y).mean() > 0.9
    wanted = np.quantile(x.astype(np.float32), np.arange(1, 10) / 10)
    np.testing.assert_allclose(model.layers[0].boundaries, wanted, rtol=1e-5)
    model.save(tmp_path / "m.safetensors")
    back = fw.load(tmp_path / "m.safetensors")
    assert back.predict(x).tolist() == model.predict(x).tolist()
    np.testing.assert_allclose(back.layers[0].boundaries, wanted, rtol=1e-5)


def test_categories_in_a_model_are_checked_where_they_are_read() -> None:
    model = fw.Sequential([L.Input((2,)), L.CategoryEncoding(3, name="kinds"), L.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    with pytest.raises(
        InvalidData,
        match=r"for kinds \(CategoryEncoding\): expected whole numbers from 0 to 2 "
        r"\(num_tokens=3\), received 3.* at \(1, 0\)\. Give num_tokens the largest number plus 1\.",
    ):
        model.fit(np.array([[0, 1], [3, 0]]), np.zeros(2))
    model.fit(np.array([[0, 1], [2, 0]]), np.zeros(2))


ARGUMENTS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: L.CategoryEncoding(0),
        "CategoryEncoding: expected num_tokens to be a whole number >= 1, received num_tokens=0. "
        "Pass num_tokens=1 or more.",
    ),
    (
        lambda: L.CategoryEncoding(3, "onehot"),
        "CategoryEncoding: expected output_mode to be one of 'one_hot', 'multi_hot', 'count', "
        "received output_mode='onehot'. Did you mean one_hot?",
    ),
    (
        lambda: L.Discretization(),
        "Discretization: expected bin_boundaries or num_bins, received neither. "
        "Write Discretization([0, 1, 2]), or Discretization(num_bins=4).",
    ),
    (
        lambda: L.Discretization(num_bins=1),
        "Discretization: expected num_bins to be a whole number >= 2, received num_bins=1. "
        "Pass num_bins=2 or more.",
    ),
    (
        lambda: L.Discretization([0.0, 2.0, 1.0]),
        "Discretization: expected bin_boundaries to be finite numbers that rise, received "
        "bin_boundaries=(0.0, 2.0, 1.0). Sort them.",
    ),
    (
        lambda: L.Discretization(["a"]),
        "Discretization: expected bin_boundaries to be finite numbers that rise, received "
        "bin_boundaries=('a',). Sort them.",
    ),
    (
        lambda: L.Discretization([0.0, 1.0], num_bins=4),
        "Discretization: expected bin_boundaries or num_bins, received both, 2 boundaries and "
        "num_bins=4. Leave one of them out.",
    ),
    (
        lambda: L.Discretization(num_bins=4, epsilon=0),
        "Discretization: expected epsilon to be a number in (0, 1), received epsilon=0. "
        "Choose epsilon inside it.",
    ),
    (
        lambda: L.Discretization([0.0]).adapt(DATA),
        "Discretization: expected num_bins, to adapt to data, received bin_boundaries=(0.0,). "
        "Write Discretization(num_bins=...) without boundaries.",
    ),
]


@pytest.mark.parametrize(("make", "message"), ARGUMENTS)
def test_arguments_they_refuse(make: Callable[[], Layer], message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected data to adapt to, received no numbers. Pass at least one example."),
        (
            [1.0, float("nan")],
            "expected finite numbers to adapt to, received NaN or inf. "
            "Convert, fill in or leave out what is no number.",
        ),
        (
            ["a"],
            "expected finite numbers to adapt to, received dtype <U1. "
            "Convert, fill in or leave out what is no number.",
        ),
    ],
)
def test_data_that_cannot_be_adapted_to(data: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=f"^Discretization: {re.escape(message)}$"):
        L.Discretization(num_bins=4).adapt(data)
