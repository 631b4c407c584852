"""`fitwell report`: one page about a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from fitwell import report as pages
from fitwell.cli import checking, course, models, on_images, on_tables, runs, showing
from fitwell.cli.app import DATA, REPLACED, ModelFile, SkipBadRows, app, check_output
from fitwell.cli.order import Order
from fitwell.data.tables import read_table
from fitwell.errors import InvalidArgument
from fitwell.history import History
from fitwell.images import ImageModel
from fitwell.tabular import MultiTargetModel

if TYPE_CHECKING:
    import polars as pl


@app.command()
def report(
    model: ModelFile,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help=f"{DATA} Left out: the data it was trained on, of which the test rows judge it.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The page; by default report.html beside the model."),
    ] = None,
    skip_bad_rows: SkipBadRows = False,
) -> None:
    """Write one HTML page about a model: scores, curves, errors, what matters, findings."""
    path = runs.model_of(model)
    target = output or path.parent / runs.REPORT
    check_output(target, path, *([data] if data else []))
    loaded = models.load(path)
    history = history_of(runs.Run(path.parent))
    older = REPLACED if target.exists() else ""
    order = _order(loaded, data, f"model {path}")
    with showing.warned():
        if order is not None:
            held: Any = {"saved": str(path), "out_of_fold": _out_of_fold(path.parent)}
            pages.write(target, loaded, _prepared(loaded, order), history, **held)
        else:
            source = Path(str(data)).name
            rows = models.readable(loaded, str(data), skip_bad_rows)
            pages.write(target, loaded, rows, history, source=source, saved=str(path))
    Console(highlight=False).print(f"Report: {target}{older}", markup=False, soft_wrap=True)


def _prepared(model: models.Trained, order: Order) -> Any:
    """The data of an order as training had them."""
    if isinstance(model, ImageModel):
        return on_images.prepare(order)
    several = isinstance(model, MultiTargetModel)
    return on_tables.prepare_several(order) if several else on_tables.prepare(order)


def _out_of_fold(folder: Path) -> pl.DataFrame | None:
    """What the networks of `--folds` said, if the run had them."""
    path = folder / runs.OUT_OF_FOLD
    return read_table(path) if path.exists() else None


def _order(model: models.Trained, data: str | None, subject: str) -> Order | None:
    """How its own data were prepared, if these are they; None for others."""
    origin = model.facts.get("origin", {})
    known = origin.get("data", {})
    given = course.identity(data or known.get("path", ""))
    # What is neither file nor folder (sklearn:iris) has no hash: it is known by its name.
    told = "sha256" if given["sha256"] else "path"
    if known and given[told] == known[told]:
        return Order.from_json({**origin["options"], "data": given["path"]})
    if data is None:
        raise InvalidArgument(
            subject,
            f"the data it was trained on, {known['path']}" if known else "a run of fitwell train",
            "other data there" if known else "a model without its data",
            "Name a table to judge it by: fitwell report MODEL DATA.",
        )
    return None


def history_of(run: runs.Run) -> History | None:
    """The course of a run's fit with its findings; None for a model beside which there is none."""
    if not (run.folder / runs.HISTORY).exists():
        return None
    kept = run.read(runs.HISTORY)
    history = History()
    history.from_json(kept)
    history.findings = checking.from_plain(kept.get("findings", ()))
    return history
