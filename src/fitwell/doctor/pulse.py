"""The layers of a network at one moment, in numbers that rules read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pulse:
    """One layer while the network runs over a sample: before or after training.

    Attributes:
        size: sqrt(mean(a^2)) of its outputs.
        gradient: norm of the gradient of its weights, over the square root of their number; -1 for
            a layer without any.
        dead: share of units that are never above 0 on the sample (ReLU alone).
        saturated: share of pre-activations in the flat region of its activation.
        flat: share of units whose output is the same for all examples.
        update: |w' - w| / |w| of the next step; None if it is not known.
    """

    name: str
    size: float
    gradient: float
    dead: float = 0.0
    saturated: float = 0.0
    flat: float = 0.0
    update: float | None = None


@dataclass(frozen=True)
class Moment:
    """The layers at one moment of a fit.

    Attributes:
        epoch: how many epochs were done; `step`: how many steps.
        noise: the gradient noise scale of the network, in examples; None if it is not known.
    """

    epoch: int
    step: int
    pulses: tuple[Pulse, ...]
    noise: float | None = None
