"""LambdaCallback: a callback from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fitwell.errors import InvalidArgument, UnknownArgument, did_you_mean
from fitwell.hooks import Callback

__all__ = ["LambdaCallback"]

_HOOKS = sorted(name for name in vars(Callback) if name.startswith("on_"))


class LambdaCallback(Callback):
    """A callback from functions, one per hook.

    >>> say = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> say.on_epoch_end(0, {"loss": 0.5})
    0 0.5

    Args:
        hooks: functions by the name of their hook. Hooks of an epoch are given `(epoch, logs)`,
            hooks of a batch `(batch, logs)`, `on_chunk_end` `(step, live)`, the others `(logs)`.

    Raises:
        UnknownArgument: a hook that does not exist.
        InvalidArgument: something that is not a function.
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if name not in _HOOKS:
                cure = did_you_mean(name, _HOOKS)
                raise UnknownArgument("LambdaCallback", "the name of a hook", name, cure)
            if function is None:
                continue
            if not callable(function):
                received = f"{name}={function!r}"
                raise InvalidArgument("LambdaCallback", "functions", received, "Pass a function.")
            counted = "epoch" in name or "batch" in name
            setattr(self, name, function if name == "on_chunk_end" else _hook(function, counted))


def _hook(function: Callable[..., Any], counted: bool) -> Callable[..., None]:
    """The hook's own signature, in which `logs` may be left out."""

    def with_count(count: int, logs: Any = None) -> None:
        function(count, logs)

    def without(logs: Any = None) -> None:
        function(logs)

    return with_count if counted else without
