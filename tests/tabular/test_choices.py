"""A search for a table: the default network stays unless a trial is better on validation rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fitwell import tabular


@pytest.fixture(scope="module")
def prepared() -> tabular.Prepared:
    x = np.random.default_rng(0).normal(size=(300, 2))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] - 2 * x[:, 1]})
    return tabular.prepare(frame, "y", seed=0)


def squared_error(prepared: tabular.Prepared, network: object) -> float:
    held = prepared.validation
    error = network.predict(held.x)[:, 0] - held.encoded  # type: ignore[attr-defined]
    return float(np.mean(error**2))


def test_the_default_network_stays_where_the_search_has_no_time(prepared: tabular.Prepared) -> None:
    found = tabular.tuned(prepared, 0.01, verbose=0)
    assert list(found.best_values) == [tabular.DEFAULT]
    assert str(found.best_values[tabular.DEFAULT]).startswith("8 members that share 2 x 256 relu")
    assert found.score == pytest.approx(squared_error(prepared, found.best), rel=1e-4)
    assert found.trials == []
