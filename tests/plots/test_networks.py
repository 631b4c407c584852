"""Pictures of networks say what the network is: boxes, words, links, signs of weights."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

import fitwell as fw
from fitwell import layers as L  # noqa: N812
from fitwell.architectures.residual import cifar_trunk
from fitwell.errors import InvalidArgument, NotReady
from fitwell.graph import from_symbols
from fitwell.layers import Dense, Input
from fitwell.plots.blocks import blocks
from fitwell.plots.boxes import draw


def count(figure: Figure, kind: type) -> int:
    return sum(isinstance(patch, kind) for patch in figure.axes[0].patches)


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def tiny() -> fw.Sequential:
    made = fw.Sequential([Input((2,)), Dense(4, "tanh"), Dense(1, "sigmoid")], name="tiny")
    made["dense"].kernel = [[1.0, -2.0, 0.5, 0.0], [-0.25, 4.0, -3.0, 1.5]]
    made["dense"].bias = [0.5, -1.0, 0.0, 2.0]
    made["dense_1"].kernel = [[-1.0], [2.0], [-3.0], [0.125]]
    return made


def test_small_dense_networks_are_drawn_unit_by_unit() -> None:
    figure = tiny().plot()
    assert count(figure, Circle) == 2 + 4 + 1
    assert count(figure, FancyBboxPatch) == 0
    first, second = (c for c in figure.axes[0].collections if isinstance(c, LineCollection))
    assert (first.get_label(), second.get_label()) == ("dense", "dense_1")
    found = words(figure)
    assert found[0] == "tiny: 17 weights"
    assert found[1:] == ["x1", "x2", "input", "0.5", "−1", "0", "2", "dense", "Dense, tanh", "0",
                         "dense_1", "Dense, sigmoid"]  # fmt: skip


def test_links_show_the_signs_and_sizes_of_the_weights() -> None:
    model = tiny()
    figure = model.plot()
    circles = [p.center for p in figure.axes[0].patches if isinstance(p, Circle)]
    ins, hidden, out = circles[:2], circles[2:6], circles[6:]
    seen = 0
    for links, before, after, name in zip(
        figure.axes[0].collections, (ins, hidden), (hidden, out), ("dense", "dense_1"), strict=True
    ):
        kernel = np.asarray(model[name].kernel)
        styles = links.get_linestyle()
        for i, segment in enumerate(links.get_segments()):
            start, end = (
                int(np.argmin(np.linalg.norm(np.array(places) - point, axis=1)))
                for places, point in zip((before, after), segment, strict=True)
            )
            weight = kernel[start, end]
            red, green, _, _ = links.get_colors()[i]
            assert np.sign(round(green - red, 2)) == np.sign(weight)
            assert (styles[i][1] is None) == (weight >= 0)  # dashes
            assert links.get_linewidths()[i] == pytest.approx(0.4 + 3.6 * abs(weight) / 4)
            seen += 1
    assert seen == 2 * 4 + 4 * 1


def test_circles_show_the_biases() -> None:
    figure = tiny().plot()
    faces = [p.get_facecolor() for p in figure.axes[0].patches if isinstance(p, Circle)]
    assert faces[:2] == [(1.0, 1.0, 1.0, 1.0)] * 2  # inputs have none
    signs = [np.sign(round(green - red, 2)) for red, green, _, _ in faces[2:]]
    assert signs == [1, -1, 0, 1, 0]


def test_a_weight_that_is_no_number_does_not_spoil_the_others() -> None:
    model = tiny()
    model["dense_1"].kernel = [[np.nan], [np.inf], [-3.0], [0.125]]
    _, second = model.plot().axes[0].collections
    widths = sorted(second.get_linewidths())
    assert widths == pytest.approx([0.4, 0.4 + 3.6 * 0.125 / 4, 0.4 + 3.6 * 3 / 4, 4.0])


@pytest.mark.parametrize(
    ("layers", "units"),
    [
        ([Dense(16), L.Dropout(0.5), L.Activation("relu"), Dense(1)], True),
        ([Dense(17), Dense(1)], False),
        ([Dense(3), L.BatchNormalization(), Dense(1)], False),
        ([Dense(1) for _ in range(8)], False),
        ([L.Reshape((2, 1)), L.Flatten(), Dense(1)], False),
    ],
)
def test_what_is_drawn_unit_by_unit(layers: list[L.Layer], units: bool) -> None:
    figure = fw.Sequential([Input((2,)), *layers]).plot()
    assert (count(figure, Circle) > 0) == units
    assert (count(figure, FancyBboxPatch) > 0) != units


def test_a_dense_layer_without_bias() -> None:
    figure = fw.Sequential([Input((1,)), Dense(2, use_bias=False)]).plot()
    assert count(figure, Circle) == 3


def two_by_two() -> fw.Model:
    numbers, words = Input((8,), name="numbers"), Input((20,), dtype="int32", name="words")
    read = L.LSTM(16)(L.Embedding(1000, 8)(words))
    h = Dense(32, "relu")(L.Concatenate()([Dense(16, "relu")(numbers), read]))
    return fw.Model([numbers, words], [Dense(1, name="price")(h), Dense(3, name="kind")(h)])


def test_boxes_and_arrows_of_a_graph() -> None:
    model = two_by_two()
    model["embedding"].trainable = False
    figure = model.plot()
    assert count(figure, FancyBboxPatch) == 9
    assert count(figure, FancyArrowPatch) == 8  # 1 + 2 + 2 into the concatenation, 1 + 2 behind
    found = words(figure)
    assert found[0] == f"model: {model.count_params():,} weights"
    assert found[1:7] == ["numbers", "Input", "(None, 8)", "words", "Input", "(None, 20)"]
    for line in (
        "(None, 20, 8)  8,000 weights, frozen",
        "LSTM, tanh",
        f"(None, 16)  {4 * (8 + 16 + 1) * 16:,} weights",
        "(None, 32)",
        "price",
        "kind",
    ):
        assert line in found
    boxes = [p for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]
    places = {p.get_gid(): p.get_bbox() for p in boxes}
    assert places["numbers"].y0 == places["embedding"].y0  # as late as its reader allows
    assert places["price"].y0 == places["kind"].y0 > places["dense_1"].y1


def test_a_shared_layer_is_drawn_at_each_use_and_counted_once() -> None:
    a, b, shared = Input((8,)), Input((8,)), Dense(32)
    model = fw.Model([a, b], Dense(1)(L.Subtract()([shared(a), shared(b)])))
    found = words(model.plot())
    assert found.count("dense") == 2
    assert "(None, 32)  288 weights" in found
    assert "(None, 32)  weights of dense" in found


def test_several_outputs_of_one_layer() -> None:
    x = Input((10, 4))
    y, _, cell = L.LSTM(8, return_state=True)(x)
    figure = fw.Model(x, [Dense(2)(y), Dense(2)(cell)]).plot()
    assert "3 x (None, 8)  416 weights" in words(figure)  # 4 * (4 + 8 + 1) * 8
    assert count(figure, FancyArrowPatch) == 3


def test_a_tied_layer_names_its_lender() -> None:
    x = Input((20,))
    encoder = Dense(30, "relu")
    found = words(fw.Model(x, L.Tied(encoder)(encoder(x))).plot())
    assert "(None, 20)  20 weights, and those of dense" in found


def residual(depth: int) -> Figure:
    start = Input((32, 32, 3))
    h = cifar_trunk(start, (depth - 2) // 6, 1, free=True)
    network = from_symbols([start], [Dense(10, "softmax")(L.GlobalAveragePooling2D()(h))])
    return draw(blocks(network), "residual")


def test_a_residual_network_of_62_layers() -> None:
    figure = residual(62)
    # The input, 61 convolutions, 30 sums, pooling and dense; at two stages what replaces the
    # shortcut: padding, pooling, rescaling, concatenation.
    assert count(figure, FancyBboxPatch) == 1 + 61 + 30 + 2 + 2 * 4
    # One arrow into each box but the input, two into sums and concatenations.
    assert count(figure, FancyArrowPatch) == (61 + 30 + 2 + 2 * 4) + 30 + 2
    found = words(figure)
    assert found.count("then BatchNormalization, ReLU") == 1 + 30
    assert found.count("then BatchNormalization") == 30
    assert found.count("then ReLU") == 30
    assert "(None, 32, 32, 16)  2,368 weights" in found  # 9 * 16 * 16 and 4 * 16 of normalisation
    wide, high = figure.get_size_inches()
    assert 0.6 < high / wide < 1.6
    assert sum(line.get_gid() == "fold" for line in figure.axes[0].lines) >= 4


def test_short_networks_show_every_layer() -> None:
    figure = fw.Sequential(
        [Input((8, 8, 1)), L.Conv2D(2, 3), L.BatchNormalization(), L.ReLU(), L.Flatten()]
    ).plot()
    assert count(figure, FancyBboxPatch) == 5


def test_no_words_leave_their_box() -> None:
    figure = two_by_two().plot()
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [p.get_window_extent() for p in axes.patches if isinstance(p, FancyBboxPatch)]
    for text in axes.texts[1:]:
        own = text.get_window_extent()
        assert sum(b.x0 < own.x0 and own.x1 < b.x1 and b.y0 < own.y0 and own.y1 < b.y1
                   for b in boxes) == 1  # fmt: skip


def test_a_model_that_is_not_built_yet() -> None:
    with pytest.raises(NotReady) as caught:
        fw.Sequential([Dense(3)], name="later").plot()
    assert str(caught.value) == (
        "later: expected a network whose input shape is known, received none so far. Begin with "
        "Input(shape=...), call build((None, n)), or fit first."
    )


def test_something_else_than_a_model() -> None:
    with pytest.raises(InvalidArgument) as caught:
        fw.plots.network("model.safetensors")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "plot: expected a model, received a str. Pass a Sequential or a Model."
    )
    holder = type("TableModel", (), {"network": tiny()})()
    with pytest.raises(InvalidArgument, match=r"received a TableModel\. Pass model\.network\."):
        fw.plots.network(holder)
