"""The grammar of delimited text (RFC 4180): where values and rows begin and end.

A block of UTF-8 with line ends of one byte is looked at as an array of bytes. A byte separates if
an even number of quotation marks lies before it; a mark may only open a value, close one, or stand
doubled inside one. What fits this is unambiguous, and nothing else is accepted: a row with another
number of values, or a mark elsewhere, is a bad row with its line and column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from fitwell.types import HostArray

QUOTE, NEWLINE, _RETURN = 34, 10, 13
GONE = b"\0"
"""The only byte of a line that was taken out: it keeps the numbers of the lines after it."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read.

    Attributes:
        line: of the file, from 1.
        column: of that line in characters, from 1; 0 if it is no single place.
        expected, received: as in an error.
    """

    line: int
    column: int
    expected: str
    received: str

    @property
    def place(self) -> str:
        """`"line 3, column 7"`, or the line alone."""
        return f"line {self.line}" + (f", column {self.column}" if self.column else "")


@dataclass(frozen=True)
class Rows:
    """Where the rows of a block are.

    Attributes:
        bytes_: the block.
        separators: places of the bytes between values.
        starts, ends: of every row; `ends` are the places of the line ends.
        values: how many values each row has.
        lines: the line of the block that each row begins in, from 0.
        literal: which bytes are no quotation marks of the grammar.
    """

    bytes_: HostArray
    separators: HostArray
    starts: HostArray
    ends: HostArray
    values: HostArray
    lines: HostArray
    literal: HostArray | None

    @property
    def gone(self) -> HostArray:
        """Rows that were taken out."""
        single = self.ends - self.starts == 1
        return single & (self.bytes_[self.starts] == GONE[0])

    @property
    def blank(self) -> HostArray:
        """Rows without a byte."""
        return self.ends == self.starts

    def text(self, keep: HostArray, unit: int, end: int) -> bytes:
        """The rows to keep, with bytes that occur nowhere else between values and rows."""
        marked = self.bytes_.copy()
        marked[self.separators], marked[self.ends] = unit, end
        if self.literal is None and keep.all():
            return marked.tobytes()
        chosen = np.repeat(keep, self.ends - self.starts + 1)
        if self.literal is not None:
            chosen &= self.literal
        return marked[chosen].tobytes()


def rows_of(block: bytes, separator: str) -> Rows:
    """The rows of a block that ends with a line end, and whose quotation marks are in order."""
    bytes_ = np.frombuffer(block, np.uint8)
    newline, between = bytes_ == NEWLINE, bytes_ == ord(separator)
    physical = np.flatnonzero(newline)
    literal = None
    if QUOTE in block:
        quote = bytes_ == QUOTE
        inside = _inside(quote)
        newline, between = newline & ~inside, between & ~inside
        # Of a doubled mark, the second opens again right behind the first: it is the value's.
        literal = ~quote
        literal[1:] |= quote[1:] & inside[1:] & quote[:-1]
    ends, separators = np.flatnonzero(newline), np.flatnonzero(between)
    starts = np.concatenate([[0], ends + 1])[:-1].astype(np.int64)
    before = np.searchsorted(separators, ends)
    values = np.diff(before, prepend=0) + 1
    lines = np.arange(len(ends)) if literal is None else np.searchsorted(physical, starts)
    return Rows(bytes_, separators, starts, ends, values, lines, literal)


def _inside(quote: HostArray) -> HostArray:
    """Whether an odd number of marks lies up to each byte, that byte included."""
    return np.bitwise_xor.accumulate(quote.view(np.uint8)).view(bool)


def cut(buffer: bytes, separator: str, last: bool) -> tuple[bytes, bytes, list[BadRow]]:
    """Whole rows, the rest that waits for more text, and rows with marks in wrong places.

    Of a bad row its first line is taken out (see `GONE`).

    Args:
        buffer: UTF-8 that begins with a row.
        last: nothing follows, so that every row ends here.
    """
    if last and buffer and not buffer.endswith(b"\n"):
        buffer += b"\n"
    end = buffer.rfind(b"\n") + 1
    if QUOTE not in buffer:
        return buffer[:end], buffer[end:], []
    bytes_ = np.frombuffer(buffer, np.uint8)
    inside = _inside(bytes_ == QUOTE)
    outer = np.flatnonzero((bytes_ == NEWLINE) & ~inside)
    end = int(outer[-1]) + 1 if outer.size else 0
    complete = end == len(buffer) if last else True
    if complete and not _misplaced(bytes_[:end], inside[:end], ord(separator)):
        return buffer[:end], buffer[end:], []
    return _walk(buffer, separator, last)


def _misplaced(bytes_: HostArray, inside: HostArray, separator: int) -> bool:
    quotes = np.flatnonzero(bytes_ == QUOTE)
    opens = inside[quotes]
    around = np.array([separator, NEWLINE, QUOTE], np.uint8)
    before = bytes_[np.maximum(quotes - 1, 0)]
    after = bytes_[np.minimum(quotes + 1, len(bytes_) - 1)]
    behind = bytes_[np.minimum(quotes + 2, len(bytes_) - 1)]
    ends = np.isin(after, around) | ((after == _RETURN) & (behind == NEWLINE))
    good = np.where(opens, np.isin(before, around) | (quotes == 0), ends)
    return not good.all()


def _walk(buffer: bytes, separator: str, last: bool) -> tuple[bytes, bytes, list[BadRow]]:
    """`cut`, row after row: slower, for text in which a mark is in a wrong place."""
    s = re.escape(separator.encode())
    value = _value(s)
    row = re.compile(value + rb"(?>" + s + value + rb")*+\r?\n")
    good, bad, place, line = [], list[BadRow](), 0, 0
    while place < len(buffer):
        found = row.match(buffer, place)
        if found is None:
            end = buffer.find(b"\n", place) + 1
            if not last and (end == 0 or _open_at_end(buffer, place)):
                break
            first = buffer[place:end]
            good.append(GONE + b"\n")
            bad.append(BadRow(line, _column(first, s), _EXPECTED, "one in another place"))
        else:
            end = found.end()
            good.append(buffer[place:end])
        line += buffer.count(b"\n", place, end)
        place = end
    return b"".join(good), buffer[place:], bad


def _value(separator: bytes) -> bytes:
    """The pattern of a value: in quotation marks that end before a separator, or without any."""
    quoted = rb'"(?>[^"]|"")*+"(?=[' + separator + rb"\n]|\r\n)"
    return rb"(?>" + quoted + rb'|[^"' + separator + rb"\n]*+)"


_EXPECTED = "quotation marks around whole values only"


def _open_at_end(buffer: bytes, start: int) -> bool:
    """Whether the text from here may be one row that goes on, with all marks in their places."""
    return buffer.count(b'"', start) % 2 == 1 and len(buffer) - start < _LONGEST_ROW


_LONGEST_ROW = 2**24
"""Bytes after which a quotation mark that was opened counts as never closed."""


def _column(line: bytes, separator: bytes) -> int:
    """The column of the first mark in a wrong place; of the last that opens, if all are right."""
    found = re.match(rb"(?>" + _value(separator) + separator + rb")*+[^\"\n]*+", line)
    place = found.end() if found else 0
    return len(line[:place].decode(errors="replace")) + 1
