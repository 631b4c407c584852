"""A trained network together with everything between it and image files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import loading
from fitwell.data.images import Images, read_images
from fitwell.data.labels import Target
from fitwell.errors import InvalidData, InvalidFile
from fitwell.model import Model
from fitwell.tabular.facts import checked, shown
from fitwell.tabular.front import file_of
from fitwell.tabular.scores import Scores, as_in_training, constant, scores
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

KEY = "images"
"""Of what such a model adds to its file."""
_CLASS = "class"


@dataclass(frozen=True, repr=False)
class ImageModel:
    """Names the class of images; made by `train` and `load`.

    Attributes:
        network: takes (n, height, width, channels) values 0 to 255, gives probabilities.
        classes: the names of the folders it was trained on.
        facts: how it was trained: rows, scores, baselines, seconds, notes (JSON values).
    """

    network: Model
    classes: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        """The classes as the target of a table."""
        task = "binary" if len(self.classes) == 2 else "multiclass"
        return Target(_CLASS, task, self.classes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels that images are brought to."""
        height, width, channels = self.network.input_shape[1:]
        return height, width, channels

    def read(self, source: Any) -> Images:
        """Files as the network takes them; see `fitwell.data.read_images`. Images stay as read."""
        if isinstance(source, Images):
            return source
        height, width, channels = self.shape
        return read_images(source, size=(height, width), channels=channels)

    def predict(self, source: str | os.PathLike[str] | Sequence[Any]) -> HostArray:
        """(n,) names of classes.

        Args:
            source: a file, a list of files, or a folder (with or without sub-folders).
        """
        return self.target.decode(self.predict_proba(source).argmax(axis=1))

    def predict_proba(self, source: str | os.PathLike[str] | Sequence[Any]) -> HostArray:
        """(n, classes) probabilities, in the order of `classes`."""
        return self.outputs(self.read(source).x)

    def predictions(self, source: str | os.PathLike[str] | Sequence[Any]) -> pl.DataFrame:
        """A row per file: its path, the class, and the probability of each class."""
        import polars as pl

        images = self.read(source)
        outputs = self.outputs(images.x)
        return pl.DataFrame(
            {
                "file": [str(path) for path in images.files],
                _CLASS: self.target.decode(outputs.argmax(axis=1)).tolist(),
                **{f"p({name})": outputs[:, i] for i, name in enumerate(self.classes)},
            }
        )

    def labelled(self, source: str | os.PathLike[str]) -> tuple[Images, tuple[str, ...]]:
        """The images of a folder, and what is worth saying about them."""
        images = self.read(source)
        return images, images.notes

    def evaluate(self, source: str | os.PathLike[str] | Images) -> Scores:
        """Scores on a folder whose sub-folders name the classes.

        Raises:
            InvalidData: no sub-folders, or one that training did not have.
        """
        images = self.read(source)
        return self._scored(images, self.outputs(images.x))

    def constant_scores(self, images: Images) -> Scores:
        """Scores of the constant that training compared with, as `TableModel.constant_scores`."""
        said = constant(self.facts, self.target, len(images.x))
        return {} if said is None else self._scored(images, said)

    def _scored(self, images: Images, outputs: HostArray) -> Scores:
        new = sorted(set(images.classes) - set(self.classes))
        if images.y is None or new:
            raise InvalidData(
                "images",
                f"sub-folders named {', '.join(self.classes)}",
                ", ".join(new) or "none",
                "Name the folders as in training.",
            )
        places = np.array([self.classes.index(name) for name in images.classes])
        return as_in_training(scores(self.target, places[images.y], outputs), self.facts)

    def outputs(self, x: HostArray) -> HostArray:
        """(n, height, width, channels) values 0 to 255 -> (n, classes) probabilities."""
        raw = np.asarray(self.network.predict(x, verbose=0), np.float64)
        return np.asarray(raw / raw.sum(axis=1, keepdims=True))  # float32 sums to 1 +- 1e-7

    def __repr__(self) -> str:
        height, width, channels = self.shape
        return f"<ImageModel: {len(self.classes)} classes, from {height} x {width} x {channels}>"

    def _repr_html_(self) -> str:
        """Its scores on the test images beside those of the baselines, in a notebook."""
        return shown(repr(self), self.facts)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one safetensors file with network, classes and facts.

        Raises:
            InvalidFile: the folder is missing or cannot be written to.
        """
        kept = {"classes": list(self.classes), "facts": dict(self.facts)}
        self.network.save(os.fspath(path), extra={KEY: kept})


def load(path: str | os.PathLike[str]) -> ImageModel:
    """The model that `ImageModel.save` wrote. Nothing in the file is executed.

    Args:
        path: the file, or the folder of a run of `fitwell train`.

    Raises:
        InvalidFile: missing, damaged, foreign or hostile, or a model without classes of images.
    """
    path = file_of(path)
    return from_network(loading.load(path), path)


def from_network(network: Model, path: str | os.PathLike[str]) -> ImageModel:
    """What `load` makes of the network of a file.

    Raises:
        InvalidFile: as `load`.
    """
    kept = network.extra.get(KEY)
    subject = f"model file {os.fspath(path)!r}"
    if not isinstance(kept, dict):
        expected, cure = "a model that was trained on images", "Load it with fitwell.load."
        raise InvalidFile(subject, expected, "another model", cure)
    try:
        classes, facts = tuple(map(str, kept["classes"])), checked(kept["facts"])
        model = ImageModel(network, classes, facts)
        if len(model.shape) != 3 or network.output_shape != (None, len(classes)):
            raise ValueError(f"{len(classes)} classes for an output of {network.output_shape}")
    except (KeyError, TypeError, ValueError) as error:
        received = f"{type(error).__name__}: {error}"
        cure = "The file is damaged: train and save the model again."
        raise InvalidFile(subject, "the description of images", received, cure) from error
    return model
