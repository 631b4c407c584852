"""How good predictions for a table are, and what the simplest predictors reach."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from fitwell.assessment.comparing import differences
from fitwell.assessment.measures import in_order
from fitwell.data.labels import Target
from fitwell.types import HostArray

Scores = dict[str, float]
"""Name and value, the most important first."""


def scores(
    target: Target, y: HostArray, predicted: HostArray, weights: HostArray | None = None
) -> Scores:
    """The usual measures of a task.

    Regression: RMSE and MAE in the unit of the target, and R2. Two classes: accuracy, area
    under the ROC curve, log loss. More: accuracy, balanced accuracy, log loss. Where three
    quarters of the rows are of one class, accuracy comes second.

    Args:
        target: which task it is.
        y: (n,) values in the unit of the target, or class numbers.
        predicted: (n,) values in that unit, or (n, classes) probabilities.
        weights: (n,) how much each row counts; None for all the same.
    """
    from sklearn import metrics

    if weights is not None:
        counted = weights > 0
        y, predicted, weights = y[counted], predicted[counted], weights[counted]
    w: Any = {"sample_weight": weights}
    if target.task == "regression":
        unit = _unit(target)
        y, predicted = y / unit, predicted / unit
        return {
            "RMSE": float(metrics.root_mean_squared_error(y, predicted, **w)) * unit,
            "MAE": float(metrics.mean_absolute_error(y, predicted, **w)) * unit,
            "R2": float(metrics.r2_score(y, predicted, **w)) if len(y) > 1 else float("nan"),
        }
    chosen = predicted.argmax(axis=1)
    result = {"accuracy": float(metrics.accuracy_score(y, chosen, **w))}
    if target.task == "binary":
        both = len(np.unique(y)) == 2
        area = metrics.roc_auc_score(y, predicted[:, 1], **w) if both else float("nan")
        result["ROC AUC"] = float(area)
    else:  # of the classes that have rows; scikit-learn warns where others are predicted
        recalls = metrics.recall_score(y, chosen, labels=np.unique(y), average="macro", **w)
        result["balanced accuracy"] = float(recalls)
    classes = list(range(len(target.classes)))
    result["log loss"] = float(metrics.log_loss(y, predicted, labels=classes, **w))
    return in_order(result, y)


def baselines(
    target: Target,
    x: HostArray,
    y: HostArray,
    x_test: HostArray,
    y_test: HostArray,
    weights: HostArray | None = None,
    test_weights: HostArray | None = None,
) -> dict[str, Scores]:
    """Scores on the test rows of what `simplest` predicts.

    Args:
        x, y: rows to learn from: features, and values as for `scores`.
        x_test, y_test: rows to be measured on.
        weights, test_weights: how much each of these rows counts; None for all the same.
    """
    simple = simplest(target, x, y, x_test, weights)
    return {name: scores(target, y_test, p, test_weights) for name, p in simple.items()}


def beside(
    target: Target,
    y: HostArray,
    predicted: HostArray,
    simple: Mapping[str, HostArray],
    weights: HostArray | None = None,
) -> dict[str, Any]:
    """The facts about baselines: their scores, and how far a network is from each, row by row.

    And what the constant says: a number, or the probabilities of the classes.

    Args:
        target, y, predicted, weights: as for `scores`; of the network.
        simple: what `simplest` returned for the same rows.
    """
    unit = _unit(target) if target.task == "regression" else 1
    others = {name: each / unit for name, each in simple.items()}
    truth = y / unit if target.task == "regression" else y
    apart = differences(target.task, truth, predicted / unit, others, counts=weights)
    return {
        "baselines": {name: scores(target, y, each, weights) for name, each in simple.items()},
        "constant": simple["constant"][0].tolist(),
        "differences": {name: [end * unit for end in ends] for name, ends in apart.items()},
    }


def as_in_training(found: Scores, facts: Mapping[str, Any]) -> Scores:
    """Scores in the order of training: of other rows, other shares of the classes order them."""
    return {**{name: found[name] for name in facts.get("scores", {}) if name in found}, **found}


def constant(facts: Mapping[str, Any], target: Target, rows: int) -> HostArray | None:
    """(rows,) numbers or (rows, classes) probabilities of the constant; None where none is known.

    Args:
        facts: of a model, with what `beside` returned for it.
        target: what it predicts.
        rows: how many.
    """
    said = np.asarray(facts.get("constant", ()), np.float64)
    if said.shape != ((len(target.classes),) if target.classes else ()):
        return None  # a model of before the constant was kept
    return np.broadcast_to(said, (rows, *said.shape))


def simplest(
    target: Target,
    x: HostArray,
    y: HostArray,
    x_test: HostArray,
    weights: HostArray | None = None,
) -> dict[str, HostArray]:
    """What a linear model, and what always says the same, predict for the test rows.

    The constant is the mean, or the shares of the classes; the linear model is linear or
    logistic regression of scikit-learn on the features the network has. Arguments as for
    `baselines`.
    """
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LinearRegression, LogisticRegression

    def fit(model: Any) -> Any:
        return model.fit(x, y, sample_weight=weights)

    if target.task == "regression":
        unit = _unit(target)
        y = y / unit

        def predicted(model: Any) -> HostArray:
            return fit(model).predict(x_test).astype(np.float64) * unit

        return {
            "linear regression": predicted(LinearRegression()),
            "constant": predicted(DummyRegressor()),
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough for a comparison
        logistic = fit(LogisticRegression(max_iter=1000))
    return {
        "logistic regression": logistic.predict_proba(x_test),
        "constant": fit(DummyClassifier(strategy="prior")).predict_proba(x_test),
    }


def _unit(target: Target) -> float:
    """1, but for a target so large or small that its squares leave the range of float32."""
    return 1.0 if 1e-15 < target.sd < 1e15 else target.sd
