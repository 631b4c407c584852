"""`fitwell train`: from a data file to a trained and tested model, in the folder of a run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from fitwell.cli import completing, course, runs
from fitwell.cli.app import DATA, app
from fitwell.cli.order import Order, targets, widths
from fitwell.errors import InvalidArgument

_ROWS, _NETWORK, _COURSE, _RUN = "Rows and columns", "Network", "Training", "Run"


@app.command()
def train(
    ctx: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help=DATA, show_default=False, autocompletion=completing.data
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="The column to predict; several with commas. Known for sklearn:NAME.",
            show_default=False,
            autocompletion=completing.columns,
            rich_help_panel=_ROWS,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="binary, multiclass or regression, if it is not to be inferred.",
            autocompletion=completing.tasks,
            rich_help_panel=_ROWS,
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=KIND",
            help="What a column is: number, category, boolean, date, text; or to leave it out: "
            "ignore. Several with commas, or a JSON file.",
            rich_help_panel=_ROWS,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="How much each row counts.",
            show_default=False,
            autocompletion=completing.columns,
            rich_help_panel=_ROWS,
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Rows of one group stay together: a patient, a customer.",
            show_default=False,
            autocompletion=completing.columns,
            rich_help_panel=_ROWS,
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Trained on the past, tested on the latest rows.",
            show_default=False,
            autocompletion=completing.columns,
            rich_help_panel=_ROWS,
        ),
    ] = None,
    skip_bad_rows: Annotated[
        bool,
        typer.Option(
            "--skip-bad-rows",
            metavar="",
            help="Leave out rows that cannot be read, and say which.",
            rich_help_panel=_ROWS,
        ),
    ] = False,
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="256,128",
            help="Plain hidden layers of these widths in place of the default network.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            min=4, help="Pixels on each side that images are brought to.", rich_help_panel=_ROWS
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="net.py:build",
            help="A function that returns a compiled model for the encoded features.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    tune: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Search for layers and rates for so long, such as 60s.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    treat: Annotated[
        bool,
        typer.Option(
            "--treat",
            metavar="",
            help="If it does not learn, try cures and keep what helps.",
            rich_help_panel=_NETWORK,
        ),
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over the training rows at most.", rich_help_panel=_COURSE),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Stop training after 90s, 10m or 1h.", rich_help_panel=_COURSE
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Cross-validate on all rows but the test rows first.",
            rich_help_panel=_COURSE,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, help="Of the split and the network.", rich_help_panel=_COURSE),
    ] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="The folder of the run; runs/<data>-<number> by default.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Go on with a run that was interrupted or killed.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    report: Annotated[
        bool,
        typer.Option("--report/--no-report", help="Write report.html.", rich_help_panel=_RUN),
    ] = True,
    as_json: Annotated[
        bool,
        typer.Option("--json", metavar="", help="Print the numbers as JSON.", rich_help_panel=_RUN),
    ] = False,
) -> None:
    """Train a network on a table or a folder of images and test it beside two baselines.

    The folder of the run holds model, metrics, history, report, log and the exact command.
    Ctrl-C ends training and keeps the best model so far (exit code 1).
    """
    if resume is not None:
        run = runs.Run(resume)
        _check_alone(ctx)
        order = _again(run, data, time_limit)
    else:
        if data is None:
            cure = "Name a file, or go on with a run by --resume."
            raise InvalidArgument("train", "the data to learn from", "no DATA", cure)
        order = Order(
            data, targets(target or (), data), task, tuple(columns or ()), weights, group, time,
            skip_bad_rows, layers=widths(layers),
            model=model, tune=tune, treat=treat, folds=folds, epochs=epochs,
            time_limit=time_limit, image_size=image_size, report=report, seed=seed,
        )  # fmt: skip
        run = runs.new(data, output)
    order.check()
    found = course.train(run, order, words=ctx.obj or [], as_json=as_json)
    if as_json:
        print(json.dumps(found, default=str))
    if found.get("stopped") == "interrupted":
        raise typer.Exit(1)


_WITH_RESUME = ("data", "resume", "time_limit", "as_json")


def _check_alone(ctx: typer.Context) -> None:
    """A run keeps its options: `--resume` takes no others."""
    for one in ctx.command.params:
        source = ctx.get_parameter_source(str(one.name))
        if one.name not in _WITH_RESUME and source is not None and source.name == "COMMANDLINE":
            received = "/".join(name for name in (*one.opts, *one.secondary_opts) if name[1] == "-")
            cure = "Leave it out: the run keeps its options."
            expected = "no option but --time-limit and --json"
            raise InvalidArgument("train --resume", expected, received, cure)


def _again(run: runs.Run, data: str | None, time_limit: str | None) -> Order:
    """The order of a run that did not come to its end."""
    kept = run.read(runs.ORDER)
    order = Order.from_json(kept.get("order", {}))
    if kept.get("state") == "complete":
        cure = "Start a new run: leave --resume out."
        raise InvalidArgument(f"--resume {run.folder}", "an unfinished run", "a complete one", cure)
    if data is not None and data != order.data:
        cure = f"Leave DATA out: the run knows {order.data}."
        raise InvalidArgument(f"--resume {run.folder}", repr(order.data), repr(data), cure)
    return order if time_limit is None else dataclasses.replace(order, time_limit=time_limit)
