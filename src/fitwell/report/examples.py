"""Rows worth a look: where the model is most wrong, and labels that may be."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fitwell.assessment.subject import Subject
from fitwell.assessment.suspects import suspects as suspected
from fitwell.plots.reading import as_image, is_image
from fitwell.progress import digits
from fitwell.report.study import Listing
from fitwell.types import HostArray

_WORST, _SUSPECTS = 10, 10
_LONGEST = 60  # characters of a cell

Cells = Callable[[int], Sequence[str]]
"""From the place of a row to its cells."""

_CLASSES = (
    "Confident learning: a row is suspected if another class is as likely as it typically is for "
    "the rows of that class, and likelier than the label and every other such class (Northcutt, "
    "Jiang & Chuang 2021)."
)
_NUMBERS = (
    "A row is suspected if its error is more than four robust standard deviations (1.4826 times "
    "the median absolute deviation) from the median error."
)


def worst(
    subject: Subject,
    numbers: HostArray,
    header: Sequence[str],
    cells: Cells,
    known_by: str = "row",
) -> Listing:
    """The examples with the largest loss.

    Args:
        subject: model and rows.
        numbers: (n,) what a reader knows the rows by.
        header, cells: what to show of a row.
        known_by: what the numbers are called.
    """
    of_numbers = subject.task == "regression"
    losses = subject.losses(subject.predicted)
    chosen = np.argsort(-losses, kind="stable")[:_WORST]
    rows = tuple(
        (str(numbers[i]), *_said(subject, int(i)), _loss(subject, losses[i]), *cells(int(i)))
        for i in chosen
    )
    head = (known_by, "true", "predicted", "off by" if of_numbers else "loss", *header)
    return Listing(head, rows, _images(subject, chosen), _figures(numbers))


def suspects(
    subject: Subject,
    numbers: HostArray,
    header: Sequence[str],
    cells: Cells,
    known_by: str = "row",
) -> tuple[Listing, str]:
    """Suspected label errors, and how they were found; arguments as for `worst`."""
    if subject.task == "multilabel" or len(subject.truth) != subject.rows:
        return Listing((), ()), ""
    found = suspected(subject.task, subject.truth, subject.predicted)
    of_numbers = subject.task == "regression"
    rows = tuple(
        (
            str(numbers[one.row]),
            truth_of(subject, one.row),
            digits(one.guess) if of_numbers else subject.classes[int(one.guess)],
            f"{one.doubt:.1f} sd" if of_numbers else f"{one.doubt:.2f}",
            *cells(one.row),
        )
        for one in found[:_SUSPECTS]
    )
    doubt = "distance" if of_numbers else "p(guess) - p(label)"
    chosen = np.array([one.row for one in found[:_SUSPECTS]], int)
    listing = Listing(
        (known_by, "label", "the model's guess", doubt, *header),
        rows,
        _images(subject, chosen),
        _figures(numbers),
    )
    share = 100 * len(found) / subject.rows
    count = f"{len(found):,} of {subject.rows:,} rows ({share:.1f} %)"
    return listing, f"{count}. {_NUMBERS if of_numbers else _CLASSES}"


def _figures(numbers: HostArray) -> frozenset[int]:
    """The columns of numbers: the last of the fixed ones, and the first where it counts rows."""
    return frozenset({0, 3} if numbers.dtype.kind in "iu" else {3})


def _loss(subject: Subject, loss: float) -> str:
    """In the unit of the target, if it is a number; else -log p."""
    return digits(float(np.sqrt(loss)) if subject.task == "regression" else float(loss))


def _said(subject: Subject, row: int) -> tuple[str, str]:
    """Truth and prediction of an example."""
    per = len(subject.truth) // subject.rows
    if per > 1:
        return f"{per} values", ""
    p = subject.predicted[row]
    if subject.task == "regression":
        return truth_of(subject, row), digits(p)
    if subject.task == "multilabel":
        told = [f"{n} {v:.2f}" for n, v in zip(subject.classes, p, strict=True) if v > 0.5]
        return truth_of(subject, row), clipped(", ".join(told) or "none")
    guess = int(np.argmax(p))
    return truth_of(subject, row), f"{subject.classes[guess]} ({100 * p[guess]:.0f} %)"


def truth_of(subject: Subject, row: int) -> str:
    """The true label of an example, for people."""
    value = subject.truth[row]
    if subject.task == "regression":
        return digits(value)
    if subject.task == "multilabel":
        told = [name for name, one in zip(subject.classes, value, strict=True) if one]
        return clipped(", ".join(told) or "none")
    return clipped(subject.classes[int(value)])


def clipped(value: Any) -> str:
    """A value as the text of a cell.

    >>> clipped(None), clipped(2.5), clipped("a" * 70)[-3:]
    ('', '2.5', 'aa…')
    """
    if value is None:
        return ""
    text = digits(value) if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _images(subject: Subject, rows: HostArray) -> tuple[bytes, ...]:
    """The inputs as pictures, if that is what they are."""
    (first, *others) = subject.inputs
    if others or first.ndim < 4 or not is_image(first.shape[1:]):
        return ()
    low, high = float(first.min()), float(first.max())
    return tuple(_png(as_image(first[i].astype(float)), low, high) for i in rows)


def _png(image: HostArray, low: float, high: float) -> bytes:
    from matplotlib.image import imsave

    data = io.BytesIO()
    shown = (image - low) / (high - low if high > low else 1)
    imsave(data, np.clip(shown, 0, 1), cmap="gray", vmin=0, vmax=1, format="png")
    return data.getvalue()
