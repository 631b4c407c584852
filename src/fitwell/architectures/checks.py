"""What the functions of this package check before they build anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fitwell.arguments import whole_number
from fitwell.errors import InvalidArgument


def whole(subject: str, **values: Any) -> None:
    """Raises InvalidArgument for a value that is no whole number >= 1."""
    for name, value in values.items():
        whole_number(subject, name, value)


def sizes(subject: str, name: str, values: Any) -> tuple[int, ...]:
    """The entries of a list of whole numbers >= 1; a single one counts as a list."""
    given = (values,) if isinstance(values, int) else values
    good = isinstance(given, Sequence) and not isinstance(given, str)
    if not good or not given or any(type(n) is not int or n < 1 for n in given):
        raise InvalidArgument(
            subject,
            f"{name} to be a list of whole numbers >= 1",
            f"{name}={values!r}",
            f"Write {name}=(128, 64), a number for each layer.",
        )
    return tuple(given)


def example(subject: str, shape: Any) -> tuple[int, ...]:
    """The shape of one example as a tuple; a number is that of its features, as for Input."""
    given = (shape,) if isinstance(shape, int) else shape
    good = isinstance(given, tuple | list) and len(given) > 0
    if not good or any(type(n) is not int or n < 1 for n in given):
        cure = "Write input_shape=(784,), or (28, 28, 1) for images."
        expected = "input_shape to be whole numbers >= 1"
        raise InvalidArgument(subject, expected, f"input_shape={shape!r}", cure)
    return tuple(given)


def choice(subject: str, name: str, value: Any, known: Sequence[Any]) -> None:
    """Raises InvalidArgument for a value that is not among those there are."""
    if value not in known:
        listed = ", ".join(map(repr, known))
        expected, received = f"{name} to be one of {listed}", f"{name}={value!r}"
        raise InvalidArgument(subject, expected, received, "Choose one of them.")


def image(subject: str, shape: Any, least: int) -> tuple[int, int, int]:
    """(rows, columns, channels), with at least `least` rows and columns."""
    good = isinstance(shape, tuple | list) and len(shape) == 3
    good = good and all(type(n) is int and n >= 1 for n in shape)
    if not good or min(shape[:2]) < least:
        raise InvalidArgument(
            subject,
            f"input_shape=(rows, columns, channels) with at least {least} rows and columns",
            f"input_shape={shape!r}",
            "Enlarge the images, or take a network that halves them less often."
            if good
            else "Write whole numbers, such as (224, 224, 3); grey images have one channel.",
        )
    rows, columns, channels = shape
    return rows, columns, channels
