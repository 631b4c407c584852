"""A Study of a model of tables: from what training prepared, or from a table with the target."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fitwell.assessment.comparing import Differences
from fitwell.assessment.reading import of_table
from fitwell.assessment.subject import Subject
from fitwell.data.labels import TASKS, is_known, true_column
from fitwell.data.roles import row_weights
from fitwell.history import History
from fitwell.model import Model
from fitwell.progress import digits
from fitwell.report import examples, making
from fitwell.report.folds import Folds
from fitwell.report.judging import course, judge, rely
from fitwell.report.study import Facts, Listing, Reliance, Study
from fitwell.tabular import MultiTargetModel, Prepared, TableModel
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_SHOWN = 8  # columns of a row: the most important ones
_MOST_COLUMNS = 200


@dataclass(frozen=True)
class Rows:
    """What a model is judged by.

    Attributes:
        frame: the rows with their target.
        numbers: what a reader knows them by.
        judged: which rows they are, as a clause.
        counts: how much each counts; None for 1 each.
        baselines: name -> scores on the same rows.
        apart: the network against each baseline, row by row.
        folds: other rows, as networks judged them that had not seen them.
        notes: what a reader should know of them, in sentences.
    """

    frame: pl.DataFrame
    numbers: HostArray
    judged: str
    counts: HostArray | None = None
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    apart: Differences = field(default_factory=dict)
    folds: Folds | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """What the studies of all targets share."""

    network: Model
    history: History | None
    origin: making.Origin


def studies(
    model: TableModel | MultiTargetModel,
    data: Any,
    history: History | None,
    origin: making.Origin,
    out_of_fold: pl.DataFrame | None = None,
) -> list[Study]:
    """A study for each target.

    Args:
        model: of one target or several.
        data: what `prepare` or `prepare_several` returned: judged by the test rows; or a table:
            judged by all its rows whose targets are known.
        history: of the fit.
        origin: of model and data.
        out_of_fold: what `cross_validate` returned of the rows that are no test rows.
    """
    several = model.models if isinstance(model, MultiTargetModel) else (model,)
    given = [data] if isinstance(data, Prepared) else data
    if isinstance(given, Sequence) and all(isinstance(one, Prepared) for one in given):
        rows = [
            _test_rows(one, part, out_of_fold) for one, part in zip(several, given, strict=True)
        ]
    else:
        frame = model.read(data)
        rows = [_all_rows(one, frame, origin.data) for one in several]
    setting = Setting(model.network, history, origin)
    return [_study(one, of, setting) for one, of in zip(several, rows, strict=True)]


def _test_rows(model: TableModel, prepared: Prepared, out_of_fold: pl.DataFrame | None) -> Rows:
    rows = prepared.test.rows
    judged = f"{len(rows):,} test rows, which training did not see"
    baselines, apart = (model.facts.get(name, {}) for name in ("baselines", "differences"))
    folds = None if out_of_fold is None else Folds(prepared, out_of_fold)
    numbers, counts = prepared.places[rows] + 1, prepared.test.weights
    return Rows(prepared.frame[rows], numbers, judged, counts, baselines, apart, folds)


def _all_rows(model: TableModel, frame: pl.DataFrame, source: str) -> Rows:
    known = is_known(true_column(frame, model.target.name))
    numbers, frame = known.arg_true().to_numpy() + 1, frame.filter(known)
    judged = f"all {frame.height:,} rows{f' of {source}' if source else ''}"
    name = model.facts.get("roles", {}).get("weights")
    counts = row_weights(frame[name]) if name in frame.columns else None
    return Rows(frame, numbers, judged, counts, notes=model.familiar(frame))


def _study(model: TableModel, rows: Rows, setting: Setting) -> Study:
    subject = of_table(model, rows.frame, rows.counts)
    judgement, reliance = judge(subject), rely(subject)
    names = _telling(model, reliance)
    cells = _cells(rows.frame, names)
    suspects, suspicion = _suspects(subject, rows, names)
    facts, origin = model.facts, setting.origin
    source = origin.data or "a table"
    return Study(
        title=f"{model.target.name}, predicted from {source}",
        verdict=making.verdict(judgement, rows.baselines, rows.judged, rows.apart),
        facts=_told(model, source),
        notes=(*_notes(model, subject), *rows.notes),
        columns=_columns(facts.get("columns", ())),
        judged=rows.judged,
        numbering="Rows count from 1, as they were read.",
        judgement=judgement,
        baselines=rows.baselines,
        reliance=reliance,
        course=course(setting.history, facts.get("best_epoch"), timed="seconds" not in facts),
        worst=examples.worst(subject, rows.numbers, names, cells),
        suspects=suspects,
        suspicion=suspicion,
        model=setting.network,
        python=_python(model, origin),
        shell=f"fitwell predict {shlex.quote(origin.model)} new.csv --output predictions.csv",
        repeat=making.repeat(origin, facts),
        program=origin.program,
    )


def _suspects(subject: Subject, rows: Rows, names: Sequence[str]) -> tuple[Listing, str]:
    """Of all rows that a network judged which had not seen them."""
    if rows.folds is None:
        return examples.suspects(subject, rows.numbers, names, _cells(rows.frame, names))
    every, places = rows.folds.beside(subject)
    prepared = rows.folds.prepared
    cells = _cells(prepared.frame[places], names)
    listing, said = examples.suspects(every, prepared.places[places] + 1, names, cells)
    return listing, f"{said} Each row was judged by a network that had not seen it."


def _notes(model: TableModel, subject: Subject) -> tuple[str, ...]:
    name = model.facts.get("roles", {}).get("weights")
    weighted = (
        f"Scores, importance and calibration count each row as {name} says; matrix and "
        "other curves count rows alike."
    )
    return (*model.facts.get("notes", ()), *((weighted,) if subject.counts is not None else ()))


def _told(model: TableModel, source: str) -> Facts:
    """What was trained on what, line by line."""
    facts, target = model.facts, model.target
    rows: Mapping[str, int] = facts.get("rows", {})
    kind = TASKS[target.task]
    if target.classes:
        count = len(target.classes)
        named = making.listed(target.classes)
        kind = f"{kind} ({named})" if count == 2 else f"{count} {kind} ({named})"
    lines = [
        ("Data", f"{source}, {sum(rows.values()):,} rows" if rows else source),
        ("Target", f"{target.name}: {kind}"),
        ("Rows", making.parts_words(facts)),
        ("Network", _network(model)),
        ("Training", making.course_words(facts)),
        _sureness(facts),
    ]
    return tuple((label, text) for label, text in lines if text)


def _network(model: TableModel) -> str:
    """What was trained; the words of the default network are explained."""
    said = str(model.facts.get("network", repr(model.network)))
    if model.facts.get("members", 1) < 2:
        return said
    return (
        f"{said}. Members are networks with weights in common, whose answers are averaged; bins "
        "are the pieces that the range of a number is cut into, each with a weight of its own."
    )


def _sureness(facts: Mapping[str, Any]) -> tuple[str, str]:
    """How probabilities were calibrated, or how wide the intervals of numbers are."""
    interval, scaled = facts.get("interval", {}), facts.get("calibration", {})
    if "measured" in interval:
        asked, held = (100 * interval[name] for name in ("coverage", "measured"))
        width = f", {digits(interval['width'])} wide" if "width" in interval else ""
        said = f"made for {asked:.0f} % they hold {held:.1f} % of the test rows{width}"
        return "Intervals", said
    if "temperature" in scaled:
        before, after = (scaled[name]["ECE"] for name in ("before", "after"))
        how = (
            "temperature scaling, which makes probabilities as sure as they are right: logits are "
            f"divided by {scaled['temperature']:.3g} (fitted on the validation rows)"
        )
        error = "calibration error (how far probabilities are from shares of rows)"
        return "Calibration", f"{how}; {error} {before:.3f} before, {after:.3f} after"
    return "", ""


def _columns(decisions: Sequence[Mapping[str, Any]]) -> Listing | None:
    """What became of every column."""
    if not decisions:
        return None
    header = tuple(decisions[0])
    rows = [
        tuple(examples.clipped(one.get(name)) for name in header)
        for one in decisions[:_MOST_COLUMNS]
    ]
    more = len(decisions) - len(rows)
    if more:
        rows.append((f"and {more:,} more", *[""] * (len(header) - 1)))
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
    path = str(origin.model)
    lines = [
        "import fitwell as fw",
        "",
        f"model = fw.tabular.load({path!r})",
        'labels = model.predict("new.csv")  # or a data frame',
    ]
    if model.target.task != "regression":
        lines.append('probabilities = model.predict_proba("new.csv")')
    return "\n".join(lines)
