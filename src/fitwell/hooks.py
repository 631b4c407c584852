"""Callback: what happens around the steps of a fit, with the hooks' names of Keras."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

from fitwell.arguments import named
from fitwell.errors import InvalidArgument
from fitwell.history import History
from fitwell.types import HostArray

__all__ = ["Callback", "FittedModel", "in_order"]

MutableLogs: TypeAlias = dict[str, float]

_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


class FittedModel(Protocol):
    """What callbacks may use of a model that is being fitted."""

    stop_training: bool
    learning_rate: Any  # a float to read; anything `float` takes to assign
    history: History | None

    def get_weights(self) -> list[HostArray]: ...
    def set_weights(self, weights: Iterable[Any]) -> None: ...
    def save(self, path: str | os.PathLike[str]) -> None: ...
    def save_weights(self, path: str | os.PathLike[str]) -> None: ...
    def checkpoint(self) -> tuple[dict[str, HostArray], dict[str, Any]]: ...
    def resume(self, flat: dict[str, HostArray], facts: dict[str, Any]) -> None: ...
    def layer_probe(self, sample: Any = None) -> Any: ...


class Callback:
    """The base of every callback: override the hooks you need.

    >>> class Announce(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch}: {logs['loss']}")
    >>> Announce().on_epoch_end(0, {"loss": 0.5})
    epoch 0: 0.5

    Between hooks many steps run in one dispatch. Overriding `on_train_batch_begin` or
    `on_train_batch_end` sets `every` to 1, which makes every step a dispatch of its own: a
    small network then trains many times slower. `on_chunk_end` costs nothing of the kind.

    Attributes:
        model: the model; its weights are current in every hook. `model.stop_training = True`
            ends the fit.
        params: what `fit` was called with: `epochs`, `steps` of an epoch, ...
        comes_last: whether the callback's hooks run after those of the others.
        keeps_layers: whether it keeps `history.layers`, so that nobody else does.
        keeps_best: whether it gives back the weights that were best on validation data.
    """

    comes_last: ClassVar[bool] = False
    keeps_layers: ClassVar[bool] = False
    keeps_best: bool = False

    model: Any = None
    params: Mapping[str, Any] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """The library's own callbacks answer misspelt arguments; others are left as they are."""
        super().__init_subclass__(**kwargs)
        own = cls.__module__.partition(".")[0] == __name__.partition(".")[0]
        if own and "__init__" in vars(cls):
            setattr(cls, "__init__", named(cls.__init__))  # noqa: B010 - mypy refuses the other

    def set_model(self, model: FittedModel) -> None:
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        self.params = params

    @property
    def every(self) -> int | None:
        """After how many batches the batch hooks are called; None if they are not used."""
        mine = (getattr(getattr(self, name), "__func__", None) for name in _BATCH_HOOKS)
        used = any(f is not getattr(Callback, n) for f, n in zip(mine, _BATCH_HOOKS, strict=True))
        return 1 if used else None

    def get_state(self) -> dict[str, Any]:
        """What a resumed fit needs of this callback: JSON values and lists of numpy arrays."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse of `get_state`; called after `on_train_begin`."""

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        """Before the first step."""

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        """After the last step, also when the fit was interrupted; `logs` of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: MutableLogs | None = None) -> None:
        """Before the first step of an epoch; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        """After an epoch and its validation. What is added to `logs` enters the history."""

    def on_chunk_end(self, step: int, live: Callable[[], MutableLogs]) -> None:
        """Between two dispatches of one epoch, several times a second.

        Args:
            step: how many steps of the epoch are done.
            live: computes the epoch's logs so far.
        """

    def on_train_batch_begin(self, batch: int, logs: MutableLogs | None = None) -> None:
        """Before a batch, or before each `every` batches; batches count from 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: MutableLogs | None = None) -> None:
        """After a batch, or after each `every` batches; `logs` of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: MutableLogs | None = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: MutableLogs | None = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_test_begin(self, logs: MutableLogs | None = None) -> None:
        """Before validation."""

    def on_test_end(self, logs: MutableLogs | None = None) -> None:
        """After validation; its `logs` without `val_`."""

    def on_test_batch_begin(self, batch: int, logs: MutableLogs | None = None) -> None:
        """Before a batch of validation."""

    def on_test_batch_end(self, batch: int, logs: MutableLogs | None = None) -> None:
        """After a batch of validation."""

    def on_predict_begin(self, logs: MutableLogs | None = None) -> None:
        """Before prediction."""

    def on_predict_end(self, logs: MutableLogs | None = None) -> None:
        """After prediction."""

    def on_predict_batch_begin(self, batch: int, logs: MutableLogs | None = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: MutableLogs | None = None) -> None:
        """After a batch of prediction."""


BatchHook: TypeAlias = Callable[[str, int, MutableLogs], None]
"""Called with "begin" or "end", the batch's number, and the logs so far."""


def batch_hook(callbacks: Iterable[Callback], kind: str) -> BatchHook | None:
    """Calls the `on_<kind>_batch_begin` and `_end` of those that have them; None if nobody does.

    Args:
        kind: "test" or "predict".
    """
    names = [f"on_{kind}_batch_{moment}" for moment in ("begin", "end")]
    found = [
        callback
        for callback in callbacks
        if any(getattr(type(callback), name) is not getattr(Callback, name) for name in names)
    ]

    def call(moment: str, batch: int, logs: MutableLogs) -> None:
        for callback in found:
            getattr(callback, f"on_{kind}_batch_{moment}")(batch, logs)

    return call if found else None


def listed(subject: str, callbacks: Any) -> list[Callback]:
    """What a user passed as `callbacks` as a list: one, several or None.

    Raises:
        InvalidArgument: something else among them.
    """
    found = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    found = [] if callbacks is None else found
    for one in found:
        if not isinstance(one, Callback):
            cure = "Derive it from fitwell.callbacks.Callback."
            raise InvalidArgument(subject, "callbacks that are Callbacks", repr(one), cure)
    return found


def in_order(callbacks: Iterable[Callback]) -> list[Callback]:
    """As given, but those that must see what the others did come last."""
    return sorted(callbacks, key=lambda callback: callback.comes_last)


def pace_notes(callbacks: Iterable[Callback]) -> list[str]:
    """What `fit` says about callbacks that keep it from taking many steps at once.

    >>> class Watch(Callback):
    ...     def on_train_batch_end(self, batch, logs=None): ...
    >>> pace_notes([Watch(), Callback()])
    ['Watch is called after every batch: each step is a dispatch of its own, which takes longer.']
    """
    return [
        f"{type(callback).__name__} is called after every batch: each step is a dispatch of its "
        "own, which takes longer."
        for callback in callbacks
        if callback.every == 1
    ]
