"""A trained network together with everything between it and a raw table."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import loading
from fitwell.data.arrays import DataWarning
from fitwell.data.encoding import TableEncoder
from fitwell.data.labels import Target, target_column
from fitwell.data.roles import row_weights
from fitwell.data.tables import read_table
from fitwell.errors import InvalidData, InvalidFile
from fitwell.model import Model
from fitwell.serialization import Catalog
from fitwell.tabular.scores import Scores, scores
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_TARGETS = Catalog({"Target": Target})
_KEY = "table"


@dataclass(frozen=True, repr=False)
class TableModel:
    """Predicts a column of a table from the others; made by `train` and `load`.

    Attributes:
        network: the network on encoded features.
        encoder: from the columns to features.
        target: the column that is predicted.
        facts: how it was trained: rows, scores, baselines, seconds, notes (JSON values).
    """

    network: Model
    encoder: TableEncoder
    target: Target
    facts: Mapping[str, Any] = field(default_factory=dict)

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
        text = list(self.encoder.text_columns)
        if any(isinstance(label, str) for label in self.target.classes):
            text.append(self.target.name)
        return read_table(data, text=text, forms=self.facts.get("forms", {}))

    def predict(self, data: Any) -> HostArray:
        """(rows,) labels as in the training table, or numbers in the unit of the target.

        A value that training never saw is said in a `DataWarning`, one per column.

        Args:
            data: a path, `"sklearn:NAME"` or a data frame with the columns of the training table.

        Raises:
            InvalidData: a column is missing or has values of another type.
        """
        outputs = self._outputs(data)
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

    def evaluate(self, data: Any) -> Scores:
        """Scores on rows whose target is known: `{"accuracy": 0.83, "ROC AUC": ..., ...}`.

        They are weighted if training was and the table has the column of weights.

        Raises:
            UnknownName: the table has no target column.
            InvalidData: a row without a target, or a class that training did not have.
        """
        frame = self.read(data)
        y = self.target.true_values(target_column(frame, self.target.name))
        return scores(self.target, y, self._outputs(frame), self._weights(frame))

    def _weights(self, frame: pl.DataFrame) -> HostArray | None:
        name = self.facts.get("roles", {}).get("weights")
        return row_weights(frame[name]) if name in frame.columns else None

    def predictions(self, data: Any) -> pl.DataFrame:
        """A table of what is predicted: one column, and one of probabilities per class.

        The column is called like the target; the probabilities `p(<class>)`.
        """
        return self.framed(self._outputs(data))

    def framed(self, outputs: HostArray) -> pl.DataFrame:
        """What `outputs` returned, as the table of `predictions`."""
        import polars as pl

        if self._regression:
            return pl.DataFrame({self.target.name: outputs})
        labels = self.target.decode(outputs.argmax(axis=1)).tolist()
        columns = {f"p({c})": outputs[:, i] for i, c in enumerate(self.target.classes)}
        return pl.DataFrame({self.target.name: labels, **columns})

    def labelled(self, data: Any) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """The rows whose target is known, and a sentence about the others if there are any.

        Raises:
            UnknownName: the table has no target column.
        """
        frame = self.read(data)
        return known_rows(frame, target_column(frame, self.target.name))

    def outputs(self, features: HostArray) -> HostArray:
        """Encoded features -> predictions in the unit of the target, or all probabilities."""
        return self.decoded(np.asarray(self.network.predict(features, verbose=0), np.float64))

    def decoded(self, raw: HostArray) -> HostArray:
        """What the network says -> predictions in the unit of the target, or probabilities."""
        if self._regression:
            return self.target.decode(raw[:, 0])
        both = np.concatenate([1 - raw, raw], axis=1) if self.target.task == "binary" else raw
        total: HostArray = both / both.sum(axis=1, keepdims=True)  # float32 sums to 1 +- 1e-7
        return total

    def _outputs(self, data: Any) -> HostArray:
        frame = self.read(data)
        features = self.encoder.transform(frame)
        for note in self.encoder.surprises(frame):
            warnings.warn(note, DataWarning, stacklevel=3)
        return self.outputs(features)

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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one safetensors file with network, encoder and facts.

        Raises:
            InvalidFile: the folder is missing or cannot be written to.
        """
        table = {
            "encoder": self.encoder.to_json(),
            "target": _TARGETS.to_json(self.target),
            "facts": dict(self.facts),
        }
        self.network.save(os.fspath(path), extra={_KEY: table})


def known_rows(frame: pl.DataFrame, y: pl.Series) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows whose target is not missing, and a sentence about the others if there are any."""
    missing = y.null_count()
    if not missing:
        return frame, ()
    note = f"{missing:,} of {len(y):,} rows have no {y.name}: they are left out."
    return frame.filter(y.is_not_null()), (note,)


def load(path: str | os.PathLike[str]) -> TableModel:
    """The model that `TableModel.save` wrote. Nothing in the file is executed.

    Raises:
        InvalidFile: missing, damaged, foreign or hostile, or a model without a table.
    """
    network = loading.load(os.fspath(path))
    table = network.extra.get(_KEY)
    if not isinstance(table, dict):
        raise InvalidFile(
            f"model file {os.fspath(path)!r}",
            "a model that was trained on a table",
            "a network alone",
            "Load it with fitwell.load, or train one with fitwell train.",
        )
    try:
        target = _TARGETS.from_json(table["target"])
        encoder = TableEncoder.from_json(table["encoder"])
        facts = dict(table["facts"])
        (features,), _ = network.network.input_shapes[0]
        if not isinstance(target, Target) or len(encoder.feature_names) != features:
            raise ValueError(f"{len(encoder.feature_names)} features for {features} inputs")
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InvalidFile):
            raise
        raise InvalidFile(
            f"model file {os.fspath(path)!r}",
            "the description of a table",
            f"{type(error).__name__}: {error}",
            "The file is damaged: train and save the model again.",
        ) from error
    return TableModel(network, encoder, target, facts)
