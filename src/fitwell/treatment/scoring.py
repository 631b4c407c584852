"""Data as a treatment sees them: what is trained on, and what judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from fitwell.data.arrays import by_name, check_lengths, to_array
from fitwell.doctor.baselines import constant_error, noise, skill
from fitwell.doctor.edits.heads import is_discrete
from fitwell.doctor.mixture import mixture
from fitwell.doctor.record import Head
from fitwell.errors import InvalidData
from fitwell.examples import Examples
from fitwell.feeding import unpack
from fitwell.model import Model
from fitwell.types import HostArray

_SPLIT = 40  # rows below which nothing is kept out
WORST = -1.0  # a skill; how far below the constant a network fell says nothing


@dataclass(frozen=True)
class Rows:
    """Examples, in the order of the model's inputs and outputs.

    Attributes:
        weights: how much each example counts in training, per output; empty, or None for an output,
            where all count alike.
    """

    names: tuple[tuple[str, ...], tuple[str, ...]]
    xs: tuple[HostArray, ...]
    ys: tuple[HostArray, ...]
    weights: tuple[HostArray | None, ...] = ()

    def __len__(self) -> int:
        return len(self.ys[0])

    @property
    def x(self) -> Any:
        """As `fit` and `predict` take it."""
        return self.xs[0] if len(self.xs) == 1 else dict(zip(self.names[0], self.xs, strict=True))

    def y(self, names: list[str]) -> Any:
        return self.ys[0] if len(self.ys) == 1 else dict(zip(names, self.ys, strict=True))

    def sample_weight(self, names: list[str]) -> Any:
        """As `fit` takes it."""
        weighted = any(one is not None for one in self.weights)
        return dict(zip(names, self.weights, strict=True)) if weighted else None

    def with_rows(self, others: Rows) -> Rows:
        """These and others behind them."""
        pairs = zip(self.xs, others.xs, strict=True), zip(self.ys, others.ys, strict=True)
        xs, ys = (tuple(map(np.concatenate, each)) for each in pairs)
        both = self._known_weights(others), others._known_weights(self)
        weights = tuple(
            None if a is None or b is None else np.concatenate([a, b])
            for a, b in zip(*both, strict=True)
        )
        return Rows(self.names, xs, ys, weights)

    def _known_weights(self, others: Rows) -> list[HostArray | None]:
        """The weights, 1 where the others alone have some."""
        count = max(len(self.weights), len(others.weights))
        own, theirs = ([*one.weights] or [None] * count for one in (self, others))
        ones = np.ones(len(self), np.float32)
        return [
            ones if mine is None and other is not None else mine
            for mine, other in zip(own, theirs, strict=True)
        ]

    def at(self, rows: Any) -> Rows:
        some = tuple(x[rows] for x in self.xs), tuple(y[rows] for y in self.ys)
        weights = tuple(None if one is None else one[rows] for one in self.weights)
        return Rows(self.names, *some, weights)


def read(subject: str, model: Model, x: Any, y: Any) -> Rows:
    """The user's data as arrays; the model learns its shapes from them if it must.

    Labels are taken as they are: whether the loss can read them is part of the diagnosis.
    """
    xs = Examples(model, subject).read(x)
    ys = [to_array(f"{subject}, y", one) for one in by_name(f"{subject}, y", y, model.output_names)]
    for name, one in zip(model.output_names, ys, strict=True):
        if one.dtype.kind not in "fiub" or not np.isfinite(one.astype(np.float64)).all():
            what = f"{subject}, y" if len(ys) == 1 else f"{subject}, y of {name}"
            received = "text" if one.dtype.kind not in "fiub" else "NaN or infinity"
            cure = "Drop or fill these rows; write classes as numbers from 0."
            raise InvalidData(what, "finite numbers as labels", received, cure)
    check_lengths(subject, {"x": xs[0], **{f"y of {i}": one for i, one in enumerate(ys)}})
    names = tuple(model.input_names), tuple(model.output_names)
    return Rows(names, tuple(xs), tuple(ys))


@dataclass(frozen=True)
class Data:
    """Rows to train on, and rows that judge.

    Attributes:
        train: what trials train on.
        held: what they are judged by, or None: by `train`.
        all: every row that may be trained on in the end.
        given: the rows that judge were given, not split off.
    """

    train: Rows
    held: Rows | None
    all: Rows
    given: bool

    @property
    def judge(self) -> Rows:
        return self.train if self.held is None else self.held


def divided(rows: Rows, validation: Rows | None) -> Data:
    """With validation data all rows train; without, a fifth judges, spread over the labels.

    So it is where validation data are of other classes: rows that were sorted are put together.
    """
    if validation is not None and _alike(rows, validation):
        return Data(rows, validation, rows, True)
    if validation is not None:
        rows = rows.with_rows(validation)
    if len(rows) < _SPLIT:
        return Data(rows, None, rows, False)
    label = rows.ys[0].reshape(len(rows), -1)
    key = label.argmax(1) if label.shape[1] > 1 else label[:, 0]
    order = np.random.default_rng(0).permutation(len(rows))
    order = order[np.argsort(key[order], kind="stable")]
    out = np.zeros(len(rows), bool)
    out[order[2::5]] = True
    return Data(rows.at(~out), rows.at(out), rows, False)


def _alike(rows: Rows, validation: Rows) -> bool:
    found = [mixture(y, other) for y, other in zip(rows.ys, validation.ys, strict=True)]
    return not any(one is not None and one.differs for one in found)


def read_validation(subject: str, model: Model, validation_data: Any) -> Rows | None:
    if validation_data is None:
        return None
    x, y, _ = unpack(subject, validation_data)
    return read(f"{subject}, validation_data", model, x, y)


class Judge:
    """The skill of a model on some rows: 1 - error / error of the constant prediction.

    Where a class is usual or rare it is 2 AUC - 1: the share of wrong labels would say nothing.
    """

    def __init__(self, heads: tuple[Head, ...]) -> None:
        self.heads = heads
        self.discrete = [is_discrete(head) or head.by_sign for head in heads]
        self.ranked = [
            discrete and head.labels.ranked
            for discrete, head in zip(self.discrete, heads, strict=True)
        ]

    def targets(self, rows: Rows, output: int, width: int = 0) -> HostArray:
        """(n, width) in float64; whole-number labels of classes one-hot."""
        y = rows.ys[output]
        flat = y.reshape(len(y), -1).astype(np.float64)
        labels = self.heads[output].labels
        if self.heads[output].by_sign:
            return (flat > 0).astype(np.float64)
        if self.discrete[output] and flat.shape[1] == 1 and (labels.kind != "binary" or width > 1):
            classes = max(int(flat.max()) + 1, int(labels.high) + 1, width)
            return np.eye(classes)[flat[:, 0].astype(int)]
        return flat

    def constant(self, rows: Rows, output: int = 0) -> float:
        if self.ranked[output]:
            return 0.5
        return constant_error(self.targets(rows, output), self.discrete[output])

    def noise(self, rows: Rows) -> float:
        """Two standard errors of a skill of the first output on so many rows, around a constant."""
        how = all(self.discrete), max(self.constant(rows), 1e-9), self.ranked[0]
        return noise(self.targets(rows, 0), *how)

    def skill(self, model: Model, rows: Rows) -> float:
        """The mean over the outputs, at least -1."""
        predicted = jax.tree.leaves(model.predict(rows.x, verbose=0))
        found = []
        for i, values in enumerate(predicted):
            flat = np.asarray(values, np.float64).reshape(len(rows), -1)
            wanted = self.targets(rows, i, flat.shape[1])
            if flat.shape != wanted.shape:
                return WORST
            loss = model.compiled().losses[i]
            logits = getattr(loss, "from_logits", False)
            if self.discrete[i] and not self.ranked[i] and logits and _is_bits(wanted):
                flat = (flat > 0).astype(np.float64)
            ranked = self.ranked[i]
            if self.heads[i].by_sign and not ranked:
                flat = (flat > 0).astype(np.float64)
            constant = 0.5 if ranked else constant_error(wanted, self.discrete[i])
            found.append(max(WORST, skill(flat, wanted, self.discrete[i], constant, ranked)))
        return float(np.mean(found))

    def shown(self, value: float, rows: Rows) -> float:
        """A skill as users know it: accuracy or AUC for classes, R2 for numbers."""
        if len(self.heads) > 1 or not self.discrete[0]:
            return value
        return max(0.0, 1 - (1 - value) * self.constant(rows))  # of NaN none is right

    @property
    def name(self) -> str:
        if len(self.heads) > 1:
            return "mean skill"
        if self.ranked[0]:
            return "AUC"
        return "accuracy" if self.discrete[0] else "R2"


def _is_bits(wanted: HostArray) -> bool:
    return wanted.shape[1] == 1 or not bool((wanted.sum(1) == 1).all())
