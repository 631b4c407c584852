"""The space of dense networks that `search` takes if it is given no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fitwell.errors import InvalidArgument, did_you_mean
from fitwell.layers import BatchNormalization, Dense, Dropout, Input, Normalization, Rescaling
from fitwell.optimizers import AdamW
from fitwell.population.space import Choose
from fitwell.sequential import Sequential

Builder = Callable[[Choose], Any]

SPACE: dict[str, Any] = {
    "layers": [1, 2, 3],
    "units": [32, 64, 128, 256],
    "activation": ["relu", "silu", "selu"],
    "batch_normalization": [False, True],
    "dropout": (0.0, 0.4),
    "learning_rate": (5e-4, 3e-2, "log"),
    "weight_decay": (1e-5, 3e-1, "log"),
}


def dense(x: Any, y: Any, narrowed: Mapping[str, Any] | None = None, seed: int = 0) -> Builder:
    """A builder of dense networks: inputs are normalized, regression targets scaled inside.

    Args:
        x: (n, features) numbers; y: class numbers or booleans for classification, else numbers.
        narrowed: options (a list) or ranges `(low, high)`, `(low, high, "log")` in place of those
            of SPACE, by name; a single value fixes it.

    Raises:
        InvalidArgument: x is no table of numbers; a name the space does not have.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim != 2:
        cure = "Pass a function build(choose) that makes a network for such data."
        expected = "a table of numbers, (n, features)"
        raise InvalidArgument("search", expected, f"shape {x.shape}", cure)
    for name in narrowed or {}:
        if name not in SPACE:
            cure = did_you_mean(name, SPACE)
            raise InvalidArgument("search, space", "names of the space", repr(name), cure)
    domains = {**SPACE, **(narrowed or {})}

    def build(choose: Choose) -> Sequential:
        picked = {name: _pick(choose, name, domain) for name, domain in domains.items()}
        body: list[Any] = []
        for _ in range(picked["layers"]):
            body.append(Dense(picked["units"], activation=picked["activation"]))
            body += [BatchNormalization()] if picked["batch_normalization"] else []
            body += [Dropout(picked["dropout"])]
        first = [Input((x.shape[1],)), Normalization()]
        model = Sequential([*first, *body, *_head(y)], seed=seed)
        optimizer = AdamW(picked["learning_rate"], weight_decay=picked["weight_decay"])
        model.compile(optimizer, loss="mse" if y.dtype.kind == "f" else None)
        return model

    return build


def _head(y: Any) -> list[Any]:
    """The last layers: probabilities of classes, or numbers with the targets' mean and spread."""
    if y.dtype.kind == "b" or (y.dtype.kind in "iu" and y.max(initial=0) <= 1):
        return [Dense(1, activation="sigmoid")]
    if y.dtype.kind in "iu":
        return [Dense(int(y.max()) + 1, activation="softmax")]
    columns = y.reshape(len(y), -1)
    spread = columns.std(0)
    scale = tuple(float(s) or 1.0 for s in spread)
    return [Dense(columns.shape[1]), Rescaling(scale, tuple(float(m) for m in columns.mean(0)))]


def _pick(choose: Choose, name: str, domain: Any) -> Any:
    if isinstance(domain, list):
        return choose.option(name, domain)
    if isinstance(domain, tuple):
        return choose.number(name, *domain[:2], log=len(domain) == 3)
    return choose.option(name, [domain])
