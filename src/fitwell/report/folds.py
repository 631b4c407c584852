"""Rows of cross-validation beside the test rows: each judged by a network that had not seen it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fitwell.assessment.subject import Subject
from fitwell.data.labels import Target
from fitwell.errors import InvalidData
from fitwell.tabular import Prepared
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Folds:
    """What `tabular.cross_validate` said of the rows outside the test part.

    Attributes:
        prepared: the table.
        said: what it returned of each row.
    """

    prepared: Prepared
    said: pl.DataFrame

    def beside(self, subject: Subject) -> tuple[Subject, HostArray]:
        """These rows and the test rows with what was predicted for them, and their places.

        Args:
            subject: the model with the test rows.

        Raises:
            InvalidData: a table of other rows, or of another target.
        """
        prepared = self.prepared
        outputs, places = self._read(prepared.target)
        true = np.empty(len(prepared.frame), prepared.test.true.dtype)
        for part in (prepared.train, prepared.validation, prepared.test):
            true[part.rows] = part.true
        every = np.concatenate([places, prepared.test.rows])
        predicted = np.concatenate([outputs, subject.predicted])
        nothing = (np.empty((len(every), 0)),)  # the networks of the folds are gone
        known = Subject(
            subject.task, subject.target, subject.classes, nothing, true[every],
            lambda _: predicted,
        )  # fmt: skip
        return known, every

    def _read(self, target: Target) -> tuple[HostArray, HostArray]:
        """Numbers or probabilities, and the places of their rows in the table."""
        classes = target.task != "regression"
        names = [f"p({label})" for label in target.classes] if classes else [target.name]
        columns = self.said.columns
        told = [*names, *columns[-1:]]
        if set(told) <= set(columns) and all(self.said[one].dtype.is_numeric() for one in told):
            rows = self.said[told[-1]].to_numpy() - 1
            places = np.searchsorted(self.prepared.places, rows)
            if np.isin(rows, self.prepared.places).all():
                outputs = self.said.select(names).to_numpy().astype(np.float64)
                return outputs if classes else outputs[:, 0], places
        raise InvalidData(
            "report, out_of_fold",
            "what tabular.cross_validate returned for this table and target",
            f"the columns {', '.join(columns)}",
            "Pass its second result, or leave it out; beside a model, remove out_of_fold.csv.",
        )
