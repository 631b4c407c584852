"""What the command line shows: the table, the scores, the errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fitwell.tabular import Prepared, TableModel
from fitwell.tabular.scores import LOWER_IS_BETTER

_PLURALS = {
    "number": "numbers",
    "category": "categories",
    "boolean": "truth values",
    "date": "dates",
}
_GOOD = "bold green"


def table(console: Console, name: str, prepared: Prepared) -> None:
    """What was read, what is predicted from what, and what is left out."""
    target = prepared.target
    task = {"binary": "two classes", "multiclass": f"{len(target.classes)} classes"}
    parts = [len(part.x) for part in (prepared.train, prepared.validation, prepared.test)]
    counts = Counter(column.kind for column in prepared.columns if column.used)
    kinds = ", ".join(
        f"{n} {kind if n == 1 else _PLURALS[kind]}" for kind, n in counts.most_common()
    )
    facts = {
        "Data": f"{name}, {sum(parts):,} rows",
        "Target": f"{target.name}: {task.get(target.task, 'a number')}{_classes(prepared)}",
        "Columns": f"{kinds} -> {prepared.train.x.shape[1]} features",
        "Rows": "{:,} training, {:,} validation, {:,} test".format(*parts),
    }
    grid = Table.grid(padding=(0, 2))
    for label, text in facts.items():
        grid.add_row(f"[bold]{label}[/]", escape(text))
    console.print(grid)
    _notes(console, prepared.notes)
    console.print()


def _classes(prepared: Prepared) -> str:
    labels = [str(label) for label in prepared.target.classes]
    if not labels:
        return ""
    return f" ({', '.join(labels[:6])}{', ...' if len(labels) > 6 else ''})"


def _notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(f"[yellow]-[/] {escape(note)}")


def result(console: Console, model: TableModel, path: Path) -> None:
    """Scores on the test rows beside the baselines, the time, and the file."""
    facts = model.facts
    columns = {"network": facts["scores"], **facts["baselines"]}
    rows = facts["rows"]["test"]
    console.print(f"\n[bold]Scores on {rows:,} test rows[/]")
    console.print(_table(columns))
    console.print(
        f"Trained in {facts['seconds']:.1f} s, {facts['epochs']} epochs. "
        f"Saved as [bold]{escape(str(path))}[/]"
    )


def scores(
    console: Console,
    name: str,
    rows: int,
    values: Mapping[str, float],
    notes: Iterable[str],
) -> None:
    """Scores on a table."""
    _notes(console, notes)
    console.print(f"[bold]Scores on {rows:,} rows of {escape(name)}[/]")
    console.print(_table({"network": values}))


def _table(columns: Mapping[str, Mapping[str, float]]) -> Table:
    """One row per measure, the best value of each in green."""
    shown = Table(box=box.ROUNDED)
    shown.add_column("")
    for name in columns:
        shown.add_column(name, justify="right")
    for measure in next(iter(columns.values())):
        values = [column[measure] for column in columns.values()]
        best = min(values) if measure in LOWER_IS_BETTER else max(values)
        mark = len(values) > 1
        texts = [
            f"[{_GOOD}]{number(v)}[/]" if mark and number(v) == number(best) else number(v)
            for v in values
        ]
        shown.add_row(measure, *texts)
    return shown


def number(value: float) -> str:
    """Four digits that matter: `0.8268`, `48,260`.

    >>> number(0.82681), number(48260.4), number(float("nan"))
    ('0.8268', '48,260', '-')
    """
    if value != value:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.4g}"


def error(console: Console, problem: Exception) -> None:
    """One message, no traceback."""
    console.print(f"[bold red]Error[/] {escape(str(problem))}", soft_wrap=True)
