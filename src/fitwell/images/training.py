"""From a folder of images to a trained and tested model."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitwell.arguments import named
from fitwell.callbacks import Callback, EarlyStopping
from fitwell.callbacks.until import Until
from fitwell.data.duplicates import copies_note, equal_rows
from fitwell.data.images import Images, read_images
from fitwell.data.splits import Split, split
from fitwell.errors import InvalidData
from fitwell.images.model import ImageModel
from fitwell.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    RandomRotation,
    RandomTranslation,
    Rescaling,
)
from fitwell.model import Model
from fitwell.optimizers import AdamW
from fitwell.schedules import CosineDecay
from fitwell.sequential import Sequential
from fitwell.tabular import check_length
from fitwell.tabular.scores import beside, scores, simplest
from fitwell.types import HostArray

_STEPS = 2500
_LEAST_EPOCHS, _MOST_EPOCHS = 10, 80
_FEW = 4000  # images, which are read in batches of 32; more in batches of 64
_MOMENTUM = 0.9  # of the averages of batch normalization, which small folders give few steps to
_RATE = 0.003
_SMALLEST = 4  # pixels on the shorter side after the last pooling
_FILTERS = (32, 64, 128)
_LINEAR_SIDE = 16  # pixels on the longer side that the linear model looks at


@dataclass(frozen=True, repr=False)
class Prepared:
    """Images that are ready for training.

    Attributes:
        images: all of them.
        parts: places of the training, validation and test images.
        notes: what a user should know, in sentences.
    """

    images: Images
    parts: Split
    notes: tuple[str, ...]

    def part(self, name: str) -> tuple[HostArray, HostArray]:
        """x and y of `"train"`, `"validation"` or `"test"`."""
        rows = getattr(self.parts, name)
        assert self.images.y is not None
        return self.images.x[rows], self.images.y[rows]

    def __repr__(self) -> str:
        parts = ("train", "validation", "test")
        rows = ", ".join(f"{len(getattr(self.parts, part)):,} {part}" for part in parts)
        return f"<Prepared: {self.images!r}; images: {rows}>"


@named
def train(
    folder: str | os.PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    epochs: int | None = None,
    time_limit: float | str | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    verbose: int | str = "auto",
) -> ImageModel:
    """A network that tells the classes of images apart.

    Images are split into 64 % training, 16 % validation (when to stop) and 20 % test, with every
    class in its share and copies of an image in one part.

    Args:
        folder: with one sub-folder of images per class.
        size: (height, width) that images are brought to; see `fitwell.data.read_images`.
        epochs: passes over the training images, >= 1; None chooses by their number.
        time_limit: seconds, or "90s", "10m".
        seed: of the split and the network.
        skip_bad: leave out files that are no images.
        verbose: as in `Model.fit`.

    Raises:
        InvalidFile, InvalidData: no folder, no images, a damaged one, fewer than two classes.
    """
    check_length(epochs, time_limit)
    prepared = prepare(folder, size=size, seed=seed, skip_bad=skip_bad)
    network = build(prepared, epochs=epochs, seed=seed)
    return fit(prepared, network, epochs=epochs, time_limit=time_limit, verbose=verbose)


@named
def prepare(
    folder: str | os.PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    skip_bad: bool = False,
) -> Prepared:
    """Reads and splits the images; the first half of `train`."""
    images = read_images(folder, size=size, skip_bad=skip_bad)
    if len(images.classes) < 2 or images.y is None:
        raise InvalidData(
            f"folder {folder}",
            "two sub-folders of images or more, one per class",
            f"{len(images.classes) or 'no'} sub-folder{'' if len(images.classes) == 1 else 's'}",
            "Sort the images into folders.",
        )
    groups = equal_rows(images.x)
    copies = len(images) - len(np.unique(groups))
    parts = split(images.y, seed=seed, groups=groups if copies else None)
    notes = [*images.notes, *parts.notes]
    if copies:
        notes.append(copies_note(copies, len(images), "image"))
    return Prepared(images, parts, tuple(notes))


def plan(rows: int, epochs: int | None = None) -> tuple[int, int]:
    """Epochs and batch size for so many training images: small folders are passed more often.

    >>> plan(100), plan(12_000), plan(200, 3)
    ((80, 32), (14, 64), (3, 32))
    """
    batch = 32 if rows <= _FEW else 64
    natural = math.ceil(_STEPS / math.ceil(rows / batch))
    return epochs or min(max(natural, _LEAST_EPOCHS), _MOST_EPOCHS), batch


@named
def build(prepared: Prepared, *, epochs: int | None = None, seed: int = 0) -> Model:
    """The default network, compiled and untrained.

    Pairs of 3 x 3 convolutions with batch normalization and relu, each pair followed by pooling
    until few pixels are left, their mean, dropout, softmax; images are shifted and turned a little.
    """
    shape = prepared.images.x.shape[1:]
    stages = int(np.clip(math.log2(min(shape[:2]) / _SMALLEST) + 1, 1, len(_FILTERS)))
    hidden: list[Any] = []
    for stage, filters in enumerate(_FILTERS[:stages]):
        for _ in range(2):
            hidden += [
                Conv2D(filters, 3, padding="same", use_bias=False),
                BatchNormalization(momentum=_MOMENTUM),
                Activation("relu"),
            ]
        if stage < stages - 1:
            hidden.append(MaxPooling2D())
    network = Sequential(
        [
            Input(shape=shape),
            Rescaling(1 / 127.5, offset=-1.0),
            RandomTranslation(0.08, 0.08),
            RandomRotation(0.03),
            *hidden,
            GlobalAveragePooling2D(),
            Dropout(0.3),
            Dense(len(prepared.images.classes), activation="softmax"),
        ],
        name="images",
        seed=seed,
    )
    rows = len(prepared.parts.train)
    passes, batch = plan(rows, epochs)
    steps = passes * math.ceil(rows / batch)
    warm = max(steps // 20, 1)
    rate = CosineDecay(0.0, max(steps - warm, 1), warmup_target=_RATE, warmup_steps=warm)
    network.compile(AdamW(rate, weight_decay=0.02), loss="sparse_categorical_crossentropy")
    return network


@named
def fit(
    prepared: Prepared,
    network: Model,
    *,
    epochs: int | None = None,
    time_limit: float | str | None = None,
    verbose: int | str = "auto",
    callbacks: Sequence[Callback] = (),
) -> ImageModel:
    """Trains what `build` made and measures it on the test images; the last part of `train`."""
    check_length(epochs, time_limit)
    x, y = prepared.part("train")
    planned, batch = plan(len(x), epochs)
    stopper = EarlyStopping(patience=max(planned // 4, 4), restore_best_weights=True)
    began = time.perf_counter()
    history = network.fit(
        x,
        y,
        batch_size=batch,
        epochs=planned,
        validation_data=prepared.part("validation"),
        callbacks=[stopper, Until("train", time_limit), *callbacks],
        verbose=verbose,
    )
    seconds = time.perf_counter() - began
    if history.stopped == "interrupted" and not history.epoch:
        raise KeyboardInterrupt  # before the first step: there is nothing to measure
    model = ImageModel(network, prepared.images.classes)
    test_x, test_y = prepared.part("test")
    outputs = model.outputs(test_x)
    facts = {
        "rows": {
            "train": len(x),
            "validation": len(prepared.parts.validation),
            "test": len(test_x),
        },
        "network": described(network),
        "epochs": len(history.epoch),
        "planned_epochs": planned,
        "best_epoch": None if stopper.best_weights is None else stopper.best_epoch + 1,
        "stopped": history.stopped,
        "seconds": seconds,
        "scores": scores(model.target, test_y, outputs),
        **beside(model.target, test_y, outputs, _simplest(prepared, model)),
        "notes": list(prepared.notes),
    }
    return dataclasses.replace(model, facts=facts)


def described(network: Model) -> str:
    """What is trained, in a line."""
    layers = network.network.layers.values()
    filters = [str(each.filters) for each in layers if isinstance(each, Conv2D)]
    what = f"convolutions of {', '.join(filters)} filters" if filters else "no convolutions"
    return f"{what}: {network.count_params():,} weights"


def _simplest(prepared: Prepared, model: ImageModel) -> dict[str, HostArray]:
    """Of the pixels of small copies; a linear model knows no neighbours."""
    (x, y), (held_x, held_y), (test_x, _) = map(prepared.part, ("train", "validation", "test"))
    small = [_small(each) for each in (np.concatenate([x, held_x]), test_x)]
    return simplest(model.target, small[0], np.concatenate([y, held_y]), small[1])


def _small(x: HostArray) -> HostArray:
    """Every so many pixels averaged, flat, 0 to 1."""
    step = max(1, math.ceil(max(x.shape[1:3]) / _LINEAR_SIDE))
    height, width = (n // step * step for n in x.shape[1:3])
    if min(height, width) == 0:
        step, (height, width) = 1, x.shape[1:3]
    blocks = x[:, :height, :width].reshape(
        len(x), height // step, step, width // step, step, x.shape[3]
    )
    return np.asarray(blocks.mean((2, 4)).reshape(len(x), -1) / 255)
