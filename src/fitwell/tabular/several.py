"""Several targets of one table: one network with an output for each."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.arguments import named
from fitwell.data.encoding import TableEncoder
from fitwell.data.labels import Target, is_known, known_rows, true_column
from fitwell.data.matrices import answers
from fitwell.data.tables import read_table
from fitwell.errors import InvalidData
from fitwell.model import Model
from fitwell.tabular.facts import checked
from fitwell.tabular.model import KEY, TableModel
from fitwell.tabular.preparing import Prepared
from fitwell.tabular.recipe import default_network, plan
from fitwell.tabular.scores import Scores
from fitwell.tabular.training import measured, run
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_OWN = ("scores", "baselines", "constant", "differences")
"""Facts that each target has for itself, even where they happen to be equal."""


@dataclass(frozen=True, repr=False)
class MultiTargetModel:
    """Predicts several columns of a table from the others; made by `train` and `load`.

    Attributes:
        network: the network on encoded features, with an output for each target.
        models: a TableModel for each target; they share the weights of the network.
        facts: how it was trained; `facts["targets"]` holds the scores and baselines of each.
    """

    network: Model
    models: tuple[TableModel, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The columns that are predicted, in the order in which they were named."""
        return tuple(model.target for model in self.models)

    @property
    def encoder(self) -> TableEncoder:
        """From the columns to features."""
        return self.models[0].encoder

    @property
    def columns(self) -> pl.DataFrame:
        """What became of every column of the training table, as `TableModel.columns`."""
        return self.models[0].columns

    @property
    def ids(self) -> tuple[str, ...]:
        """The columns of ids, as `TableModel.ids`."""
        return self.models[0].ids

    def __getitem__(self, target: str) -> TableModel:
        """The model of one target.

        Raises:
            InvalidData: it is none of the targets.
        """
        for model in self.models:
            if model.target.name == target:
                return model
        names = ", ".join(one.name for one in self.targets)
        raise InvalidData("MultiTargetModel", f"one of {names}", repr(target), "Choose one.")

    def read(self, data: Any) -> pl.DataFrame:
        """A file or frame as a table; text that training took as it is written stays so."""
        written = {name for model in self.models for name in model.written}
        return read_table(data, text=written, forms=self.facts.get("forms", {}))

    def predict(self, data: Any) -> HostArray:
        """(rows, targets) numbers in the unit of each target, or labels.

        The array is one of objects where some targets are numbers and others labels.

        Args:
            data: a path, `"sklearn:NAME"` or a data frame with the columns of the training table.

        Raises:
            InvalidData: a column is missing or has values of another type.
        """
        columns = [model.labels(out) for model, out in self._outputs(data)]
        alike = len({column.dtype.kind for column in columns}) == 1
        return np.stack(columns if alike else [c.astype(object) for c in columns], axis=1)

    def predictions(self, data: Any, coverage: float | None = None) -> pl.DataFrame:
        """A table of what is predicted: a column for each target, then one for each probability.

        The columns are called like the targets; the probabilities `p(<target>=<class>)`. With
        `coverage`, intervals of numbers follow as `<target> low` and `<target> high`.
        """
        import polars as pl

        frames = [model.framed(outputs, coverage) for model, outputs in self._outputs(data)]
        found = [frame.to_series(0) for frame in frames]
        for model, frame in zip(self.models, frames, strict=True):
            target = model.target
            for more in frame.get_columns()[1:]:
                name = (
                    more.name if target.task == "regression" else f"p({target.name}={more.name[2:]}"
                )
                found.append(more.alias(name))
        return pl.DataFrame(found)

    def evaluate(self, data: Any) -> dict[str, Scores]:
        """Scores of each target on the rows that have a value of it, as `TableModel.evaluate`.

        Raises:
            UnknownName: the table lacks a target column.
            InvalidData: no row with one of the targets, or a class that training did not have.
        """
        frame, scores = self.read(data), dict[str, Scores]()
        for model, outputs in self._outputs(frame):
            name = model.target.name
            known = is_known(true_column(frame, name))
            scores[name] = model.scored(frame.filter(known), outputs[known.to_numpy()])
        return scores

    def constant_scores(self, frame: pl.DataFrame) -> dict[str, Scores]:
        """As `TableModel.constant_scores`, of each target on the rows that have it."""
        return {
            one.target.name: one.constant_scores(
                frame.filter(is_known(true_column(frame, one.target.name)))
            )
            for one in self.models
        }

    def labelled(self, data: Any) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """The rows with one of the targets at least, and sentences about what is missing.

        Raises:
            UnknownName: the table lacks a target column.
        """
        frame = self.read(data)
        return known_rows(frame, *(true_column(frame, target.name) for target in self.targets))

    def familiar(self, frame: pl.DataFrame) -> tuple[str, ...]:
        """As `TableModel.familiar`, by the rows that have the first target."""
        first = self.models[0]
        known = true_column(frame, first.target.name).is_not_null()
        return first.familiar(frame.filter(known)) if known.any() else ()

    def _outputs(self, data: Any) -> list[tuple[TableModel, HostArray]]:
        raw = answers(self.encoder, self.read(data), lambda x: self.network.predict(x, verbose=0))
        return [
            (model, model.decoded(np.asarray(out, np.float64)))
            for model, out in zip(self.models, raw, strict=True)
        ]

    def summary(self, **options: Any) -> None:
        """Prints the network, layer by layer; the options are those of `Model.summary`."""
        self.network.summary(**options)

    def __repr__(self) -> str:
        columns, features = len(self.encoder.columns), len(self.encoder.feature_names)
        what = ", ".join(f"{target.task} of {target.name}" for target in self.targets)
        return f"<MultiTargetModel: {what}, from {columns} columns, {features} features>"

    def _repr_html_(self) -> str:
        """The scores of each target, in a notebook."""
        return "".join(model._repr_html_() for model in self.models)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one safetensors file with network, encoder and facts; `load` brings it back.

        Raises:
            InvalidFile: the folder is missing or cannot be written to.
        """
        targets = [model.to_json() for model in self.models]
        shared = ("encoder", "facts")  # once: vocabularies may be long
        own = [{k: v for k, v in one.items() if k not in shared} for one in targets]
        table = {"encoder": targets[0]["encoder"], "facts": dict(self.facts), "targets": own}
        self.network.save(os.fspath(path), extra={KEY: table})

    @classmethod
    def from_json(cls, network: Model, table: Mapping[str, Any]) -> MultiTargetModel:
        """What `save` wrote.

        Raises:
            KeyError, TypeError, ValueError: anything that it does not write.
        """
        facts = checked(table["facts"])
        heads = _heads(network)
        models = []
        for head, own in zip(heads, table["targets"], strict=True):
            model = TableModel.from_json(head, {**own, "encoder": table["encoder"], "facts": {}})
            told = checked(_facts_of(facts, model.target.name))
            models.append(dataclasses.replace(model, facts=told))
        return cls(network, tuple(models), facts)


@named
def build_several(
    prepared: Sequence[Prepared], *, epochs: int | None = None, seed: int = 0
) -> Model:
    """The default network with an output for each target, compiled and untrained."""
    rows = len(np.unique(np.concatenate([one.train.rows for one in prepared])))
    features = prepared[0].train.x.shape[1]
    targets = [one.target for one in prepared]
    categories = prepared[0].encoder.categories
    return default_network(features, targets, plan(rows, epochs), rows, seed, categories)


def fit_several(prepared: Sequence[Prepared], network: Model, **options: Any) -> MultiTargetModel:
    """Trains what `build_several` made and measures it on the test rows.

    Args:
        prepared: what `prepare_several` returned.
        network: with an output for each target.
        options: as for `fit`.
    """
    course, unseen = run(prepared, network, **options)
    models = tuple(
        measured(one, head, given, **course)
        for one, head, given in zip(prepared, _heads(network), unseen, strict=True)
    )
    first = models[0].facts
    shared = {
        name: value
        for name, value in first.items()
        if name not in _OWN and all(model.facts.get(name) == value for model in models)
    }
    own = {
        model.target.name: {k: v for k, v in model.facts.items() if k not in shared}
        for model in models
    }
    return MultiTargetModel(network, models, {**shared, "targets": own})


def _heads(network: Model) -> list[Model]:
    """A model for each output, with the weights of the whole."""
    return [Model(network.inputs, output, name=network.name) for output in network.outputs]


def _facts_of(facts: Mapping[str, Any], target: str) -> dict[str, Any]:
    shared = {name: value for name, value in facts.items() if name != "targets"}
    return {**shared, **facts["targets"][target]}
