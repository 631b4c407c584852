"""Models that `fitwell train` made, whatever they were trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from fitwell import images, loading, tabular
from fitwell.cli import runs
from fitwell.images import ImageModel
from fitwell.tabular import MultiTargetModel, TableModel

Trained: TypeAlias = TableModel | MultiTargetModel | ImageModel


def load(path: Path) -> Trained:
    """The model of a file, or of a run's folder.

    Raises:
        InvalidFile: no model of a table or of images.
    """
    file = runs.model_of(path)
    if images.KEY in loading.load(file).extra:
        return images.load(file)
    return tabular.load(file)
