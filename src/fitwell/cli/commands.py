"""The command line: `fitwell train`, `predict`, `evaluate`, `checkup` and `explain`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import fitwell
from fitwell.cli import showing
from fitwell.data import tables
from fitwell.errors import FitwellError, InvalidArgument, InvalidFile

app = typer.Typer(
    name="fitwell",
    help="From a data file to a good network and back to predictions.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

_DATA = (
    "A [bold]CSV, TSV, Parquet or JSON-lines[/] file, or [bold]sklearn:NAME[/] "
    "(breast_cancer, diabetes, digits, iris, wine)."
)

_REPLACED = " (replaced an older file)"

Data = Annotated[str, typer.Argument(metavar="DATA", help=_DATA, show_default=False)]
ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="What fitwell train saved.", show_default=False)
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"fitwell {fitwell.__version__}")
        raise typer.Exit


@app.callback()
def common(
    debug: Annotated[
        bool, typer.Option("--debug", metavar="", help="Show where an error arose.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """From a data file to a good network and back to predictions."""


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
    _check_output(path, data)
    tabular.check_length(epochs, time_limit)
    older = path.exists()
    prepared = tabular.prepare(data, target, task=task, kinds=_kinds(kind or []), seed=seed)
    network = tabular.build(prepared, epochs=epochs, seed=seed)
    showing.table(console, Path(data).name, prepared, network, inferred=task is None)
    model = tabular.fit(prepared, network, epochs=epochs, time_limit=time_limit)
    model.save(path)
    showing.result(console, model, f"{path}{_REPLACED if older else ''}")


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
) -> None:
    """Predict the target for every row, with probabilities for classes."""
    from fitwell import tabular

    if output is not None:
        tables.check_writable(output)
        _check_output(output, data, model)
    loaded = tabular.load(model)
    with showing.warned():
        frame = loaded.predictions(data)
    if output is None:
        sys.stdout.write(frame.write_csv())
        sys.stdout.flush()
        return
    older = _REPLACED if output.exists() else ""
    tables.write_table(frame, output)
    rows = f"{frame.height} prediction{'s' if frame.height > 1 else ''}"
    said = f"{rows} of {frame.columns[0]}: {output}{older}"
    Console(highlight=False).print(said, markup=False, soft_wrap=True)


@app.command()
def evaluate(model: ModelFile, data: Data) -> None:
    """Measure a trained model on a table whose target is known."""
    from fitwell import tabular

    console = Console(highlight=False)
    loaded = tabular.load(model)
    frame, notes = loaded.labelled(data)
    with showing.warned():
        found = loaded.evaluate(frame)
    showing.scores(console, Path(data).name, frame.height, found, notes)


@app.command()
def checkup(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A saved model, or [bold]net.py:build[/], a function that returns a compiled one.",
            show_default=False,
        ),
    ],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help=f"{_DATA} Or [bold].npz[/] with the arrays X and y.",
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
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """Say what is wrong with a network, its data and labels, before it is trained.

    Exit code 0: nothing that matters; 1: a WARNING or a CRITICAL finding; 2: no model or no data.
    """
    from fitwell.cli import checking, patients

    patient = patients.read_model(model)
    with showing.warned():
        x, y, held_out = patients.read_data(patient, data, target)
        found = patient.model.checkup(x, y, held_out, batch_size=batch_size, epochs=epochs)
    if as_json:
        print(checking.as_json(found))
    else:
        examined = f"of {Path(model).name} with {len(y):,} rows of {Path(data).name}"
        checking.show(Console(highlight=False), found, examined)
    if found.above():
        raise typer.Exit(1)


@app.command()
def explain(
    code: Annotated[
        str | None,
        typer.Argument(metavar="CODE", help="Such as dying_relu.", show_default=False),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--list", metavar="", help="All codes with their titles.")
    ] = False,
) -> None:
    """Explain a code of the doctor: what it is, how it looks, why, and what helps."""
    from fitwell.cli import explaining
    from fitwell.doctor import codes

    console = Console(highlight=False)
    if everything or code is None:
        explaining.overview(console)
    else:
        explaining.explain(console, codes.get(code))


def _check_output(path: Path, *read: str | Path) -> None:
    """Before the work is done, not after: the folder is there, and no file is read and written."""
    if not path.parent.is_dir():
        cure = "Make the folder first."
        raise InvalidFile(f"file {path}", "a folder that exists", repr(str(path.parent)), cure)
    if any(path.exists() and Path(one).exists() and path.samefile(one) for one in read):
        raise InvalidFile(
            f"file {path}",
            "a name for the output that no input has",
            "a file that this command reads",
            f"Choose another, for example --output new-{path.name}.",
        )


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


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; an error is one message and exit code 2, `--debug` shows where it arose."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        app(arguments, prog_name="fitwell")
    except SystemExit as end:  # how typer ends, after its own message where there is one
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        print("Interrupted: nothing was saved.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except FitwellError as error:
        if "--debug" in arguments:
            raise
        showing.error(Console(stderr=True, highlight=False), error)
        return 2
    return 0
