"""`fitwell train`: from a data file to a trained and tested model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fitwell.cli import showing
from fitwell.cli.app import REPLACED, Data, app, check_output
from fitwell.errors import InvalidArgument


@app.command()
def train(
    data: Data,
    target: Annotated[
        str | None,
        typer.Option(help="The column to predict. Known for sklearn:NAME.", show_default=False),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="binary, multiclass or regression, if it is not to be inferred."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=KIND",
            help="What a column is: number, category, boolean, date; or to leave it out: text, "
            "id, constant. May be repeated.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The model file; by default named after the data."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the training rows at most.")
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option(metavar="TIME", help="Stop training after 90s, 10m or 1h.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the split and the network.")] = 0,
) -> None:
    """Train a network on a table and test it beside two baselines."""
    from fitwell import tabular

    console = Console(highlight=False)
    path = output or Path(Path(data.removeprefix("sklearn:")).stem + ".safetensors")
    check_output(path, data)
    tabular.check_length(epochs, time_limit)
    older = path.exists()
    prepared = tabular.prepare(data, target, task=task, kinds=_kinds(kind or []), seed=seed)
    network = tabular.build(prepared, epochs=epochs, seed=seed)
    showing.table(console, Path(data).name, prepared, network, inferred=task is None)
    model = tabular.fit(prepared, network, epochs=epochs, time_limit=time_limit)
    model.save(path)
    showing.result(console, model, f"{path}{REPLACED if older else ''}")


def _kinds(pairs: list[str]) -> dict[str, str]:
    kinds = {}
    for pair in pairs:
        column, equals, kind = pair.rpartition("=")
        if not equals:
            raise InvalidArgument(
                "--kind", "COLUMN=KIND", repr(pair), "For example --kind Pclass=category."
            )
        kinds[column] = kind
    return kinds
