"""Pictures of results: what is drawn is what was counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell.assessment.dependence import Dependence
from fitwell.assessment.reading import subject_of
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch, UnknownName
from fitwell.plots.boundary import plane_of
from fitwell.plots.importance import draw_dependence
from fitwell.plots.panels import classified, words

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))


def texts(figure: object) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def ticks(axis: object) -> list[str]:
    return [text.get_text() for text in axis.get_ticklabels()]


@pytest.mark.parametrize(
    "predicted",
    [
        np.array([0.1, 0.9, 0.4, 0.8]),
        np.array([[0.1], [0.9], [0.4], [0.8]]),
        np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.2, 0.8]]),
        [0, 1, 0, 1],
        np.array([False, True, False, True]),
    ],
    ids=["probabilities", "column", "both", "numbers", "truths"],
)
def test_confusion_of_all_forms_of_predictions(predicted: object) -> None:
    figure = fw.plots.confusion([0, 1, 1, 1], predicted, ["no", "yes"])
    assert texts(figure) == ["1\n100 %", "0\n0 %", "1\n33 %", "2\n67 %"]
    axes = figure.axes[0]
    assert ticks(axes.xaxis) == ticks(axes.yaxis) == ["no", "yes"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


def test_confusion_of_words_frames_and_one_hot_rows() -> None:
    truth = pl.Series(["b", "a", "b"])
    assert texts(fw.plots.confusion(truth, ["b", "b", "b"])) == [
        "0\n0 %", "1\n100 %", "0\n0 %", "2\n100 %",
    ]  # fmt: skip
    hot = np.eye(3)[[0, 2, 2]]
    found = classified("confusion", hot, hot, None)
    assert found.truth.tolist() == found.chosen.tolist() == [0, 2, 2]
    words_of_columns = classified(
        "roc", ["x", "y", "y"], [[0.8, 0.2], [0.4, 0.6], [0.9, 0.1]], None
    )
    assert words_of_columns.names == ("x", "y")
    assert words_of_columns.truth.tolist() == [0, 1, 1]


def test_of_many_classes_the_most_confused_are_drawn() -> None:
    truth = np.arange(30).repeat(2)
    chosen = truth.copy()
    chosen[58] = 4
    figure = fw.plots.confusion(truth, chosen)
    assert figure.axes[0].get_title() == "Confusion matrix, 20 of 30 classes"
    assert {"4", "29"} <= set(ticks(figure.axes[0].xaxis))


def test_the_area_under_roc_is_in_the_legend() -> None:
    """One of four pairs is in the wrong order."""
    figure = fw.plots.roc([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    (legend,) = (t.get_text() for t in figure.axes[0].get_legend().texts)
    assert legend == "1: area 0.750"
    assert figure.axes[0].lines[1].get_xydata().tolist() == [
        [0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1],
    ]  # fmt: skip


def test_each_class_has_a_curve() -> None:
    p = RNG.dirichlet([1, 1, 1], 50)
    figure = fw.plots.precision_recall(RNG.integers(0, 3, 50), p, ["a", "b", "c"])
    legend = [t.get_text() for t in figure.axes[0].get_legend().texts]
    assert [line.split(":")[0] for line in legend] == ["a", "b", "c"]


def test_calibration_counts_its_rows() -> None:
    truth, p = np.array([0, 1, 1, 1, 0]), np.array([0.05, 0.95, 0.92, 0.91, 0.93])
    figure = fw.plots.calibration(truth, p)
    upper, lower = figure.axes
    assert upper.lines[1].get_ydata().tolist() == [0, 0.75]
    assert [bar.get_height() for bar in lower.patches] == [1, 4]
    assert lower.get_xlabel() == "predicted probability of 1"
    p = np.stack([p / 2, p / 2, 1 - p], axis=1)
    lower = fw.plots.calibration(truth, p).axes[1]
    assert lower.get_xlabel() == "predicted probability of the predicted class"


def test_residuals_by_hand() -> None:
    figure = fw.plots.residuals([[1.0], [2.0], [3.0]], [1.0, 4.0, 3.0])
    left, right = figure.axes
    assert left.lines[1].get_xydata().tolist() == [[1, 1], [2, 4], [3, 3]]
    assert right.get_title() == f"Residuals: mean 0.6667, RMSE {(4 / 3) ** 0.5:.4g}"


def line() -> fw.Sequential:
    """2 x0."""
    model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1, use_bias=False, name="only")])
    model.compile(loss="mse")
    model["only"].kernel = [[2.0], [0.0]]
    return model


def test_bars_of_importance(tmp_path: Path) -> None:
    path = tmp_path / "i.svg"
    figure = fw.plots.importance(line(), X, 2 * X[:, 0], names=["<a>", "b$c$"], path=path)
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    assert bars[0] == pytest.approx(2 * 2**0.5 * X[:, 0].std(), rel=0.2)
    assert bars[1] == pytest.approx(0, abs=1e-6)
    assert figure.axes[0].get_xlabel() == "RMSE gets worse by"
    assert "b$c$</text>" in path.read_text()
    assert "&lt;a&gt;</text>" in path.read_text()


def test_the_line_of_a_dependence() -> None:
    figure = fw.plots.partial_dependence(line(), X, 2 * X[:, 0], feature=0)
    x, y = figure.axes[0].lines[0].get_xydata().T
    np.testing.assert_allclose(y, 2 * x, atol=1e-5)
    flat = fw.plots.partial_dependence(line(), X, 2 * X[:, 0], feature="X[:, 1]")
    assert np.ptp(flat.axes[0].lines[0].get_ydata()) == pytest.approx(0, abs=1e-6)


def sides() -> fw.Sequential:
    """Class 1 where x0 > 0."""
    model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1, "sigmoid", name="only")])
    model.compile(loss="binary_crossentropy")
    model["only"].kernel = [[5.0], [0.0]]
    return model


def test_the_boundary_of_two_features_is_where_p_is_a_half() -> None:
    y = X[:, 0] > 0
    figure = fw.plots.boundary(sides(), X, y, labels=["left", "right"], names=["a", "b"])
    axes = figure.axes[0]
    edges = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
    assert abs(edges[:, 0]).max() < 0.05
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "b")
    counts = {line.get_label(): len(line.get_xdata()) for line in axes.lines}
    assert counts == {"left": int((~y).sum()), "right": int(y.sum())}
    shade = axes.images[0].get_array()
    assert (shade[:, 0, :3] != shade[:, -1, :3]).any()  # two colours


def test_more_features_are_seen_along_their_principal_components() -> None:
    """Two features vary together, the third is noise: the first component is the pair."""
    a = RNG.normal(size=200)
    x = np.stack([a, 3 * a, RNG.normal(size=200)], axis=1)
    model = fw.Sequential([fw.Input((3,)), fw.layers.Dense(1)])
    model.compile(loss="mse")
    plane = plane_of(subject_of("boundary", model, x, a))
    assert plane.names[0] == "principal component 1 (67 % of the variance)"
    again = plane.origin + plane.places @ plane.axes
    np.testing.assert_allclose(again, x, atol=0.2)
    figure = fw.plots.boundary(model, x, a, resolution=10)
    assert figure.axes[1].get_ylabel() == "y"  # the colours of heights


def test_a_model_of_tables() -> None:
    frame = pl.DataFrame({"color": ["red", "blue"] * 30, "size": X[:, 0]})
    frame = frame.with_columns(y=frame["size"] * 10)
    model = fw.tabular.train(frame, "y", epochs=1, verbose=0)
    figure = fw.plots.importance(model, frame)
    assert set(ticks(figure.axes[0].yaxis)) == {"color", "size"}
    colors = fw.plots.partial_dependence(model, frame, feature="color")
    assert set(ticks(colors.axes[0].xaxis)) == {"red\n30", "blue\n30"}
    assert fw.plots.boundary(model, frame, resolution=5).axes


def test_one_target_at_a_time() -> None:
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 0] > 0})
    views = fw.tabular.prepare_several(frame, ["b", "c"])
    x = fw.Input(views[0].train.x.shape[1:])
    network = fw.Model(x, [fw.layers.Dense(1)(x), fw.layers.Dense(1, "sigmoid")(x)])
    network.compile(loss=["mse", "binary_crossentropy"])
    model = fw.tabular.fit_several(views, network, epochs=1, verbose=0, doctor="off")
    with pytest.raises(
        InvalidArgument, match=r"of one target, received one of 2\. Pass model\['b'"
    ):
        fw.plots.importance(model, frame)
    assert len(fw.plots.importance(model["b"], frame).axes[0].patches) == 1


def test_names_of_many_classes_stand_where_they_are() -> None:
    """Nine classes on a grid of three by three: there are eight colours."""
    grid = np.stack(np.meshgrid(range(3), range(3)), axis=-1).reshape(-1, 2).astype(float)
    x = np.concatenate([grid - 0.1, grid, grid + 0.1])
    model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(9, "softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    names = [f"class {k}" for k in range(9)]
    figure = fw.plots.boundary(model, x, np.tile(range(9), 3), labels=names, resolution=5)
    (axes,) = figure.axes
    found = {text.get_text(): text.get_position() for text in axes.texts}
    assert found == {name: pytest.approx(tuple(grid[k])) for k, name in enumerate(names)}
    assert axes.get_legend() is None


def test_of_many_classes_those_that_move_are_drawn() -> None:
    """Class k moves by k; of a category the dots of all classes stay beside its name."""
    for ordered, values in ((True, [0.0, 1.0]), (False, ["a", "b"])):
        mean = np.stack([np.full(12, 3.0), 3.0 + np.arange(12)])
        found = Dependence("x", values, ordered, mean, mean - 1, mean + 1, np.array([5, 6]))
        figure = draw_dependence(found, "multiclass", [f"c{k}" for k in range(12)])
        (axes,) = figure.axes
        (below,) = figure.legends  # eight names would hide the lines
        assert [text.get_text() for text in below.texts] == [f"c{k}" for k in range(4, 12)]
        if not ordered:
            starts = [bars.lines[0].get_xdata()[0] for bars in axes.containers]
            assert -0.5 < min(starts) < max(starts) < 0.5
            assert sum(starts) == pytest.approx(0)


def test_words() -> None:
    assert words("a\nb\tc\x00") == "a b c "
    assert words("x" * 40, 5) == "xxxx…"


def test_errors() -> None:
    with pytest.raises(ShapeMismatch, match="received 2 labels and 3 predictions"):
        fw.plots.confusion([0, 1], [0, 1, 1])
    with pytest.raises(InvalidData, match=r"probabilities in \[0, 1\], received values from -3 to"):
        fw.plots.roc([0, 1], [-3.0, 2.5])
    with pytest.raises(InvalidArgument, match="roc, y_pred: expected probabilities, received lab"):
        fw.plots.roc([0, 1], [0, 1])
    with pytest.raises(InvalidData, match="confusion: expected the labels a, b, received 'c'"):
        fw.plots.confusion(["a", "c"], ["a", "a"], ["a", "b"])
    with pytest.raises(ShapeMismatch, match="roc: expected 2 labels, received 3"):
        fw.plots.roc([0, 1], [0.2, 0.7], ["a", "b", "c"])
    with pytest.raises(InvalidData, match="roc, y_true: expected 2 classes, received 0, 1, 2"):
        fw.plots.roc([0, 1, 2], [0.2, 0.7, 0.1])
    with pytest.raises(ShapeMismatch, match="as many predictions as true values, received 2 and 1"):
        fw.plots.residuals([1.0, 2.0], [1.0])
    with pytest.raises(UnknownName, match=r"received 'X\[:, 7\]'\. Did you mean X\[:, [01]\]\?"):
        fw.plots.partial_dependence(line(), X, X[:, 0], "X[:, 7]")
    with pytest.raises(InvalidArgument, match="repeats to be a whole number >= 1"):
        fw.plots.importance(line(), X, X[:, 0], repeats=0)
    images = fw.Sequential([fw.Input((2, 2, 1)), fw.layers.Flatten(), fw.layers.Dense(1)])
    images.compile(loss="mse")
    with pytest.raises(InvalidArgument, match="to shuffle, received The model reads images"):
        fw.plots.importance(images, np.ones((3, 2, 2, 1)), np.ones(3))
    with pytest.raises(InvalidArgument, match="boundary: expected one input of two features or mo"):
        fw.plots.boundary(images, np.ones((3, 2, 2, 1)), np.ones(3))


def test_the_argument_that_is_missing_is_named() -> None:
    with pytest.raises(InvalidArgument, match=r"no y\. Write boundary\(model, X, y\)\."):
        fw.plots.boundary(sides(), X)
    with pytest.raises(InvalidArgument, match=r"Write confusion\(y, model\.predict\(X\)\)\."):
        fw.plots.confusion(sides(), X)
