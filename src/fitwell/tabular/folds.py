"""Cross-validation of a network on a table that is ready for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import population
from fitwell.arguments import named
from fitwell.errors import InvalidArgument
from fitwell.model import Model
from fitwell.tabular.model import TableModel
from fitwell.tabular.preparing import Prepared
from fitwell.tabular.recipe import plan
from fitwell.tabular.scores import scores

if TYPE_CHECKING:
    import polars as pl

Measures = dict[str, dict[str, float]]
"""Of each score the mean and the standard deviation over the folds."""


@named
def cross_validate(
    prepared: Prepared,
    network: Model,
    folds: int = 5,
    *,
    epochs: int | None = None,
    seed: int = 0,
    verbose: int | str = "auto",
) -> tuple[Measures, pl.DataFrame]:
    """Scores of rows that were held out in turn, of all but the test rows.

    Rows of one group stay together, and so do copies; rows count by their weights, as in training.
    Columns are encoded as the training part has them.

    Args:
        prepared: what `prepare` returned.
        network: compiled; copies of it are trained.
        folds: 2 or more.
        epochs: as in `train`.
        seed: of the division.
        verbose: as in `Model.fit`.

    Returns:
        the scores, `{"accuracy": {"mean": 0.83, "sd": 0.02}, ...}`, and a table of what each row
        got from the network that had not seen it. Its last column, `row`, counts the rows that
        were read from 1, those without a target too; it is `row_` where the target is `row`.

    Raises:
        InvalidArgument: the table has a time column: folds would be trained on the future.
    """
    roles = prepared.roles
    if roles.time is not None:
        cure = "The scores on the test rows, the latest, are the honest ones."
        received = f"rows in the order of {roles.time}"
        raise InvalidArgument("cross_validate", "rows of no order", received, cure)
    parts = (prepared.train, prepared.validation)
    x, y, true, rows = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("x", "encoded", "true", "rows")
    )
    weights: Any = None
    if roles.weights is not None:
        weights = np.concatenate([part.weights for part in parts])
    groups = None if prepared.groups is None else prepared.groups[rows]
    chosen = plan(len(x), epochs)
    found = population.cross_validate(
        network, x, y, folds=folds, groups=groups, sample_weight=weights, seed=seed,
        batch_size=chosen.batch_size, epochs=chosen.epochs, verbose=verbose,
    )  # fmt: skip
    if any(one.stopped == "interrupted" for one in found.histories):
        raise KeyboardInterrupt  # folds that were cut short measure nothing
    model = TableModel(network, prepared.encoder, prepared.target)
    outputs = model.decoded(np.asarray(found.predictions, np.float64))

    def measured(held: Any) -> dict[str, float]:
        own = None if weights is None else weights[held]
        return scores(prepared.target, true[held], outputs[held], own)

    each = [measured(held) for held in found.held_out]
    measures = {name: _spread([one[name] for one in each]) for name in each[0]}
    frame, name = model.framed(outputs), "row"
    while name in frame.columns:
        name += "_"
    return measures, frame.with_columns(**{name: prepared.places[rows] + 1})


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))}
