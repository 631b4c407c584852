"""From a model and its data to `report.html`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitwell import files
from fitwell.arguments import named
from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.history import History
from fitwell.images import ImageModel
from fitwell.model import Model
from fitwell.report import arrays, page, pictured, tables
from fitwell.report.making import Origin, origin_of
from fitwell.report.study import Study
from fitwell.tabular import MultiTargetModel, Prepared, TableModel

if TYPE_CHECKING:
    import polars as pl

_SUBJECT = "report"


@named
def write(
    path: str | os.PathLike[str],
    model: Any,
    data: Any,
    history: History | None = None,
    *,
    names: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
    source: str = "",
    saved: str = "",
    facts: Mapping[str, str] | None = None,
    out_of_fold: pl.DataFrame | None = None,
) -> Path:
    """Writes one HTML file, without scripts and without anything from a network.

    Scores with 95 % intervals (bootstrap over the rows) beside the baselines, learning curves,
    confusion matrix or residuals, ROC, precision and recall, calibration, permutation importance,
    partial dependence, the worst examples, suspected label errors, the doctor's findings, the
    network, how to load it and how to train it again.

    Args:
        path: `"report.html"`.
        model: compiled; or what `fitwell.tabular` or `fitwell.images` returns.
        data: for a Model `(x, y)` as `evaluate` takes them; for a model of tables what
            `tabular.prepare` returned (judged by the test rows), or a table with the target in it;
            of several targets what `tabular.prepare_several` returned, or a table; for a model of
            images what `images.prepare` returned, or a folder with a sub-folder for each class.
            Rows that the model did not learn from.
        history: what `fit` returned; None takes that of the model's last fit, if there was one.
        names: of the columns of an array.
        labels: names of the classes, in the order of their numbers.
        source: name of the data file, for readers.
        saved: name of the model file, for the lines that load it.
        facts: lines for how to repeat it, such as `{"Command": "fitwell train ..."}`.
        out_of_fold: the table that `tabular.cross_validate` returned: labels that may be wrong are
            looked for among its rows, too, and not among the test rows alone.

    Returns:
        the path.

    Raises:
        InvalidArgument: a path that does not end in .html, or data in another form.
        InvalidFile: the folder is missing or cannot be written to.

    >>> import tempfile
    >>> import numpy as np
    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write(f"{folder}/report.html", model, (np.eye(2), [1.0, 2.0]))
    ...     path.read_text()[:15]
    '<!doctype html>'
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        cure = "Write path='report.html'."
        raise InvalidArgument(_SUBJECT, "a path that ends in .html", f"path={str(path)!r}", cure)
    if not target.resolve().parent.is_dir():  # said before the work is done, not after
        received, cure = f"the folder {str(target.parent)!r}", "Make the folder first."
        raise InvalidFile(f"report {str(path)!r}", "a folder that exists", received, cure)
    kept = getattr(model, "facts", {})
    origin = origin_of(kept, source, saved, facts or {})
    if out_of_fold is not None and not isinstance(data, Prepared):
        cure = "Pass what tabular.prepare returned as data, or leave out_of_fold out."
        received = f"out_of_fold and a {type(data).__name__}"
        raise InvalidArgument(_SUBJECT, "rows of folds with their table", received, cure)
    how: dict[str, Any] = {"names": names, "labels": labels, "out_of_fold": out_of_fold}
    studies = studies_of(model, data, history, origin, **how)
    text = page.render(studies).encode("utf-8", "backslashreplace")
    with files.whole(target) as file:
        file.write(text)
    return target


def studies_of(
    model: Any,
    data: Any,
    history: History | None,
    origin: Origin,
    *,
    names: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
    out_of_fold: pl.DataFrame | None = None,
) -> list[Study]:
    """The numbers of the page, for each target; arguments as for `write`."""
    if isinstance(model, TableModel | MultiTargetModel):
        history = history or model.network.history
        return tables.studies(model, data, history, origin, out_of_fold)
    if isinstance(model, ImageModel):
        return [pictured.of_images(model, data, history or model.network.history, origin)]
    if not isinstance(model, Model):
        cure = "Pass a compiled Sequential or Model, or what fitwell.tabular.train returned."
        raise InvalidArgument(_SUBJECT, "a model", f"a {type(model).__name__}", cure)
    if not isinstance(data, tuple | list) or len(data) != 2:
        cure = "Pass rows that the model did not learn from: (x_test, y_test)."
        raise InvalidArgument(_SUBJECT, "data=(x, y)", f"a {type(data).__name__}", cure)
    x, y = data
    history = history or model.history
    return [arrays.of_arrays(model, x, y, history, origin, names=names, labels=labels)]
