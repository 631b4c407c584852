"""Text files with one row per line: CSV, TSV and their relatives, read in blocks.

Numbers become numbers block by block, so that a file takes little more memory than its values. A
column whose first blocks are numbers and a later one is not is read again as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from fitwell.data.gathering import Columns, joined
from fitwell.data.problems import no_rows, no_table, repeated
from fitwell.data.records import GONE, BadRow, Rows, cut, rows_of
from fitwell.data.sniffing import HINT, Dialect, spaces_to_one
from fitwell.errors import InvalidFile
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 2**23
"""Characters that are read at a time."""

_UNWRITTEN = [bytes([c]) for c in (*range(31, 13, -1), *range(8, 0, -1))]
"""Characters that no text holds: three of them stand between values, between rows and for
carriage returns on the way to polars."""


@dataclass
class Delimited:
    """What was found in a text file.

    Attributes:
        frame: numbers as numbers, all else as text.
        lines: the line of the file that each row begins in, from 1.
        bad: rows that were skipped.
    """

    frame: pl.DataFrame
    lines: HostArray
    bad: list[BadRow]


def read_delimited(
    path: Path, subject: str, dialect: Dialect, text: frozenset[str], skip_bad_rows: bool
) -> Delimited:
    """The table of a text file; columns in `text` keep their text.

    Raises:
        InvalidFile: a bad row, unless these are skipped.
        InvalidData: no rows, or columns that share a name.
    """
    import polars as pl

    first = _pass(path, subject, dialect, Columns(text), skip_bad_rows)
    columns = first.columns
    if columns.again:
        repeat = Columns(frozenset(columns.again), only=frozenset(columns.again))
        columns.parts |= _pass(path, subject, dialect, repeat, skip_bad_rows).columns.parts
    if not first.lines:
        raise no_rows(subject)
    lines = np.concatenate(first.lines)
    frame = pl.DataFrame([joined(name, columns.parts.pop(name)) for name in first.names])
    return Delimited(frame, lines, first.bad)


@dataclass
class _Pass:
    """One reading of the file."""

    columns: Columns
    names: list[str] = field(default_factory=list)
    lines: list[HostArray] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def _pass(path: Path, subject: str, dialect: Dialect, columns: Columns, skip: bool) -> _Pass:
    state = _Pass(columns)
    for begin, block, bad in _blocks(path, subject, dialect):
        state.bad += bad
        if block:
            _add(state, block, begin, subject, dialect)
        end = begin + block.count(b"\n")  # what comes after is not decided yet
        decided = [row for row in state.bad if row.line < end]
        if decided and not skip:
            raise _bad_row(subject, _first(decided))
    if state.bad and not skip:
        raise _bad_row(subject, _first(state.bad))
    state.bad.sort(key=lambda row: row.line)
    return state


def _first(bad: Sequence[BadRow]) -> BadRow:
    return min(bad, key=lambda row: row.line)


def _bad_row(subject: str, row: BadRow) -> InvalidFile:
    return InvalidFile(
        subject,
        row.expected,
        f"{row.received} in {row.place}",
        f"{_CURES.get(row.expected, _CURE)} Or skip such rows: skip_bad_rows=True, "
        "--skip-bad-rows on the command line.",
    )


_CURE = "Correct the line; a value that holds the separator needs quotes around it."
_QUOTES = "quotation marks around whole values only"
_CHARACTERS = "characters of its encoding"
_CURES = {
    _QUOTES: 'Write "5"" pipe" for 5" pipe, and end every quoted value.',
    _CHARACTERS: "Save the table in UTF-8, or name its encoding (encoding='cp1252').",
}


def _blocks(
    path: Path, subject: str, dialect: Dialect
) -> Iterator[tuple[int, bytes, list[BadRow]]]:
    """Whole rows of the file in UTF-8, after the line they begin in; and bad rows among them."""
    line, rest, part, begun = 1, b"", "", False
    kept = "" if dialect.newlines else None
    with open(path, encoding=dialect.encoding, errors="surrogateescape", newline=kept) as file:
        while True:
            text = _characters(file, subject, dialect)
            last = not text
            part += text
            whole = len(part) if last else part.rfind("\n") + 1
            done, part = part[:whole], part[whole:]
            hint = None if begun else HINT.match(done)
            begun = begun or bool(done)
            if dialect.delimiter == " ":
                done = spaces_to_one(done)
            done, bad = _without_foreign(done, line + rest.count(b"\n"))
            if hint:
                done = GONE.decode() + done[done.index("\n") :]
            block, rest, misquoted = cut(rest + done.encode(), dialect.delimiter, last)
            block = _without_returns(block)
            yield line, block, [*bad, *(replace(row, line=line + row.line) for row in misquoted)]
            line += block.count(b"\n")
            if last:
                return


def _characters(file: TextIO, subject: str, dialect: Dialect) -> str:
    try:
        return file.read(_BLOCK)
    except UnicodeDecodeError as error:  # of encodings in which single bytes cannot be left out
        received = f"{error.reason} at byte {error.object[error.start]:#04x}"
        cure = _CURES[_CHARACTERS]
        raise InvalidFile(subject, f"text in {dialect.encoding}", received, cure) from error


def _without_returns(block: bytes) -> bytes:
    """Line ends of Windows as one byte; those inside quotation marks are the value's."""
    if b"\r\n" not in block:
        return block
    if b'"' not in block:
        return block.replace(b"\r\n", b"\n")
    return _QUOTED_OR_END.sub(lambda found: b"\n" if found[0] == b"\r\n" else found[0], block)


_QUOTED_OR_END = re.compile(rb'"[^"]*"|\r\n')


def _without_foreign(text: str, line: int) -> tuple[str, list[BadRow]]:
    """The text without lines that hold undecodable bytes or the character zero."""
    bad: list[BadRow] = []
    if text.isascii() and "\0" not in text:
        return text, bad
    pieces, place = [], 0
    for found in _FOREIGN.finditer(text):
        start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.start())
        if found.start() < place:
            continue  # a line that is out already
        end = len(text) if end < 0 else end
        line += text.count("\n", place, start)
        character = found.group()
        what = (
            "the character zero" if character == "\0" else f"the byte {ord(character) & 255:#04x}"
        )
        bad.append(BadRow(line, found.start() - start + 1, _CHARACTERS, what))
        pieces += [text[place:start], GONE.decode()]
        place = end
    return "".join([*pieces, text[place:]]), bad


_FOREIGN = re.compile("[\0\ud800-\udfff]")


def _add(state: _Pass, block: bytes, begin: int, subject: str, dialect: Dialect) -> None:
    """Adds the rows of a block to the columns; the first row of all may be the names."""
    rows = rows_of(block, dialect.delimiter)
    keep = ~rows.gone
    first = not state.names
    filled = np.flatnonzero(keep & ~rows.blank)
    if first and not filled.size:
        return
    if first:
        keep[: filled[0]] = False
        if state.bad and _first(state.bad).line <= begin + rows.lines[filled[0]]:
            raise _bad_row(subject, _first(state.bad))  # the names would be those of another row
    width = int(rows.values[filled[0]]) if first else len(state.names)
    if width > 1:
        keep &= ~rows.blank
    wrong = keep & (rows.values != width)
    for row in np.flatnonzero(wrong):
        state.bad.append(_uneven(width, int(rows.values[row]), begin + int(rows.lines[row])))
    keep &= ~wrong
    frame, lines = _frame(rows, keep, block, width, subject), begin + rows.lines[keep]
    if first:
        state.names = _names(frame.row(0) if dialect.header else [None] * width, subject)
        frame, lines = (frame[1:], lines[1:]) if dialect.header else (frame, lines)
    if frame.height:
        frame.columns = state.names
        state.columns.add(frame)
        state.lines.append(lines)


def _uneven(width: int, values: int, line: int) -> BadRow:
    wanted = f"{width} value{'s' if width > 1 else ''} in every row, as in its first line"
    return BadRow(line, 0, wanted, f"{values} value{'s' if values > 1 else ''}")


def _frame(rows: Rows, keep: HostArray, block: bytes, width: int, subject: str) -> pl.DataFrame:
    """The rows to keep as columns of text; nothing is missing."""
    import polars as pl

    free = [mark for mark in _UNWRITTEN if mark not in block]
    if len(free) < 3:
        raise no_table(subject, "binary data")
    unit, end, back = free[:3]
    names = [f"column_{i + 1}" for i in range(width)]
    if not keep.any():
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    returns = b"\r" in block  # polars drops one before the end of a row
    text = rows.text(keep, unit[0], end[0])
    frame = pl.read_csv(
        text.replace(b"\r", back) if returns else text,
        separator=unit.decode(),
        eol_char=end.decode(),
        quote_char=None,
        has_header=False,
        new_columns=names,
        infer_schema=False,
    )
    if returns:
        frame = frame.with_columns(pl.all().str.replace_all(back.decode(), "\r", literal=True))
    return frame


def _names(row: Sequence[str | None], subject: str) -> list[str]:
    names = [(name or "").strip() or f"column_{i + 1}" for i, name in enumerate(row)]
    if len(set(names)) < len(names):
        raise repeated(subject, names)
    return names
