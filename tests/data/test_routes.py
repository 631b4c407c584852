"""The same table by all routes: one frame, and one training to the last bit."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell import tabular
from fitwell.data.writing import write_table

ROWS = 90


def table() -> pl.DataFrame:
    draw = np.random.default_rng(0)
    size = draw.normal(size=ROWS)
    return pl.DataFrame(
        {
            "size": [None if i % 11 == 0 else float(v) for i, v in enumerate(size)],
            "rooms": draw.integers(1, 9, ROWS),
            "city": draw.choice(["Bern", "Rome, Italy", 'the "city"', "Köln"], ROWS),
            "sold": draw.random(ROWS) < 0.5,
            "day": [datetime.date(2020, 1, 1) + datetime.timedelta(int(d)) for d in size * 100],
            "price": np.where(size > 0, 2.5, 0.25) + draw.random(ROWS),
        }
    )


def file(name: str, **how: Any) -> Callable[[pl.DataFrame, Path], Any]:
    def write(frame: pl.DataFrame, folder: Path) -> Path:
        path = folder / name
        frame.write_csv(path, **how) if how else write_table(frame, path)
        return path

    return write


def european(frame: pl.DataFrame, folder: Path) -> Path:
    path = folder / "europe.csv"
    numbers = pl.col("size", "price").cast(pl.String).str.replace(".", ",", literal=True)
    days = pl.col("day").dt.strftime("%d.%m.%Y")
    text = frame.with_columns(numbers, days).write_csv(separator=";", include_bom=False)
    path.write_bytes(text.encode("cp1252"))
    return path


def utf16(frame: pl.DataFrame, folder: Path) -> Path:
    path = folder / "wide.txt"
    path.write_text(frame.write_csv(separator="\t", line_terminator="\r\n"), encoding="utf-16")
    return path


def no_pandas_types(frame: pl.DataFrame, folder: Path) -> Any:
    return frame.to_pandas()


ROUTES: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "csv": file("t.csv"),
    "tsv": file("t.tsv"),
    "quoted": file("q.csv", quote_style="always"),
    "semicolons, decimal commas, Windows-1252": european,
    "tabs in UTF-16, CRLF": utf16,
    "parquet": file("t.parquet"),
    "json lines": file("t.jsonl"),
    "npz": file("t.npz"),
    "pandas": no_pandas_types,
    "pyarrow": lambda frame, folder: frame.to_arrow(),
    "dict": lambda frame, folder: frame.to_dict(as_series=False),
    "structured array": lambda frame, folder: frame.to_numpy(structured=True),
    "table": lambda frame, folder: fw.data.read(frame),
}


@pytest.mark.parametrize("route", ROUTES)
def test_the_frame_is_the_same(route: str, tmp_path: Path) -> None:
    frame = table()
    found = fw.data.read(ROUTES[route](frame, tmp_path)).frame
    if route == "pandas":  # it keeps days as moments
        found = found.with_columns(pl.col("day").cast(pl.Date))
    assert found.equals(frame)
    assert found.schema == frame.schema


def test_an_array_with_names() -> None:
    array = np.array([[1.0, 2.5], [np.nan, 4.0]])
    frame = fw.data.read(array, names=["a", "b"]).frame
    assert frame.to_dict(as_series=False) == {"a": [1.0, None], "b": [2.5, 4.0]}
    assert fw.data.read(np.arange(3)).frame.to_dict(as_series=False) == {"column_1": [0, 1, 2]}
    objects = np.array([[1, "x"], [None, "y"]], object)
    assert fw.data.read(objects).frame.rows() == [(1, "x"), (None, "y")]


def test_an_npz_of_arrays_with_two_axes(tmp_path: Path) -> None:
    names = np.array(["age", "height"])
    np.savez(tmp_path / "t.npz", X=np.arange(6.0).reshape(3, 2), y=[0, 1, 0], feature_names=names)
    assert fw.data.read(tmp_path / "t.npz").frame.to_dict(as_series=False) == {
        "age": [0.0, 2.0, 4.0],
        "height": [1.0, 3.0, 5.0],
        "y": [0, 1, 0],
    }
    np.savez(tmp_path / "u.npz", X=np.arange(4).reshape(2, 2))
    assert fw.data.read(tmp_path / "u.npz").columns == ["X_1", "X_2"]


def test_training_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    frame, europe = table(), "semicolons, decimal commas, Windows-1252"
    given = {route: ROUTES[route](frame, tmp_path) for route in ROUTES}
    arrays = {route: tabular.prepare(data, "price").train.x for route, data in given.items()}
    assert len({x.tobytes() for x in arrays.values()}) == 1
    models = [tabular.train(given[one], "price", epochs=2, verbose=0) for one in (europe, "pandas")]
    assert models[0].predict(frame).tobytes() == models[1].predict(frame).tobytes()
    assert models[0].facts["forms"] == {"size": "1.234,5", "day": "%d.%m.%Y", "price": "1.234,5"}
    assert "day: '13.01.2020' is read as 2020-01-13." in models[0].facts["notes"]


def test_a_model_reads_new_rows_in_the_form_of_its_training_table(tmp_path: Path) -> None:
    numbers = [f"{1 + i % 7}.{100 + i},5" for i in range(60)]
    frame = pl.DataFrame({"big": numbers, "price": np.arange(60.0) + 0.5})
    prepared = tabular.prepare(frame, "price")
    facts = {"forms": dict(prepared.forms)}
    model = tabular.TableModel(tabular.build(prepared), prepared.encoder, prepared.target, facts)
    model.save(tmp_path / "m.safetensors")
    again = tabular.load(tmp_path / "m.safetensors")
    assert again.read({"big": ["1.234"]})["big"].to_list() == [1234]
    assert fw.data.read({"big": ["1.234"]}).frame["big"].to_list() == [1.234]
