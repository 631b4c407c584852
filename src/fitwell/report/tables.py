"""A Study of a model of tables: from what training prepared, or from a table with the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.assessment.reading import of_table
from fitwell.assessment.subject import Subject
from fitwell.data.values import to_numbers
from fitwell.history import History
from fitwell.report import examples, making
from fitwell.report.judging import course, judge, rely
from fitwell.report.study import Facts, Listing, Reliance, Study
from fitwell.tabular import Prepared, TableModel
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_SHOWN = 8  # columns of a row: the most important ones
_MOST_COLUMNS = 200

_TASKS = {"binary": "two classes", "multiclass": "classes", "regression": "a number"}


def of_run(
    model: TableModel, prepared: Prepared, history: History | None, origin: making.Origin
) -> Study:
    """The study of a training: judged by the test rows, which it did not see."""
    rows = prepared.test.rows
    judged = f"{len(rows):,} test rows, which training did not see"
    subject = of_table(model, prepared.frame[rows], prepared.test.weights)
    baselines = model.facts.get("baselines", {})
    frame = prepared.frame[rows]
    return _study(model, subject, frame, rows + 1, judged, history, origin, baselines)


def of_rows(
    model: TableModel, frame: pl.DataFrame, history: History | None, origin: making.Origin
) -> Study:
    """The study of a model by all rows of a table."""
    where = f" of {origin.data}" if origin.data else ""
    judged = f"all {frame.height:,} rows{where}"
    name = model.facts.get("roles", {}).get("weights")
    counts = to_numbers(frame[name]).to_numpy() if name in frame.columns else None
    numbers = np.arange(1, frame.height + 1)
    subject = of_table(model, frame, counts)
    return _study(model, subject, frame, numbers, judged, history, origin, {})


def _study(
    model: TableModel,
    subject: Subject,
    frame: pl.DataFrame,
    numbers: HostArray,
    judged: str,
    history: History | None,
    origin: making.Origin,
    baselines: Mapping[str, Mapping[str, float]],
) -> Study:
    judgement, reliance = judge(subject), rely(subject)
    names = _telling(model, reliance)
    cells = _cells(frame, names)
    suspects, suspicion = examples.suspects(subject, numbers, names, cells)
    facts = model.facts
    source = origin.data or "a table"
    return Study(
        title=f"{model.target.name}, predicted from {source}",
        verdict=making.verdict(judgement, baselines, judged),
        facts=_told(model, source, origin),
        notes=_notes(model, subject),
        columns=_columns(facts.get("columns", ())),
        judged=judged,
        numbering="Rows count from 1, among those whose target is known.",
        judgement=judgement,
        baselines=baselines,
        reliance=reliance,
        course=course(history, facts.get("best_epoch")),
        worst=examples.worst(subject, numbers, names, cells),
        suspects=suspects,
        suspicion=suspicion,
        model=model.network,
        python=_python(model, origin),
        shell=f"fitwell predict {origin.model} new.csv --output predictions.csv",
        repeat=making.repeat(origin, facts),
    )


def _notes(model: TableModel, subject: Subject) -> tuple[str, ...]:
    name = model.facts.get("roles", {}).get("weights")
    weighted = (
        f"Scores and importance count each row as {name} says; matrix and curves count rows alike."
    )
    return (*model.facts.get("notes", ()), *((weighted,) if subject.counts is not None else ()))


def _told(model: TableModel, source: str, origin: making.Origin) -> Facts:
    """What was trained on what, line by line."""
    facts, target = model.facts, model.target
    rows: Mapping[str, int] = facts.get("rows", {})
    kind = _TASKS[target.task]
    if target.classes:
        count = len(target.classes)
        named = ", ".join(map(str, target.classes[:8])) + (", …" if count > 8 else "")
        kind = f"{kind} ({named})" if count == 2 else f"{count} {kind} ({named})"
    parts = [f"{rows[name]:,} {word}" for name, word in making.PARTS if name in rows]
    lines = [
        ("Data", f"{source}, {sum(rows.values()):,} rows" if rows else source),
        ("Target", f"{target.name}: {kind}"),
        ("Rows", ", ".join(parts)),
        ("Network", str(facts.get("network", repr(model.network)))),
        ("Training", making.course_words(facts)),
    ]
    return tuple((label, text) for label, text in lines if text)


def _columns(decisions: Sequence[Mapping[str, Any]]) -> Listing | None:
    """What became of every column."""
    if not decisions:
        return None
    header = tuple(decisions[0])
    rows = [
        tuple(examples.clipped(one.get(name)) for name in header)
        for one in decisions[:_MOST_COLUMNS]
    ]
    counts = frozenset(i for i, name in enumerate(header) if name in ("missing", "distinct"))
    return Listing(header, tuple(rows), figures=counts)


def _telling(model: TableModel, reliance: Reliance) -> tuple[str, ...]:
    """The columns that are shown of a row, in the order of the table."""
    kept = {one.name for one in reliance.importances[:_SHOWN]}
    return tuple(column.name for column in model.encoder.columns if column.name in kept)


def _cells(frame: pl.DataFrame, names: Sequence[str]) -> examples.Cells:
    def cells(row: int) -> list[str]:
        return [examples.clipped(frame[name][row]) for name in names]

    return cells


def _python(model: TableModel, origin: making.Origin) -> str:
    path = Path(origin.model).name
    lines = [
        "import fitwell as fw",
        "",
        f"model = fw.tabular.load({path!r})",
        'labels = model.predict("new.csv")  # or a data frame',
    ]
    if model.target.task != "regression":
        lines.append('probabilities = model.predict_proba("new.csv")')
    return "\n".join(lines)
