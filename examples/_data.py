"""The data of the examples: scikit-learn brings the digits, a folder has the rest.

FITWELL_DATA names that folder; without it, it is `data` in a folder beside the repository.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

BESIDE = Path(__file__).parents[2]


def path(name: str) -> Path:
    """Where a file lies that the project does not ship.

    Raises:
        FileNotFoundError: nowhere.
    """
    named = os.environ.get("FITWELL_DATA")
    folders = [Path(named)] if named else sorted(BESIDE.glob("*/data"))
    found = next((folder / name for folder in folders if (folder / name).exists()), None)
    if found is None:
        raise FileNotFoundError(f"{name} is missing: FITWELL_DATA names the folder that has it")
    return found


def mnist() -> tuple[np.ndarray, np.ndarray]:
    """(1000, 28, 28, 1) images in [0, 1], (1000,) labels: in a line the label, then 784 pixels."""
    import polars as pl

    table = pl.read_csv(path("mnist_1000.csv"), has_header=False).to_numpy()
    return (table[:, 1:] / 255).astype(np.float32).reshape(-1, 28, 28, 1), table[:, 0]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """(1797, 64) pixels in [0, 1] of images of 8 x 8, (1797,) labels."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return (pixels / 16).astype(np.float32), labels


class Text(NamedTuple):
    """A text as ids: the place of each character in the sorted list of those there are."""

    characters: list[str]
    ids: np.ndarray

    def encode(self, text: str) -> list[int]:
        return [self.characters.index(one) for one in text]

    def decode(self, ids: np.ndarray) -> str:
        return "".join(self.characters[one] for one in ids)

    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The first 90 % to train on, and the last 10 %."""
        cut = len(self.ids) * 9 // 10
        return self.ids[:cut], self.ids[cut:]


def shakespeare() -> Text:
    """1,115,394 characters of Shakespeare's plays, 65 different ones."""
    text = path("tinyshakespeare.txt").read_text()
    characters, ids = np.unique(list(text), return_inverse=True)
    return Text(characters.tolist(), ids.astype(np.int32))


def windows(ids: np.ndarray, length: int, step: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, (n, length) each, from every `step`-th place of a text.

    The target of a character is the next one. Both are views of `ids`: a million windows take no
    memory, and `fit` copies the rows of its batches alone.
    """
    both = np.lib.stride_tricks.sliding_window_view(ids, length + 1)[::step]
    return both[:, :-1], both[:, 1:]
