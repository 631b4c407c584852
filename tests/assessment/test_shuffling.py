"""What a model rests on, for models whose answer is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell.assessment.dependence import partial_dependence
from fitwell.assessment.measures import scored
from fitwell.assessment.reading import subject_of
from fitwell.assessment.shuffling import importances
from fitwell.assessment.subject import Feature, Subject
from fitwell.errors import InvalidArgument, InvalidData, NotReady
from fitwell.types import HostArray

RNG = np.random.default_rng(0)


def known(weights: list[float], rows: int = 1000) -> Subject:
    """y = x @ weights, exactly."""
    x = RNG.normal(size=(rows, len(weights)))
    w = np.array(weights)
    features = tuple(
        Feature(f"x{i}", 0, slice(i, i + 1), x[:, i], lambda v: np.asarray(v)[:, None])
        for i in range(len(weights))
    )
    return Subject("regression", "y", (), (x,), x @ w, lambda inputs: inputs[0] @ w, features)


def test_importance_of_a_linear_function() -> None:
    """Shuffling x_j changes the prediction by w_j (x' - x), of variance 2 w_j^2."""
    found, rows = importances(known([3.0, 0.0, -1.0]), repeats=3)
    assert rows == 1000
    assert [one.name for one in found] == ["x0", "x2", "x1"]
    assert [one.value for one in found] == pytest.approx([3 * 2**0.5, 2**0.5, 0], rel=0.1)
    assert all(one.low <= one.value <= one.high for one in found)
    assert (found[2].low, found[2].high) == pytest.approx(
        (0, 0), abs=1e-12
    )  # what is not read cannot matter


def test_a_copy_of_the_target_is_all_that_matters() -> None:
    """Classes by one column: without it, log loss is that of a confident mistake in half."""
    x = RNG.normal(size=(500, 3))
    truth = (x[:, 1] > 0).astype(int)

    def answer(inputs: tuple[HostArray, ...]) -> HostArray:
        second = np.where(inputs[0][:, 1] > 0, 0.99, 0.01)
        return np.stack([1 - second, second], axis=1)

    features = tuple(Feature(f"x{i}", 0, slice(i, i + 1)) for i in range(3))
    subject = Subject("binary", "y", ("0", "1"), (x,), truth, answer, features)
    found, _ = importances(subject)
    assert found[0].name == "x1"
    assert found[0].value == pytest.approx(0.5 * np.log(99), rel=0.1)
    assert [one.value for one in found[1:]] == pytest.approx([0, 0], abs=1e-12)


def test_rows_that_count_for_nothing_do_not_matter() -> None:
    """y = x0 where x0 counts, elsewhere 100: the scores are those of the first half."""
    subject = known([1.0, 0.0], 400)
    counts = np.repeat([1.0, 0.0], 200)
    truth = np.where(counts > 0, subject.truth, 100.0)
    weighted = dataclasses.replace(subject, truth=truth, counts=counts, _answers=[])
    found = scored("regression", truth, subject.predicted, counts=counts)
    assert found["RMSE"] == pytest.approx((0, 0, 0), abs=1e-9)
    (first, _), _ = importances(weighted)
    assert first.value == pytest.approx(2**0.5, rel=0.2)
    assert first.low > 1


def test_intervals_are_wide_where_rows_are_few() -> None:
    widths = [
        found.high - found.low
        for rows in (50, 1000)
        for found in importances(known([1.0, 1.0], rows))[0][:1]
    ]
    assert widths[0] > 2 * widths[1]


def test_dependence_on_a_column_of_a_line_is_the_line() -> None:
    subject = known([2.0, 1.0], 150)
    found = partial_dependence(subject, subject.features[0])
    rest = float(subject.inputs[0][:, 1].mean())
    np.testing.assert_allclose(found.mean[:, 0], 2 * np.array(found.values) + rest)
    assert found.ordered
    assert (min(found.values), max(found.values)) == (
        subject.inputs[0][:, 0].min(),
        subject.inputs[0][:, 0].max(),
    )


def test_categories_are_counted() -> None:
    codes = np.array([[0.0], [1.0], [1.0]])
    names = pl.Series("c", ["a", "b", "b"])
    feature = Feature(
        "c", 0, slice(0, 1), names, lambda v: (v == "b").cast(float).to_numpy()[:, None]
    )
    subject = Subject(
        "regression", "y", (), (codes,), codes[:, 0], lambda inputs: 5 * inputs[0][:, 0], (feature,)
    )
    found = partial_dependence(subject, feature)
    assert (found.values, found.counts.tolist()) == (["b", "a"], [2, 1])
    assert found.mean[:, 0].tolist() == [5, 0]
    assert not found.ordered


# From models to subjects


def linear(units: int, activation: str | None, loss: str, inputs: int = 2) -> fw.Sequential:
    model = fw.Sequential([fw.Input((inputs,)), fw.layers.Dense(units, activation, name="only")])
    model.compile(loss=loss)
    return model


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("sigmoid", "binary_crossentropy"),
        (None, fw.losses.BinaryCrossentropy(from_logits=True)),
    ],
)
def test_two_classes_from_probabilities_and_from_logits(activation: str | None, loss: str) -> None:
    model = linear(1, activation, loss)
    model["only"].kernel = [[np.log(3)], [0]]
    found = subject_of("test", model, np.eye(2), [1, 0])
    assert (found.task, found.classes) == ("binary", ("0", "1"))
    assert found.predicted == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5]]))
    assert found.truth.tolist() == [1, 0]


def test_one_hot_and_sparse_labels_are_the_same() -> None:
    y = np.array([2, 0])
    sparse = subject_of(
        "test", linear(3, "softmax", "sparse_categorical_crossentropy"), np.eye(2), y
    )
    hot = subject_of(
        "test", linear(3, "softmax", "categorical_crossentropy"), np.eye(2), np.eye(3)[y]
    )
    assert (sparse.task, hot.task) == ("multiclass", "multiclass")
    assert sparse.truth.tolist() == hot.truth.tolist() == [2, 0]
    assert sparse.predicted.sum(axis=1) == pytest.approx(1)


def test_several_labels() -> None:
    model = linear(3, "sigmoid", "binary_crossentropy")
    found = subject_of("test", model, np.eye(2), [[1, 0, 1], [0, 0, 1]], classes=["a", "b", "c"])
    assert (found.task, found.classes) == ("multilabel", ("a", "b", "c"))
    assert found.predicted.shape == found.truth.shape == (2, 3)


def test_names_of_a_frame_and_of_an_array() -> None:
    model, frame = linear(1, None, "mse"), pl.DataFrame({"age": [1.0, 2.0], "size": [3.0, 4.0]})
    names = [each.name for each in subject_of("test", model, frame, [1, 2]).features]
    assert names == ["age", "size"]
    names = [each.name for each in subject_of("test", model, frame.to_numpy(), [1, 2]).features]
    assert names == ["X[:, 0]", "X[:, 1]"]
    with pytest.raises(InvalidArgument, match="test: expected 2 names, received 1"):
        subject_of("test", model, frame.to_numpy(), [1, 2], names=["age"])


def test_channels_of_sequences_are_shuffled_as_one() -> None:
    x = RNG.normal(size=(200, 5, 2))
    model = fw.Sequential(
        [fw.Input((5, 2)), fw.layers.Flatten(), fw.layers.Dense(1, use_bias=False)]
    )
    model.compile(loss="mse")
    kernel = np.zeros((5, 2, 1))
    kernel[:, 1] = 1  # the sum of the second channel
    model.layers[-1].kernel = kernel.reshape(10, 1)
    found, _ = importances(subject_of("test", model, x, x[..., 1].sum(axis=1)))
    assert [one.name for one in found] == ["X[:, :, 1]", "X[:, :, 0]"]
    assert found[0].value == pytest.approx(10**0.5, rel=0.2)  # variance 2 * 5
    assert found[1].value == pytest.approx(0, abs=1e-6)


def test_inputs_are_shuffled_as_a_whole() -> None:
    a, b = fw.Input((1,), name="a"), fw.Input((1,), name="b")
    out = fw.layers.Dense(1, use_bias=False)(fw.layers.Concatenate()([a, b]))
    model = fw.Model([a, b], out)
    model.compile(loss="mse")
    model.layers[-1].kernel = [[0.0], [2.0]]
    x = RNG.normal(size=(300, 1)).astype(np.float32)
    found, _ = importances(subject_of("test", model, [x, x], 2 * x))
    assert [(one.name, round(one.value, 6)) for one in found[1:]] == [("a", 0)]
    assert found[0].value == pytest.approx(2 * 2**0.5, rel=0.2)


def test_images_are_left_alone() -> None:
    model = fw.Sequential([fw.Input((2, 2, 1)), fw.layers.Flatten(), fw.layers.Dense(1)])
    model.compile(loss="mse")
    found = subject_of("test", model, np.ones((3, 2, 2, 1)), np.ones(3))
    assert found.features == ()
    assert found.unshuffled.startswith("The model reads images")


def test_steps_are_rows_of_their_own() -> None:
    model = fw.Sequential([fw.Input((4, 2)), fw.layers.Dense(3, "softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    y = RNG.integers(0, 3, (5, 4))
    found = subject_of("test", model, RNG.normal(size=(5, 4, 2)), y)
    assert found.truth.tolist() == y.ravel().tolist()
    assert found.predicted.shape == (20, 3)
    p = found.predicted.reshape(5, 4, 3)
    by_hand = [-np.log([p[i, t, y[i, t]] for t in range(4)]).mean() for i in range(5)]
    np.testing.assert_allclose(found.losses(found.predicted), by_hand, rtol=1e-6)
    assert found.take(np.array([3])).truth.tolist() == y[3].tolist()


def test_errors() -> None:
    with pytest.raises(InvalidArgument, match="test: expected a model, received a int"):
        subject_of("test", 3, np.eye(2), [1, 0])
    with pytest.raises(NotReady, match="expected a compiled model"):
        subject_of("test", fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)]), np.eye(2), [1, 0])
    model = linear(1, "sigmoid", "binary_crossentropy")
    with pytest.raises(InvalidArgument, match="test: expected 2 names in labels, received 3"):
        subject_of("test", model, np.eye(2), [1, 0], classes=["a", "b", "c"])


def test_predictions_that_are_no_numbers() -> None:
    model = linear(1, None, "mse")
    model["only"].kernel = [[np.nan], [0.0]]
    found = subject_of("test", model, [[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], [1, 0, 1])
    message = r"finite predictions, received NaN or infinity in 3 of 3 \(first: 0\)"
    with pytest.raises(InvalidData, match=message):
        found.predicted  # noqa: B018
