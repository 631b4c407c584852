"""The address of a NaN, as a record has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """Where the first value that is not finite came from.

    Attributes:
        what: "loss" or "weights", whichever was seen to be `value`: NaN or infinity.
        epoch, step: from 1; the step is None if it was not found.
        good: epochs before the weights that were kept.
        place: "forward", "backward", "update" (of a weight), "input" (the data), "before" (a weight
            or state that was so already); "" if unknown. `layer`: None for the loss.
        row, feature: of the data; None where it is no single row.
        operation: JAX' name for it; `operands`: what went in, of arrays the largest number.
        result: what came out.
        unknown: why not all of this is known, in words.
    """

    what: str
    value: float
    epoch: int
    step: int | None = None
    good: int = 0
    place: str = ""
    layer: str | None = None
    row: int | None = None
    feature: tuple[int, ...] = ()
    operation: str = ""
    operands: tuple[float, ...] = ()
    result: float = 0.0
    unknown: str = ""
