"""PiecewiseLinearEmbedding: its edges and what it refuses. Its map is a row of the contract."""

from __future__ import annotations

import re

import jax
import numpy as np
import pytest

from fitwell import Input, Sequential, load
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch
from fitwell.layers import Dense, PiecewiseLinearEmbedding


def test_edges_are_quantiles_of_the_data() -> None:
    x = np.stack([np.arange(101.0), np.repeat([0.0, 1.0], [60, 41])], axis=1)
    state = PiecewiseLinearEmbedding(bins=4).statistics([x[:50], x[50:]])
    assert state["edges"].tolist() == [[0, 25, 50, 75, 100], [0, 0, 0, 1, 1]]
    assert state["count"] == 101


def test_it_begins_as_a_line_and_learns_a_step(tmp_path: object) -> None:
    x = np.linspace(-1, 1, 400, dtype=np.float32)[:, None]
    y = (x[:, 0] > 0.3).astype(np.float32)  # a line alone leaves an error of about 0.3
    model = Sequential([Input((1,)), PiecewiseLinearEmbedding(4, bins=20), Dense(1)], seed=0)
    assert not np.asarray(model.layers[0].height).any()
    model.compile("adam", loss="mse")
    model.learning_rate = 0.05
    model.fit(x, y, epochs=40, verbose=0)
    edges = np.asarray(model.train_state.state["piecewise_linear_embedding"]["edges"])
    np.testing.assert_allclose(edges[0], np.linspace(-1, 1, 21), atol=0.006)  # the fit adapted it
    error = np.sqrt(np.mean((np.asarray(model.predict(x, verbose=0))[:, 0] - y) ** 2))
    assert error < 0.1
    path = f"{tmp_path}/model.safetensors"
    model.save(path)
    np.testing.assert_array_equal(load(path).predict(x, verbose=0), model.predict(x, verbose=0))


def test_of_very_many_rows_every_other_makes_the_edges() -> None:
    x = np.random.default_rng(0).normal(size=(250_000, 1))
    edges = PiecewiseLinearEmbedding(bins=2).statistics([x])["edges"][0]
    assert edges[1] == np.float32(np.quantile(x[::2], 0.5, method="nearest"))


REFUSED = {
    "bins": ({"bins": 0}, "expected bins to be a whole number >= 1, received bins=0."),
    "units": ({"units": 1.5}, "expected units to be a whole number >= 1, received units=1.5."),
    "edges": (
        {"bins": 2, "edges": [[0, 2, 1]]},
        "edges of shape (features, 3), ascending in each row, received edges=((0, 2, 1),).",
    ),
    "their number": ({"bins": 2, "edges": [[0, 2]]}, "expected edges of shape (features, 3)"),
    "words": ({"bins": 1, "edges": [["a", "b"]]}, "expected edges of shape (features, 2)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arguments(case: str) -> None:
    arguments, message = REFUSED[case]
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        PiecewiseLinearEmbedding(**arguments)


def test_shapes_and_data() -> None:
    with pytest.raises(ShapeMismatch, match=r"expected one row of features .* \(2, 3\)"):
        PiecewiseLinearEmbedding().init(jax.random.key(0), (2, 3))
    known = PiecewiseLinearEmbedding(bins=1, edges=[[0, 1]])
    message = "expected edges for the 2 features of the input, received edges of 1."
    with pytest.raises(ShapeMismatch, match=message):
        known.init_state((2,))
    for data, received in ((np.empty((0, 2)), "no rows"), (np.array([[np.nan]]), "NaN or inf")):
        with pytest.raises(InvalidData, match=f"rows of finite numbers to adapt to.*{received}"):
            PiecewiseLinearEmbedding().statistics([data])
