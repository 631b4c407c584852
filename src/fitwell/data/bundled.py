"""The data sets that scikit-learn brings along, as tables: `sklearn:NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fitwell.errors import UnknownName, did_you_mean

if TYPE_CHECKING:
    import polars as pl

NAMES = ("breast_cancer", "diabetes", "digits", "iris", "wine")
"""What there is without a download."""

TARGET = "target"
"""The column to predict, in all of them."""

_NEED_DOWNLOAD = ("20newsgroups", "california_housing", "covtype", "kddcup99", "olivetti_faces")
_PREFIX = "sklearn:"


def is_bundled(source: Any) -> bool:
    """Whether a source is `"sklearn:..."`."""
    return isinstance(source, str) and source.startswith(_PREFIX)


def read_bundled(source: str) -> pl.DataFrame:
    """The table `"sklearn:NAME"`; classes have their names where the data set has names.

    Raises:
        UnknownName: a name that is not among `NAMES`.
    """
    import polars as pl

    name = source.removeprefix(_PREFIX)
    if name not in NAMES:
        download = name in _NEED_DOWNLOAD
        raise UnknownName(
            source,
            "a data set that scikit-learn brings along",
            f"{name!r}" + (", which it would have to download" if download else ""),
            "Download it yourself and give its CSV or Parquet file."
            if download
            else did_you_mean(name, NAMES),
        )
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{name}")()
    names = getattr(bunch, "target_names", None)
    target = bunch.target if names is None else names[bunch.target]
    features = {str(n): bunch.data[:, i] for i, n in enumerate(bunch.feature_names)}
    return pl.DataFrame({**features, TARGET: target.tolist()})
