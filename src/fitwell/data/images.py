"""Images from files: a folder with one sub-folder per class, read to arrays of one size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitwell.arguments import named
from fitwell.errors import InvalidArgument, InvalidData, InvalidFile, OutOfMemory
from fitwell.machine import cores, free_memory
from fitwell.types import HostArray

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
_LOOKED_AT = 64  # images that decide size and colour
_LARGEST_SIDE = 64  # of images whose size nobody has named
_SHARE_OF_MEMORY = 0.5


@dataclass(frozen=True)
class Images:
    """Images of one size, and the class of each where sub-folders name them.

    Attributes:
        x: (n, height, width, channels) uint8, 0 to 255.
        files: where each came from.
        classes: names of the sub-folders, sorted; empty for images without classes.
        y: (n,) int32 places in `classes`; None without classes.
        notes: what was decided and left out, in sentences.
    """

    x: HostArray
    files: tuple[Path, ...]
    classes: tuple[str, ...] = ()
    y: HostArray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        n, height, width, channels = self.x.shape
        kinds = f", {len(self.classes)} classes" if self.classes else ""
        return f"<Images: {n:,} of {height} x {width} x {channels}{kinds}>"


def is_images(source: Any) -> bool:
    """Whether a source is a folder, or a file that is an image by its name."""
    if not isinstance(source, str | os.PathLike) or str(source).startswith("sklearn:"):
        return False
    path = Path(source)
    return path.is_dir() or path.suffix.lower() in ENDINGS


@named
def read_images(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
) -> Images:
    """Images of one size from a folder (its sub-folders are the classes), a file or many files.

    Files are taken in alphabetical order, turned as their camera held it (EXIF), and resized with
    antialiasing; what is transparent becomes white.

    Args:
        source: a folder with one sub-folder per class; a folder of images without classes; a file;
            or a list of files.
        size: (height, width); None takes that of the images, the median of some where they differ,
            at most 64 on the longer side.
        channels: 1 (gray) or 3 (RGB); None takes 1 if no image has colours.
        skip_bad: leave out files that are no images, and say which, instead of raising.

    Raises:
        InvalidFile: no such folder, or a file that is no image, by name.
        InvalidData: no images.
        InvalidArgument: another size or number of channels.
        OutOfMemory: more than half of the memory that is free.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, gray in (("dark", 20), ("light", 230)):
    ...         os.mkdir(f"{folder}/{name}")
    ...         Image.new("L", (8, 6), gray).save(f"{folder}/{name}/1.png")
    ...     images = read_images(folder)
    >>> images, images.classes, images.y.tolist(), images.x[1, 0, 0].tolist()
    (<Images: 2 of 6 x 8 x 1, 2 classes>, ('dark', 'light'), [0, 1], [230])
    """
    order = plan(source, size, channels, skip_bad)
    files, (height, width, depth) = order.files, order.shape
    _check_memory(len(files), height * width * depth)
    x = np.empty((len(files), height, width, depth), np.uint8)
    bad = fill(x, files, skip_bad)
    kept = [i for i in range(len(files)) if i not in bad]
    if not kept:
        raise InvalidData(f"folder {source}", "images", "no file that is one", "Check the folder.")
    notes = list(order.notes)
    if bad:
        first = files[min(bad)]
        count = f"{len(bad):,} file{'s are no images' if len(bad) > 1 else ' is no image'}"
        notes.append(f"{count} and left out: {first}{', ...' if len(bad) > 1 else ''}.")
        x = x[kept]
    y = np.array([order.labels[i] for i in kept], np.int32) if order.classes else None
    return Images(x, tuple(files[i] for i in kept), order.classes, y, tuple(notes))


@dataclass(frozen=True)
class Plan:
    """Which files are read, and to which shape (height, width, channels)."""

    files: Sequence[Path]
    classes: tuple[str, ...]
    labels: Sequence[int]
    shape: tuple[int, int, int]
    notes: tuple[str, ...]


def plan(source: Any, size: tuple[int, int] | None, channels: int | None, skip_bad: bool) -> Plan:
    """What `read_images` will do, by a look at some of the images."""
    files, classes, labels = _listed(source)
    if channels not in (None, 1, 3):
        cure = "Pass 1 for gray or 3 for RGB."
        raise InvalidArgument("read_images", "1 or 3 channels", f"channels={channels!r}", cure)
    looked = _looked_at(files)
    if not looked and not skip_bad:
        _open(files[0])  # says what is wrong with it
    notes: list[str] = []
    height, width = _size(size, looked, notes)
    depth = channels or (3 if any(coloured for _, _, coloured in looked) else 1)
    return Plan(files, classes, labels, (height, width, depth), tuple(notes))


def _listed(source: Any) -> tuple[list[Path], tuple[str, ...], list[int]]:
    """Files, classes and the class of each file."""
    if not isinstance(source, str | os.PathLike):
        return [Path(each) for each in source], (), []
    path = Path(source)
    if not path.is_dir():
        if not path.is_file():
            cure = "Check the path."
            raise InvalidFile(f"images {path}", "a folder or a file", "none of that name", cure)
        return [path], (), []
    folders = [each for each in sorted(path.iterdir()) if each.is_dir() and image_files(each)]
    if not folders:
        files = image_files(path)
        if not files:
            expected = "a folder with one sub-folder of images per class"
            cure = f"Images end in {', '.join(ENDINGS)}."
            raise InvalidData(f"folder {path}", expected, "no images", cure)
        return files, (), []
    files, labels = [], []
    for place, folder in enumerate(folders):
        inside = image_files(folder)
        files += inside
        labels += [place] * len(inside)
    return files, tuple(folder.name for folder in folders), labels


def image_files(folder: Path) -> list[Path]:
    """The files in a folder, however deep, whose names end like those of images."""
    found = (each for each in folder.rglob("*") if each.suffix.lower() in ENDINGS)
    return sorted(each for each in found if each.is_file() and not each.name.startswith("."))


def _looked_at(files: Sequence[Path]) -> list[tuple[int, int, bool]]:
    """Height, width and whether there is colour, of some images evenly spread."""
    some = np.unique(np.linspace(0, len(files) - 1, _LOOKED_AT).astype(int))
    found = []
    for place in some:
        try:
            image = _open(files[place])
        except InvalidFile:
            continue
        array = np.asarray(image)
        coloured = bool((array != array[:, :, :1]).any())
        found.append((*array.shape[:2], coloured))
    return found


def _size(
    size: tuple[int, int] | None, looked: list[tuple[int, int, bool]], notes: list[str]
) -> tuple[int, int]:
    if size is not None:
        if len(size) != 2 or any(not isinstance(n, int) or n < 1 for n in size):
            expected, cure = "size=(height, width) in pixels", "For example size=(32, 32)."
            raise InvalidArgument("read_images", expected, f"size={size!r}", cure)
        return size
    if not looked:
        return 1, 1
    sides = np.array([found[:2] for found in looked])
    height, width = np.median(sides, axis=0)
    shrink = min(1.0, _LARGEST_SIDE / max(height, width))
    chosen = max(round(height * shrink), 1), max(round(width * shrink), 1)
    if len(np.unique(sides, axis=0)) > 1 or shrink < 1:
        low, high = sides.min(0), sides.max(0)
        given = f"{low[0]} x {low[1]}" + (
            "" if (low == high).all() else f" to {high[0]} x {high[1]}"
        )
        notes.append(f"Images of {given} pixels are resized to {chosen[0]} x {chosen[1]}.")
    return chosen


def _check_memory(count: int, each: int) -> None:
    free = free_memory()
    if count * each > _SHARE_OF_MEMORY * free:
        raise OutOfMemory(
            "read_images",
            f"images of at most {_SHARE_OF_MEMORY * free / 1e9:.1f} GB together, half of what is "
            "free",
            f"{count:,} images of {each:,} bytes",
            "Pass a smaller size.",
        )


def fill(x: HostArray, files: Sequence[Path], skip_bad: bool) -> set[int]:
    """Reads every file into its place; which of them are no images."""
    bad: set[int] = set()

    def read(place: int) -> None:
        try:
            x[place] = _array(files[place], x.shape[1:])
        except InvalidFile:
            if not skip_bad:
                raise
            bad.add(place)

    with ThreadPoolExecutor(cores()) as pool:  # Pillow decodes without Python's lock
        list(pool.map(read, range(len(files))))
    return bad


def _open(path: Path) -> Any:
    """The upright image in RGB."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I", "F")):  # 16 bits and more
                values = np.asarray(upright, np.float64)
                top = 65535.0 if values.max() > 255 else 255.0
                upright = Image.fromarray((values / top * 255).astype(np.uint8))
            if "A" in upright.getbands() or "transparency" in upright.info:
                clear = upright.convert("RGBA")
                white = Image.new("RGBA", clear.size, "white")
                upright = Image.alpha_composite(white, clear)
            return upright.convert("RGB")
    except Exception as error:  # decoders raise whatever they meet in a damaged file
        raise InvalidFile(
            f"image {path}",
            "a file that Pillow can read",
            f"{type(error).__name__}: {error}",
            "Remove it, or skip such files: skip_bad=True, --skip-bad-rows on the command line.",
        ) from error


def _array(path: Path, shape: tuple[int, ...]) -> HostArray:
    from PIL import Image

    image = _open(path)
    height, width, channels = shape
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    if channels == 1:
        return np.asarray(image.convert("L"))[:, :, None]
    return np.asarray(image)
