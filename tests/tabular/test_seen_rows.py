"""Rows that a model was trained on are known again, others are not."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from fitwell import tabular
from fitwell.errors import InvalidFile
from fitwell.tabular.seen import SeenRows, fingerprints, seen_rows
from fitwell.types import HostArray


def prints_of(prepared: tabular.Prepared, part: tabular.Part) -> HostArray:
    return fingerprints(prepared.encoder, part.x, part.encoded)


def model_of(prepared: tabular.Prepared) -> tabular.TableModel:
    """An untrained one: what it saw does not depend on what it learned."""
    train, held, test = (
        prints_of(prepared, part) for part in (prepared.train, prepared.validation, prepared.test)
    )
    bare = tabular.TableModel(tabular.build(prepared), prepared.encoder, prepared.target)
    return dataclasses.replace(bare, seen=seen_rows([train, held], test))


def table(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=rows)
    shops = [f"s{n}" for n in draw.integers(0, 120, rows)]
    return pl.DataFrame({"x": x, "z": draw.normal(size=rows), "shop": shops, "y": x > 0})


def test_seen_rows_are_said_and_others_are_not() -> None:
    frame = table()
    prepared = tabular.prepare(frame, "y")
    model = model_of(prepared)
    said = "The model was trained or validated on {} of these rows: their scores do not say how"
    (note,) = model.familiar(frame)
    assert note.startswith(said.format(f"about {1 - len(prepared.test.rows) / 300:.0%}"))
    (note,) = model.familiar(frame[prepared.train.rows])
    assert note.startswith(said.format("all"))
    assert model.familiar(frame[prepared.test.rows]) == ()
    assert model.familiar(table(seed=1)) == ()
    assert model.familiar(frame.with_columns(~pl.col("y"))) == ()


def test_rows_that_are_equal_by_chance_are_not_taken_for_seen() -> None:
    draw = np.random.default_rng(0)
    flags = {name: draw.random(400) < 0.5 for name in "abcdy"}
    model = model_of(tabular.prepare(pl.DataFrame(flags), "y"))
    assert model.seen is not None
    assert model.seen.chance > 0.9
    assert model.familiar(pl.DataFrame({n: draw.random(200) < 0.5 for n in "abcdy"})) == ()


def test_of_many_rows_some_are_kept() -> None:
    prints = np.random.default_rng(0).integers(0, 2**64, 100_000, np.uint64)
    seen = seen_rows([prints[:50_000], prints[50_000:80_000]], prints[80_000:])
    assert seen.step == 32
    assert len(seen.hashes) < 44_000
    assert seen.chance == 0
    assert seen.share(prints) == pytest.approx(0.8, abs=0.03)
    assert seen.note(prints[80_000:]) == ""
    assert seen.note(prints).startswith("The model was trained or validated on about ")


def test_damaged_fingerprints_are_refused() -> None:
    for wrong in (
        {"step": 3, "hashes": ""},
        {"step": 1, "hashes": "?"},
        {"step": 2**64, "hashes": ""},
    ):
        with pytest.raises(InvalidFile):
            SeenRows(**wrong)
