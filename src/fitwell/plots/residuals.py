"""What is left between truth and prediction."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.data.arrays import to_array
from fitwell.errors import ShapeMismatch
from fitwell.plots.panels import counted, plain
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_POINTS = 800
_COUNTED = 0.995  # of the residuals are in the histogram: outliers would leave one bar


def residuals(y_true: Any, y_pred: Any, *, path: str | os.PathLike[str] | None = None) -> Figure:
    """Predictions over the truth, and the distribution of residuals, predicted - true.

    On the left the diagonal is a perfect prediction; of more than 800 rows a sample is drawn. On
    the right 99.5 % of the residuals are counted.

    Args:
        y_true, y_pred: (n,) or (n, ...) numbers.
        path: a file to write, .svg, .png or .pdf.

    Raises:
        ShapeMismatch: other numbers of values.

    >>> figure = residuals([1.0, 2.0, 3.0], [1.5, 2.0, 2.5])
    >>> figure.axes[1].get_title()
    'Residuals: mean 0, RMSE 0.4082'
    """
    from matplotlib.figure import Figure

    figures.check_path(path)
    truth, predicted = (_numbers(n, v) for n, v in (("y_true", y_true), ("y_pred", y_pred)))
    if len(truth) != len(predicted) or not len(truth):
        received = f"{len(truth)} and {len(predicted)}"
        cure = "Predict the rows of y_true."
        raise ShapeMismatch("residuals", "as many predictions as true values", received, cure)
    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_agreement(left, truth, predicted)
    draw_residuals(right, truth, predicted)
    return figures.finish(figure, path)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _numbers(name: str, values: Any) -> HostArray:
    return to_array(f"residuals, {name}", values).reshape(-1).astype(np.float64)


def draw_agreement(axes: Axes, truth: HostArray, predicted: HostArray) -> None:
    """Predictions over the truth, with the diagonal."""
    plain(axes, "Prediction and truth")
    drawn = np.arange(len(truth))
    if len(truth) > _MOST_POINTS:
        drawn = np.random.default_rng(0).choice(len(truth), _MOST_POINTS, replace=False)
    both = np.concatenate([truth[drawn], predicted[drawn]])
    ends = [float(both.min()), float(both.max())]
    axes.plot(ends, ends, color="#888888", linestyle="--", linewidth=1)
    how: dict[str, Any] = {"markersize": 3, "alpha": 0.5, "markeredgewidth": 0}
    axes.plot(truth[drawn], predicted[drawn], "o", color=figures.TRAINING, **how)
    axes.set(xlabel="true", ylabel="predicted")
    counted(axes.xaxis)
    counted(axes.yaxis)


def draw_residuals(axes: Axes, truth: HostArray, predicted: HostArray) -> None:
    """The histogram of predicted - true."""
    error = predicted - truth
    rmse, mean = np.sqrt(np.mean(error**2)), np.mean(error)
    plain(axes, f"Residuals: mean {_short(mean)}, RMSE {_short(rmse)}")
    tail = (1 - _COUNTED) / 2
    low, high = np.quantile(error, [tail, 1 - tail])
    shown = error[(error >= low) & (error <= high)]
    bins = int(np.clip(np.sqrt(len(shown)), 5, 40))
    axes.hist(shown, bins=bins, color=figures.TRAINING, alpha=0.7)
    axes.axvline(0, color="#888888", linestyle="--", linewidth=1)
    axes.set(xlabel="predicted - true", ylabel="rows")
    counted(axes.xaxis)
