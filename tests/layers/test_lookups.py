"""The lookup layers against Keras' own, by themselves and inside a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line

CASES = json.loads((Path(__file__).parents[1] / "golden" / "lookups.json").read_text())


def layer_of(case: dict[str, Any]) -> Any:
    layer = getattr(L, case["layer"])(**case["arguments"])
    if case["adapt"] is not None:
        layer.adapt(case["adapt"])
    return layer


@pytest.mark.parametrize("name", CASES)
def test_they_return_what_keras_returns(name: str) -> None:
    case = CASES[name]
    layer = layer_of(case)
    found, wanted = layer(case["x"]), np.array(case["y"])
    assert layer.get_vocabulary() == case["vocabulary"]
    if wanted.dtype.kind == "U":
        assert found.tolist() == wanted.tolist()
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert found.dtype.kind == (
        "O" if wanted.dtype.kind == "U" else "i" if layer.output_mode == "int" else "f"
    )


IN_MODELS = [
    n for n in CASES if "invert" not in n and CASES[n]["arguments"].get("split", "") != "character"
]


def test_a_model_predicts_what_the_layers_return() -> None:
    """All of them side by side in one model: each reads the input that has its values."""
    for kind in ("StringLookup", "IntegerLookup", "TextVectorization"):
        symbols, outputs, data, wanted = {}, [], {}, []
        for name, case in CASES.items():
            layer = layer_of(case)
            unlimited = getattr(layer, "output_sequence_length", 0) is None
            if case["layer"] != kind or getattr(layer, "invert", False):
                continue
            if unlimited and layer.output_mode == "int" and layer.split is not None:
                continue
            x = np.array(case["x"], object if kind != "IntegerLookup" else np.int64)
            key = str(case["x"])
            if key not in symbols:
                symbols[key] = L.Input(x.shape[1:] or (1,), dtype=layer.input_dtype)
                data[key] = x
            outputs.append(layer(symbols[key]))
            wanted.append(np.array(case["y"]))
        for key, symbol in symbols.items():
            mine = [i for i, out in enumerate(outputs) if out.call.inputs == (symbol,)]
            model = fw.Model(symbol, [outputs[i] for i in mine])
            found = model.predict(data[key])
            found = found if isinstance(found, list) else [found]
            for i, y in zip(mine, found, strict=True):
                np.testing.assert_allclose(y, wanted[i], rtol=1e-6)
