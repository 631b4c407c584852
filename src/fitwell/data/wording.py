"""A column of free text as a few numbers: latent semantic analysis."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.data.features import check_types, damaged, rows_of, stack
from fitwell.data.scaling import smooth_clip
from fitwell.data.values import to_text
from fitwell.description import Description, check_choice
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

MOST_TERMS = 2000
"""The vocabulary of a column: what is in most rows comes first."""
MOST_FEATURES = 64
_ROWS_PER_FEATURE = 25
"""So many training rows to each feature of the text, so that a small table is not drowned in it."""
_MOST_ROWS = 20_000
"""A vocabulary is learnt from so many rows: more change it little."""
_PATTERNS = {"word": (r"(?u)\b\w+\b", (1, 1)), "character": (None, (2, 4))}


class TextColumn(Description):
    """u = tf-idf of the row's terms, of length 1; z = u W - c; feature = z / sqrt(1 + (z / 3)^2).

    The terms are words, or pieces of 2 to 4 characters where most values have no spaces. tf-idf is
    (1 + ln count) (1 + ln((1 + n) / (1 + rows with the term))). The columns of W are the first
    right singular vectors of the training rows, scaled so that the first feature has spread 1. A
    term that training did not have changes nothing; a row without a known term is all zeros.

    Args:
        name: of the column.
        unit: `"word"` or `"character"`.
        terms: in alphabetical order.
        idf: of each term.
        center: c, one number per feature.
        projection: W, (terms, features) float16 row by row, little endian, as base64.
        missing: a last feature that is 1 where the column has no value, else 0.

    Source: Deerwester et al. 1990, "Indexing by latent semantic analysis".
    """

    name: str
    unit: str
    terms: tuple[str, ...]
    idf: tuple[float, ...]
    center: tuple[float, ...]
    projection: str
    missing: bool = False

    def validate(self) -> None:
        check_types(self, name=str, terms=tuple, idf=tuple, center=tuple, projection=str)
        check_types(self, missing=bool)
        check_choice(self, "unit", tuple(_PATTERNS))
        for field, kind in (("terms", str), ("idf", float), ("center", float)):
            if not all(isinstance(value, kind) for value in getattr(self, field)):
                damaged(self, field, getattr(self, field)[:3])
        known = len(set(self.terms))
        if not known or not self.center or known != len(self.idf) or known != len(self.terms):
            damaged(self, "terms", self.terms[:3])
        if not np.isfinite([*self.idf, *self.center]).all() or not np.isfinite(self.matrix).all():
            damaged(self, "projection", self.projection[:12])

    @property
    def matrix(self) -> HostArray:
        """W, (terms, features) float32."""
        try:
            flat = np.frombuffer(base64.b64decode(self.projection, validate=True), "<f2")
            return flat.reshape(len(self.terms), len(self.center)).astype(np.float32)
        except (binascii.Error, ValueError):
            damaged(self, "projection", self.projection[:12])

    @property
    def feature_names(self) -> tuple[str, ...]:
        names = tuple(f"{self.name} text {number + 1}" for number in range(len(self.center)))
        return (*names, f"{self.name} is missing") if self.missing else names

    def encode(self, column: pl.Series) -> HostArray:
        """(n,) values of the column -> (n, features)."""
        texts = to_text(column)
        known = _vectorizer(self.unit, vocabulary=list(self.terms))
        known.idf_ = np.array(self.idf)
        z = known.transform(texts.fill_null("").to_list()).astype(np.float32) @ self.matrix
        known_rows = (z != 0).any(axis=1, keepdims=True)
        features = smooth_clip(np.where(known_rows, z - np.array(self.center), 0.0))
        if self.missing:
            features = np.concatenate([features, stack(texts.is_null().to_numpy(), None)], axis=1)
        return features.astype(np.float32)

    def surprise(self, column: pl.Series) -> str:
        """What training never saw, as a sentence; empty if there is nothing."""
        texts = to_text(column)
        full = texts.drop_nulls().to_list()
        known = _vectorizer(self.unit, vocabulary=list(self.terms))
        known.idf_ = np.ones(len(self.terms))
        strange = int((known.transform(full).getnnz(axis=1) == 0).sum()) if full else 0
        empty = 0 if self.missing else texts.null_count()
        if not strange and not empty:
            return ""
        words = [*(["no value"] if empty else []), *(["no term of training"] if strange else [])]
        hold = rows_of(strange + empty, "hold")
        return f"{self.name}: {hold} {' or '.join(words)}; read as average text."


def fit_text(name: str, values: pl.Series) -> TextColumn | None:
    """Learns terms and directions from the training rows; None if no two terms tell rows apart."""
    texts = values.drop_nulls()
    step = -(-texts.len() // _MOST_ROWS) or 1
    found = _counted(texts.gather_every(step).to_list())
    if found is None:
        return None
    unit, terms, idf, rows = found
    features = min(MOST_FEATURES, max(rows.shape[0] // _ROWS_PER_FEATURE, 2), len(terms) - 1)
    directions = _directions(rows, features)
    z = rows @ directions
    spread = float(z.std(axis=0).max())
    matrix = (directions / (spread or 1.0)).astype("<f2")
    center = (rows @ matrix.astype(np.float32)).mean(axis=0)
    return TextColumn(
        name,
        unit,
        tuple(terms),
        tuple(round(float(value), 4) for value in idf),
        tuple(round(float(value), 5) for value in center),
        base64.b64encode(matrix.tobytes()).decode("ascii"),
        missing=0 < values.null_count() < values.len(),
    )


def tells_rows_apart(values: pl.Series) -> bool:
    """Whether at least two terms are in several rows, yet not in all: else text says nothing."""
    return _counted(values.drop_nulls().head(_MOST_ROWS // 10).to_list()) is not None


def _counted(texts: list[str]) -> tuple[str, list[str], HostArray, Any] | None:
    """The unit, the terms, their idf and the rows, a sparse matrix (rows, terms) of float32."""
    if len(texts) < 2:
        return None
    spaced = sum(" " in text for text in texts)
    unit = "word" if 2 * spaced >= len(texts) else "character"
    try:
        vectorizer = _vectorizer(unit, min_df=2, max_df=len(texts) - 1, max_features=MOST_TERMS)
        rows = vectorizer.fit_transform(texts).astype(np.float32)
    except ValueError:  # scikit-learn's word for "no terms are left"
        return None
    terms = vectorizer.get_feature_names_out().tolist()
    return (unit, terms, vectorizer.idf_, rows) if len(terms) > 1 else None


def _vectorizer(unit: str, **options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    pattern, lengths = _PATTERNS[unit]
    words = {"token_pattern": pattern} if pattern else {"analyzer": "char_wb"}
    return TfidfVectorizer(ngram_range=lengths, sublinear_tf=True, **words, **options)


def _directions(rows: Any, features: int) -> HostArray:
    """(terms, features): the first right singular vectors, the same for the same rows."""
    from sklearn.decomposition import TruncatedSVD

    found: HostArray = TruncatedSVD(features, random_state=0).fit(rows).components_.T
    return found.astype(np.float32)
