"""LayerStatistics: how every layer does while a network is trained."""

from __future__ import annotations

from typing import Any, ClassVar

from fitwell import feeding
from fitwell.arguments import whole_number
from fitwell.data.sources import ArraySource, Source
from fitwell.errors import InvalidArgument
from fitwell.examples import Examples, Receiver
from fitwell.hooks import Callback, MutableLogs
from fitwell.layerwise import LayerProbe, rows_of
from fitwell.optimizers import Optimizer
from fitwell.training import Objective

__all__ = ["LayerStatistics"]


class LayerStatistics(Callback):
    """Activations, gradients, weights and updates of every layer, before training and by epoch.

    update ratio = |w' - w| / |w|, noise scale = tr(cov g) / |E g|^2, and others

    They are measured on one fixed sample of the data, in inference, by a small program of their
    own, which compiles once per architecture; the steps stay as they are. `history.layers` has one
    dict per layer and moment, `history.layer_frame()` the table, and its docstring says what each
    column is. A long fit keeps such a record by itself, as far as that costs next to nothing.

    >>> import numpy as np
    >>> import fitwell as fw
    >>> x = np.random.default_rng(0).normal(size=(64, 3))
    >>> model = fw.Sequential([fw.layers.Dense(4, "relu"), fw.layers.Dense(1)], seed=0)
    >>> model.compile(loss="mse")
    >>> history = model.fit(x, x[:, 0], epochs=4, verbose=0, callbacks=LayerStatistics(every=2))
    >>> history.layer_frame().select("epoch", "step", "layer").rows()[::2]
    [(0, 0, 'dense'), (2, 4, 'dense'), (4, 8, 'dense')]

    Args:
        every: epochs from one record to the next, >= 1.
        sample: `(x, y)` to look at, needed where `fit` gets an iterable of batches; by default 256
            rows of the training data, evenly spread.

    Raises:
        InvalidArgument: `every` below 1; at the start of `fit`, an iterable of batches without a
            sample, and a network with stateful layers.

    Source: update ratios: Karpathy, CS231n notes; noise scale: McCandlish et al. 2018.
    """

    keeps_layers: ClassVar[bool] = True

    def __init__(self, every: int = 1, sample: Any = None) -> None:
        self.epochs = whole_number("LayerStatistics", "every", every, 1)
        self.sample = sample
        self._probe: LayerProbe | None = None

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        self._probe = self.model.layer_probe(self.sample)
        self._record(int(self.params.get("initial_epoch", 0)))

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        if (epoch + 1) % self.epochs == 0:
            self._record(epoch + 1)

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        self._probe = None  # it holds a sample of the data

    def _record(self, epoch: int) -> None:
        assert self._probe is not None
        train = self.model.train_state
        look = self._probe.look(train, self.model.learning_rate)
        self.model.history.layers += look.records(epoch, int(train.step))


def probe_of(
    model: Receiver, objective: Objective, optimizer: Optimizer, source: Source, sample: Any
) -> LayerProbe:
    """What looks at the layers of a fit: with the sample, or with rows of the training data."""
    subject = "layer_probe"
    if model.network.remembers:
        cure = "Leave the callback out, or build the layers with stateful=False."
        received = "one that remembers the batch before"
        raise InvalidArgument(subject, "a network without memory", received, cure)
    if sample is not None:
        x, y, _ = feeding.unpack(subject, sample)
        data = Examples(model, subject, objective).batch(x, y)
    elif isinstance(source, ArraySource):
        data = source.data
    else:
        expected, cure = "arrays, or a sample", "Pass sample=(x, y): some hundred rows."
        raise InvalidArgument(subject, expected, "an iterable of batches", cure)
    return LayerProbe(model.network, objective, optimizer, rows_of(data))
