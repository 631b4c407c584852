"""A trained network together with everything between it and a raw table."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.data.columns import ID, SAID
from fitwell.data.encoding import TableEncoder
from fitwell.data.labels import Target, known_rows, true_column
from fitwell.data.matrices import BATCH, answers
from fitwell.data.roles import row_weights
from fitwell.data.tables import read_table
from fitwell.errors import InvalidData
from fitwell.model import Model
from fitwell.serialization import Catalog
from fitwell.tabular.calibration import tempered
from fitwell.tabular.facts import checked, shown
from fitwell.tabular.intervals import Intervals
from fitwell.tabular.scores import Scores, as_in_training, constant, scores
from fitwell.tabular.seen import SeenRows, fingerprints
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_TARGETS = Catalog({"Target": Target})
_KEPT = Catalog({"Intervals": Intervals, "SeenRows": SeenRows})
KEY = "table"
"""Under which a model file keeps what is not the network."""


@dataclass(frozen=True, repr=False)
class TableModel:
    """Predicts a column of a table from the others; made by `train` and `load`.

    Attributes:
        network: the network on encoded features.
        encoder: from the columns to features.
        target: the column that is predicted.
        facts: how it was trained: rows, scores, baselines, seconds, notes (JSON values).
        temperature: what the logits of classes are divided by (see `calibration.tempered`).
        intervals: how wrong predictions of a number were on validation rows; None of classes.
        seen: which rows it was trained on; None where nobody knows.
    """

    network: Model
    encoder: TableEncoder
    target: Target
    facts: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 1.0
    intervals: Intervals | None = None
    seen: SeenRows | None = None

    @property
    def columns(self) -> pl.DataFrame:
        """What became of every column of the training table, one row each.

        Its columns are column, kind, decision, why, missing, distinct and example.
        """
        import polars as pl

        return pl.DataFrame(self.facts.get("columns", []))

    def read(self, data: Any) -> pl.DataFrame:
        """A file or frame as a table; text that training took as it is written stays so, and what
        was written in a form of its own (`1.234,5`) is read in that form."""
        return read_table(data, text=self.written, forms=self.facts.get("forms", {}))

    @property
    def written(self) -> tuple[str, ...]:
        """The columns whose text stays as it is written."""
        label = any(isinstance(label, str) for label in self.target.classes)
        named = [self.target.name] if label else []
        return (*self.encoder.text_columns, *named, *self.ids)

    @property
    def ids(self) -> tuple[str, ...]:
        """The columns of ids: no features, but they tell whose a prediction is."""
        left = (each for each in self.facts.get("columns", []) if each["kind"] == "id")
        return tuple(each["column"] for each in left if each["why"].startswith((ID, SAID)))

    def predict(self, data: Any) -> HostArray:
        """(rows,) labels as in the training table, or numbers in the unit of the target.

        Numbers are limited to the range that the target had in the training rows: a network knows
        nothing beyond it. A value that training never saw, or a number further from the range of
        its column than that is wide, is said in a `DataWarning`, one per column.

        Args:
            data: a path, `"sklearn:NAME"` or a data frame with the columns of the training table.

        Raises:
            InvalidData: a column is missing or has values of another type.
        """
        return self.labels(self._outputs(data))

    def labels(self, outputs: HostArray) -> HostArray:
        """What `outputs` returned: the numbers themselves, or the most probable labels."""
        return outputs if self._regression else self.target.decode(outputs.argmax(axis=1))

    def predict_proba(self, data: Any) -> HostArray:
        """(rows, classes) probabilities, in the order of `target.classes`.

        Raises:
            InvalidData: the target is a number, not a class.
        """
        if self._regression:
            raise InvalidData(
                "predict_proba",
                "a target with classes",
                f"{self.target.name}, a number",
                "Call predict.",
            )
        return self._outputs(data)

    def predict_interval(self, data: Any, coverage: float = 0.9) -> HostArray:
        """(rows, 2) ends of an interval around each prediction, in the unit of the target.

        Of rows like those of training, the part `coverage` or more has its true value inside: the
        width comes from the errors on the validation rows (split-conformal, see `Intervals`).

        Args:
            data: as for `predict`.
            coverage: in (0, 1); any, without training again.

        Raises:
            InvalidData: the target is a class, or the model was not measured on validation rows.
            InvalidArgument: a coverage outside (0, 1).
        """
        return self._intervals().around(self._outputs(data), coverage)

    def _intervals(self) -> Intervals:
        if self.intervals is None:
            raise InvalidData(
                "predict_interval",
                "a number as target, with errors on validation rows",
                f"{self.target.name}, {self.target.task}",
                "Of classes call predict_proba; of a number train with fitwell.tabular.train.",
            )
        return self.intervals

    def evaluate(self, data: Any) -> Scores:
        """Scores on rows whose target is known: `{"accuracy": 0.83, "ROC AUC": ..., ...}`.

        They are weighted if training was and the table has the column of weights.

        Raises:
            UnknownName: the table has no target column.
            InvalidData: a row without a target, or a class that training did not have.
        """
        frame = self.read(data)
        return self.scored(frame, self._outputs(frame))

    def scored(self, frame: pl.DataFrame, outputs: HostArray) -> Scores:
        """Scores of what `outputs` returned for the rows of a table; see `evaluate`."""
        y = self.target.true_values(true_column(frame, self.target.name))
        name = self.facts.get("roles", {}).get("weights")
        weights = row_weights(frame[name]) if name in frame.columns else None
        return as_in_training(scores(self.target, y, outputs, weights), self.facts)

    def constant_scores(self, frame: pl.DataFrame) -> Scores:
        """Scores of the constant that training compared with, on these rows; see `evaluate`.

        It always says the mean, or the shares of the classes, of the training rows. Empty for a
        model of an older file, which does not hold them.
        """
        said = constant(self.facts, self.target, frame.height)
        return {} if said is None else self.scored(frame, said)

    def predictions(self, data: Any, coverage: float | None = None) -> pl.DataFrame:
        """A table of what is predicted: one column, and one of probabilities per class.

        The column is called like the target; the probabilities `p(<class>)`. With `coverage`, of a
        number, the ends of `predict_interval` follow as `<target> low` and `<target> high`.
        """
        if coverage is not None:
            self._intervals()  # of classes there are none
        return self.framed(self._outputs(data), coverage)

    def framed(self, outputs: HostArray, coverage: float | None = None) -> pl.DataFrame:
        """What `outputs` returned, as the table of `predictions`."""
        import polars as pl

        if self._regression and coverage is not None:
            name, (low, high) = self.target.name, self._intervals().around(outputs, coverage).T
            return pl.DataFrame({name: outputs, f"{name} low": low, f"{name} high": high})
        if self._regression:
            return pl.DataFrame({self.target.name: outputs})
        labels = self.labels(outputs).tolist()
        columns = {f"p({c})": outputs[:, i] for i, c in enumerate(self.target.classes)}
        return pl.DataFrame({self.target.name: labels, **columns})

    def labelled(self, data: Any) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """The rows whose target is known, and a sentence about the others if there are any.

        Raises:
            UnknownName: the table has no target column.
        """
        frame = self.read(data)
        return known_rows(frame, true_column(frame, self.target.name))

    def familiar(self, frame: pl.DataFrame) -> tuple[str, ...]:
        """A sentence if many rows of a table with the target are such that training saw; else ().

        Args:
            frame: as `labelled` returns it; of more than 65,536 rows some are looked at.
        """
        if self.seen is None:
            return ()
        some = frame.gather_every(-(-frame.height // BATCH))
        y = self.target.encode(true_column(some, self.target.name))
        note = self.seen.note(fingerprints(self.encoder, self.encoder.transform(some), y))
        return (note,) if note else ()

    def outputs(self, features: HostArray) -> HostArray:
        """Encoded features -> predictions in the unit of the target, or all probabilities."""
        return self.decoded(np.asarray(self.network.predict(features, verbose=0), np.float64))

    def decoded(self, raw: HostArray) -> HostArray:
        """What the network says -> predictions in the unit of the target, or probabilities."""
        if self._regression:
            return self.target.decode(raw[:, 0])
        both = np.concatenate([1 - raw, raw], axis=1) if self.target.task == "binary" else raw
        total: HostArray = both / both.sum(axis=1, keepdims=True)  # float32 sums to 1 +- 1e-7
        return tempered(total, self.temperature)

    def _outputs(self, data: Any) -> HostArray:
        (outputs,) = answers(self.encoder, self.read(data), lambda x: [self.outputs(x)])
        return outputs

    @property
    def _regression(self) -> bool:
        return self.target.task == "regression"

    def summary(self, **options: Any) -> None:
        """Prints the network, layer by layer; the options are those of `Model.summary`."""
        self.network.summary(**options)

    def __repr__(self) -> str:
        columns, features = len(self.encoder.columns), len(self.encoder.feature_names)
        what = f"{self.target.task} of {self.target.name}"
        return f"<TableModel: {what}, from {columns} columns, {features} features>"

    def _repr_html_(self) -> str:
        """Its scores on the test rows beside those of the baselines, in a notebook."""
        return shown(repr(self), self.facts)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one safetensors file with network, encoder and facts.

        Raises:
            InvalidFile: the folder is missing or cannot be written to.
        """
        self.network.save(os.fspath(path), extra={KEY: self.to_json()})

    def to_json(self) -> dict[str, Any]:
        """All but the network, as what `json.dumps` takes."""
        return {
            "encoder": self.encoder.to_json(),
            "target": _TARGETS.to_json(self.target),
            "facts": dict(self.facts),
            "temperature": self.temperature,
            "intervals": _KEPT.to_json(self.intervals),
            "seen": _KEPT.to_json(self.seen),
        }

    @classmethod
    def from_json(cls, network: Model, table: Mapping[str, Any]) -> TableModel:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: anything that `to_json` does not write.
        """
        target = _TARGETS.from_json(table["target"])
        encoder = TableEncoder.from_json(table["encoder"])
        (features,), _ = network.network.input_shapes[0]
        if not isinstance(target, Target) or len(encoder.feature_names) != features:
            raise ValueError(f"{len(encoder.feature_names)} features for {features} inputs")
        temperature = float(table.get("temperature", 1.0))
        intervals, seen = (_KEPT.from_json(table.get(name)) for name in ("intervals", "seen"))
        known = isinstance(intervals, Intervals | None) and isinstance(seen, SeenRows | None)
        if not 0 < temperature < math.inf or not known:
            what = f"temperature {temperature}, intervals {type(intervals).__name__}"
            raise ValueError(f"{what}, seen rows {type(seen).__name__}")
        facts = checked(table["facts"])
        return cls(network, encoder, target, facts, temperature, intervals, seen)
