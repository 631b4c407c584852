"""What the pictures of results share: panels, words, labels and predictions in one form."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.data.frames import is_frame
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F", "#7F7F7F")
"""Of classes: Okabe & Ito's colours without yellow, which white swallows, and with two more."""
WIDTH = 5.0  # inches: on a phone a point is about a pixel then
_FEW_NAMES = 3  # of lines, which find room on a panel
_HALF = 26  # letters that half the width of a panel has room for
_BETWEEN_WORDS = re.compile(r"[\s_./-]")


def panel(height: float = 3.6, width: float = WIDTH, title: str = "") -> tuple[Figure, Axes]:
    """A figure with one panel, without the lines at its top and right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    plain(axes, title)
    return figure, axes


def plain(axes: Axes, title: str = "") -> None:
    """The style of a panel."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    if title:
        axes.set_title(words(title, 80), size=10, weight="bold")


def counted(axis: Any) -> None:
    """Few ticks, with their thousands apart: 400,000."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def words(text: Any, most: int = 24) -> str:
    """A name as it can be drawn: in one line, shortened, and never read as a formula.

    >>> words("a$b$"), words("a name of many words, to long for a panel", 12)
    ('a\\\\$b\\\\$', 'a name of m…')
    """
    line = " ".join(str(text).split())
    short = line if len(line) <= most else line[: most - 1] + "…"
    return "".join(c if c.isprintable() else " " for c in short).replace("$", r"\$")


def distinct(names: Sequence[Any], most: int = 24) -> list[str]:
    """`words` of names that stand beside each other: what they share gives way to what differs.

    >>> distinct(["species 01 of the region", "species 02 of the region"], 8)
    ['…01…', '…02…']
    >>> distinct(["a", "a long name of one", "a long name of two"], 9)
    ['a', 'a l…f one', 'a l…f two']
    """
    texts = [" ".join(str(name).split()) for name in names]
    if _told_apart(texts, most):
        return [words(text, most) for text in texts]
    start = _shared(texts)
    end = _shared([text[start:][::-1] for text in texts])
    cores = [text[start : len(text) - end] for text in texts]
    cores = [f"{'…' * bool(start)}{core}{'…' * bool(end)}" for core in cores]
    if _told_apart(cores, most):
        return [words(core, most) for core in cores]
    kept = most // 2
    halves = [f"{t[: most - kept - 2]}…{t[-kept - 1 :]}" if len(t) > most else t for t in texts]
    return [words(half, most) for half in halves]


def _shared(texts: Sequence[str]) -> int:
    """How many letters all begin with, up to the end of a word."""
    columns = zip(*texts, strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda column: len(set(column)) == 1, columns))
    return same - len(_BETWEEN_WORDS.split(texts[0][:same])[-1])


def _told_apart(texts: Sequence[str], most: int) -> bool:
    return len({words(text, most) for text in texts}) == len(set(texts))


def legend(figure: Figure, axes: Axes, inside: Any = "best") -> None:
    """Names of lines: on the panel where there are few, else below it, where they hide nothing."""
    lines, names = axes.get_legend_handles_labels()
    if len(names) <= _FEW_NAMES:
        axes.legend(frameon=False, loc=inside, fontsize="small")
        return
    columns = 2 if max(map(len, names)) <= _HALF else 1
    figure.set_figheight(figure.get_figheight() + 0.1 + 0.22 * -(-len(names) // columns))
    how: dict[str, Any] = {"frameon": False, "fontsize": "small", "ncols": columns}
    figure.legend(handles=lines, labels=names, loc="outside lower center", **how)


@dataclass(frozen=True)
class Classified:
    """Labels and predictions in one form.

    Attributes:
        truth: (n,) class numbers.
        chosen: (n,) predicted class numbers.
        probabilities: (n, classes), or None where only labels were given.
        names: of the classes.
    """

    truth: HostArray
    chosen: HostArray
    probabilities: HostArray | None
    names: tuple[str, ...]


def classified(subject: str, y_true: Any, y_pred: Any, labels: Sequence[Any] | None) -> Classified:
    """From labels of any type, or one-hot rows, and labels or probabilities.

    Raises:
        InvalidArgument: a model in place of labels.
        ShapeMismatch: other numbers of rows or classes.
        InvalidData: no rows, probabilities outside [0, 1], or a label that is not among `labels`.
    """
    if hasattr(y_true, "predict"):
        received, cure = f"a {type(y_true).__name__}", f"Write {subject}(y, model.predict(X))."
        raise InvalidArgument(subject, "labels, then predictions", received, cure)
    truth, given = _column(subject, "y_true", y_true), _column(subject, "y_pred", y_pred)
    if len(truth) != len(given) or len(truth) == 0:
        raise ShapeMismatch(
            subject, "as many predictions as labels, one or more",
            f"{len(truth)} labels and {len(given)} predictions", "Predict the rows of y_true.",
        )  # fmt: skip
    if truth.ndim == 2:
        truth = truth.argmax(axis=1)
    shares = given.ndim == 2 or (given.dtype.kind == "f" and bool((given != given.round()).any()))
    if not shares:
        return _labelled(subject, truth, given, labels)
    p = np.stack([1 - given, given], axis=1) if given.ndim == 1 else given
    p = p.astype(np.float64)
    if not (np.isfinite(p).all() and p.min() >= 0 and p.max() <= 1 + 1e-6):
        cure = "Pass what predict returns for a sigmoid or a softmax, not logits."
        received = f"values from {np.nanmin(p):.3g} to {np.nanmax(p):.3g}"
        raise InvalidData(f"{subject}, y_pred", "probabilities in [0, 1]", received, cure)
    numbers, names = _numbered(subject, truth, p.shape[1], labels)
    return Classified(numbers, p.argmax(axis=1), p, names)


def _column(subject: str, name: str, values: Any) -> HostArray:
    array = np.asarray(values.to_numpy() if is_frame(values) else values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        cure = "Flatten the steps of sequences into rows."
        raise ShapeMismatch(f"{subject}, {name}", "one row per example", f"{array.shape}", cure)
    return array


def _labelled(
    subject: str, truth: HostArray, chosen: HostArray, labels: Sequence[Any] | None
) -> Classified:
    values = sorted({*truth.tolist(), *chosen.tolist()})
    if labels is not None and set(values) <= set(labels):
        values = list(labels)
    elif labels is not None and _whole(values) and values[0] >= 0 and values[-1] < len(labels):
        values = list(range(len(labels)))  # class numbers, and their names
    elif labels is not None:
        received = ", ".join(repr(v) for v in values if v not in set(labels))
        cure = "Name every class in labels."
        raise InvalidData(subject, f"the labels {', '.join(map(str, labels))}", received, cure)
    place = {value: i for i, value in enumerate(values)}
    numbers = [np.array([place[v] for v in each.tolist()], int) for each in (truth, chosen)]
    return Classified(numbers[0], numbers[1], None, tuple(map(str, labels or values)))


def _numbered(
    subject: str, truth: HostArray, classes: int, labels: Sequence[Any] | None
) -> tuple[HostArray, tuple[str, ...]]:
    """Class numbers for the columns of probabilities, and the names of the classes."""
    values = sorted(set(truth.tolist()))
    if labels is not None and len(labels) != classes:
        cure = "Pass one name per column of y_pred, in its order."
        raise ShapeMismatch(subject, f"{classes} labels", f"{len(labels)}", cure)
    if labels is not None and set(values) <= set(labels):
        order = list(labels)
    elif _whole(values) and values[0] >= 0 and values[-1] < classes:
        order = list(range(classes))
    elif labels is None and len(values) == classes:
        order = values  # in the order of predict_proba of scikit-learn
    else:
        received = ", ".join(map(repr, values[:10]))
        cure = "Pass labels= with the class of each column of y_pred."
        raise InvalidData(f"{subject}, y_true", f"{classes} classes", received, cure)
    place = {value: i for i, value in enumerate(order)}
    numbers = np.array([place[v] for v in truth.tolist()], int)
    return numbers, tuple(map(str, labels or order))


def _whole(values: Sequence[Any]) -> bool:
    return all(isinstance(v, bool | int) or (isinstance(v, float) and v == int(v)) for v in values)


def with_probabilities(subject: str, found: Classified) -> HostArray:
    """The probabilities.

    Raises:
        InvalidArgument: only labels were given.
    """
    if found.probabilities is None:
        cure = "Pass what predict (or predict_proba) returns."
        raise InvalidArgument(f"{subject}, y_pred", "probabilities", "labels", cure)
    return found.probabilities
