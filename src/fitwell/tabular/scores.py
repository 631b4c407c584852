"""How good predictions for a table are, and what the simplest predictors reach."""

from __future__ import annotations

import warnings

import numpy as np

from fitwell.data.labels import Target
from fitwell.types import HostArray

Scores = dict[str, float]
"""Name and value, the most important first."""

LOWER_IS_BETTER = ("RMSE", "MAE", "log loss")


def scores(target: Target, y: HostArray, predicted: HostArray) -> Scores:
    """The usual measures of a task.

    Regression: RMSE and MAE in the unit of the target, and R2. Two classes: accuracy, area
    under the ROC curve, log loss. More: accuracy, balanced accuracy, log loss.

    Args:
        target: which task it is.
        y: (n,) values in the unit of the target, or class numbers.
        predicted: (n,) values in that unit, or (n, classes) probabilities.
    """
    from sklearn import metrics

    if target.task == "regression":
        return {
            "RMSE": float(metrics.root_mean_squared_error(y, predicted)),
            "MAE": float(metrics.mean_absolute_error(y, predicted)),
            "R2": float(metrics.r2_score(y, predicted)) if len(y) > 1 else float("nan"),
        }
    chosen = predicted.argmax(axis=1)
    result = {"accuracy": float(metrics.accuracy_score(y, chosen))}
    if target.task == "binary":
        both = len(np.unique(y)) == 2
        area = metrics.roc_auc_score(y, predicted[:, 1]) if both else float("nan")
        result["ROC AUC"] = float(area)
    else:
        present = np.unique(y)  # a class without a row has no recall
        recalls = [np.mean(chosen[y == number] == number) for number in present]
        result["balanced accuracy"] = float(np.mean(recalls))
    result["log loss"] = float(
        metrics.log_loss(y, predicted, labels=list(range(len(target.classes))))
    )
    return result


def baselines(
    target: Target, x: HostArray, y: HostArray, x_test: HostArray, y_test: HostArray
) -> dict[str, Scores]:
    """Scores on the test rows of what always says the same, and of the linear model.

    The constant is the mean, or the shares of the classes; the linear model is linear or
    logistic regression of scikit-learn on the features the network has.

    Args:
        x, y: rows to learn from: features, and values as for `scores`.
        x_test, y_test: rows to be measured on.
    """
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LinearRegression, LogisticRegression

    if target.task == "regression":
        linear = LinearRegression().fit(x, y)
        constant = DummyRegressor().fit(x, y)
        return {
            "linear regression": scores(target, y_test, linear.predict(x_test)),
            "constant": scores(target, y_test, constant.predict(x_test)),
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough for a comparison
        logistic = LogisticRegression(max_iter=1000).fit(x, y)
    prior = DummyClassifier(strategy="prior").fit(x, y)
    return {
        "logistic regression": scores(target, y_test, logistic.predict_proba(x_test)),
        "constant": scores(target, y_test, prior.predict_proba(x_test)),
    }
