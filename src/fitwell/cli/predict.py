"""`fitwell predict` and `evaluate`: a trained model on other rows."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from fitwell.cli import models, showing
from fitwell.cli.app import REPLACED, Data, ModelFile, SkipBadRows, app, check_output
from fitwell.data import tables
from fitwell.data.labels import target_column
from fitwell.errors import InvalidArgument
from fitwell.images import ImageModel
from fitwell.tabular import MultiTargetModel

if TYPE_CHECKING:
    import polars as pl


@app.command()
def predict(
    model: ModelFile,
    data: Data,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A .csv, .tsv, .parquet or .jsonl file; else CSV is printed."
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="COVERAGE",
            help="Of a number also the ends of an interval that holds such a part of true values, "
            "for example 0.9.",
        ),
    ] = None,
    skip_bad_rows: SkipBadRows = False,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print a JSON array, an object per row.")
    ] = False,
) -> None:
    """Predict the target for every row, with probabilities for classes; beside its id, if any."""
    if output is not None:
        tables.check_writable(output)
        check_output(output, data, model)
    loaded = models.load(model)
    with showing.warned():
        rows: Any = models.readable(loaded, data, skip_bad_rows)
        if not isinstance(loaded, ImageModel):  # which names the files itself
            rows = loaded.read(rows)
        frame = loaded.predictions(rows) if interval is None else _between(loaded, rows, interval)
    if not isinstance(loaded, ImageModel):
        frame = _with_ids(loaded.ids, rows, frame)
    if as_json:
        print(frame.write_json())
        return
    if output is None:
        sys.stdout.write(frame.write_csv())
        sys.stdout.flush()
        return
    older = REPLACED if output.exists() else ""
    tables.write_table(frame, output)
    count = f"{frame.height} prediction{'s' if frame.height > 1 else ''}"
    named = ", ".join(target.name for target in models.targets(loaded))
    said = f"{count} of {named}: {output}{older}"
    Console(highlight=False).print(said, markup=False, soft_wrap=True)


@app.command()
def evaluate(
    model: ModelFile,
    data: Data,
    skip_bad_rows: SkipBadRows = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """Measure a trained model on a table whose target is known."""
    console = Console(highlight=False)
    loaded = models.load(model)
    known: Any
    known, notes = loaded.labelled(models.readable(loaded, data, skip_bad_rows))
    with showing.warned():
        found: Any = loaded.evaluate(known)
    constant: Any = loaded.constant_scores(known)
    if not isinstance(loaded, ImageModel):
        notes = (*notes, *loaded.familiar(known))
    if as_json:
        showing.notes(Console(stderr=True, highlight=False), notes)
        print(json.dumps({"rows": len(known), "scores": found, "constant": constant}))
        return
    name = Path(data).name
    if not isinstance(loaded, MultiTargetModel):
        showing.scores(console, name, len(known), found, constant, notes)
        return
    for target, values in found.items():
        rows = len(known) - target_column(known, target).null_count()
        showing.scores(console, f"{name}: {target}", rows, values, constant[target], notes)
        notes = ()


def _between(model: Any, data: Any, coverage: float) -> Any:
    cure = "Leave it out: the probability of each class is predicted without it."
    if isinstance(model, ImageModel):
        raise InvalidArgument("--interval", "a model of a number", "a model of images", cure)
    named = models.targets(model)
    if all(target.classes for target in named):
        received = f"{', '.join(target.name for target in named)}, which has classes"
        raise InvalidArgument("--interval", "a model of a number", received, cure)
    return model.predictions(data, coverage)


def _with_ids(names: Sequence[str], rows: pl.DataFrame, predicted: pl.DataFrame) -> pl.DataFrame:
    """Predictions behind the ids of their rows."""
    import polars as pl

    ids = [rows[name] for name in names if name in rows.columns and name not in predicted.columns]
    return pl.DataFrame([*map(_plain, ids), *predicted.get_columns()])


def _plain(ids: pl.Series) -> pl.Series:
    """Ids as numbers where they are written so: `7`, yet not `007`."""
    import polars as pl

    text = ids.cast(pl.String).replace({"": None})
    numbers = text.cast(pl.Int64, strict=False)
    return numbers if numbers.cast(pl.String).equals(text) else ids
