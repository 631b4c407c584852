"""One cure, without a trial: what `finding.apply()` does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from fitwell.doctor.clinic import Ties
from fitwell.doctor.cure import Cure
from fitwell.doctor.cures import cures_for
from fitwell.doctor.setup import Facts, Setup
from fitwell.model import Model
from fitwell.treatment.examining import as_told, facts_of
from fitwell.treatment.scoring import Data, Rows, divided
from fitwell.treatment.trials import assembled


def applied(ties: Ties, code: str) -> Model | None:
    """A new model with the first cure in it that answers the code; None if none changes it.

    A cure that was proved to help goes before.
    """
    told, facts, _ = situation("finding.apply", ties, whole=True)
    proof = ties.proofs.get(code)
    first = proof.cure if proof is not None and proof.helps else ""
    for _, setup in sorted(answers(code, told, facts), key=lambda one: one[0].name != first):
        kept = setup.network, setup.compiled, setup.optimizer
        if kept != (told.network, told.compiled, told.optimizer):
            return assembled(setup, ties.model, ties.model.seed)
    return None


def curable(ties: Ties, codes: Sequence[str]) -> str:
    """The first code for which a cure changes the model or its plan; "" if there is none."""
    told, facts, _ = situation("finding.prove", ties, whole=False)
    return next((code for code in codes if any(answers(code, told, facts))), "")


def situation(subject: str, ties: Ties, *, whole: bool) -> tuple[Setup, Facts, Data]:
    """The model of some findings as it was told, and its data.

    With `whole` nothing is held back to judge by: all rows are read.
    """
    model = ties.model
    names = tuple(model.input_names), tuple(model.output_names)
    rows, held_out = (
        None
        if one is None
        else Rows(names, tuple(map(np.asarray, one.x)), tuple(one.y), tuple(one.weight))
        for one in (ties.data, ties.held_out)
    )
    assert rows is not None
    data = divided(rows, held_out)
    if whole:
        data = dataclasses.replace(data, train=rows)
    told = as_told(subject, model, data)
    return told, facts_of(model, told, data), data


def answers(code: str, told: Setup, facts: Facts) -> Iterator[tuple[Cure, Setup]]:
    """The cures for a code that apply, the most plausible first, with what they make of a setup."""
    for cure in cures_for(code):
        setup = cure.apply(told, facts)
        if setup is not None and setup != told:
            yield cure, setup
