"""One cure, without a trial: what `finding.apply()` does."""

from __future__ import annotations

import dataclasses

import numpy as np

from fitwell.doctor.cures import cures_for
from fitwell.model import Model
from fitwell.training import Batch
from fitwell.treatment.examining import as_told, facts_of
from fitwell.treatment.scoring import Rows, divided
from fitwell.treatment.trials import assembled


def applied(model: Model, data: Batch, validation: Batch | None, code: str) -> Model | None:
    """A new model with the first cure in it that answers the code; None if none changes it."""
    names = tuple(model.input_names), tuple(model.output_names)
    rows, held_out = (
        None if one is None else Rows(names, tuple(map(np.asarray, one.x)), tuple(one.y))
        for one in (data, validation)
    )
    assert rows is not None
    # All rows are read: nothing is held back to judge by.
    divisions = dataclasses.replace(divided(rows, held_out), train=rows)
    told = as_told("apply", model, divisions)
    facts = facts_of(model, told, divisions)
    for cure in cures_for(code):
        setup = cure.apply(told, facts)
        if setup is None:
            continue
        kept = setup.network, setup.compiled, setup.optimizer
        if kept != (told.network, told.compiled, told.optimizer):
            return assembled(setup, model, model.seed)
    return None
