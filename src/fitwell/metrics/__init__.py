"""Metrics: numbers that tell how good predictions are, exact over batches of any size."""

from typing import TYPE_CHECKING

from fitwell.errors import missing_attribute
from fitwell.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from fitwell.metrics.base import FunctionMetric, MeanMetric, Metric
from fitwell.metrics.counts import (
    ConfusionMatrix,
    FalseNegatives,
    FalsePositives,
    TrueNegatives,
    TruePositives,
)
from fitwell.metrics.decisions import (
    BalancedAccuracy,
    F1Score,
    FBetaScore,
    MatthewsCorrelation,
    Precision,
    Recall,
)
from fitwell.metrics.lookup import get
from fitwell.metrics.probabilistic import (
    BinaryCrossentropy,
    BrierScore,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    LogLoss,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from fitwell.metrics.ranking import AUC
from fitwell.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    R2Score,
    RootMeanSquaredError,
)

MatthewsCorrcoef = MatthewsCorrelation

__all__ = [
    "AUC",
    "Accuracy",
    "BalancedAccuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BrierScore",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConfusionMatrix",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "FunctionMetric",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "LogLoss",
    "MatthewsCorrcoef",
    "MatthewsCorrelation",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetric",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "get",
]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
