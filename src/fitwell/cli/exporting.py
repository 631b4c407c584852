"""`fitwell export`: a trained model as a file of another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from fitwell.cli import models, patients, runs
from fitwell.cli.app import REPLACED, app, check_output
from fitwell.exporting import FORMATS
from fitwell.exporting import export as write
from fitwell.images import ImageModel


def _formats(incomplete: str) -> list[str]:
    return [name for name in FORMATS if name.startswith(incomplete)]


@app.command()
def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A saved model, a run's folder, or [bold]net.py:build[/].",
            show_default=False,
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            help="[bold]onnx[/], [bold]numpy[/] (a Python file that needs numpy alone) or "
            "[bold]jax[/]. Else by the ending of the output; onnx without one.",
            show_default=False,
            autocompletion=_formats,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to. Else beside the model.", show_default=False),
    ] = None,
) -> None:
    """Write a model as a file that predicts without fitwell: ONNX, numpy or JAX.

    A model of a table takes its raw columns, one input each.
    """
    source = model if ".py:" in model else str(runs.model_of(Path(model)))
    built = source.endswith(".py") or ".py:" in source
    loaded: Any = patients.read_model(source).model if built else models.read(Path(source))
    if isinstance(loaded, ImageModel):
        loaded = loaded.network
    if output is None:
        beside = Path(source.rpartition(":")[0] or source)
        ending = FORMATS.get(to or "onnx", ("",))[0]
        output = (
            beside.with_suffix(ending) if beside.suffix != ending else Path(f"exported{ending}")
        )
    else:
        check_output(output, source)
    older = REPLACED if output.exists() else ""
    write(loaded, output, to)
    said = f"{output}: {output.stat().st_size:,} bytes{older}"
    Console(highlight=False).print(said, markup=False, soft_wrap=True)
