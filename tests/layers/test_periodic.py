"""PeriodicEmbedding: how it starts, and what it refuses. Its map is a row of the contract table."""

from __future__ import annotations

import re

import jax
import numpy as np
import pytest

from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers import PeriodicEmbedding


def test_start() -> None:
    params = PeriodicEmbedding(frequencies=400, units=4, stddev=0.3).init(jax.random.key(0), (50,))
    frequency = np.asarray(params["frequency"])
    # 20,000 draws: the error of mean and standard deviation is under 5 of their standard errors.
    assert abs(frequency.mean()) < 5 * 0.3 / np.sqrt(20_000)
    assert abs(frequency.std() - 0.3) < 5 * 0.3 / np.sqrt(40_000)
    for name, limit in (("phase", np.pi), ("kernel", 1 / 20), ("bias", 1 / 20)):
        values = np.asarray(params[name])
        assert abs(values).max() <= limit
        assert abs(values.std() - limit / np.sqrt(3)) < 0.1 * limit
    assert np.asarray(params["scale"]).tolist() == [1.0] * 250


REFUSED = {
    "frequencies": (
        {"frequencies": 0},
        "PeriodicEmbedding: expected frequencies to be a whole number >= 1, received "
        "frequencies=0.",
    ),
    "units": ({"units": 1.5}, "expected units to be a whole number >= 1, received units=1.5."),
    "stddev": ({"stddev": 0.0}, "expected stddev to be a number in (0, inf), received stddev=0.0."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arguments(case: str) -> None:
    arguments, message = REFUSED[case]
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        PeriodicEmbedding(**arguments)


def test_shape() -> None:
    with pytest.raises(
        ShapeMismatch,
        match=r"expected one row of features per example, shape \(d,\), received shape \(2, 3\)\. "
        r"Put Flatten\(\) before it\.",
    ):
        PeriodicEmbedding().init(jax.random.key(0), (2, 3))
