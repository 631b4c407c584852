"""A trained model and rows to judge it by, in one form for tables, images and sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fitwell.assessment import measures
from fitwell.errors import InvalidData
from fitwell.types import HostArray

Inputs = tuple[HostArray, ...]


@dataclass(frozen=True)
class Feature:
    """What can be shuffled among the rows, as one: a column of a table, a channel, an input.

    Attributes:
        name: for people.
        input: which of the inputs holds it.
        places: where on the last axis; None takes all of it.
        values: (n,) of the rows as people know them, or None if there is no such thing.
        encode: from such values to what stands at `places`, (n, width).
    """

    name: str
    input: int
    places: slice | None
    values: Any = None
    encode: Callable[[Any], HostArray] | None = None

    def put(self, inputs: Inputs, block: HostArray) -> Inputs:
        """The inputs with another block in place of this feature."""
        whole = inputs[self.input]
        if self.places is None:
            changed = np.broadcast_to(block, whole.shape)
        else:
            changed = whole.copy()
            changed[..., self.places] = block
        return (*inputs[: self.input], changed, *inputs[self.input + 1 :])

    def block(self, inputs: Inputs) -> HostArray:
        """What the inputs hold there."""
        whole = inputs[self.input]
        return whole if self.places is None else whole[..., self.places]


@dataclass(frozen=True)
class Subject:
    """A model, and rows whose truth is known.

    Attributes:
        task: `"binary"`, `"multiclass"`, `"multilabel"` or `"regression"`.
        target: what is predicted, in a word.
        classes: names, in the order of their numbers; of the labels for `"multilabel"`.
        inputs: what the model reads, n rows each.
        truth: (m,) class numbers or numbers in the unit of the target, or (m, labels) of 0 and 1;
            m is n, or a multiple of it where an example has several steps or values.
        answer: inputs -> (m, classes) or (m, labels) probabilities, or (m,) numbers.
        features: what can be shuffled; empty with the reason in `unshuffled`.
        counts: (n,) how much each row counts in scores and importance; None for 1 each.
        operations: of one answer.
        notes: what a reader should know, in sentences.
    """

    task: str
    target: str
    classes: tuple[str, ...]
    inputs: Inputs
    truth: HostArray
    answer: Callable[[Inputs], HostArray]
    features: tuple[Feature, ...] = ()
    unshuffled: str = ""
    counts: HostArray | None = None
    operations: int = 0
    notes: tuple[str, ...] = ()
    _answers: list[HostArray] = field(default_factory=list, repr=False)

    @property
    def rows(self) -> int:
        return len(self.inputs[0])

    @property
    def predicted(self) -> HostArray:
        """The answer to all rows, computed once.

        Raises:
            InvalidData: NaN or infinite predictions, which no number can be made of.
        """
        if not self._answers:
            self._answers.append(_finite(self.answer(self.inputs)))
        return self._answers[0]

    @property
    def loss_name(self) -> str:
        """What importance is measured in."""
        return "RMSE" if self.task == "regression" else "log loss"

    def losses(self, predicted: HostArray) -> HostArray:
        """(n,) the loss of each example, the mean over its steps."""
        each = measures.losses(self.task, self.truth, predicted)
        return each.reshape(self.rows, -1).mean(axis=1)

    def of_losses(self, mean: HostArray) -> HostArray:
        """From the mean of losses to the score that `loss_name` names."""
        return np.sqrt(mean) if self.task == "regression" else mean

    def take(self, rows: HostArray) -> Subject:
        """The same model with some of the rows."""
        n, per = self.rows, len(self.truth) // self.rows
        grouped = self.truth.reshape(n, per, *self.truth.shape[1:])[rows]
        return Subject(
            self.task,
            self.target,
            self.classes,
            tuple(each[rows] for each in self.inputs),
            grouped.reshape(-1, *self.truth.shape[1:]),
            self.answer,
            tuple(_taken(each, rows) for each in self.features),
            self.unshuffled,
            None if self.counts is None else self.counts[rows],
            self.operations,
            self.notes,
        )

    def sample(self, most: int, seed: int = 0) -> Subject:
        """At most so many rows, drawn without replacement."""
        if self.rows <= most:
            return self
        drawn = np.random.default_rng(seed).choice(self.rows, most, replace=False)
        return self.take(np.sort(drawn))


def _finite(predicted: HostArray) -> HostArray:
    bad = np.flatnonzero(~np.isfinite(predicted.reshape(len(predicted), -1).sum(axis=1)))
    if len(bad):
        received = f"NaN or infinity in {len(bad):,} of {len(predicted):,} (first: {bad[0]})"
        cure = "model.checkup(x, y) and history.findings say why."
        raise InvalidData("model", "finite predictions", received, cure)
    return predicted


def _taken(feature: Feature, rows: HostArray) -> Feature:
    values = None if feature.values is None else feature.values[rows]
    return Feature(feature.name, feature.input, feature.places, values, feature.encode)


def probabilities(task: str, outputs: HostArray, logits: bool) -> HostArray:
    """Outputs of a classifier, (m, units), as probabilities of all classes or labels.

    >>> probabilities("binary", np.array([[0.25]]), logits=False).tolist()
    [[0.75, 0.25]]
    >>> probabilities("multiclass", np.array([[0.0, 0.0]]), logits=True).tolist()
    [[0.5, 0.5]]
    """
    p = np.asarray(outputs, np.float64)
    if task == "multiclass":
        if logits:
            p = np.exp(p - p.max(axis=1, keepdims=True))
        total: HostArray = p / p.sum(axis=1, keepdims=True)
        return total
    if logits:
        p = 0.5 * (1 + np.tanh(p / 2))
    return np.concatenate([1 - p, p], axis=1) if task == "binary" else p


def batched(answer: Callable[[Inputs], HostArray], several: Sequence[Inputs]) -> list[HostArray]:
    """Answers to several inputs of equal length, asked as one: fewer, larger dispatches."""
    joined = tuple(np.concatenate(parts) for parts in zip(*several, strict=True))
    return np.split(answer(joined), len(several))
