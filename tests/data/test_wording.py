"""Free text as numbers: against the formula and numpy's singular vectors."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import polars as pl
import pytest

from fitwell.data.columns import Column
from fitwell.data.encoding import TableEncoder, fit_encoder
from fitwell.data.wording import TextColumn, fit_text
from fitwell.errors import FitwellError, InvalidArgument, InvalidFile

TEXTS = ["red red car", "blue car", "red house", "blue house", "old house", None, "Red blue!"]


def fitted(texts: list[str | None]) -> TextColumn:
    column = fit_text("t", pl.Series("t", texts))
    assert column is not None
    return column


def tf_idf(texts: list[str], terms: list[str], known: list[str]) -> np.ndarray:
    """By the formula, word by word."""
    rows = np.zeros((len(texts), len(terms)))
    for row, text in enumerate(texts):
        words = re.findall(r"\w+", text.lower())
        for place, term in enumerate(terms):
            n, holds = len(known), sum(term in re.findall(r"\w+", k.lower()) for k in known)
            if count := words.count(term):
                rows[row, place] = (1 + np.log(count)) * (np.log((1 + n) / (1 + holds)) + 1)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def test_the_features_are_those_of_latent_semantic_analysis() -> None:
    known = [text for text in TEXTS if text]
    column = fitted(TEXTS)
    assert column.unit == "word"
    assert column.terms == ("blue", "car", "house", "red")  # "old" is in one row only
    u = tf_idf(known, list(column.terms), known)
    right = np.linalg.svd(u)[2][:2].T
    z = u @ right
    z = (z - z.mean(axis=0)) / z.std(axis=0).max()
    expected = z / np.sqrt(1 + (z / 3) ** 2)
    out = column.encode(pl.Series("t", known))
    assert column.feature_names == ("t text 1", "t text 2", "t is missing")
    signs = np.sign((out[:, :2] * expected).sum(axis=0))  # of a singular vector: either
    np.testing.assert_allclose(out[:, :2] * signs, expected, atol=4e-3)  # W has 11 bits
    assert not out[:, 2].any()


def test_text_without_a_known_term_is_average_text() -> None:
    column = fitted(TEXTS)
    out = column.encode(pl.Series("t", ["zzz", None, " NA ", "house"]))
    assert out[:3].tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert out[3].any()
    assert column.surprise(pl.Series("t", ["zzz", None, "a red one"])) == (
        "t: 1 row holds no term of training; read as average text."
    )
    never = fitted([text for text in TEXTS if text])
    assert never.feature_names == ("t text 1", "t text 2")
    assert never.surprise(pl.Series("t", ["zzz", None])) == (
        "t: 2 rows hold no value or no term of training; read as average text."
    )
    assert never.surprise(pl.Series("t", ["red"])) == ""


def test_without_spaces_the_terms_are_pieces_of_the_words() -> None:
    column = fitted(["ab12", "ab34", "xy12", "xy34"])
    assert column.unit == "character"
    assert {" ab", "ab", "12", "34 "} <= set(column.terms)
    out = column.encode(pl.Series("t", ["ab12", "ab99", "xy12"]))
    # what begins alike is nearer than what does not
    assert np.linalg.norm(out[0] - out[1]) < np.linalg.norm(out[1] - out[2])


def test_nothing_to_tell_rows_apart_by() -> None:
    for texts in (["a b", "c d"], ["same words"] * 5, [None, None], ["one"], []):
        assert fit_text("t", pl.Series("t", texts, dtype=pl.String)) is None
    frame = pl.DataFrame({"t": ["a b", None, "c d"]})
    encoder = fit_encoder(frame, [Column("t", "text")])
    assert encoder.feature_names == ("t is present",)


def test_a_topic_can_be_read_from_words_never_seen_together() -> None:
    draw = np.random.default_rng(0)
    topics = [[f"{topic}{i}" for i in range(12)] for topic in ("sea", "city")]
    labels = draw.integers(0, 2, 400)
    texts = [" ".join(draw.choice(topics[label], 4)) for label in labels]
    column = fitted(texts[:300])
    assert len(column.center) == 12  # 300 rows / 25
    out = column.encode(pl.Series("t", texts))
    centers = np.stack([out[:300][labels[:300] == k].mean(axis=0) for k in (0, 1)])
    nearest = np.linalg.norm(out[300:, None] - centers, axis=2).argmin(axis=1)
    assert (nearest == labels[300:]).mean() > 0.97


def test_the_same_text_gives_the_same_column_and_survives_json() -> None:
    column = fitted(TEXTS)
    assert fitted(TEXTS) == column
    encoder = TableEncoder((column,))
    read = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    frame = pl.DataFrame({"t": TEXTS})
    assert read == encoder
    assert read.transform(frame).tobytes() == encoder.transform(frame).tobytes()
    assert read.text_columns == ("t",)


DAMAGES: dict[str, dict[str, Any]] = {
    "no terms": {"terms": []},
    "a term twice": {"terms": ["a", "a", "b", "c"]},
    "terms that are no words": {"terms": [1, 2, 3, 4]},
    "another unit": {"unit": "page"},
    "too few weights": {"idf": [1.0]},
    "no base64": {"projection": "%%%"},
    "a matrix of another size": {"projection": "AAAA"},
    "not finite": {"center": [{"number": "nan"}, 0.0]},
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_description_is_refused(case: str) -> None:
    (data,) = TableEncoder((fitted(TEXTS),)).to_json()
    damaged = {**data, "args": {**data["args"], **DAMAGES[case]}}
    with pytest.raises(FitwellError) as caught:
        TableEncoder.from_json([damaged])
    assert isinstance(caught.value, InvalidFile | InvalidArgument)
