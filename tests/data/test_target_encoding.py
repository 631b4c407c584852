"""Categories of very many values: means by hand, and features that do not tell their own target."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from fitwell import tabular
from fitwell.data.columns import infer_columns
from fitwell.data.encoding import TableEncoder, fit_encoder
from fitwell.data.features import CategoryColumn
from fitwell.data.labels import fit_target, signals_of
from fitwell.data.target_encoding import (
    TargetEncodedColumn,
    fit_target_encoding,
    out_of_fold,
)
from fitwell.errors import InvalidFile
from fitwell.types import HostArray


def fitted(values: list[str | None], signals: HostArray) -> TargetEncodedColumn:
    counts = {value: values.count(value) for value in values}
    return fit_target_encoding("c", pl.Series("c", values), counts, signals)


def test_means_by_hand() -> None:
    """Means 2 and 6 of 4; within values 4 / 2 = 2, between them (16 - 2) / (4 - 8 / 4) = 7: so
    2 / (2 + 2 / 7) = 7 / 8 of the way from 4.
    """
    column = fitted(["a", "a", "b", "b"], np.array([[1.0], [3.0], [5.0], [7.0]]))
    assert column.values == ("a", "b")
    np.testing.assert_allclose(column.means, [[2.25], [5.75], [4.0]], rtol=1e-12)
    # Median 4 and quartiles 2.25 and 5.75 of the rows.
    z = 1.75 / 3.5
    features = column.encode(pl.Series("c", ["a", "b", "new", None]))
    one = z / np.sqrt(1 + z**2 / 9)
    np.testing.assert_allclose(features, [[-one, -1], [one, 0], [0, 1], [0, 1]], rtol=1e-6)
    assert column.feature_names == ("c (target encoding)", "c (place)")


def test_rare_values_share_what_they_say_and_missing_ones_have_their_own() -> None:
    values = [None] * 8 + ["a"] * 8 + [f"rare {n}" for n in range(8)]
    y = np.repeat([0.0, 1.0, 5.0], 8)[:, None] + np.tile([-0.1, 0.1], 12)[:, None]
    column = fitted(values, y)
    assert column.values == ("a", None)
    np.testing.assert_allclose(np.ravel(column.means), [1, 0, 5], atol=0.02)


def test_values_that_say_nothing_become_zeros() -> None:
    column = fitted(["a", "b", "a", "b"], np.array([[1.0], [1.0], [2.0], [2.0]]))
    features = column.encode(pl.Series("c", ["a", "b", "z"]))
    assert features.tolist() == [[0, -1], [0, 0], [0, 1]]


def test_rows_without_a_target_do_not_count() -> None:
    signals = np.array([[1.0], [3.0], [5.0], [7.0], [np.nan], [np.nan]])
    column = fitted(["a", "a", "b", "b", "a", "d"], signals)
    np.testing.assert_allclose(column.means, [[2.25], [5.75], [4.0]], rtol=1e-12)


def test_a_row_does_not_learn_from_its_own_target() -> None:
    draw = np.random.default_rng(0)
    values = pl.Series("c", draw.choice(list("abcdefgh"), 200))
    signals, groups = draw.normal(size=(200, 2)), draw.integers(0, 120, 200)
    column = fitted(values.to_list(), signals)
    before = out_of_fold(column, values, signals, groups)
    for row in (0, 57, 199):
        changed = signals.copy()
        changed[row] += 100
        after = out_of_fold(column, values, changed, groups)
        own = groups == groups[row]
        assert (after[own] == before[own]).all()
        assert (after[~own] != before[~own]).any()


def table(noise: bool) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 300, 6000)
    effect = draw.normal(size=300)[codes] * (not noise)
    return pl.DataFrame(
        {
            "shop": [f"s{n}" for n in codes],
            "x": draw.normal(size=6000),
            "y": effect + draw.normal(size=6000),
        }
    )


def correlation(part: tabular.Part) -> float:
    feature = part.x[:, 0]
    return float(np.corrcoef(feature, part.true)[0, 1]) if np.ptp(feature) else 0.0


def test_a_target_that_follows_from_three_hundred_values() -> None:
    """The best that can be known of y is the effect: the correlation with it is 1 / sqrt(2), and
    with its mean over 13 rows sqrt(13 / 14) of that.
    """
    prepared = tabular.prepare(table(noise=False), "y")
    assert prepared.encoder.feature_names == ("shop (target encoding)", "shop (place)", "x")
    assert prepared.encoder.categories == ((1, 301),)
    assert correlation(prepared.train) == pytest.approx(0.68, abs=0.04)
    assert correlation(prepared.test) == pytest.approx(0.68, abs=0.05)
    assert prepared.notes == (
        "shop: 300 values, each read as the mean target of the training rows that share it "
        "(target encoding).",
    )


def test_noise_is_not_learned_by_heart() -> None:
    """In-sample means of 13 rows would correlate with their targets by 0.28."""
    prepared = tabular.prepare(table(noise=True), "y")
    assert abs(correlation(prepared.train)) < 0.06


def test_classes_are_a_signal_each() -> None:
    y = pl.Series("y", ["a", "b", "c", None, "a"])
    target = fit_target(y.drop_nulls(), "multiclass")
    two = pl.Series("z", [True, None, False, False, True])
    signals = signals_of([target, fit_target(two.drop_nulls(), "binary")], [y, two])
    n = np.nan
    expected = [[1, 0, 0, 1], [0, 1, 0, n], [0, 0, 1, 0], [n, n, n, 0], [1, 0, 0, 1]]
    np.testing.assert_array_equal(signals, expected)


def test_it_survives_json_and_a_damaged_one_is_refused() -> None:
    frame = table(noise=False).with_columns(y=pl.col("y") > 0)
    target = fit_target(frame["y"], "binary")
    columns = infer_columns(frame, "y")
    encoder = fit_encoder(frame, columns, None, lambda: signals_of([target], [frame["y"]]))
    again = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert again == encoder
    assert again.transform(frame).tobytes() == encoder.transform(frame).tobytes()
    assert encoder.text_columns == ("shop",)
    assert isinstance(fit_encoder(frame, columns).columns[0], CategoryColumn)  # without a target
    args = encoder.to_json()[0]["args"]
    for field, damaged in (
        ("means", args["means"][:-1]),
        ("means", [["1"]] * len(args["means"])),
        ("scale", [float("nan")]),
        ("values", [None, *args["values"][1:]]),
        ("values", [args["values"][1], *args["values"][1:]]),
    ):
        stored = encoder.to_json()
        stored[0]["args"][field] = damaged
        with pytest.raises(InvalidFile, match=f"expected {field} as fitwell writes it"):
            TableEncoder.from_json(stored)
