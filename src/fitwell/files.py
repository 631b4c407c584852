"""The model file: one `.safetensors` file with a JSON header in its metadata.

Reading one runs nothing: the file holds JSON and numbers, both are checked against a checksum, and
a file that is damaged, foreign or hostile gives one InvalidFile. Any other program that reads
safetensors can read the arrays.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from safetensors import SafetensorError, safe_open

from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.types import HostArray

__all__ = ["check_suffix", "read", "whole", "write"]

FORMAT = 1
"""Raised when an older fitwell could no longer read a file rightly."""

_CODES = {"bool": "BOOL", "bfloat16": "BF16", "complex64": "C64"} | {
    f"{kind}{bits}": f"{kind[0].upper()}{bits}"
    for kind, sizes in (("int", "8 16 32 64"), ("uint", "8 16 32 64"), ("float", "16 32 64"))
    for bits in sizes.split()
}
"""The names that safetensors gives to numpy's types."""

_LONGEST_HEADER = 100_000_000
"""Readers of safetensors refuse longer ones."""

_OTHER_FORMATS = (".keras", ".h5", ".hdf5")
_SIGNATURES = {
    b"PK\x03\x04": "a zip archive, as .keras files are",
    b"\x89HDF\r\n\x1a\n": "HDF5, as .h5 files are",
}
"""How the files of Keras begin."""

_ANOTHER_COPY = "Use another copy of the file, or save the model again."


def write(
    path: str | os.PathLike[str], header: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Writes a model file in one stroke: at any moment `path` holds the old file or the new one.

    Args:
        path: where; the folder must exist. Any suffix will do but those of Keras' formats.
        header: what `json.dumps` takes; "format" and "library" are added.
        arrays: numpy or JAX arrays by name.

    Raises:
        InvalidArgument: a header that is not JSON, an array of objects or text.
        InvalidFile: the folder is missing or may not be written to, the disk is full, the path
            has the suffix of another format.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.safetensors"
    >>> write(path, {"units": 3}, {"kernel": np.ones((2, 3), np.float32)})
    >>> header, arrays = read(path)
    >>> header["units"], header["format"], arrays["kernel"].shape
    (3, 1, (2, 3))
    """
    check_suffix(path)
    target = Path(path).resolve()  # a link stays a link
    stored = {name: _storable(name, array) for name, array in arrays.items()}
    text = _to_json({**header, "format": FORMAT, "library": _library()})
    facts = {"fitwell": text, "checksum": _checksum(text, stored)}
    with whole(target) as file:
        _serialize(file, facts, stored)


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write bytes to that takes the place of `path` in one stroke, when all are there.

    A full disk, an error or a kill in between leaves the older file as it was.

    Raises:
        InvalidFile: the folder is missing or may not be written to, the disk is full.
    """
    target = Path(path).resolve()
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        try:
            with open(partial, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
            _flush_names(target.parent)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        _refuse_to_write(target, error)


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Raises InvalidFile for a path whose suffix says that the file has another format."""
    target = Path(path)
    if target.suffix.lower() in _OTHER_FORMATS:
        raise InvalidFile(
            f"save to {str(target)!r}",
            "the name of a safetensors file",
            f"the suffix {target.suffix} of another format",
            f"Name it {str(target.with_suffix('.safetensors'))!r}.",
        )


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, HostArray]]:
    """Header and arrays of a model file; the inverse of `write`.

    The arrays take no more memory than the file is long, whatever its header claims.

    Raises:
        InvalidFile: the file is missing, damaged, foreign, hostile, or from a newer fitwell.
    """
    source = Path(path)
    subject = f"model file {str(source)!r}"
    with _one_error(subject):
        if not source.is_file():
            received = "a folder" if source.is_dir() else "no file of that name"
            raise InvalidFile(subject, "a file that fitwell saved", received, "Check the path.")
        _refuse_keras(subject, source)
        with safe_open(source, framework="numpy") as file:
            facts = file.metadata() or {}
            header = _header(subject, facts)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if facts.get("checksum") != _checksum(facts["fitwell"], arrays):
        raise InvalidFile(
            subject,
            "the numbers that were saved",
            "others (the checksum does not match)",
            f"The file was damaged. {_ANOTHER_COPY}",
        )
    return header, arrays


@contextlib.contextmanager
def _one_error(subject: str) -> Iterator[None]:
    """Whatever a damaged or foreign file makes the readers raise becomes an InvalidFile."""
    try:
        yield
    except InvalidFile:
        raise
    except PermissionError as error:
        cure = "Change its permissions or read a copy."
        raise InvalidFile(subject, "a file you may read", "permission denied", cure) from error
    except (SafetensorError, OSError, ValueError, KeyError, RecursionError, MemoryError) as error:
        raise InvalidFile(
            subject,
            "a safetensors file that fitwell saved",
            f"a file that is damaged or of another kind ({error})",
            _ANOTHER_COPY,
        ) from error


def _refuse_keras(subject: str, source: Path) -> None:
    with open(source, "rb") as file:
        begin = file.read(8)
    for signature, kind in _SIGNATURES.items():
        if begin.startswith(signature):
            raise InvalidFile(
                subject,
                "a file that fitwell saved",
                kind,
                "Models of Keras cannot be read yet: build the model here and pass it the arrays "
                "with set_weights.",
            )


def _header(subject: str, facts: Mapping[str, str]) -> dict[str, Any]:
    if "fitwell" not in facts:
        raise InvalidFile(
            subject,
            "a file that fitwell saved",
            "a safetensors file of another program",
            "Build the model and pass it the arrays with set_weights.",
        )
    header = json.loads(facts["fitwell"], object_pairs_hook=_without_duplicates)
    version = header.get("format") if isinstance(header, dict) else None
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError("its header does not say which format it has")
    if version > FORMAT:
        raise InvalidFile(
            subject,
            f"format {FORMAT}",
            f"format {version}, written by fitwell {header.get('library')}",
            "Install a newer fitwell to read it.",
        )
    return dict(header)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("its header gives two values to one name")
    return found


def _storable(name: str, array: Any) -> HostArray:
    """The array with its bytes in C order and little-endian, as safetensors needs them."""
    values = np.asarray(array, order="C")
    if name == "__metadata__":
        cure = "Give the array another name."
        raise InvalidArgument("save", "names that safetensors does not use", repr(name), cure)
    if values.dtype.name not in _CODES:
        raise InvalidArgument(
            "save",
            "arrays of numbers (at most 64 bits for a number)",
            f"{name!r} of type {values.dtype}",
            "Turn it into numbers, or leave it out.",
        )
    return values.astype(values.dtype.newbyteorder("<"), copy=False)


def _to_json(header: Mapping[str, Any]) -> str:
    try:
        return json.dumps(header)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(
            "save",
            "a header of strings, numbers, lists and dicts",
            f"something else ({error})",
            "Turn it into one of those, or leave it out.",
        ) from error


def _checksum(text: str, arrays: Mapping[str, HostArray]) -> str:
    """blake2b over the header and over name, type, shape and bytes of every array."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(_bytes(array))
    return digest.hexdigest()


def _library() -> str:
    try:
        return metadata.version("fitwell")
    except metadata.PackageNotFoundError:  # run from a folder, not installed
        return "unknown"


def _serialize(file: BinaryIO, facts: Mapping[str, str], arrays: Mapping[str, HostArray]) -> None:
    """The safetensors layout: length of the header, header, arrays (wide types first: aligned)."""
    entries: dict[str, Any] = {"__metadata__": facts}
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    end = 0
    for name in names:
        array = arrays[name]
        start, end = end, end + array.nbytes
        code = _CODES[array.dtype.name]
        entries[name] = {"dtype": code, "shape": array.shape, "data_offsets": [start, end]}
    text = json.dumps(entries).encode()
    if len(text) > _LONGEST_HEADER:
        received, cure = f"{len(text):,} bytes", "Leave out what the file does not need."
        raise InvalidArgument(
            "save", f"a header of at most {_LONGEST_HEADER:,} bytes", received, cure
        )
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for name in names:
        file.write(_bytes(arrays[name]))


def _bytes(array: HostArray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _flush_names(folder: Path) -> None:
    """Waits until the new name of a file is on the disk and not only in memory."""
    if os.name == "nt":
        return  # Windows opens no folders, and writes a renaming to its journal
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_to_write(target: Path, error: Exception) -> NoReturn:
    subject = f"save to {str(target)!r}"
    if not target.parent.is_dir():
        expected, received = "a folder that exists", f"{str(target.parent)!r}, which is none"
        raise InvalidFile(subject, expected, received, "Make the folder first.") from error
    if target.is_dir():
        cure = "Add a file's name to the path."
        raise InvalidFile(subject, "the path of a file", "a folder", cure) from error
    cure = "Choose another place, or make room and allow writing there."
    raise InvalidFile(subject, "a place that can be written to", str(error), cure) from error
