"""Losses: what training lowers. Classes hold arguments, functions are the formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fitwell.errors import InvalidArgument, missing_attribute
from fitwell.losses.base import FunctionLoss, Loss, reduce
from fitwell.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from fitwell.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from fitwell.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from fitwell.losses.probabilistic import KLDivergence, Poisson, kl_divergence, poisson
from fitwell.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Quantile,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    quantile,
)
from fitwell.names import resolve

_CLASS_OF: dict[Any, type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_hinge: CategoricalHinge,
    cosine_similarity: CosineSimilarity,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    quantile: Quantile,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
}

_ALIASES: dict[str, type[Loss]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "logistic": BinaryCrossentropy,
    "logistic_loss": BinaryCrossentropy,
    "kld": KLDivergence,
    "pinball": Quantile,
}

# A class's name differs from its function's by case and `_` only, which `resolve` overlooks.
_BY_NAME = {function.__name__: kind for function, kind in _CLASS_OF.items()} | _ALIASES


def get(identifier: Any) -> Loss:
    """The loss that a name, a class, a function or a loss stands for.

    Args:
        identifier: a name in any case (`"mse"`, `"MeanSquaredError"`, `"binary_crossentropy"`,
            `"logistic loss"`), a class or a function of this module, a Loss, or a function
            `f(y_true, y_pred) -> (batch, ...)` of your own.

    Raises:
        UnknownName: a name that stands for no loss; says the nearest.
        InvalidArgument: anything else.

    >>> get("MSE"), get(mean_squared_error), get(Huber(2.0))
    (MeanSquaredError(), MeanSquaredError(), Huber(delta=2.0))
    """
    found = resolve("loss", identifier, _BY_NAME)
    if isinstance(found, Loss):
        return found
    if isinstance(found, type) and issubclass(found, Loss):
        return found()
    if callable(found) and not isinstance(found, type):
        return _CLASS_OF[found]() if found in _CLASS_OF else FunctionLoss(found)
    raise InvalidArgument(
        "loss",
        "a name, a Loss or a function of (y_true, y_pred)",
        repr(identifier),
        'Pass for example loss="mse".',
    )


__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "FunctionLoss",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Quantile",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "quantile",
    "reduce",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
