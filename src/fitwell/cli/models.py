"""What a model file holds, and what such a model reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console

from fitwell import loading
from fitwell.cli import runs, showing
from fitwell.data.images import read_images
from fitwell.data.labels import Target
from fitwell.data.tables import Options, left_out, to_table
from fitwell.errors import InvalidFile
from fitwell.images import ImageModel
from fitwell.images import model as of_images
from fitwell.model import Model
from fitwell.tabular import MultiTargetModel, TableModel, front
from fitwell.tabular import model as of_tables

Trained: TypeAlias = TableModel | MultiTargetModel | ImageModel


def read(path: Path) -> Trained | Model:
    """The model of a table or of images, or a network alone, of a file or of a run's folder.

    Raises:
        InvalidFile: no model.
    """
    file = runs.model_of(path)
    network = loading.load(file)
    if of_images.KEY in network.extra:
        return of_images.from_network(network, file)
    return front.from_network(network, file) if of_tables.KEY in network.extra else network


def load(path: Path) -> Trained:
    """What `fitwell train` made, whatever it was trained on.

    Raises:
        InvalidFile: no model of a table or of images.
    """
    found = read(path)
    if isinstance(found, Model):
        raise InvalidFile(
            f"model file {str(path)!r}",
            "a model that was trained on a table or on images",
            "a network alone",
            "Load it with fitwell.load, or train one with fitwell train.",
        )
    return found


def targets(model: Trained) -> tuple[Target, ...]:
    """What a model predicts."""
    return model.targets if isinstance(model, MultiTargetModel) else (model.target,)


def readable(model: Trained | None, data: str, skip_bad_rows: bool) -> Any:
    """The data, or with `--skip-bad-rows` what of them can be read; the rest is said on stderr.

    Args:
        model: that will read them; None for a table that no model knows.
        data: as typed.
        skip_bad_rows: as typed.
    """
    if not skip_bad_rows:
        return data
    said: Iterable[str]
    found: Any
    if isinstance(model, ImageModel):
        height, width, channels = model.shape
        found = read_images(data, size=(height, width), channels=channels, skip_bad=True)
        found, said = dataclasses.replace(found, notes=()), found.notes
    else:
        found = to_table(data, Options(skip_bad_rows=True))
        said = left_out(found.skipped)
    showing.notes(Console(stderr=True, highlight=False), said)
    return found
