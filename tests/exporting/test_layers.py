"""Every row of the layers' contract table, in onnxruntime and in numpy, against its truth.

The truth is what PyTorch and Keras computed, or the row's formula: see `tests/layers/table.py`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.layers.table import Row
from tests.layers.test_contract import ROWS, golden_case, made, truth

from fitwell.tree import unflatten

from .running import both, package_of


def given(row: Row) -> tuple[Any, Any, list[Any]]:
    """Weights, state and inputs for which the truth is known."""
    if row.formula is not None:
        params, state, x = made(row)
        return params, state, x if row.many else [x]
    case = golden_case(row.name)
    params = unflatten(
        {k[6:]: jnp.asarray(v, row.dtype) for k, v in case.items() if k[:6] == "param/"}
    )
    dtype = "int32" if row.ids else row.dtype
    xs = [np.asarray(case[f"x{i}"], dtype) for i in range(len(row.shapes))]
    shape: Any = list(row.shapes) if row.many else row.shapes[0]
    return params, row.layer.init_state(shape), xs


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_exported_layers_agree_with_the_truth(row: Row) -> None:
    with jax.enable_x64(row.dtype == "float64"):
        params, state, xs = given(row)
        wanted, _ = truth(row)

        def function(weights: Any, *xs: Any) -> Any:
            x: Any = list(xs) if row.many else xs[0]
            key = jax.random.key(0)
            return row.layer.forward(*weights, x, key=key, train=False)[0]

        package = package_of(function, (params, state), xs, len(wanted))
        programs = both(package)
    longer = [np.concatenate([x, x[1:]]) for x in map(np.asarray, xs)]
    for program in programs:
        for y, truly in zip(program(*longer), wanted, strict=True):  # the batch has any size
            twice = np.concatenate([truly, truly[1:]])
            np.testing.assert_allclose(y, twice, rtol=1e-5, atol=1e-6)
