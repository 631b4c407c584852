"""`fitwell datasets`: the data sets that need no download."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from fitwell.cli.app import app, check_output
from fitwell.data import bundled, tables
from fitwell.data.labels import TASKS, infer_task
from fitwell.errors import InvalidArgument


def _names(incomplete: str) -> list[str]:
    return [name for name in bundled.NAMES if name.startswith(incomplete)]


@app.command()
def datasets(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="One of them.", show_default=False, autocompletion=_names
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .csv, .tsv, .parquet or .jsonl file to write to."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """List the data sets that need no download, or write one to a file."""
    wanted = bundled.NAMES if name is None else (name.removeprefix("sklearn:"),)
    if output is not None:
        if name is None:
            cure = f"For example fitwell datasets iris --output {shlex.quote(str(output))}."
            raise InvalidArgument("datasets", "the NAME of the one to write", "none", cure)
        tables.check_writable(output)
        check_output(output)
    found = [_facts(each, output) for each in wanted]
    if as_json:
        print(json.dumps(found if name is None else found[0]))
        return
    console = Console(highlight=False)
    shown = Table(box=box.ROUNDED)
    for title in ("data", "rows", "columns", "target"):
        shown.add_column(title, justify="right" if title in ("rows", "columns") else "left")
    for facts in found:
        kind = TASKS[facts["task"]]
        target = f"{facts['classes']} classes" if facts["task"] == "multiclass" else kind
        rows, columns = f"{facts['rows']:,}", f"{facts['columns']:,}"
        shown.add_row(f"sklearn:{facts['name']}", rows, columns, f"{facts['target']}: {target}")
    console.print(shown)
    if name is None:
        console.print("Train on one: [bold]fitwell train sklearn:iris[/]")
    elif output is not None:
        console.print(f"Written to {output}", markup=False, soft_wrap=True)


def _facts(name: str, output: Path | None) -> dict[str, Any]:
    frame = bundled.read_bundled(f"sklearn:{name}")
    if output is not None:
        tables.write_table(frame, output)
    target = frame[bundled.TARGET]
    task = infer_task(target)
    return {
        "name": name,
        "rows": frame.height,
        "columns": frame.width - 1,
        "target": bundled.TARGET,
        "task": task,
        "classes": None if task == "regression" else target.n_unique(),
    }
