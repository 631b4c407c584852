"""The command `fitwell`: what its commands share, and how it ends."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import fitwell
from fitwell import waiting
from fitwell.cli import showing
from fitwell.errors import FitwellError, InvalidFile

app = typer.Typer(
    name="fitwell",
    help="From a data file to a good network and back to predictions.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

TABLE = (
    "A [bold]CSV, TSV, Parquet, JSON-lines or NPZ[/] file, [bold]sklearn:NAME[/] "
    "(breast_cancer, diabetes, digits, iris, wine)"
)
DATA = f"{TABLE}, or a folder with one sub-folder of [bold]images[/] per class."

_CTRL_C = 130
"""What typer makes of a KeyboardInterrupt, without a word."""

REPLACED = " (replaced an older file)"

Data = Annotated[str, typer.Argument(metavar="DATA", help=DATA, show_default=False)]
ModelFile = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help="A run's folder, or the model file in it.", show_default=False
    ),
]

SkipBadRows = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows", metavar="", help="Leave out rows that cannot be read, and say which."
    ),
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


def check_output(path: Path, *read: str | Path) -> None:
    """Before the work is done, not after: the folder is there, and no file is read and written."""
    if not path.parent.is_dir():
        cure = "Make the folder first."
        raise InvalidFile(f"file {path}", "a folder that exists", repr(str(path.parent)), cure)
    if any(path.exists() and Path(one).exists() and path.samefile(one) for one in read):
        raise InvalidFile(
            f"file {path}",
            "a name for the output that no input has",
            "a file that this command reads",
            f"Choose another, for example --output {shlex.quote(f'new-{path.name}')}.",
        )


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; an error is one message and exit code 2, `--debug` shows where it arose.

    Args:
        arguments: None for those of the process, which then ends with the command.
    """
    if arguments is not None:
        return _run(arguments)
    _end_with_the_reader()
    code = _run(sys.argv[1:])
    waiting.leave(code)  # a compilation that was interrupted goes on, but nobody needs it
    return code


def _run(arguments: list[str]) -> int:
    try:
        app(arguments, prog_name="fitwell", obj=arguments)
    except SystemExit as end:  # how typer ends, after its own message where there is one
        if end.code == _CTRL_C:
            print("Interrupted.", file=sys.stderr)
            return 1
        return end.code if isinstance(end.code, int) else 0
    except FitwellError as error:
        if "--debug" in arguments:
            raise
        showing.error(Console(stderr=True, highlight=False), error)
        return 2
    return 0


def _end_with_the_reader() -> None:
    """The end of whoever reads what is printed, such as `head`, ends this program without a word.

    So do other programs of Unix; Python would go on to an error.
    """
    if hasattr(signal, "SIGPIPE"):  # Windows has none
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
