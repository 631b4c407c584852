"""Exported programs, run by what reads them: onnxruntime, and Python with numpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from fitwell.exporting import onnx
from fitwell.exporting.package import Feed, Package, Port
from fitwell.exporting.script import script

_OPTIONS = onnxruntime.SessionOptions()
_OPTIONS.intra_op_num_threads = 1
_OPTIONS.log_severity_level = 3


def session(data: bytes | Path) -> Any:
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(data, _OPTIONS, providers=providers)


def run_onnx(opened: Any, *xs: Any) -> list[Any]:
    names = [one.name for one in opened.get_inputs()]
    return opened.run(None, dict(zip(names, map(np.asarray, xs), strict=True)))


def load_script(text: str) -> Any:
    """The module that the text is."""
    module: dict[str, Any] = {"__name__": "predict"}
    exec(compile(text, "predict.py", "exec"), module)
    return module["predict"]


def package_of(function: Any, weights: Any, xs: Sequence[Any], outputs: int = 1) -> Package:
    """`function(weights, *xs)` for export; xs are batches."""
    inputs = [Port(f"x{i}", tuple(x.shape[1:]), str(x.dtype)) for i, x in enumerate(xs)]
    results = [Port(f"y{i}", (), "float32") for i in range(outputs)]
    feeds = [Feed(i) for i in range(len(xs))]
    examples = [(port.shape, port.dtype) for port in inputs]
    return Package("p", inputs, results, feeds, function, weights, examples, frozenset())


def both(package: Package) -> tuple[Any, Any]:
    """Functions of arrays that return lists of arrays: in onnxruntime, and in numpy."""
    opened = session(onnx.write(package).SerializeToString())
    predict = load_script(script(package))

    def in_numpy(*xs: Any) -> list[Any]:
        found = predict(*map(np.asarray, xs))
        return found if isinstance(found, list) else [found]

    return lambda *xs: run_onnx(opened, *xs), in_numpy
