"""The numbers of the summary, by hand: weights, operations and memory of each layer."""

from __future__ import annotations

import jax
import pytest

import fitwell as fw
from fitwell.layers import (
    Activation,
    Add,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Normalization,
)
from fitwell.summary import rows, size_text


def branched() -> fw.Model:
    x = fw.Input((4,))
    shared = Dense(6, "tanh")
    h = shared(shared(Dense(6, "relu")(x)))
    model = fw.Model(x, Dense(1, "sigmoid")(Add()([h, h])), name="net", seed=3)
    model["dense"].trainable = False
    return model


def test_every_row_by_hand() -> None:
    found = rows(branched().network)
    # A product of (in) by (in, out) takes 2 in out operations, the bias out, relu out, a sum out;
    # XLA counts tanh apart, and three operations besides the exponential in a sigmoid.
    expected = [
        (0, "input", "Input", 0, 0, 4 * 4),
        (1, "dense", "Dense, relu", 4 * 6 + 6, 2 * 4 * 6 + 6 + 6, 4 * 6),
        (2, "dense_1", "Dense, tanh", 6 * 6 + 6, 2 * 6 * 6 + 6, 4 * 6),
        (3, "dense_1 (shared)", "Dense, tanh", 0, 2 * 6 * 6 + 6, 4 * 6),
        (4, "add", "Add", 0, 6, 4 * 6),
        (5, "dense_2", "Dense, sigmoid", 6 + 1, 2 * 6 + 1 + 3, 4),
    ]
    assert [(r.index, r.name, r.kind, r.weights, r.flops, r.activation_bytes) for r in found] == (
        expected
    )
    assert [row.output_shape for row in found] == ["(None, 4)", *["(None, 6)"] * 4, "(None, 1)"]
    assert [row.learns for row in found] == [True, False, True, True, True, True]
    assert sum(row.weights for row in found) == branched().count_params()


@pytest.mark.parametrize(
    ("layer", "flops"),
    [
        (Dense(5), 2 * 12 * 5 + 4 * 5),
        (Dense(5, use_bias=False), 2 * 12 * 5),
        (Flatten(), 0),
        (Dropout(0.5), 0),
    ],
)
def test_operations_of_one_example(layer: Layer, flops: int) -> None:
    """On (4, 3) a Dense acts four times: 2 * 3 * units each."""
    assert rows(fw.Sequential([fw.Input((4, 3)), layer]).network)[1].flops == flops


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        (Dense(2, "relu"), "HeNormal, Zeros"),
        (Dense(2, "selu"), "LecunNormal, Zeros"),
        (Dense(2), "GlorotUniform, Zeros"),
        (Dense(2, kernel_initializer="orthogonal", bias_initializer="ones"), "Orthogonal, Ones"),
        (Dropout(0.5), ""),
    ],
)
def test_the_initializer_is_named(layer: Layer, names: str) -> None:
    assert rows(fw.Sequential([fw.Input((3,)), layer]).network)[1].initializer == names


def own(x: jax.Array) -> jax.Array:
    return x


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (Dense(2), "Dense"),
        (Dense(2, "linear"), "Dense"),
        (Dense(2, "ReLU"), "Dense, relu"),
        (Dense(2, jax.nn.gelu), "Dense, gelu"),
        (Dense(2, own), "Dense, own"),
        (Dense(2, LeakyReLU()), "Dense, LeakyReLU"),
        (Activation("softmax"), "Activation, softmax"),
        (Dropout(0.5), "Dropout"),
    ],
)
def test_the_kind_names_the_activation(layer: Layer, kind: str) -> None:
    assert rows(fw.Sequential([fw.Input((3,)), layer]).network)[1].kind == kind


def printed(model: fw.Model) -> list[list[str]]:
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    (text,) = lines
    return [line.split() for line in text.splitlines()]


def test_the_printed_table() -> None:
    lines = printed(branched())
    assert " ".join(lines[0]) == 'Model "net" (seed 3)'
    assert " ".join(lines[1]) == "layer kind output shape weights FLOPs output memory initializer"
    assert [" ".join(line) for line in lines[3:9]] == [
        "0 input Input (None, 4) 0 0 16 B",
        "1 dense Dense, relu (None, 6) 30 frozen 60 24 B HeNormal, Zeros",
        "2 dense_1 Dense, tanh (None, 6) 42 78 24 B GlorotUniform, Zeros",
        "3 dense_1 (shared) Dense, tanh (None, 6) 0 78 24 B GlorotUniform, Zeros",
        "4 add Add (None, 6) 0 6 24 B",
        "5 dense_2 Dense, sigmoid (None, 1) 7 16 4 B GlorotUniform, Zeros",
    ]
    assert " ".join(lines[9]) == (
        "79 weights (316 B): 49 trainable, 30 not. Forward pass: 238 FLOPs and 116 B of "
        "activations per example."
    )
    assert len(lines) == 10


def test_state_counts_as_weights_that_do_not_learn() -> None:
    model = fw.Sequential([fw.Input((3,)), Normalization(), Dense(1000)])
    assert " ".join(printed(model)[-1]).startswith(
        "4,007 weights (15.7 KiB): 4,000 trainable, 7 not."
    )


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (2**20, "1.0 MiB"),
        (5 * 2**30, "5.0 GiB"),
        (2**50, "1024.0 TiB"),
    ],
)
def test_size_text(count: int, text: str) -> None:
    assert size_text(count) == text
