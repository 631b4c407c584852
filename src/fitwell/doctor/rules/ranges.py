"""Targets against what the loss and the output can make of numbers of their size and sign."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fitwell.doctor.labels import Labels
from fitwell.doctor.record import Head
from fitwell.doctor.rules.base import CRITICAL, WARNING, Suspicion, suspect

_MANY_OUTSIDE = 0.3
_MANY_ZEROS = 0.01
BINARY = ("BinaryCrossentropy", "BinaryFocalCrossentropy")
CATEGORICAL = ("CategoricalCrossentropy", "CategoricalFocalCrossentropy")
CROSSENTROPY = (*BINARY, *CATEGORICAL, "SparseCategoricalCrossentropy")


def of(head: Head) -> Iterator[Suspicion]:
    """What stands against an output and its loss by the range of its targets."""
    yield from _signs(head)
    yield from _undefined(head)
    yield from _reach(head)


def _signs(head: Head) -> Iterator[Suspicion]:
    if not (head.labels.signs and head.loss in BINARY):
        return
    yield suspect(
        "labels_out_of_range",
        "The labels are -1 and 1; binary cross-entropy knows 0 and 1, and falls without end for"
        " others.",
        "y = (y + 1) / 2  # -1 and 1 become 0 and 1",
        ("smallest label", head.labels.low),
        severity=CRITICAL,
        layer=head.layer,
    )


_UNDEFINED: dict[str, tuple[Callable[[Labels], bool], str]] = {
    "MeanAbsolutePercentageError": (
        lambda labels: labels.zeros > _MANY_ZEROS,
        "divides by the target, and {zeros:.0%} of them are (almost) 0: their errors are all that"
        " counts",
    ),
    "MeanSquaredLogarithmicError": (
        lambda labels: labels.low < 0,
        "takes log(1 + y) and cuts numbers below 0 off; the targets reach {low:.4g}",
    ),
    "Poisson": (
        lambda labels: labels.low < 0,
        "is of counts, which are never below 0; the targets reach {low:.4g}",
    ),
}
"""Losses that say nothing sensible of some targets: of which, and why."""


def undefined(head: Head) -> str:
    """Why the loss says nothing sensible of these targets; "" where it does."""
    wrong, why = _UNDEFINED.get(head.loss or "", (None, ""))
    return why if wrong is not None and wrong(head.labels) else ""


def _undefined(head: Head) -> Iterator[Suspicion]:
    labels, why = head.labels, undefined(head)
    if not why:
        return
    yield suspect(
        "loss_mismatch",
        f"{head.loss} {why.format(zeros=labels.zeros, low=labels.low)}.",
        'model.compile(loss="mae")  # or "huber", "mse"',
        ("smallest target", labels.low),
        ("share of targets that are almost 0", labels.zeros),
        severity=WARNING,
        layer=head.layer,
    )


def _reach(head: Head) -> Iterator[Suspicion]:
    labels = head.labels
    if (
        head.loss in CROSSENTROPY
        or labels.outside <= 0.01
        or (head.units == 1 == labels.width and head.activation == "softmax")
    ):
        return
    yield suspect(
        "output_range_mismatch",
        f"{labels.outside:.0%} of the targets, from {labels.low:.4g} to {labels.high:.4g}, lie"
        f" where {head.activation} cannot reach.",
        f"fw.layers.Dense({head.units})  # the last layer",
        ("share of targets out of reach", labels.outside),
        severity=CRITICAL if labels.outside > _MANY_OUTSIDE else WARNING,
        layer=head.layer,
    )
