"""The options of `fitwell train`, one by one: what each is called, takes and says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from fitwell.cli import completing
from fitwell.cli.app import DATA

_ROWS, _NETWORK, _COURSE, _RUN = "Rows and columns", "Network", "Training", "Run"

# Rows and columns

Data: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="DATA", help=DATA, show_default=False, autocompletion=completing.data),
]
Target: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        help="The column to predict; several with commas. Known for sklearn:NAME.",
        show_default=False,
        autocompletion=completing.columns,
        rich_help_panel=_ROWS,
    ),
]
Task: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="binary, multiclass or regression, if it is not to be inferred.",
        autocompletion=completing.tasks,
        rich_help_panel=_ROWS,
    ),
]
Columns: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=KIND",
        help="What a column is: number, category, boolean, date, text; or to leave it out: "
        "ignore. Several with commas, or a JSON file.",
        rich_help_panel=_ROWS,
    ),
]
Weights: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="How much each row counts.",
        show_default=False,
        autocompletion=completing.columns,
        rich_help_panel=_ROWS,
    ),
]
Group: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Rows of one group stay together: a patient, a customer.",
        show_default=False,
        autocompletion=completing.columns,
        rich_help_panel=_ROWS,
    ),
]
Time: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Trained on the past, tested on the latest rows.",
        show_default=False,
        autocompletion=completing.columns,
        rich_help_panel=_ROWS,
    ),
]
SkipBadRows: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows",
        metavar="",
        help="Leave out rows that cannot be read, and say which.",
        rich_help_panel=_ROWS,
    ),
]
ImageSize: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=4, help="Pixels on each side that images are brought to.", rich_help_panel=_ROWS
    ),
]

# The network

Layers: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="256,128",
        help="Plain hidden layers of these widths in place of the default network.",
        rich_help_panel=_NETWORK,
    ),
]
Model: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="net.py:build",
        help="A function that returns a compiled model for the encoded features.",
        rich_help_panel=_NETWORK,
    ),
]
Tune: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Search for layers and rates for so long, such as 60s.",
        rich_help_panel=_NETWORK,
    ),
]
Treat: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--treat",
        metavar="",
        help="If it does not learn, try cures and keep what helps.",
        rich_help_panel=_NETWORK,
    ),
]

# The course of the training

Epochs: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="Passes over the training rows at most.", rich_help_panel=_COURSE),
]
TimeLimit: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Stop training after 90s, 10m or 1h.", rich_help_panel=_COURSE
    ),
]
Folds: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=2,
        help="Cross-validate on all rows but the test rows first.",
        rich_help_panel=_COURSE,
    ),
]
Seed: TypeAlias = Annotated[
    int, typer.Option(min=0, help="Of the split and the network.", rich_help_panel=_COURSE)
]

# The folder of the run

Output: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="The folder of the run; runs/<data>-<number> by default.",
        rich_help_panel=_RUN,
    ),
]
Resume: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN",
        help="Go on with a run that was interrupted or killed.",
        show_default=False,
        rich_help_panel=_RUN,
    ),
]
Report: TypeAlias = Annotated[
    bool, typer.Option("--report/--no-report", help="Write report.html.", rich_help_panel=_RUN)
]
AsJson: TypeAlias = Annotated[
    bool,
    typer.Option("--json", metavar="", help="Print the numbers as JSON.", rich_help_panel=_RUN),
]
