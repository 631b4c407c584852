"""Batches of images: every image once, in an order that repeats, and fit takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fitwell as fw
from fitwell.data import ImageBatches, Images, image_batches
from fitwell.errors import InvalidArgument, InvalidFile


def bars(folder: Path, count: int) -> Path:
    """Images with a bright row or a bright column, in folders that say which."""
    draw = np.random.default_rng(0)
    for i in range(count):
        pixels = draw.integers(0, 60, (8, 8)).astype(np.uint8)
        pixels[(i // 2 % 8, slice(None)) if i % 2 else (slice(None), i // 2 % 8)] = 255
        path = folder / ("lying" if i % 2 else "standing") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


def together(batches: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    x, y = zip(*batches, strict=True)
    return np.concatenate(x), np.concatenate(y)


def test_every_image_once_in_an_order_that_repeats(tmp_path: Path) -> None:
    found = image_batches(bars(tmp_path, 10), batch_size=4)
    assert [len(y) for _, y in found] == [4, 4, 2]
    assert (found.classes, found.shape) == (("lying", "standing"), (8, 8, 1))
    x, y = together(found)
    again, _ = together(found)
    assert x.tobytes() == again.tobytes()
    lying = (x[..., 0] == 255).all(axis=2).any(axis=1)
    assert ((y == 0) == lying).all()
    other, _ = together(image_batches(tmp_path, seed=1))
    assert x.tobytes() != other.tobytes()
    assert sorted(map(bytes, x)) == sorted(map(bytes, other))
    assert repr(found) == "<ImageBatches: 10 of (8, 8, 1), 4 each>"


def test_read_gives_arrays_where_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fw.data.read(bars(tmp_path, 4))
    assert isinstance(whole, Images)
    monkeypatch.setattr("fitwell.data.images.free_memory", lambda: 100.0)
    batches = fw.data.read(str(tmp_path))
    assert isinstance(batches, ImageBatches)
    x, _ = together(batches)
    assert sorted(map(bytes, x)) == sorted(map(bytes, whole.x))


def test_broken_files(tmp_path: Path) -> None:
    (bars(tmp_path, 4) / "lying" / "bad.png").write_bytes(b"no image")
    with pytest.raises(InvalidFile, match=r"bad\.png"):
        list(image_batches(tmp_path))
    x, y = together(image_batches(tmp_path, skip_bad=True, batch_size=1))
    assert (len(x), sorted(y)) == (4, [0, 0, 1, 1])
    with pytest.raises(InvalidArgument, match="batch_size"):
        image_batches(tmp_path, batch_size=0)


def test_fit_takes_them(tmp_path: Path) -> None:
    batches = image_batches(bars(tmp_path, 64), batch_size=16)
    model = fw.Sequential(
        [
            fw.layers.Input(batches.shape),
            fw.layers.Rescaling(1 / 255),
            fw.layers.Conv2D(8, 3, activation="relu"),
            fw.layers.Flatten(),
            fw.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(fw.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(batches, epochs=12, verbose=0, doctor="off")
    assert model.evaluate(batches, verbose=0)[1] > 0.9
