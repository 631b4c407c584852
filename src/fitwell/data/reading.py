"""`fitwell.data.read`: one way in for all kinds of data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fitwell.arguments import named
from fitwell.data.images import Images, read_images
from fitwell.data.problems import refuse_options
from fitwell.data.streaming import ImageBatches, image_batches
from fitwell.data.tables import OF_TEXT, Options, Table, to_table
from fitwell.errors import OutOfMemory


@named
def read(
    source: Any,
    *,
    names: Sequence[str] | None = None,
    text: Iterable[str] = (),
    forms: Mapping[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    skip_bad_rows: bool = False,
) -> Table | Images | ImageBatches:
    """A table: one row per example, one named column per feature. Or a folder of images.

    Files are told by their ending. `.csv`, `.tsv`, `.tab` and `.txt` are text with one row per
    line: encoding (UTF-8, UTF-16, Windows-1252), delimiter (`, ; |`, tab, spaces, or what a first
    line `sep=;` says) and whether the first line holds names are found. `.parquet`, `.pq`,
    `.jsonl`, `.ndjson` (one JSON object per line) and `.npz` (arrays of one length) are read as
    they are.

    Nothing, `NA`, `N/A`, `NaN`, `null` and `?` mean a missing value. A column of text gets the type
    that all its values have: numbers (also `1,234.5` and `1.234,5`, `12%` = 0.12, `$5`, `(5)` = -5
    beside others), `true` and `false`, dates (2026-01-31, 31.01.2026, 31 Jan 26; 01/31/2026 where
    the column shows which is the day). Every way of writing that is not Python's is said in `notes`
    and kept in `forms`.

    A folder is read by `read_images`, or where memory does not hold its images, by `image_batches`.

    Args:
        source: a path, `"sklearn:NAME"` with one of breast_cancer, diabetes, digits, iris, wine, a
            data frame (pandas, polars, pyarrow or another that narwhals knows), a dict of columns,
            a numpy array, or a Table.
        names: of the columns of an array; `column_1`, ... otherwise.
        text: columns whose text is kept as it is written (`007` stays `"007"`).
        forms: how columns are written, as a Table says in `forms`.
        encoding: of a text file, if it is not to be found out.
        delimiter: one character; `" "` stands for one or more spaces.
        header: whether the first line of a text file holds names.
        skip_bad_rows: leave out rows that cannot be read, and say which, instead of raising.

    Raises:
        InvalidFile: no such file, one that holds no table, or a bad row (another number of values,
            a broken quotation mark, bytes that are no text), with its line and column.
        InvalidArgument: an option that says nothing about such a source.
        InvalidData: no rows, two columns of one name, a column of mixed values.
        UnknownName: `sklearn:` with a name that it does not bring.

    >>> import fitwell as fw
    >>> table = fw.data.read({"price": ["1.234,50", "99,00"], "city": ["Bern", "Rome"]})
    >>> table.frame["price"].to_list(), table.forms
    ([1234.5, 99.0], {'price': '1.234,5'})
    >>> table.notes
    ("price: '1.234,50' is read as 1234.5.",)
    """
    options = Options(
        None if names is None else tuple(map(str, names)),
        frozenset(text),
        dict(forms or {}),
        encoding,
        delimiter,
        header,
        skip_bad_rows,
    )
    if isinstance(source, str | os.PathLike) and Path(source).is_dir():
        refuse_options("a folder of images", options, OF_TEXT, "names", "text", "forms")
        try:
            return read_images(source, skip_bad=skip_bad_rows)
        except OutOfMemory:
            return image_batches(source, skip_bad=skip_bad_rows)
    return to_table(source, options)
