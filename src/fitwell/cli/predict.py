"""`fitwell predict` and `evaluate`: a trained model on other rows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from fitwell.cli import showing
from fitwell.cli.app import REPLACED, Data, ModelFile, app, check_output
from fitwell.data import tables


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
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print one JSON object per row.")
    ] = False,
) -> None:
    """Predict the target for every row, with probabilities for classes."""
    from fitwell.cli import models

    if output is not None:
        tables.check_writable(output)
        check_output(output, data, model)
    loaded = models.load(model)
    with showing.warned():
        frame = loaded.predictions(data)
    if as_json:
        print(frame.write_json())
        return
    if output is None:
        sys.stdout.write(frame.write_csv())
        sys.stdout.flush()
        return
    older = REPLACED if output.exists() else ""
    tables.write_table(frame, output)
    rows = f"{frame.height} prediction{'s' if frame.height > 1 else ''}"
    said = f"{rows} of {loaded.target.name}: {output}{older}"
    Console(highlight=False).print(said, markup=False, soft_wrap=True)


@app.command()
def evaluate(
    model: ModelFile,
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """Measure a trained model on a table whose target is known."""
    from fitwell.cli import models
    from fitwell.tabular import MultiTargetModel

    console = Console(highlight=False)
    loaded = models.load(model)
    known: Any
    known, notes = loaded.labelled(data)
    with showing.warned():
        found: Any = loaded.evaluate(known)
    if as_json:
        print(json.dumps({"rows": len(known), "scores": found}))
        return
    name = Path(data).name
    if not isinstance(loaded, MultiTargetModel):
        showing.scores(console, name, len(known), found, notes)
        return
    for target, values in found.items():
        showing.scores(console, f"{name}: {target}", len(known), values, notes)
        notes = ()
