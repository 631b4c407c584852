"""How sure a model may be: fitted on the validation rows, measured on the test rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from fitwell.assessment.ranking import of_classes
from fitwell.errors import InvalidData
from fitwell.tabular.calibration import fit_temperature, tempered
from fitwell.tabular.intervals import fit_intervals
from fitwell.tabular.model import TableModel
from fitwell.tabular.preparing import Part
from fitwell.tabular.scores import scores
from fitwell.types import HostArray

_COVERAGE = 0.9


def with_uncertainty(
    model: TableModel, held: Part, test: Part, unseen: HostArray | None = None
) -> tuple[TableModel, HostArray, dict[str, Any]]:
    """The model with its temperature or its intervals, its test outputs, and facts about them.

    The facts are `{"calibration": {"temperature", "before", "after"}}` of classes, each with log
    loss and expected calibration error (ECE), and of a number
    `{"interval": {"coverage", "measured", "width"}}`: what was asked for, the part of test rows
    inside, and the mean width in the unit of the target. Rows count by their weights everywhere.

    Args:
        model: trained, with neither.
        held: validation rows, to fit on.
        test: rows to measure on.
        unseen: what its network gave for the validation rows before it learned from them; None
            where it never did.
    """
    before = model.outputs(held.x) if unseen is None else model.decoded(np.asarray(unseen, float))
    outputs = model.outputs(test.x)
    _refuse_broken(before, outputs)
    if model.target.task == "regression":
        model = dataclasses.replace(model, intervals=fit_intervals(before, held.true, held.weights))
        return model, outputs, {"interval": _interval_facts(model, outputs, test)}
    temperature = fit_temperature(before, held.true, held.weights)
    facts = {
        "temperature": temperature,
        "before": _sureness(model, outputs, test),
        "after": _sureness(model, outputs := tempered(outputs, temperature), test),
    }
    return dataclasses.replace(model, temperature=temperature), outputs, {"calibration": facts}


def _refuse_broken(*outputs: HostArray) -> None:
    broken = sum(int((~np.isfinite(each.reshape(len(each), -1))).any(1).sum()) for each in outputs)
    if broken:
        raise InvalidData(
            "trained network",
            "finite predictions for the validation and test rows",
            f"NaN or infinity for {broken:,} of {sum(map(len, outputs)):,}",
            "See what the doctor says about the fit (history.findings).",
        )


def _interval_facts(model: TableModel, outputs: HostArray, test: Part) -> dict[str, float]:
    assert model.intervals is not None
    counted = slice(None) if test.weights is None else test.weights > 0
    weights = None if test.weights is None else test.weights[counted]
    (low, high), y = model.intervals.around(outputs[counted], _COVERAGE).T, test.true[counted]
    inside = float(np.average((low <= y) & (y <= high), weights=weights))
    width = float(np.average(high - low, weights=weights))
    found = {"coverage": _COVERAGE, "measured": inside}
    return found | ({"width": width} if np.isfinite(width) else {})  # JSON has no infinity


def _sureness(model: TableModel, outputs: HostArray, test: Part) -> dict[str, float]:
    return {
        "log loss": scores(model.target, test.true, outputs, test.weights)["log loss"],
        "ECE": of_classes(test.true, outputs, test.weights).error,
    }


__all__ = ["with_uncertainty"]
