"""What the command line shows: the table, the scores, the errors."""

from __future__ import annotations

import shlex
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fitwell.assessment.comparing import better_of, compared, why_first
from fitwell.assessment.measures import LOWER_IS_BETTER
from fitwell.data.arrays import DataWarning
from fitwell.history import ENDS
from fitwell.images import Prepared as ImagesPrepared
from fitwell.images.training import described
from fitwell.model import Model
from fitwell.progress import digits
from fitwell.tabular import Prepared

_PLURALS = {
    "number": "numbers",
    "category": "categories",
    "boolean": "truth values",
    "date": "dates",
    "text": "texts",
}
_GOOD = "bold green"


_MOST_NAMES = 40


class Printer(Protocol):
    """A console of rich, or one that also keeps what it prints."""

    @property
    def width(self) -> int: ...

    def print(self, *things: Any, **how: Any) -> None: ...


def table(
    console: Printer, name: str, targets: Sequence[Prepared], network: str, *, inferred: bool
) -> None:
    """What was read, what is predicted from what, and what is left out."""
    prepared = targets[0]
    parts = [_rows(targets, part) for part in ("train", "validation", "test")]
    facts = [
        ("Data", f"{name}, {sum(parts):,} rows"),
        *(("Target", f"{_target(one)}{_hint(one) if inferred else ''}") for one in targets),
        *_columns(prepared),
        ("Rows", "{:,} training, {:,} validation, {:,} test".format(*parts)),
        ("Network", network),
    ]
    for label, text in facts:
        _wrapped(console, f"[bold]{label:9}[/]", text, 9)
    notes(console, prepared.notes)
    console.print()


def _rows(targets: Sequence[Prepared], part: str) -> int:
    """How many rows of a part have one of the targets at least."""
    return len(np.unique(np.concatenate([getattr(one, part).rows for one in targets])))


def _target(prepared: Prepared) -> str:
    target = prepared.target
    task = {"binary": "two classes", "multiclass": f"{len(target.classes)} classes"}
    return f"{target.name}: {task.get(target.task, 'a number')}{_classes(prepared)}"


def images(console: Printer, name: str, prepared: ImagesPrepared, network: Model) -> None:
    """What was read, and what is trained."""
    found, parts = prepared.images, prepared.parts
    names = ", ".join(found.classes[:6]) + (", ..." if len(found.classes) > 6 else "")
    height, width, channels = found.x.shape[1:]
    rows = [len(part) for part in (parts.train, parts.validation, parts.test)]
    facts = [
        ("Data", f"{name}, {len(found):,} images of {height} x {width} x {channels}"),
        ("Classes", f"{len(found.classes)} ({names})"),
        ("Images", "{:,} training, {:,} validation, {:,} test".format(*rows)),
        ("Network", described(network)),
    ]
    for label, text in facts:
        _wrapped(console, f"[bold]{label:9}[/]", text, 9)
    notes(console, prepared.notes)
    console.print()


def _columns(prepared: Prepared) -> list[tuple[str, str]]:
    """How many columns of each kind there are, and their names."""
    names: dict[str, list[str]] = {}
    for column in prepared.columns:
        if column.used:
            names.setdefault(column.kind, []).append(column.name)
    ranked = sorted(names.items(), key=lambda item: -len(item[1]))
    kinds = [f"{len(n)} {kind if len(n) == 1 else _PLURALS[kind]}" for kind, n in ranked]
    features = prepared.train.x.shape[1]
    lines = [("Columns", f"{', '.join(kinds)} -> {features} feature{'s' if features > 1 else ''}")]
    for kind, (_, listed) in zip(kinds, ranked, strict=True):
        more = f", and {len(listed) - _MOST_NAMES:,} more" if len(listed) > _MOST_NAMES else ""
        lines.append(("", f"{kind}: {', '.join(listed[:_MOST_NAMES])}{more}"))
    return lines


def _hint(prepared: Prepared) -> str:
    """Ratings from 1 to 5 are classes or a quantity: only the user knows."""
    target = prepared.target
    whole = target.task == "multiclass" and all(
        isinstance(c, int | float) and not isinstance(c, bool) for c in target.classes
    )
    return " (whole numbers: --task regression to predict a quantity)" if whole else ""


def _wrapped(console: Printer, label: str, text: str, indent: int) -> None:
    """A text beside its label, without blanks at the ends of lines."""
    lines = textwrap.wrap(
        text, max(console.width - indent, 20), break_on_hyphens=False, break_long_words=False
    )
    for number, line in enumerate(lines or [""]):
        start = " " * indent if number else label
        console.print(f"{start}{escape(line)}".rstrip(), soft_wrap=True)


def _classes(prepared: Prepared) -> str:
    labels = [str(label) for label in prepared.target.classes]
    if not labels:
        return ""
    return f" ({', '.join(labels[:6])}{', ...' if len(labels) > 6 else ''})"


def notes(console: Printer, sentences: Iterable[str]) -> None:
    """A line, or some, for each."""
    for note in sentences:
        _wrapped(console, "[yellow]-[/] ", note, 2)


@contextmanager
def warned() -> Iterator[None]:
    """Warnings about the data become notes on stderr: stdout may be a table."""
    console = Console(stderr=True, highlight=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        yield
    for one in caught:
        if one.category is DataWarning:
            console.print(f"[yellow]-[/] {escape(str(one.message))}", soft_wrap=True)
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def result(console: Printer, facts: Mapping[str, Any]) -> None:
    """Scores on the test rows beside the baselines, and the time."""
    shared = facts.get("rows")  # unless rows lack some of several targets
    if "folds" in facts:
        _folds(console, facts["folds"])
    for name, own in facts.get("targets", {"": facts}).items():
        rows = own.get("rows", shared)["test"]
        title = f"\n[bold]Scores on {rows:,} test rows[/]{': ' if name else ''}{escape(name)}"
        console.print(title, soft_wrap=True)
        console.print(_table({"network": own["scores"], **own["baselines"]}))
        notes(console, filter(None, [why_first(next(iter(own["scores"]), ""))]))
        if better_of(own["scores"], own["baselines"]):
            apart = own.get("differences", {})
            notes(console, [compared(own["scores"], own["baselines"], apart)])
        if "interval" in own:
            _interval(console, own["interval"])
    if "treated" in facts:
        console.print(f"Treated: {escape(facts['treated'])}", soft_wrap=True)
    console.print(f"Trained in {facts['seconds']:.1f} s, {escape(course(facts))}.", soft_wrap=True)


def saved(console: Printer, folder: str, *, report: bool, unfinished: bool) -> None:
    """Where everything is, and how a run that was ended before its last epoch goes on."""
    kept = f"model, numbers, log{', report' if report else ''}"
    console.print(f"Saved in [bold]{escape(folder)}[/]: {kept}", soft_wrap=True)
    if unfinished:
        console.print(f"{escape(goes_on(folder))}", soft_wrap=True)


def goes_on(folder: str) -> str:
    """The command that ends what was begun.

    >>> goes_on("my run")
    "fitwell train --resume 'my run' goes on."
    """
    return f"fitwell train --resume {shlex.quote(folder)} goes on."


def _interval(console: Printer, facts: Mapping[str, float]) -> None:
    if "width" in facts:
        console.print(
            f"Intervals that should hold {facts['coverage']:.0%} of true values hold "
            f"{facts['measured']:.0%} of these; mean width {number(facts['width'])}.",
            soft_wrap=True,
        )


def _folds(console: Printer, facts: Mapping[str, Any]) -> None:
    said = ", ".join(
        f"{name} {number(one['mean'])} \u00b1 {number(one['sd'])}"
        for name, one in facts["scores"].items()
    )
    console.print(f"\n[bold]{facts['folds']} folds[/], mean \u00b1 sd: {said}", soft_wrap=True)


def course(facts: Mapping[str, Any]) -> str:
    """How the fit or the search went: how long, what ended it, what was kept.

    >>> course({"epochs": 5, "planned_epochs": 9, "stopped": "time_limit", "best_epoch": 4})
    '5 of 9 epochs: ended by the time limit, best epoch 4 kept'
    """
    end = ENDS.get(facts["stopped"], facts["stopped"])
    if "trials" in facts:
        return ", ".join(filter(None, [f"{facts['trials']} trials", end, facts["network"]]))
    best = facts["best_epoch"]
    kept = "before the first epoch ended" if best is None else f"best epoch {best} kept"
    if again := facts.get("refit_epochs"):
        kept = f"best epoch {best}; then {again} on training and validation rows together"
    said = ", ".join(part for part in (end, kept) if part)
    return f"{facts['epochs']} of {facts['planned_epochs']} epochs: {said}"


def scores(
    console: Printer,
    name: str,
    rows: int,
    values: Mapping[str, float],
    constant: Mapping[str, float],
    sentences: Iterable[str],
) -> None:
    """Scores on a table, beside those of a constant where it is known."""
    notes(console, sentences)
    console.print(f"[bold]Scores on {rows:,} rows of {escape(name)}[/]")
    console.print(_table({"network": values, **({"constant": constant} if constant else {})}))


def _table(columns: Mapping[str, Mapping[str, float]]) -> Table:
    """One row per measure, the best value of each in green."""
    shown = Table(box=box.ROUNDED)
    shown.add_column("")
    for name in columns:
        shown.add_column(name, justify="right")
    for measure in next(iter(columns.values())):
        values = [column[measure] for column in columns.values()]
        if measure == "R2":  # a share: what is below its last digit is nothing
            values = [0.0 if abs(v) < 5e-5 else v for v in values]
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
    return digits(value, zeros=value != 0)


def error(console: Console, problem: Exception) -> None:
    """One message, no traceback."""
    console.print(f"[bold red]Error[/] {escape(str(problem))}", soft_wrap=True, emoji=False)
