"""`Dense(activation=LeakyReLU())`: a layer without weights serves as an activation, as in Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import InvalidArgument
from fitwell.layers import Dense, LeakyReLU, Normalization, PReLU, Softmax

X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)


def test_a_layer_without_weights_serves_as_an_activation(tmp_path: Path) -> None:
    leaky = fw.Sequential([Dense(3, activation=LeakyReLU(0.1)), Dense(3, activation=Softmax())])
    apart = fw.Sequential([Dense(3), LeakyReLU(0.1), Dense(3), Softmax()])
    for made in (leaky, apart):
        made.build((None, 4))
    apart.set_weights(leaky.get_weights())
    np.testing.assert_array_equal(leaky.predict(X), apart.predict(X))
    assert leaky["dense"].description.initializer_names()["kernel"] == "HeNormal"
    leaky.save(tmp_path / "leaky.safetensors")
    np.testing.assert_array_equal(
        fw.load(tmp_path / "leaky.safetensors").predict(X), leaky.predict(X)
    )


@pytest.mark.parametrize("layer", [PReLU(), Dense(3), Normalization()])
def test_a_layer_with_weights_or_state_does_not(layer: Any) -> None:
    with pytest.raises(InvalidArgument) as error:
        Dense(3, activation=layer)
    text = "Dense: expected an activation without weights, state and noise, "
    assert str(error.value) == f"{text}received {layer!r}. Make it the next layer instead."
