"""What compile accepts, and what it stands for once the labels are known."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import losses, metrics
from fitwell.errors import FitwellError, InvalidArgument, UnknownName
from fitwell.examples import Examples
from fitwell.layers import Dense, Input
from fitwell.training import Objective

X = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
HALF, THREE = np.array([0, 1, 0, 1, 1, 0]), np.array([0, 1, 2, 2, 1, 0])
HOT, MANY = np.eye(3)[THREE], np.array([[1, 1, 0]] * 6)


def squared(y_true: Any, y_pred: Any) -> Any:
    return jnp.mean((y_true - y_pred) ** 2, axis=-1)


def one(units: int = 1, activation: str | None = None) -> fw.Sequential:
    return fw.Sequential([Input((2,)), Dense(units, activation=activation)], seed=0)


def two() -> fw.Model:
    x = Input((2,))
    outputs = [Dense(1, activation="sigmoid", name="yes")(x), Dense(3, name="which")(x)]
    return fw.Model(x, outputs, seed=0)


def objective(model: fw.Model, y: Any, **arguments: Any) -> Objective:
    model.compile(**arguments)
    examples = Examples(model, "fit")
    examples.batch(X, y)
    return examples.objective


def labels(found: Objective) -> list[str]:
    return [measure.label for measure in found.measures]


# Losses

MSE = losses.MeanSquaredError()


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", MSE),
        ("MeanSquaredError", MSE),
        (losses.mean_squared_error, MSE),
        (losses.MeanSquaredError, MSE),
        (losses.Huber(2.0), losses.Huber(2.0)),
        (squared, losses.FunctionLoss(squared)),
        (["mse"], MSE),
        ({"dense": "mse"}, MSE),
    ],
)
def test_a_loss_is_a_name_an_object_or_a_function(loss: Any, expected: Any) -> None:
    assert objective(one(), HALF, loss=loss).losses == (expected,)


CHOSEN = [
    (1, "sigmoid", HALF, losses.BinaryCrossentropy(), "the last layer is a sigmoid"),
    (
        3,
        "softmax",
        THREE.tolist(),
        losses.SparseCategoricalCrossentropy(),
        "the last layer is a softmax, the labels are whole numbers",
    ),
    (
        3,
        "softmax",
        HOT,
        losses.CategoricalCrossentropy(),
        "the last layer is a softmax, the labels are one-hot",
    ),
    (1, None, HALF, MSE, "the last layer has neither sigmoid nor softmax"),
]


@pytest.mark.parametrize(("units", "activation", "y", "expected", "why"), CHOSEN)
def test_without_a_loss_one_is_chosen_and_said(
    units: int, activation: str, y: Any, expected: Any, why: str
) -> None:
    model = one(units, activation)
    model.compile()
    examples = Examples(model, "fit")
    examples.batch(X, y)
    assert examples.objective.losses == (expected,)
    assert examples.notes == [f"loss of dense: {type(expected).__name__}, because {why}"]


def test_several_outputs_take_a_list_a_dict_or_one_for_all() -> None:
    y = [HALF, HOT]
    by_list = objective(two(), y, loss=["bce", "mae"], loss_weights=[1, 0.5])
    weights = {"which": 0.5}
    by_name = objective(two(), y, loss={"which": "mae", "yes": "bce"}, loss_weights=weights)
    assert by_list == by_name
    assert by_list.losses == (losses.BinaryCrossentropy(), losses.MeanAbsoluteError())
    assert by_list.weights == (1.0, 0.5)
    assert objective(two(), y, loss="mse").losses == (MSE, MSE)
    assert objective(two(), y, loss={"yes": "bce"}).losses == (losses.BinaryCrossentropy(), None)


# Metrics

KINDS: list[tuple[int, Any, Any, Any, type]] = [
    (1, "sigmoid", "bce", HALF, metrics.BinaryAccuracy),
    (1, "sigmoid", "mse", HALF, metrics.BinaryAccuracy),
    (1, None, "hinge", 2 * HALF - 1, metrics.BinaryAccuracy),
    (3, "sigmoid", "bce", MANY, metrics.BinaryAccuracy),  # three labels, each yes or no
    (3, "sigmoid", losses.BinaryFocalCrossentropy(), MANY, metrics.BinaryAccuracy),
    (3, "softmax", "categorical_crossentropy", HOT, metrics.CategoricalAccuracy),
    (3, "softmax", "mse", HOT, metrics.CategoricalAccuracy),
    (
        3,
        "softmax",
        "sparse_categorical_crossentropy",
        THREE,
        metrics.SparseCategoricalAccuracy,
    ),
]


@pytest.mark.parametrize(("units", "activation", "loss", "y", "expected"), KINDS)
@pytest.mark.parametrize("word", ["accuracy", "acc"])
def test_accuracy_is_that_of_the_labels(
    units: int, activation: Any, loss: Any, y: Any, expected: type, word: str
) -> None:
    found = objective(one(units, activation), y, loss=loss, metrics=[word])
    assert found.measures[0].metric == expected(name=word)


@pytest.mark.parametrize(("from_logits", "threshold"), [(True, 0.0), (False, 0.5)])
def test_logits_are_yes_from_zero_on(from_logits: bool, threshold: float) -> None:
    loss = losses.BinaryCrossentropy(from_logits=from_logits)
    found = objective(one(), HALF, loss=loss, metrics=["accuracy"])
    assert found.measures[0].metric == metrics.BinaryAccuracy(name="accuracy", threshold=threshold)


FORMS: list[tuple[Any, list[str]]] = [
    ("mae", ["mae"]),
    (["mae", metrics.MeanAbsoluteError()], ["mae", "mean_absolute_error"]),
    ([["mae"]], ["mae"]),
    ({"dense": ["mae"]}, ["mae"]),
    ({"dense": metrics.AUC}, ["auc"]),
    ([squared], ["squared"]),
    ([losses.mean_absolute_error], ["mean_absolute_error"]),
    ([losses.Huber(2.0), losses.LogCosh, losses.MeanSquaredError(name="error")],
     ["huber", "log_cosh", "error"]),
    (["mae", "mae", metrics.AUC(name="mae_1"), "mae"], ["mae", "mae_1", "mae_1_1", "mae_2"]),
    ([metrics.AUC(name="loss")], ["loss_1"]),
    (None, []),
    ([], []),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), FORMS)
def test_the_forms_of_metrics_and_their_names(given: Any, expected: list[str]) -> None:
    assert labels(objective(one(), HALF, loss="mse", metrics=given)) == expected


def test_metrics_of_several_outputs_carry_their_names() -> None:
    y = [HALF, HOT]
    found = objective(
        two(),
        y,
        loss="mse",
        metrics={"yes": "accuracy", "which": ["mae", metrics.AUC(name="loss")]},
        weighted_metrics=[["auc"], []],
    )
    assert labels(found) == ["yes_accuracy", "yes_auc", "which_mae", "which_loss_1"]
    assert [m.output for m in found.measures] == [0, 0, 1, 1]
    assert [m.weighted for m in found.measures] == [False, True, False, False]
    assert labels(objective(two(), y, loss="mse", metrics="mae")) == ["yes_mae", "which_mae"]


def test_a_loss_as_a_metric_is_its_mean_over_the_examples() -> None:
    y_true = np.array([[0.0], [1.0], [2.0], [9.0]], np.float32)
    y_pred = np.array([[0.5], [1.0], [5.0], [np.nan]], np.float32)
    weight = np.array([1.0, 1.0, 2.0, 0.0], np.float32)  # 0: padding, which may hold anything
    huber = metrics.get(losses.Huber(1.0))
    stats = huber.measure(jnp.array(y_true), jnp.array(y_pred), jnp.array(weight))
    assert huber.result(stats) == pytest.approx((0.125 + 0 + 2 * 2.5) / 4)
    sparse = metrics.get(losses.SparseCategoricalCrossentropy(ignore_class=-1))
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]])
    assert sparse([0, -1, 1], probabilities) == pytest.approx(-np.log([0.5, 0.9]).mean(), rel=1e-5)


# Refusals

REFUSED: list[tuple[Any, dict[str, Any], type[FitwellError], str]] = [
    (one, {"loss": "msee"}, UnknownName,
     "loss: expected a name it knows, received 'msee'. Did you mean mse?"),
    (one, {"loss": 3}, InvalidArgument,
     "loss: expected a name, a Loss or a function of (y_true, y_pred), received 3. "
     'Pass for example loss="mse".'),
    (one, {"loss": "mse", "metrics": ["acuracy"]}, UnknownName,
     "metric: expected a name it knows, received 'acuracy'. Did you mean accuracy?"),
    (one, {"loss": "mse", "weighted_metrics": "acuracy"}, UnknownName,
     "metric: expected a name it knows, received 'acuracy'. Did you mean accuracy?"),
    (one, {"loss": "mse", "metrics": [3]}, InvalidArgument,
     "metrics.get: expected the name of a metric, a Metric or a function f(y_true, y_pred), "
     'received 3. Write "accuracy", fitwell.metrics.AUC() or your own function.'),
    (one, {"optimizer": "adm"}, UnknownName,
     "optimizer: expected a name it knows, received 'adm'. Did you mean adam?"),
    (one, {"loss": ["mse", "mse"]}, InvalidArgument,
     "compile, loss: expected one entry for each of the 1 outputs, received 2. "
     "Give one per output, or a dict by output name."),
    (two, {"loss": "mse", "metrics": ["mae"]}, InvalidArgument,
     "compile, metrics: expected one entry for each of the 2 outputs, received 1. "
     "Give one per output, or a dict by output name."),
    (two, {"loss": {"wich": "mse"}}, InvalidArgument,
     "compile, loss: expected names of outputs, received 'wich'. Did you mean which?"),
    (two, {"loss": [None, None]}, InvalidArgument,
     "compile: expected a loss for at least one output, received [None, None]. "
     "Name the loss of an output, or leave loss out: it is chosen then."),
    (two, {"loss": "mse", "loss_weights": [1, "a"]}, InvalidArgument,
     "compile, loss_weights: expected finite numbers >= 0, received 'a'. "
     "Pass 1.0 for an output that counts as it is."),
    (two, {"loss": "mse", "loss_weights": -1}, InvalidArgument,
     "compile, loss_weights: expected finite numbers >= 0, received -1. "
     "Pass 1.0 for an output that counts as it is."),
]  # fmt: skip


@pytest.mark.parametrize(("make", "arguments", "kind", "text"), REFUSED)
def test_compile_refuses_and_stays_what_it_was(
    make: Any, arguments: dict[str, Any], kind: type[FitwellError], text: str
) -> None:
    model = make()
    model.compile("sgd", loss="mse")
    before = model.optimizer, model.compiled()
    with pytest.raises(kind) as error:
        model.compile(**arguments)
    assert str(error.value) == text
    assert (model.optimizer, model.compiled()) == before


@pytest.mark.parametrize("arguments", [{"loss": "msee"}, {"metrics": "acuracy"}])
def test_names_are_checked_before_the_input_size_is_known(arguments: dict[str, Any]) -> None:
    with pytest.raises(UnknownName):
        fw.Sequential([Dense(1)]).compile(**arguments)
