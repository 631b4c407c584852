"""From what a user writes in `metrics=[...]` to a Metric."""

from __future__ import annotations

import dataclasses
from typing import Any

from fitwell.errors import InvalidArgument
from fitwell.losses import Loss
from fitwell.metrics import accuracy, counts, decisions, probabilistic, ranking, regression
from fitwell.metrics.base import FunctionMetric, Metric
from fitwell.metrics.loss import LossMetric
from fitwell.names import resolve

_MODULES = (accuracy, counts, decisions, probabilistic, ranking, regression)

CLASSES: dict[str, type[Metric]] = {
    name: value
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == module.__name__ and name[0] != "_"
}

_ALIASES: dict[str, type[Metric]] = {
    "mse": regression.MeanSquaredError,
    "mae": regression.MeanAbsoluteError,
    "mape": regression.MeanAbsolutePercentageError,
    "msle": regression.MeanSquaredLogarithmicError,
    "rmse": regression.RootMeanSquaredError,
    "r2": regression.R2Score,
    "log_cosh": regression.LogCoshError,
    "bce": probabilistic.BinaryCrossentropy,
    "kld": probabilistic.KLDivergence,
    "brier": probabilistic.BrierScore,
    "f1": decisions.F1Score,
    "mcc": decisions.MatthewsCorrelation,
    "matthews_corrcoef": decisions.MatthewsCorrelation,
}

# What a word means for labels of each kind; without a kind, the first.
_BY_KIND: dict[str, dict[str | None, type[Metric]]] = {
    "accuracy": {
        None: accuracy.Accuracy,
        "binary": accuracy.BinaryAccuracy,
        "categorical": accuracy.CategoricalAccuracy,
        "sparse": accuracy.SparseCategoricalAccuracy,
    },
    "crossentropy": {
        None: probabilistic.LogLoss,
        "binary": probabilistic.BinaryCrossentropy,
        "categorical": probabilistic.CategoricalCrossentropy,
        "sparse": probabilistic.SparseCategoricalCrossentropy,
    },
}
_WORDS = {"accuracy": "accuracy", "acc": "accuracy", "crossentropy": "crossentropy"}
_WORDS |= {"ce": "crossentropy", "cross_entropy": "crossentropy"}


def get(identifier: Any, kind: str | None = None, *, from_logits: bool = False) -> Metric:
    """The metric that a name, class, function or Metric stands for.

    A name logs under the name as it was written: `get("mse").label` is `"mse"`. One word stands
    for several metrics: "accuracy" ("acc") and "crossentropy" ("ce") follow the kind of labels.
    "f1_score" and "fbeta_score" are means over classes, so that they are one number.

    Args:
        identifier: `"auc"`, `AUC`, `AUC(curve="PR")`, a Loss, or a function
            `f(y_true, y_pred) -> (batch, ...)`.
        kind: what y_true holds: "binary" (0/1), "categorical" (one-hot), "sparse" (class numbers)
            or None (unknown).
        from_logits: the model's predictions are logits: names give metrics that read logits.
            Thresholds become 0.0 for kind "binary". A Metric is taken as it is.

    Raises:
        UnknownName: no metric has this name; proposes the nearest.
        InvalidArgument: something that is neither name, Metric nor function; an unknown kind.

    >>> get("accuracy", "sparse")
    SparseCategoricalAccuracy(name='accuracy')
    >>> get("accuracy", "binary", from_logits=True)
    BinaryAccuracy(name='accuracy', threshold=0.0)
    """
    if kind not in _BY_KIND["accuracy"]:
        raise InvalidArgument(
            "metrics.get",
            'kind "binary", "categorical", "sparse" or None',
            f"kind={kind!r}",
            "Choose what y_true holds.",
        )
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, Loss):
        return LossMetric(identifier)
    if isinstance(identifier, str):
        return _named(identifier, kind, from_logits)
    if isinstance(identifier, type) and issubclass(identifier, Metric | Loss):
        return get(identifier())
    if callable(identifier) and not isinstance(identifier, type):
        return FunctionMetric(identifier)
    raise InvalidArgument(
        "metrics.get",
        "the name of a metric, a Metric or a function f(y_true, y_pred)",
        repr(identifier),
        'Write "accuracy", fitwell.metrics.AUC() or your own function.',
    )


def _named(identifier: str, kind: str | None, from_logits: bool) -> Metric:
    found: Any = resolve("metric", identifier, {**CLASSES, **_ALIASES, **_WORDS})
    chosen: type[Metric] = _BY_KIND[found][kind] if isinstance(found, str) else found
    fields = {field.name for field in dataclasses.fields(chosen)}
    arguments: dict[str, Any] = {"name": identifier}
    if issubclass(chosen, decisions.FBetaScore):
        arguments["average"] = "macro"
    if from_logits and "from_logits" in fields:
        arguments["from_logits"] = True
    if from_logits and kind == "binary":
        arguments |= {name: 0.0 for name in ("threshold", "thresholds") if name in fields}
    return chosen(**arguments)
