"""Rows that repeat, and validation rows against those of training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fitwell.doctor.record import Features, Record
from fitwell.doctor.rules.base import WARNING, Suspicion, suspect

_OVERLAP = 0.05
_NEIGHBOURS = 0.5  # of the validation windows


def rules(record: Record) -> Iterator[Suspicion]:
    for features in record.inputs:
        yield from _rows(features)
        yield from _other_scale(features)


def _rows(features: Features) -> Iterator[Suspicion]:
    chance = 2 * features.by_chance  # a few features of a few values each
    if features.overlap > _OVERLAP + chance and features.duplicates < 0.5:
        yield suspect(
            "train_val_overlap",
            f"{features.overlap:.0%} of the validation rows are training rows: the validation score"
            " says nothing about new data.",
            "X, X_val, y, y_val = sklearn.model_selection.train_test_split(X, y, test_size=0.2)"
            + (
                "  # first; then copy rows of the training part"
                if features.duplicates > 0.05
                else ""
            ),
            ("share of validation rows seen in training", features.overlap),
            severity=WARNING,
        )
    elif features.beside > _NEIGHBOURS and features.duplicates < _OVERLAP:
        yield _windows(features)
    elif features.duplicates > _OVERLAP + chance and features.rows > 50:
        yield suspect(
            "duplicate_rows",
            f"{features.duplicates:.0%} of the rows of {features.name} repeat an earlier one.",
            "X, first = numpy.unique(X, axis=0, return_index=True); y = y[first]",
            ("share of rows that repeat one", features.duplicates),
        )


def _windows(features: Features) -> Suspicion:
    """Of one series, in the parts of a split by chance."""
    steps = features.shape[0]
    return suspect(
        "train_val_overlap",
        f"{features.beside:.0%} of the validation windows share {steps - 1} of their {steps} steps"
        " with a training window: windows of one series were shuffled before they were divided, and"
        " the validation score says nothing of the time that follows.",
        "cut = int(0.8 * len(X)); X, X_val, y, y_val = X[:cut], X[cut:], y[:cut], y[cut:]"
        "  # in the order of time",
        ("share of validation windows one step beside a training window", features.beside),
        severity=WARNING,
    )


def _other_scale(features: Features) -> Iterator[Suspicion]:
    mean, std = features.held_out_mean, features.held_out_std
    if mean is None or std is None or features.rows < 10:
        return
    spread = np.where(features.std > 0, features.std, np.inf)
    ratio = np.where(features.std > 0, std / spread, 1.0)
    moved = abs(mean - features.mean) / spread
    if (ratio > 5).any() or moved.max(initial=0) > 5 or np.median(ratio) < 0.1:
        worst = int(np.nanargmax(np.maximum(moved, np.maximum(ratio, 1 / np.maximum(ratio, 1e-9)))))
        yield suspect(
            "train_val_scale_mismatch",
            f"Feature {worst} has mean {features.mean[worst]:.4g} and spread"
            f" {features.std[worst]:.4g} in training but {mean[worst]:.4g} and {std[worst]:.4g} in"
            " validation: they were scaled differently.",
            "mean, std = X.mean(0), X.std(0); X_val = (X_val_raw - mean) / std  # as for X",
            ("validation mean, in training standard deviations", float(moved[worst])),
            ("validation spread over training spread", float(ratio[worst])),
            severity=WARNING,
        )
