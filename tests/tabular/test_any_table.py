"""Any table, any roles and kinds: ready for training with finite numbers, or one clear error."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from fitwell import tabular
from fitwell.data.labels import target_column
from fitwell.errors import FitwellError

Draw = np.random.Generator
KINDS = ["number", "category", "boolean", "date", "text", "id", "ignore", "constant"]
VALUES: list[Callable[[Draw, int], list[Any]]] = [
    lambda d, n: d.normal(size=n).tolist(),
    lambda d, n: (d.normal(size=n) * 10.0 ** d.integers(-300, 300)).tolist(),
    lambda d, n: d.integers(0, 5, n).tolist(),
    lambda d, n: d.integers(0, 2, n).tolist(),
    lambda d, n: d.choice(["a", "b", "c d"], n).tolist(),
    lambda d, n: d.choice(["1", "2", "3.5", "unknown", "?"], n).tolist(),
    lambda d, n: [
        " ".join(d.choice(["red", "car", "x1", "Öl"], d.integers(0, 4))) for _ in range(n)
    ],
    lambda d, n: (d.random(n) < 0.5).tolist(),
    lambda d, n: [datetime.date(2020, 1, 1) + datetime.timedelta(int(i)) for i in range(n)],
    lambda d, n: [f"id{i}" for i in range(n)],
    lambda d, n: ["k"] * n,
    lambda d, n: [None] * n,
]


def table(draw: Draw) -> pl.DataFrame:
    rows = int(draw.integers(1, 80))

    def column() -> pl.Series:
        values = VALUES[draw.integers(len(VALUES))](draw, rows)
        if draw.random() < 0.4:
            values = [None if draw.random() < 0.2 else value for value in values]
        return pl.Series(values)

    frame = pl.DataFrame({f"c{i}": column() for i in range(draw.integers(3, 7))})
    return pl.concat([frame, frame[: draw.integers(rows)]]) if draw.random() < 0.3 else frame


@pytest.mark.parametrize(("first", "trainable"), [(0, 22), (100, 34), (200, 24)])
def test_finite_numbers_or_one_clear_error(first: int, trainable: int) -> None:
    ready = 0
    for seed in range(first, first + 100):
        draw = np.random.default_rng(seed)
        frame = table(draw)
        options: dict[str, Any] = {"seed": seed}
        for role in ("weights", "group", "time"):
            if draw.random() < 0.2:
                options[role] = str(draw.choice(frame.columns[2:]))
        if draw.random() < 0.2:
            options["kinds"] = {str(draw.choice(frame.columns[2:])): str(draw.choice(KINDS))}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                views = (
                    tabular.prepare_several(frame, ["c0", "c1"], **options)
                    if draw.random() < 0.3
                    else (tabular.prepare(frame, "c0", **options),)
                )
        except FitwellError:  # four parts, or it could not be made
            continue
        ready += 1
        for view in views:
            check(view)
    assert ready == trainable  # of these seeds


def check(prepared: tabular.Prepared) -> None:
    parts = prepared.train, prepared.validation, prepared.test
    rows = np.concatenate([part.rows for part in parts])
    known = target_column(prepared.frame, prepared.target.name).is_not_null()
    assert sorted(rows.tolist()) == known.arg_true().to_list()
    for part in parts:
        assert len(part.x)
        assert np.isfinite(part.x).all()
        assert abs(part.x).max(initial=0) <= 3
        assert np.isfinite(part.encoded).all()
    if prepared.groups is not None and prepared.roles.time is None:
        held = [set(prepared.groups[part.rows].tolist()) for part in parts]
        assert len(set.union(*held)) == sum(map(len, held))
    if prepared.target.classes:
        assert set(prepared.train.encoded.tolist()) == set(range(len(prepared.target.classes)))
