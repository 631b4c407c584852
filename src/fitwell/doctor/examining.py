"""What came of a fit, in numbers: the Run of a record. Only what is asked for is computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from fitwell.doctor import probing, recurrence
from fitwell.doctor.baselines import (
    constant_error,
    noise,
    skill,
    telling_rows,
)
from fitwell.doctor.labels import Labels
from fitwell.doctor.reading import ids, labels_in_memory
from fitwell.doctor.record import Head, Record, Run
from fitwell.doctor.sequences import Memory
from fitwell.doctor.simple import BY_LOT, LEAST, reached
from fitwell.layerwise import MOST_ROWS, rows_of
from fitwell.network import Network
from fitwell.programs import predict_program
from fitwell.training import Batch, Objective, TrainState
from fitwell.types import HostArray

_ROWS = 512  # of a sample
_TELLING = 5  # examples of a class: fewer cannot be ranked
_FEW = 50  # rows: of fewer, simple models tell nothing


@dataclass(frozen=True)
class Subject:
    """A network with its data: what is examined.

    Attributes:
        data, held_out: samples, as `rows_of` gives them; None where there are none.
        begin: the first weights, or None if they are not known any more.
        distinct: how many rows of `data` there are before they repeat.
    """

    network: Network
    objective: Objective
    data: Batch
    held_out: Batch | None
    heads: Sequence[Head]
    begin: TrainState | None
    distinct: int

    def reached(self, train: TrainState) -> dict[str, Any]:
        """What the network reaches and, where that may be too little, simple models."""
        head, score, held_out = self.scores(train)
        found: dict[str, Any] = {"judged": head, "score": score, "held_out": held_out}
        found["ranked"] = self.heads[head].labels.ranked
        found["recall"] = self.recall(train, head) if self.heads[head].labels.rare else None
        if score is not None and (score < 0.98 or held_out is None or held_out < 0.9):
            found |= self.simple_models(head)
        if found["ranked"] and held_out is not None and self.held_out is not None:
            y = plain_labels(self.heads[head], self.held_out.y[head])
            assert y is not None  # it was scored
            found["noise"] = max(found.get("noise", 0.0), noise(y, True, 0.5, ranked=True))
        elif held_out is not None and self.held_out is not None and self.heads[head].discrete:
            y = plain_labels(self.heads[head], self.held_out.y[head])
            assert y is not None  # it was scored
            best = max(found.get("linear", 0.0), found.get("kernel", 0.0))
            least = noise(y, True, constant_error(y, True), best=best)
            found["held_out_noise"] = least
        return found

    def scores(self, train: TrainState) -> tuple[int, float | None, float | None]:
        """The worst head, and its skills on training and validation data."""
        worst: tuple[int, float | None, float | None] = (0, None, None)
        own = self._skills(train, self.data)
        other = [None] * len(own) if self.held_out is None else self._skills(train, self.held_out)
        for i, (mine, held) in enumerate(zip(own, other, strict=True)):
            if mine is not None and (worst[1] is None or mine < worst[1]):
                worst = i, mine, held
        return worst

    def _skills(self, train: TrainState, batch: Batch) -> list[float | None]:
        program = predict_program(self.network.program())
        found, _ = program(train.params, train.state, batch.x, batch.mask)
        return [
            None
            if (y := plain_labels(head, batch.y[i])) is None
            else _skill(head, np.asarray(found[i]), y)
            for i, head in enumerate(self.heads)
        ]

    def recall(self, train: TrainState, output: int) -> float | None:
        """Of the rarest class: the share of its rows that are said to be of it."""
        head, program = self.heads[output], predict_program(self.network.program())
        y = plain_labels(head, self.data.y[output])
        if y is None or head.labels.kind == "multi_hot":
            return None
        found, _ = program(train.params, train.state, self.data.x, self.data.mask)
        said = np.asarray(found[output], np.float64).reshape(-1, y.shape[1])
        y, said = y[: self.distinct], said[: self.distinct]
        if said.shape != y.shape:
            return None
        if y.shape[1] == 1:
            few = head.labels.counts[1] < head.labels.counts[0]
            rare, told = (y[:, 0] > 0.5) == few, (said[:, 0] > 0.5 * (not head.from_logits)) == few
        else:
            column = int(np.argmin(np.where(y.any(0), y.sum(0), np.inf)))
            rare, told = y[:, column] > 0.5, said.argmax(1) == column
        return float(told[rare].mean()) if rare.any() else None

    def blind(self, train: TrainState, run: Run) -> float | None:
        """The score of a run with all inputs at 0; None where it cannot be had."""
        if run.score is None:
            return None
        zeros = tuple(np.zeros_like(x) for x in self.data.x)
        return self._skills(train, self.data._replace(x=zeros))[run.judged]

    def simple_models(self, head: int) -> Mapping[str, Any]:
        """What simple models reach on the training data, as arguments of a Run."""
        y = plain_labels(self.heads[head], self.data.y[head])
        numbers = [x for x in self.data.x if np.asarray(x).dtype.kind in "fiub"]
        if y is None or len(y) != len(self.data.x[0]) or len(numbers) != len(self.data.x):
            return {}  # no numbers to fit, or an answer for every step of a sequence
        if any(x.size == y.size and np.array_equal(x.reshape(y.shape), y) for x in numbers):
            return {}  # an autoencoder: to copy is no art
        numbers = [x[: self.distinct] for x in numbers]
        y = y[: self.distinct]  # a row that repeats would be predicted by its copy
        read = [at in self.names for at in range(len(numbers))]
        discrete, ranked = self.heads[head].discrete, self.heads[head].labels.ranked
        found = reached(numbers, y, read, discrete, ranked)
        if found is None:
            return {}
        facts: dict[str, Any] = dataclasses.asdict(found.best) | {"named": found.named}
        if discrete and not ranked and found.best.chance > BY_LOT:
            # A weak signal shows in the order of the predictions before it outvotes a constant.
            again = reached(numbers, y, read, discrete, True)
            facts["chance"] = min(found.best.chance, again.best.chance if again else 1.0)
        return facts if found.telling else {**facts, "chance": None}

    def by_heart(self, record: Record) -> bool:
        """Whether good training scores prove nothing: asked where no rows were held out."""
        plan = record.plan
        if plan is None or plan.validated or len(self.heads) != 1 or plan.rows < _FEW:
            return False
        if plan.parameters < plan.rows and not self.heads[0].labels.ordered:
            return False
        found = self.simple_models(0)
        chance = found.get("chance", None)
        reach = max(found.get("linear", 1.0), found.get("kernel", 1.0))
        return chance is not None and chance > BY_LOT and reach < max(found["noise"], LEAST)

    @property
    def names(self) -> set[int]:
        """The inputs whose numbers are names: an Embedding reads them, say."""
        return ids(self.network)

    def curvature(self) -> float | None:
        """The largest eigenvalue at the first weights; None where they are not known."""
        if self.begin is None:
            return None
        few = jax.tree.map(lambda a: a[:MOST_ROWS], self.data)
        return probing.sharpness(self.network, self.objective, self.begin, few)

    def memory(self, train: TrainState) -> Memory | None:
        """How far back a recurrent layer learns; None without any."""
        few = jax.tree.map(lambda a: a[:MOST_ROWS], self.data)
        return recurrence.reach(self.network, self.objective, train, few)

    def penalty(self, train: TrainState, loss: float) -> float:
        """The share of weight penalties in a loss."""
        total = float(self.network.penalty(train.params))
        return total / loss if np.isfinite(loss) and loss > 0 else 0.0


def subject(
    network: Network, objective: Objective, data: Batch, held_out: Batch | None,
    heads: Sequence[Head], begin: TrainState | None,
) -> Subject:  # fmt: skip
    """With samples of the data: even ones, or with as many of rare classes as there are."""

    def sample(rows: Batch | None) -> Batch | None:
        if rows is None:
            return None
        rare = next((i for i, head in enumerate(heads) if head.labels.ranked), None)
        y = None if rare is None else plain_labels(heads[rare], rows.y[rare])
        if y is None or len(y) != len(rows.x[0]):  # an answer for every step of a sequence
            return rows_of(rows, _ROWS)
        return rows_of(rows, _ROWS, telling_rows(y, _ROWS))

    few = sample(data)
    assert few is not None
    distinct = min(len(data.x[0]), len(few.x[0]))
    return Subject(network, objective, few, sample(held_out), heads, begin, distinct)


def plain_labels(head: Head, y: Any) -> HostArray | None:
    """(n, width), one-hot for classes; None for labels that no score is defined for."""
    if y is None:
        return None
    array = np.asarray(y, np.float64)
    last = array.shape[-1] if array.ndim > 1 and array.shape[-1] == head.units else 1
    flat: HostArray = array.reshape(-1, last)  # a step of a sequence is an example
    if head.by_sign:
        flat = (flat > 0).astype(np.float64)
    if head.units > 1 and flat.shape[1] == 1:
        numbers = flat[:, 0]
        if head.labels.kind not in ("classes", "binary") or numbers.min() < 0:
            return None
        return np.eye(max(head.units, int(numbers.max()) + 1))[numbers.astype(int)]
    return flat if np.isfinite(flat).all() else None


def _skill(head: Head, found: HostArray, y: HostArray) -> float | None:
    """Against the best constant of these rows: no constant answer has a skill above 0."""
    found = found.reshape(-1, y.shape[1]).astype(np.float64)
    if found.shape != y.shape:
        return None
    discrete = head.discrete
    if head.by_sign and not head.labels.ranked:
        found = (found > 0).astype(np.float64)
    if head.labels.ranked:
        few = min(int(np.minimum((y > 0.5).sum(0), (y <= 0.5).sum(0)).max()), len(y))
        return skill(found, y, True, 0.5, ranked=True) if few >= _TELLING else None
    if discrete and head.from_logits:
        found = found + 0.5  # a logit of 0 is a probability of 1/2
    constant = constant_error(y, discrete)
    return skill(found, y, discrete, constant) if constant > 0 else None


def constant_loss(head: Head, y: Any) -> float:
    """The loss of the best prediction that does not look at the input; 0 for one we do not know."""
    y = labels_in_memory(y)
    flat = y.reshape(len(y), -1).astype(np.float64)
    if head.loss == "MeanSquaredError":
        return float(flat.var(0).mean())
    if head.loss == "MeanAbsoluteError":
        return float(np.abs(flat - np.median(flat, 0)).mean())
    if head.loss == "BinaryCrossentropy" and flat.min() >= 0 and flat.max() <= 1:
        share = flat.mean(0)
        return float(-(_xlogx(share) + _xlogx(1 - share)).mean())
    if head.loss == "CategoricalCrossentropy" and flat.min() >= 0 and flat.max() <= 1:
        return float(-_xlogx(flat.mean(0)).sum())
    if head.loss == "SparseCategoricalCrossentropy" and head.labels.counts:
        return float(-_xlogx(_shares(head.labels)).sum())
    return 0.0


def _shares(labels: Labels) -> HostArray:
    return np.array(labels.counts) / max(sum(labels.counts), 1)


def _xlogx(p: HostArray) -> HostArray:
    return np.asarray(p * np.log(np.maximum(p, 1e-300)))


def run_of(history: Mapping[str, list[float]], heads: Sequence[Head], data: Batch | None) -> Run:
    """What the curves alone tell."""
    if data is None or len(heads) != 1:
        return Run(history, 0.0)
    return Run(history, constant_loss(heads[0], data.y[0]))
