"""Faulty and healthy programs of others, as models of this library (see programs.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fitwell as fw
from fitwell.types import HostArray

_FILE = Path(__file__).with_name("programs.json")
_LOGITS = "_from_logits"
_OPTIMIZER_ARGUMENTS = ("momentum", "nesterov")  # Keras' old `decay` is gone


@dataclass(frozen=True)
class Data:
    """What a program trains on."""

    x: HostArray
    y: HostArray
    validation: tuple[HostArray, HostArray] | None


@dataclass(frozen=True)
class Program:
    """One program as it was found; `fixed()` is the one its author ended with."""

    facts: Mapping[str, Any]
    overrides: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.facts["id"])

    @property
    def healthy(self) -> bool:
        return bool(self.facts["control"])

    @property
    def harmful(self) -> bool:
        """Whether the fault was measured to do harm."""
        return not self.healthy and not self.facts.get("harmless")

    @property
    def right_codes(self) -> set[str]:
        """What a finding above INFO may be called."""
        return {*self.facts["fault_tags"], *self.facts["also_acceptable"]} - {"none"}

    def fixed(self) -> Program:
        return Program(self.facts, self.facts["fix_overrides"] or {})

    def get(self, name: str) -> Any:
        return self.overrides.get(name, self.facts.get(name))

    def data(self) -> Data:
        """Runs the program's own lines."""
        names: dict[str, Any] = {"np": np}
        exec(self.facts["data_code"], names)
        exec(self.overrides.get("data_post", ""), names)
        held_out = (names["X_val"], names["y_val"]) if names.get("X_val") is not None else None
        return Data(names["X"], names["y"], held_out)

    def model(self, seed: int = 0) -> fw.Sequential:
        """Compiled; its random weights depend on the seed."""
        model = fw.Sequential([_layer(one) for one in self.get("layers")], seed=seed)
        model.compile(optimizer=self.optimizer(), loss=self.loss(), metrics=self.metrics())
        return model

    def optimizer(self) -> Any:
        given = self.get("optimizer_args") or {}
        known = {k: v for k, v in given.items() if k in _OPTIMIZER_ARGUMENTS}
        kind = getattr(fw.optimizers, self.get("optimizer"))
        if kind is not fw.optimizers.SGD:
            known = {}
        return kind(learning_rate=self.get("lr"), **known)

    def loss(self) -> Any:
        name = self.get("loss")
        if name.endswith(_LOGITS):
            kind = "".join(part.title() for part in name.removesuffix(_LOGITS).split("_"))
            kind = kind.replace("entropy", "entropy").replace("Crossentropy", "Crossentropy")
            return getattr(fw.losses, kind)(from_logits=True)
        return name

    def metrics(self) -> list[str]:
        name = self.get("metric")
        return [name] if name in ("accuracy", "binary_accuracy", "mae") else []

    def fit(self, model: fw.Sequential, data: Data, **more: Any) -> fw.History:
        return model.fit(
            data.x,
            data.y,
            batch_size=self.get("batch_size"),
            epochs=self.get("epochs"),
            validation_data=data.validation,
            verbose=0,
            **more,
        )


def programs() -> list[Program]:
    """All of them, in the file's order."""
    return [Program(facts, {}) for facts in json.loads(_FILE.read_text())]


def _layer(facts: Mapping[str, Any]) -> Any:
    if facts["type"] == "Dropout":
        return fw.layers.Dropout(facts["rate"])
    more = {
        name: _initializer(facts[name])
        for name in ("kernel_initializer", "bias_initializer")
        if name in facts
    }
    if "kernel_regularizer" in facts:
        more["kernel_regularizer"] = fw.regularizers.L2(facts["kernel_regularizer"]["l2"])
    return fw.layers.Dense(
        facts["units"],
        activation=facts["activation"],
        use_bias=facts.get("use_bias", True),
        **more,
    )


def _initializer(given: Any) -> Any:
    if isinstance(given, str):
        return given
    arguments = {name: value for name, value in given.items() if name != "name"}
    return getattr(fw.initializers, given["name"])(**arguments)


def score(model: fw.Sequential, x: HostArray, y: HostArray) -> float:
    """Accuracy for labels (per bit for several), R^2 for numbers; -inf where not finite."""
    y = y.reshape(len(y), -1)
    found = np.asarray(model.predict(x, verbose=0)).reshape(len(y), -1)
    if not np.isfinite(found).all():
        return -np.inf
    if set(np.unique(y)) <= {0.0, 1.0}:
        if y.shape[1] > 1 and (y.sum(1) == 1).all():
            return float((found.argmax(1) == y.argmax(1)).mean())
        return float(((found > 0.5) == (y > 0.5)).mean())
    if found.shape[1] > 1:
        return float((found.argmax(1) == y[:, 0]).mean())
    residual = ((found - y) ** 2).mean()
    return float(1 - residual / y.var())
