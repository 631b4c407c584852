"""`fitwell.export`: a model as a file of another format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import jax

from fitwell import files
from fitwell.arguments import named
from fitwell.errors import InvalidArgument, MissingPackage, UnknownName, did_you_mean
from fitwell.exporting.package import Package, packed
from fitwell.exporting.tables import Table, packed_table
from fitwell.network import Network
from fitwell.training import TrainState

_MOST = 2_000_000_000  # bytes that a protocol buffer, and so an ONNX file, may have


@runtime_checkable
class Exportable(Protocol):
    """What is needed of a model."""

    name: str

    @property
    def network(self) -> Network: ...
    @property
    def train_state(self) -> TrainState: ...
    @property
    def input_names(self) -> list[str]: ...
    @property
    def output_names(self) -> list[str]: ...


@named
def export(
    model: Exportable | Table, path: str | os.PathLike[str], format: str | None = None
) -> None:
    """Writes y = f(x) as predict computes it, weights included, in a format of other programs.

    Inputs and outputs keep their names, and the batch may have any size. Everything is in float32,
    whatever `compile(precision=...)` said. The program that JAX traces is translated operation by
    operation, so that layers of your own are exported like those of the library.

    - `"onnx"` (`.onnx`): opset 18, for onnxruntime and whatever reads ONNX. Needs the package onnx
      to write, nothing of fitwell to run. StringLookup and IntegerLookup become part of it; their
      inputs are strings and 64-bit numbers.
    - `"numpy"` (`.py`): one Python file with `predict(...)` that needs numpy alone.
    - `"jax"` (`.jax`): StableHLO for CPUs, GPUs and TPUs; `jax.export.deserialize(...).call(...)`.

    A model of a table (`fitwell.tabular`) takes an input per column: (rows,) of float64 for numbers
    (NaN: missing) and truth values (1, 0), and of strings as they are written for categories and
    text ("": missing). A date is one input for each of its parts that varied in training, named
    like "sold year": year, month (1 to 12), day (1 to 31), weekday (1 is Monday, 7 Sunday), hour
    (13.5 is half past one) and time (days since 1970-01-01, with the part of the day behind the
    point). Its outputs are the prediction, called like
    the target, and `probabilities` of classes ("kind probabilities" where there are several
    targets). For a column of free text the ONNX file needs onnxruntime itself (its Tokenizer) and,
    to make letters small, the locale C.UTF-8, which Linux has.

    Not exported: layers that remember (`stateful=True`), TextVectorization,
    lookups with several ids for unknown values; of layers of users, operations that the format
    lacks, loops of unknown length and branches among them. Each is an error that names the layer.

    Args:
        model: built or fitted; or a model of a table.
        path: `"model.onnx"`; an older file is replaced.
        format: `"onnx"`, `"numpy"` or `"jax"`; None: by the ending of path.

    Raises:
        UnknownName: a format that is none of these.
        InvalidArgument: a layer or an operation that the format has no word for; an ending that
            says nothing.
        MissingPackage: onnx is not installed.
        InvalidFile: the folder is missing or cannot be written to.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((3,)), fw.layers.Dense(2, activation="softmax")])
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.onnx"
    >>> fw.export(model, path)
    >>> import onnxruntime
    >>> session = onnxruntime.InferenceSession(path)
    >>> x = np.ones((5, 3), np.float32)
    >>> (y,) = session.run(None, {session.get_inputs()[0].name: x})
    >>> bool(np.allclose(y, model.predict(x, verbose=0), atol=1e-6))
    True

    Source: https://onnx.ai/onnx/operators/, https://docs.jax.dev/en/latest/export/export.html.
    """
    write = _writer(Path(path), format)
    data = write(_package(model), Path(path))
    with files.whole(path) as file:
        file.write(data)


def _package(model: Exportable | Table) -> Package:
    if isinstance(model, Exportable):
        names = model.input_names, model.output_names
        return packed(model.name, model.network, model.train_state, *names)
    if isinstance(model, Table):
        return packed_table(model)
    cure = (
        "Pass what Sequential, Model, fitwell.load or fitwell.tabular.load returned, "
        "or the model_ of a fitted estimator."
    )
    raise InvalidArgument("export", "a model", type(model).__name__, cure)


def _writer(path: Path, format: str | None) -> Callable[[Package, Path], bytes]:
    if format is None:
        found = [name for name, (ending, _) in FORMATS.items() if ending == path.suffix.lower()]
        if not found:
            endings = ", ".join(ending for ending, _ in FORMATS.values())
            cure = 'Choose one, or pass format="onnx".'
            raise InvalidArgument("export", f"a path that ends in {endings}", repr(str(path)), cure)
        format = found[0]
    if format not in FORMATS:
        cure = did_you_mean(str(format), FORMATS)
        raise UnknownName("export", "a format that it writes", repr(format), cure)
    return FORMATS[format][1]


def _onnx(package: Package, path: Path) -> bytes:
    try:
        import onnx as _  # noqa: F401
    except ImportError as error:
        cure = 'Run pip install "fitwell[onnx]", or choose format="numpy".'
        raise MissingPackage("export", "the package onnx", "none", cure) from error
    from fitwell.exporting import onnx

    size = sum(array.nbytes for array in jax.tree.leaves(package.weights))
    if size > _MOST:
        cure = 'Choose format="jax" or format="numpy".'
        received = f"{size / 1e9:.1f} GB"
        raise InvalidArgument("export", "at most 2 GB of weights for one ONNX file", received, cure)
    return bytes(onnx.write(package).SerializeToString())


def _numpy(package: Package, path: Path) -> bytes:
    from fitwell.exporting.script import script

    return script(package, path.name).encode()


def _jax(package: Package, path: Path) -> bytes:
    from fitwell.exporting.compiled import serialized

    return serialized(package)


FORMATS: dict[str, tuple[str, Callable[[Package, Path], bytes]]] = {
    "onnx": (".onnx", _onnx),
    "numpy": (".py", _numpy),
    "jax": (".jax", _jax),
}
"""Each format's ending, and what writes it."""
