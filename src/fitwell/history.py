"""What `fit` returns: the values of every epoch, as lists, as a table and as a picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import notebook
from fitwell.errors import InvalidFile, NotReady
from fitwell.types import LAYER_KEYS, LayerRecord, Logs

if TYPE_CHECKING:
    import polars
    from matplotlib.figure import Figure

__all__ = ["ENDS", "History"]

ENDS = {
    "interrupted": "interrupted by Ctrl-C",
    "time_limit": "ended by the time limit",
    "callback EarlyStopping": "stopped early",
}
"""What `History.stopped` says, for people; other reasons are sentences."""


class History:
    """The course of one fit.

    Attributes:
        history: name -> one float per epoch in which it was measured, as in Keras: `"loss"`, the
            metrics, and `"val_loss"` ... where there is validation.
        epoch: the epochs that were run, counted from 0.
        params: what `fit` was called with (`epochs`, `steps`, ...).
        seconds: the wall time of the fit.
        stopped: why it ended before its last epoch (`"interrupted"`, `"time_limit"`,
            `"callback EarlyStopping"`, `"the loss became NaN in epoch 3"`), or None.
        findings: what the doctor saw, worst first: code, severity, evidence, cause, cure. Empty
            for a fit with `doctor="off"`.
        treated: what `fit(doctor="treat")` made of the model (see `fitwell.treat`), or None.
        layers: one dict per layer and moment at which the layers were looked at, on a sample of at
            most 256 rows, in inference. A fit that takes minutes or went wrong looks by itself; of
            a shorter one copies of the weights are kept, and looked at when this is read;
            `callbacks.LayerStatistics` looks at every n-th epoch. See `layer_frame`.

    >>> history = History()
    >>> history.record(0, {"loss": 0.5, "val_loss": 0.7})
    >>> history.record(1, {"loss": 0.25, "val_loss": 0.6})
    >>> history.history["loss"]
    [0.5, 0.25]
    >>> history
    <History: 2 epochs, loss 0.5 -> 0.25, val_loss 0.7 -> 0.6 (best 0.6 in epoch 2)>
    """

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.params: dict[str, Any] = dict(params or {})
        self.seconds = 0.0
        self.stopped: str | None = None
        self.findings: Any = ()
        self.treated: Any = None
        self._layers: list[LayerRecord] = []
        self._unseen: Callable[[], list[LayerRecord]] | None = None
        self._measured: dict[str, list[int]] = {}  # the epochs that the values of a name belong to

    @property
    def layers(self) -> list[LayerRecord]:
        if self._unseen is not None:
            look, self._unseen = self._unseen, None
            self._layers += look()
        return self._layers

    @layers.setter
    def layers(self, records: list[LayerRecord]) -> None:
        self._layers, self._unseen = records, None

    def look_when_asked(self, look: Callable[[], list[LayerRecord]]) -> None:
        """What `layers` holds once it is read, for the first time: to look takes a second."""
        self._unseen = look

    def record(self, epoch: int, logs: Logs) -> None:
        """Notes the values of an epoch; one that was noted before (cut short) is replaced."""
        if self.epoch and self.epoch[-1] == epoch:
            self._forget(epoch)
        self.epoch.append(epoch)
        self.add(logs)

    def add(self, logs: Logs) -> None:
        """Sets values of the last epoch; names it has already are overwritten."""
        epoch = self.epoch[-1]
        for name, value in logs.items():
            epochs, values = self._measured.setdefault(name, []), self.history.setdefault(name, [])
            if epochs and epochs[-1] == epoch:
                values[-1] = value
            else:
                epochs.append(epoch)
                values.append(value)

    def last(self) -> dict[str, float]:
        """The values of the last epoch; empty before the first."""
        return {
            name: self.history[name][-1]
            for name, epochs in self._measured.items()
            if self.epoch and epochs[-1:] == self.epoch[-1:]
        }

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values; the inverse of `from_json`."""
        return {"epoch": self.epoch, "history": self.history, "measured": self._measured,
                "layers": self.layers}  # fmt: skip

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Continues the history that `to_json` described.

        Raises:
            InvalidFile: the state is not one that `to_json` returned.
        """
        epoch, history, measured = (state.get(k) for k in ("epoch", "history", "measured"))
        if not (
            isinstance(epoch, list)
            and isinstance(history, dict)
            and isinstance(measured, dict)
            and {n: len(v) for n, v in history.items()} == {n: len(v) for n, v in measured.items()}
        ):
            cure = "Start the fit anew."
            raise InvalidFile("history", "values with their epochs", "others", cure)
        self.epoch = list(epoch)
        self.history = {name: list(values) for name, values in history.items()}
        self._measured = {name: list(epochs) for name, epochs in measured.items()}
        self.layers = [dict(one) for one in state.get("layers", ())]  # older ones have none

    def clear(self) -> None:
        """Lets go of the data and the model that the findings hold for `apply()` and `prove()`.

        What the findings say, and everything measured, stays. Without it they hold the model and at
        most 16 MB of the fit's data as long as the history lives, and so do up to 16 MB of weights
        that `layers` was not asked for.
        """
        self._unseen = None
        for finding in self.findings:
            finding.release()

    def frame(self) -> polars.DataFrame:
        """One row per epoch: the column `epoch` (from 0), then one per name, null where unmeasured.

        >>> history = History()
        >>> history.record(0, {"loss": 0.5})
        >>> history.record(1, {"loss": 0.25, "val_loss": 0.6})
        >>> history.frame()["val_loss"].to_list()
        [None, 0.6]
        """
        import polars as pl

        columns: dict[str, pl.Series] = {"epoch": pl.Series(self.epoch, dtype=pl.Int64)}
        for name, values in self.history.items():
            found = dict(zip(self._measured[name], values, strict=True))
            column = [found.get(epoch) for epoch in self.epoch]
            columns[name] = pl.Series(column, dtype=pl.Float64, strict=False)
        return pl.DataFrame(columns)

    def layer_frame(self) -> polars.DataFrame:
        """`layers` as a table: one row per layer and moment, null where something is not defined.

        - `epoch`, `step`: how many were done; `layer`, `kind`: its name and class.
        - `activation_mean`, `activation_rms`: mean and sqrt(mean(a^2)) of its outputs.
        - `dead`: the share of its units that are 0 for all rows (ReLU alone); `saturated`: the
          share of outputs where its activation is flat; `constant`: the share of units that are
          the same for all rows.
        - `gradient_norm`, `weight_norm`: of its weights, |g| and |w|; `weights`: how many learn.
        - `update_ratio`: |w' - w| / |w| of the step that the optimizer would take next with the
          sample's gradient; 1e-4 to 1e-1 is usual.
        - `noise_scale`: the variance of an example's gradient over |g|^2, in examples; batches much
          smaller are mostly noise, much larger ones gain little.

        >>> History().layer_frame().columns[:4]
        ['epoch', 'step', 'layer', 'kind']
        """
        import polars as pl

        whole, text = ("epoch", "step", "weights"), ("layer", "kind")
        schema = {
            name: pl.Int64 if name in whole else pl.String if name in text else pl.Float64
            for name in LAYER_KEYS
        }
        return pl.DataFrame(self.layers, schema=schema, orient="row")

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """One panel per quantity, training and validation in it, over the epochs from 1.

        Opens no window and needs no display: show the figure in a notebook, or write it.

        Args:
            path: `"history.svg"`, `.png` or `.pdf` to write it to.

        Raises:
            NotReady: there is no epoch to draw.
            InvalidArgument: a path with another suffix.
            InvalidFile: a folder that is missing or cannot be written to.
        """
        from fitwell.curves import draw

        if not self.epoch:
            cure = "Call fit with epochs=1 or more."
            raise NotReady("History.plot", "at least one epoch", "none", cure)
        curves = {name: (self._measured[name], self.history[name]) for name in self.history}
        return draw(curves, path)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_layers": self.layers, "_unseen": None}

    def __repr__(self) -> str:
        epochs, *rest = self._course()
        losses = []
        for name in ("loss", "val_loss"):
            values = self.history.get(name, [])
            if values:
                best = self._where(name, np.nanargmin) if name == "val_loss" else ""
                best = f" (best {best})" if best else ""
                losses.append(f"{name} {values[0]:.4g} -> {values[-1]:.4g}{best}")
        return f"<History: {', '.join([epochs, *losses, *rest])}>"

    def _repr_html_(self) -> str:
        """A row per quantity, and the findings, in a notebook."""
        rows = [
            (
                notebook.code(name),
                *(f"{values[i]:.4g}" for i in (0, -1)),
                *(self._where(name, pick) for pick in (np.nanargmin, np.nanargmax)),
            )
            for name, values in self.history.items()
        ]
        header = "", "first", "last", "lowest", "highest"
        parts = [notebook.paragraph(", ".join(self._course()))]
        parts += [notebook.table(header, rows)] if rows else []
        if len(self.findings):
            parts.append(self.findings._repr_html_())
        return "".join(parts)

    def _course(self) -> list[str]:
        """How many epochs, how long, and what ended them."""
        count = len(self.epoch)
        parts = [f"{count} epoch{'' if count == 1 else 's'}"]
        if self.seconds:
            parts.append(f"{self.seconds:.1f} s")
        if self.stopped:
            parts.append(f"stopped: {self.stopped}")
        return parts

    def _where(self, name: str, pick: Callable[..., Any]) -> str:
        """The value that `pick` finds, and its epoch, for people; "" if all are NaN."""
        values = np.array(self.history[name], np.float64)
        if np.isnan(values).all():
            return ""
        place = int(pick(values))
        return f"{values[place]:.4g} in epoch {self._measured[name][place] + 1}"

    def _forget(self, epoch: int) -> None:
        self.epoch.pop()
        for name, epochs in list(self._measured.items()):
            if epochs[-1] == epoch:
                epochs.pop()
                self.history[name].pop()
            if not epochs:
                del self._measured[name], self.history[name]
