"""What `fit(doctor="treat")` does after a fit with a finding above INFO."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell.doctor.finding import Findings
from fitwell.model import Model
from fitwell.training import Batch
from fitwell.treatment.examining import as_told, facts_of
from fitwell.treatment.scoring import Data, Judge, Rows, divided
from fitwell.treatment.treated import Treated
from fitwell.treatment.treating import treat

_LEAST = 10.0  # seconds: less compiles hardly anything


def after_fit(
    model: Model, data: Batch | None, held_out: Batch | None, findings: Findings, seconds: float
) -> tuple[Treated | None, str]:
    """Treats a model with the data of its fit, as long as the fit took.

    Where the cures left the network as it was, the model gets the treated weights, unless its own,
    which may come from earlier fits, are better on the validation rows (without any, on all).

    Returns:
        the Treated, None where the data cannot be treated; and what to say.
    """
    odd = _why_not(model, data)
    if odd or data is None:
        return None, f"not treated: {odd}"
    found = treat(
        model, _named(model.input_names, data.x), _named(model.output_names, data.y),
        None if held_out is None else (
            _named(model.input_names, held_out.x), _named(model.output_names, held_out.y)
        ),
        budget=max(_LEAST, seconds), findings=findings,
    )  # fmt: skip
    if not found.cures:
        return found, f"not treated: {found.reason}"
    said = f"treated: {found.score}, by: {', '.join(found.cures)}"
    if found.setup.network != model.network:
        return found, f"{said}; the network is another one: model = history.treated.model"
    if not _better(found.model, model, data if held_out is None else held_out):
        return found, f"{said}; the model's own weights are better, and stay"
    own = as_told("treat", model, _told(model, data)).optimizer
    model.set_weights(found.model.get_weights())
    said = f"{said}; the model has these weights now"
    if found.setup.optimizer != own:
        said += (
            f", and its own optimizer, {type(own).__name__} at {model.learning_rate:g}: that of the"
            " cure is history.treated.setup.optimizer"
        )
    return found, said


def _better(new: Model, old: Model, data: Batch) -> bool:
    told = _told(old, data)
    rows = told.judge
    judge = Judge(facts_of(old, as_told("treat", old, told), told).record.heads)
    return judge.skill(new, rows) > judge.skill(old, rows)


def _told(model: Model, data: Batch) -> Data:
    names = tuple(model.input_names), tuple(model.output_names)
    rows = Rows(names, tuple(map(np.asarray, data.x)), tuple(map(np.asarray, data.y)))
    return divided(rows, rows)


def _why_not(model: Model, data: Batch | None) -> str:
    if data is None:
        return "batches of an iterable cannot be split and repeated: fw.treat(model, X, y)"
    if any(weight is not None for weight in data.weight):
        return "cures are not tried with weights of examples: fw.treat(model, X, y)"
    if model.network.fed != model.network.inputs:
        return "the inputs are text, which has been encoded by now: fw.treat(model, X, y)"
    return ""


def _named(names: list[str], arrays: tuple[Any, ...]) -> Any:
    return arrays[0] if len(names) == 1 else dict(zip(names, arrays, strict=True))
