"""The numbers of the summary, by hand: weights, operations and memory of each layer."""

from __future__ import annotations

import re
from itertools import pairwise

import jax
import pytest

import fitwell as fw
from fitwell.architectures.convolutional import vgg_chain
from fitwell.graph import from_symbols
from fitwell.layers import (
    GRU,
    Activation,
    Add,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNormalization,
    LeakyReLU,
    Normalization,
    SeparableConv1D,
    TimeDistributed,
    TransformerEncoder,
    WeightNormalization,
)
from fitwell.summary import rows, shares, size_text


class Doubled(Dense):
    """A user's own kind of Dense."""


def branched() -> fw.Model:
    x = fw.Input((4,))
    shared = Dense(6, "tanh")
    h = shared(shared(Dense(6, "relu")(x)))
    model = fw.Model(x, Dense(1, "sigmoid")(Add()([h, h])), name="net", seed=3)
    model["dense"].trainable = False
    return model


def test_every_row_by_hand() -> None:
    found = rows(branched().network)
    # A product of (in) by (in, out) takes 2 in out operations; the bias, a function and a sum of
    # two take one per number.
    expected = [
        (0, "input", "Input", 0, 0, 4 * 4),
        (1, "dense", "Dense, relu", 4 * 6 + 6, 2 * 4 * 6 + 6 + 6, 4 * 6),
        (2, "dense_1", "Dense, tanh", 6 * 6 + 6, 2 * 6 * 6 + 6 + 6, 4 * 6),
        (3, "dense_1 (shared)", "Dense, tanh", 0, 2 * 6 * 6 + 6 + 6, 4 * 6),
        (4, "add", "Add", 0, 6, 4 * 6),
        (5, "dense_2", "Dense, sigmoid", 6 + 1, 2 * 6 + 1 + 1, 4),
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


def test_where_the_weights_and_the_arithmetic_of_a_vgg_are() -> None:
    """Dense layers hold most of the weights; convolutions do most of the work, not they."""
    start = fw.Input((224, 224, 3))
    y = start
    for layer in vgg_chain(16, 1000, batch_norm=False, dropout=0.5):
        y = layer(y)
    found = rows(from_symbols([start], [y]))
    sizes = {224: (3, 64, 64), 112: (64, 128, 128), 56: (128, 256, 256, 256)}
    sizes |= {28: (256, 512, 512, 512), 14: (512, 512, 512, 512)}
    pairs = [(n, a, b) for n, all_of in sizes.items() for a, b in pairwise(all_of)]
    weights = {"convolutions": sum(9 * a * b + b for _, a, b in pairs)}
    flops = {"convolutions": sum((2 * 9 * a * b + 2 * b) * n * n for n, a, b in pairs)}
    dense = list(pairwise((7 * 7 * 512, 4096, 4096, 1000)))
    weights["dense"] = sum(a * b + b for a, b in dense)
    # relu is one operation per number; softmax five (largest, difference, exp, sum, ratio), but
    # the largest and the sum of n are n - 1.
    flops["dense"] = sum(2 * a * b + 2 * b for a, b in dense) + 4 * 1000 - 2
    pooled = [(n // 2) ** 2 * all_of[-1] for n, all_of in sizes.items()]
    weights["others"], flops["others"] = 0, 3 * sum(pooled)
    for family in weights:
        own = [row for row in found if row.family == family]
        assert sum(row.weights for row in own) == weights[family]
        assert abs(sum(row.flops for row in own) - flops[family]) <= 1  # a softmax may add a bound
    part = {
        k: (w / sum(weights.values()), flops[k] / sum(flops.values())) for k, w in weights.items()
    }
    got = shares(found)
    assert list(got) == ["convolutions", "dense", "inputs", "others"]
    for family, expected in part.items():
        assert got[family] == pytest.approx(expected, rel=1e-7)
    assert round(part["dense"][0], 3) == 0.894
    assert round(part["convolutions"][1], 3) == 0.992


def test_the_line_about_families() -> None:
    model = fw.Sequential([fw.Input((4, 4, 1)), Conv2D(2, 1), Flatten(), Dense(5)])
    # Weights: 1 * 2 + 2 = 4 and 32 * 5 + 5 = 165. Operations: 16 * (2 * 2 + 2) and 2 * 32 * 5 + 5.
    assert " ".join(printed(model)[-1]) == (
        "Dense: 98 % of the weights, 77 % of the arithmetic; convolutions: 2.4 %, 23 %."
    )
    # One family alone needs no line, and what has none is named where it does something.
    alone = fw.Sequential([fw.Input((3,)), Dense(1), Activation("tanh")])
    assert printed(alone)[-1][:2] == ["Forward", "pass:"]
    # tanh: 5 of 96 + 325 + 5 operations.
    with_others = fw.Sequential(
        [fw.Input((4, 4, 1)), Conv2D(2, 1), Flatten(), Dense(5), Activation("tanh")]
    )
    assert " ".join(printed(with_others)[-1]).endswith("; others: 0 %, 1.2 %.")


@pytest.mark.parametrize(
    ("layer", "shape", "family"),
    [
        (Conv2D(2, 1), (4, 4, 1), "convolutions"),
        (SeparableConv1D(2, 1), (4, 1), "convolutions"),
        (Bidirectional(GRU(2)), (4, 1), "recurrent"),
        (TimeDistributed(Dense(2)), (4, 1), "dense"),
        (WeightNormalization(Conv2D(2, 1)), (4, 4, 1), "convolutions"),
        (TransformerEncoder(4, 2), (4, 2), "attention"),
        (Embedding(5, 2), (4,), "embeddings"),
        (LayerNormalization(), (4,), "normalization"),
        (Doubled(2), (4,), "dense"),
        (LeakyReLU(), (4,), "others"),
    ],
)
def test_the_family_of_a_layer(layer: Layer, shape: tuple[int, ...], family: str) -> None:
    assert rows(fw.Sequential([fw.Input(shape), layer]).network)[1].family == family


def test_no_number_is_cut_off() -> None:
    names = ["first" * 12, "second" * 12]
    model = fw.Sequential([fw.Input((1000,)), *(Dense(1000, name=name) for name in names)])
    lines = [" ".join(line) for line in printed(model)]
    assert lines[4] == (
        f"1 {names[0]} Dense (None, 1000) 1,001,000 50 % 2.0 M 50 % 3.9 KiB GlorotUniform, Zeros"
    )


def test_weights_without_an_initializer_of_their_own_are_left_out() -> None:
    """TransformerEncoder's output kernel follows its other kernels unless told otherwise."""
    plain, own = TransformerEncoder(4, 2), TransformerEncoder(4, 2, output_initializer="zeros")
    assert plain.initializer_names() == {"kernel": "GlorotUniform", "bias": "Zeros"}
    assert own.initializer_names()["output"] == "Zeros"


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        (Dense(2, "relu"), "HeNormal, Zeros"),
        (Dense(2, "selu"), "LecunNormal, Zeros"),
        (Dense(2), "GlorotUniform, Zeros"),
        (Dense(2, kernel_initializer="orthogonal", bias_initializer="ones"), "Orthogonal, Ones"),
        (Dense(2, use_bias=False), "GlorotUniform"),
        (BatchNormalization(scale=False, center=False), "Zeros, Ones"),
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
    assert " ".join(lines[1]) == (
        "layer kind output shape weights share FLOPs share memory initializer"
    )
    assert [" ".join(line) for line in lines[3:9]] == [
        "0 input Input (None, 4) 0 0 16 B",
        "1 dense Dense, relu (None, 6) 30 frozen 38 % 60 24 % 24 B HeNormal, Zeros",
        "2 dense_1 Dense, tanh (None, 6) 42 53 % 84 34 % 24 B GlorotUniform, Zeros",
        "3 dense_1 (shared) Dense, tanh (None, 6) 0 84 34 % 24 B GlorotUniform, Zeros",
        "4 add Add (None, 6) 0 6 2.4 % 24 B",
        "5 dense_2 Dense, sigmoid (None, 1) 7 8.9 % 14 5.6 % 4 B GlorotUniform, Zeros",
    ]
    assert [" ".join(line) for line in lines[9:]] == [
        "79 weights (316 B): 49 trainable, 30 not.",
        "Forward pass: 248 FLOPs and 116 B of activations per example.",
    ]


def test_state_counts_as_weights_that_do_not_learn() -> None:
    model = fw.Sequential([fw.Input((3,)), Normalization(), Dense(1000)])
    lines = [" ".join(line) for line in printed(model)]
    assert "4,007 weights (15.7 KiB): 4,000 trainable, 7 not." in lines


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


def test_a_notebook_shows_the_same_table() -> None:
    """Names that users give are text there, too."""
    model = fw.Sequential([fw.Input((3,)), Dense(4, "relu", name="<a>")], name="<net>", seed=1)
    shown = model._repr_html_()
    assert shown.startswith("<p>Model &quot;&lt;net&gt;&quot; (seed 1)</p>")
    cells = re.findall(r"<td[^>]*>(.*?)</td>", shown)
    texts = [re.sub("<[^>]*>", "", cell) for cell in cells]
    assert texts[8:] == [
        "1", "&lt;a&gt;", "Dense, relu", "(None, 4)", "16", "32", "16 B", "HeNormal, Zeros",
    ]  # fmt: skip
    assert "16 weights (64 B): 16 trainable, 0 not." in shown
    assert fw.Sequential([Dense(4)], name="<b>")._repr_html_().startswith("<p>&lt;Sequential &lt;b")
