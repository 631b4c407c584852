"""`fitwell train`: from a data file to a trained and tested model, in the folder of a run."""

from __future__ import annotations

import dataclasses
import json

import typer

from fitwell.cli import course, options, runs
from fitwell.cli.app import app
from fitwell.cli.order import Order, targets, widths
from fitwell.errors import InvalidArgument


@app.command()
def train(
    ctx: typer.Context,
    data: options.Data = None,
    target: options.Target = None,
    task: options.Task = None,
    columns: options.Columns = None,
    weights: options.Weights = None,
    group: options.Group = None,
    time: options.Time = None,
    skip_bad_rows: options.SkipBadRows = False,
    layers: options.Layers = None,
    image_size: options.ImageSize = None,
    model: options.Model = None,
    tune: options.Tune = None,
    treat: options.Treat = False,
    epochs: options.Epochs = None,
    time_limit: options.TimeLimit = None,
    folds: options.Folds = None,
    seed: options.Seed = 0,
    output: options.Output = None,
    resume: options.Resume = None,
    report: options.Report = True,
    as_json: options.AsJson = False,
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
