"""A network and how it is trained, as one value: what a cure takes and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fitwell.doctor.record import Record
from fitwell.network import Network
from fitwell.objectives import Compiled
from fitwell.optimizers import Optimizer
from fitwell.types import HostArray


@dataclass(frozen=True)
class Setup:
    """Everything that decides what a fit makes of data, but the data and the seed.

    Attributes:
        network: layers, from inputs to outputs.
        compiled: losses, their weights and the metrics, one entry per output.
        optimizer: with its learning rate.
        batch_size: examples per step.
        epochs: passes over the data.
        patience: epochs without a better validation loss after which training ends and the best
            weights are restored; None trains to the end.
        class_weight: as `fit` takes it.
    """

    network: Network
    compiled: Compiled
    optimizer: Optimizer
    batch_size: int = 32
    epochs: int = 1
    patience: int | None = None
    class_weight: Any = None

    def __repr__(self) -> str:
        layers = [type(node.layer).__name__ for node in self.network.nodes]
        return f"<Setup: {', '.join(layers)}; {self.optimizer}; {self.epochs} epochs>"


@dataclass(frozen=True)
class Facts:
    """What cures read of the data and of the model as it is.

    Attributes:
        record: of the doctor; its plan is not None.
        means, stds: of the targets of each output, (width,), the rows in front left out.
        ranks: axes of an example's label, for each output: 0 or 1 for tables.
        weighted: examples or classes have weights already.
        named: whole numbers tell clearly more where they are read as names.
    """

    record: Record
    means: tuple[HostArray, ...]
    stds: tuple[HostArray, ...]
    ranks: tuple[int, ...]
    weighted: bool = False
    named: bool = False

    @property
    def rows(self) -> int:
        """Examples to train on."""
        assert self.record.plan is not None
        return self.record.plan.rows
