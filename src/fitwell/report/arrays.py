"""A Study of any compiled model and examples as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fitwell.assessment.comparing import differences
from fitwell.assessment.measures import values
from fitwell.assessment.reading import subject_of
from fitwell.assessment.subject import Subject
from fitwell.doctor.setup import Setup
from fitwell.history import History
from fitwell.model import Model
from fitwell.report import examples, making
from fitwell.report.judging import course, judge, rely
from fitwell.report.study import Facts, Study
from fitwell.treatment.treated import program
from fitwell.types import HostArray

_SHOWN = 8
_BATCH = 32


def of_arrays(
    model: Model,
    x: Any,
    y: Any,
    history: History | None,
    origin: making.Origin,
    *,
    names: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
) -> Study:
    """The study of a model by the examples that are given; rows count from 0."""
    subject = subject_of("report", model, x, y, names=names, classes=labels)
    judgement, reliance = judge(subject), rely(subject)
    judged = f"the {subject.rows:,} examples that were given"
    constant = _constant(subject)
    baselines = {"constant": values(subject.task, subject.truth, constant)}
    apart = differences(
        subject.task,
        subject.truth,
        subject.predicted,
        {"constant": constant},
        examples=subject.rows,
    )
    header, cells = _shown(subject, [one.place for one in reliance.importances[:_SHOWN]])
    numbers = np.arange(subject.rows)
    suspects, suspicion = examples.suspects(subject, numbers, header, cells)
    path = origin.model
    return Study(
        title=model.name if subject.target == "y" else f"{model.name}: {subject.target}",
        verdict=making.verdict(judgement, baselines, judged, apart),
        facts=_told(model, subject),
        notes=subject.notes,
        columns=None,
        judged=judged,
        numbering="Rows count from 0, as in the arrays.",
        judgement=judgement,
        baselines=baselines,
        reliance=reliance,
        course=course(history, None),
        worst=examples.worst(subject, numbers, header, cells),
        suspects=suspects,
        suspicion=suspicion,
        model=model,
        python=f"import fitwell as fw\n\nmodel = fw.load({path!r})\npredicted = model.predict(x)",
        shell="",
        repeat=making.repeat(origin, {"seed": model.seed}),
        program=_program(model, history),
    )


def _constant(subject: Subject) -> HostArray:
    """The mean of these labels, or the shares of the classes, for every row."""
    truth = subject.truth
    if subject.task == "regression":
        return np.full(truth.shape, truth.mean())
    if subject.task == "multilabel":
        return np.broadcast_to(truth.mean(axis=0), truth.shape)
    shares = np.bincount(truth, minlength=len(subject.classes)) / len(truth)
    return np.broadcast_to(shares, (len(truth), len(shares)))


def _program(model: Model, history: History | None) -> str:
    """The lines that make the model and train it; batches and epochs as far as they are known."""
    params = history.params if history is not None else {}
    rows = int(params.get("batch_size") or _BATCH)
    epochs = len(history.epoch) if history is not None else model.epochs_trained
    assert model.optimizer is not None
    setup = Setup(model.network, model.compiled(), model.optimizer, rows, epochs)
    return program(setup)


def _told(model: Model, subject: Subject) -> Facts:
    shapes = ", ".join(str(each.shape[1:]) for each in subject.inputs)
    kind = {
        "binary": f"two classes ({', '.join(subject.classes)})",
        "multiclass": f"{len(subject.classes)} classes",
        "multilabel": f"{len(subject.classes)} labels",
        "regression": "numbers",
    }[subject.task]
    return (
        ("Data", f"{subject.rows:,} examples of shape {shapes}"),
        ("Target", f"{subject.target}: {kind}"),
        ("Network", f"{model.name}, {len(model.layers)} layers, {model.count_params():,} weights"),
        ("Training", f"{model.epochs_trained} epochs, seed {model.seed}"),
    )


def _shown(subject: Subject, places: Sequence[int]) -> tuple[tuple[str, ...], examples.Cells]:
    """The most important numbers of an example, or its text."""
    kept = [subject.features[i] for i in sorted(places) if subject.features[i].values is not None]
    if kept:
        return tuple(each.name for each in kept), lambda row: [
            examples.clipped(float(each.values[row])) for each in kept
        ]
    first = subject.inputs[0]
    if first.dtype.kind in "USO":
        return ("text",), lambda row: [examples.clipped(" ".join(map(str, np.ravel(first[row]))))]
    return (), lambda row: []
