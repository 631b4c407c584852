"""Activations in exported programs against PyTorch's values (`golden/activations.npz`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.test_activations import CASES, GOLDEN, parse, points

from .running import both, package_of


@pytest.mark.parametrize("kind", ["points", "rows"])
def test_activations_agree_with_pytorch(kind: str) -> None:
    mine = (case for case in CASES if points(case)[1] == (kind == "rows"))
    cases = [case for case in mine if "axis=0" not in case]  # that is the batch here
    functions = [parse(case) for case in cases]

    def function(_: Any, x: Any) -> list[Any]:
        return [each(x) for each in functions]

    x = GOLDEN[kind].astype(np.float32)
    for program in both(package_of(function, {}, [x], len(cases))):
        for case, y in zip(cases, program(x), strict=True):
            wanted = GOLDEN[f"{case}/value"]
            np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6, err_msg=case)
