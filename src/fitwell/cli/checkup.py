"""`fitwell checkup` and `explain`: the doctor on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fitwell.cli import checking, completing, explaining, patients, showing
from fitwell.cli.app import TABLE, SkipBadRows, app
from fitwell.doctor import codes
from fitwell.doctor.wording import Words, speaking


@app.command()
def checkup(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A run's folder, the model file in it, or [bold]net.py:build[/], a function that "
            "returns a compiled model.",
            show_default=False,
        ),
    ],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help=f"{TABLE}. Of a network alone: [bold].npz[/] with the arrays X and y.",
            show_default=False,
        ),
    ],
    target: Annotated[
        str | None,
        typer.Option(help="The column to predict. Known for sklearn:NAME.", show_default=False),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of the fit that is planned, to judge its length.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Of the fit that is planned.")] = 32,
    skip_bad_rows: SkipBadRows = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """Say what is wrong with a network, its data and labels, before it is trained.

    Exit code 0: nothing that matters; 1: a WARNING or a CRITICAL finding; 2: no model or no data.
    """
    patient = patients.read_model(model)
    with showing.warned(), speaking(Words(longer=checking.LONGER)):
        x, y, held_out = patients.read_data(patient, data, target, skip_bad_rows)
        found = patient.model.checkup(x, y, held_out, batch_size=batch_size, epochs=epochs)
    if as_json:
        print(checking.as_json(found))
    else:
        examined = f"of {Path(model).name} with {len(x):,} rows of {Path(data).name}"
        checking.show(Console(highlight=False), found, examined)
    if found.above():
        raise typer.Exit(1)


@app.command()
def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            help="Such as dying_relu.",
            show_default=False,
            autocompletion=completing.codes,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--list", metavar="", help="All codes with their titles.")
    ] = False,
) -> None:
    """Explain a code of the doctor: what it is, how it looks, why, and what helps."""
    console = Console(highlight=False)
    if everything or code is None:
        explaining.overview(console)
    else:
        explaining.explain(console, codes.get(code))
