"""How a text file is written: its encoding, what separates its values, whether it has names."""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fitwell.data.records import cut, rows_of
from fitwell.errors import InvalidArgument, InvalidFile

SEPARATORS = (",", "\t", ";", "|")
_TABBED = (".tsv", ".tab")
_SAMPLE = 2**18
_BLOCK = 2**22
HINT = re.compile(r'"?sep=([\t !#-/:-@[-`{-~])"?\r?\n', re.IGNORECASE)
"""A first line that tells Excel the delimiter; it is no row."""
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""How Unicode files may begin; the longer marks first, since UTF-32's begins with UTF-16's."""


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Attributes:
        encoding: as Python calls it, such as `"utf-8"`, `"utf-16"`, `"cp1252"`.
        delimiter: the character between values; `" "` stands for one or more spaces.
        header: whether the first row holds the names of the columns.
        newlines: whether lines end as on Linux or Windows, not with a carriage return alone.
        sha256: of the file's bytes.
    """

    encoding: str
    delimiter: str
    header: bool
    newlines: bool
    sha256: str


def sniff(
    path: Path, subject: str, encoding: str | None, delimiter: str | None, header: bool | None
) -> Dialect:
    """The dialect of a file; what is given is taken as it is.

    - Encoding: a mark at the beginning; else UTF-16 where every other byte of the beginning is
      zero; else UTF-8, unless it is no UTF-8 and has no characters of more than one byte that are:
      then Windows-1252.
    - Delimiter: what a first line `sep=;` says, as Excel has it; else the one of `, ; |` and tab
      that gives the most rows of the beginning as many values as its first row has, and of several
      the one that the file's ending tells, or that gives the most values. Spaces where none of them
      occurs and most values are numbers.
    - Names: none if the first row has numbers wherever all rows below have, and these are no
      years or counts; or if each of its words occurs again below.
    """
    code, digest = _scan(path, subject, encoding)
    sample, newlines, hint = _sample(path, code)
    chosen = delimiter or hint or _delimiter(sample, _usual(path))
    if header is None:
        header = _has_names(_first_rows(sample, chosen))
    return Dialect(code, chosen, header, newlines, digest)


def names_of(path: Path) -> list[str]:
    """The names of a file's columns, as its beginning tells them: for a quick look."""
    with open(path, "rb") as file:
        begin = file.read(_SAMPLE)
    code = _marked(begin) or ("utf-8" if _is_utf8(begin) else "cp1252")
    sample, _, hint = _sample(path, code)
    rows = _first_rows(sample, hint or _delimiter(sample, _usual(path)))
    if not _has_names(rows):
        return [f"column_{place}" for place in range(1, len(rows[0]) + 1)]
    return rows[0] if rows else []


def _usual(path: Path) -> str:
    return "\t" if path.suffix.lower() in _TABBED else ","


# Encoding


def _scan(path: Path, subject: str, encoding: str | None) -> tuple[str, str]:
    """The encoding, after a look at every byte, and the digest."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        begin = file.read(_BLOCK)
        code = _known_encoding(subject, encoding) or _marked(begin)
        if code is None and b"\0" in begin and not _is_utf8(begin):
            raise InvalidFile(
                subject,
                "a table",
                "binary data",
                "Give a CSV, TSV, Parquet, JSON-lines or NPZ file, or name the encoding of a text.",
            )
        utf8 = codecs.getincrementaldecoder("utf-8")()
        plain, block = code is None, begin
        while block:
            digest.update(block)
            if plain:
                plain = _decodes(utf8, block)
            block = file.read(_BLOCK)
    if code is None:
        code = "utf-8" if plain and _decodes(utf8, b"", True) else _without_unicode(path)
    return code, digest.hexdigest()


def _known_encoding(subject: str, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        "".encode(encoding)  # refuses what Python has beside encodings of text
    except LookupError as error:
        cure = "For example encoding='utf-8' or 'cp1252'."
        raise InvalidArgument(
            subject, "an encoding of text", f"encoding={encoding!r}", cure
        ) from error
    return codecs.lookup(encoding).name


def _marked(begin: bytes) -> str | None:
    for mark, code in _MARKS.items():
        if begin.startswith(mark):
            return code
    sample = np.frombuffer(begin[:65536][: len(begin[:65536]) // 2 * 2], np.uint8).reshape(-1, 2)
    if len(sample):
        zeros = (sample == 0).mean(axis=0)
        for place, code in ((1, "utf-16-le"), (0, "utf-16-be")):
            if zeros[place] > 0.7 and zeros[1 - place] < 0.05:
                return code
    return None


def _is_utf8(begin: bytes) -> bool:
    return _decodes(codecs.getincrementaldecoder("utf-8")(), begin)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


_MULTIPLE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_HIGH = re.compile(rb"[\x80-\xff]")
_NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def _without_unicode(path: Path) -> str:
    """UTF-8 with a few wrong bytes, or Windows-1252, or (with bytes that this lacks) Latin-1."""
    multiple = high = strange = 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            found = _MULTIPLE.findall(block)
            multiple += sum(map(len, found))
            high += len(_HIGH.findall(block))
            strange += len(_NOT_WINDOWS.findall(block))
    if multiple > high / 2:
        return "utf-8"  # its wrong bytes are bad rows
    return "latin-1" if strange else "cp1252"


def _sample(path: Path, encoding: str) -> tuple[str, bool, str | None]:
    """The first lines, whether they end with a line feed, and the delimiter that a hint names."""
    with open(path, encoding=encoding, errors="replace", newline="") as file:
        text = file.read(_SAMPLE)
    newlines = "\n" in text
    whole = text.rfind("\n") + 1 if len(text) == _SAMPLE else len(text)
    text = (text[:whole] or text).replace("\r\n", "\n").replace("\r", "\n")
    hint = HINT.match(text)
    text = text[hint.end() :] if hint else text
    return text.lstrip("\n").replace("\0", ""), newlines, hint[1] if hint else None


# Delimiter and names


def _delimiter(sample: str, usual: str) -> str:
    scores = {}
    for separator in SEPARATORS:
        counts = _counts(sample, separator)
        if counts.size and counts[0] > 1:
            alike, tabbed = float(np.mean(counts == counts[0])), separator == usual == "\t"
            scores[separator] = (alike, tabbed, int(counts[0]))
    if scores:
        return max(scores, key=lambda separator: scores[separator])
    return " " if _spaced(sample) else usual


def _counts(sample: str, separator: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many values the rows of the sample have; blank lines are none."""
    block, _, _ = cut(sample.encode(errors="replace"), separator, last=True)
    rows = rows_of(block, separator)
    return rows.values[~(rows.blank | rows.gone)].astype(np.int64)


def _spaced(sample: str) -> bool:
    rows = [line.split() for line in sample.splitlines() if line.strip()][:200]
    values = [value for row in rows[1:] for value in row]
    alike = len({len(row) for row in rows}) == 1 and rows and len(rows[0]) > 1
    numbers = sum(map(is_number, values))
    return bool(alike and '"' not in sample and values and numbers >= len(values) / 2)


def spaces_to_one(text: str) -> str:
    """Lines whose values are separated by one space each."""
    return re.sub(r"(?m)^[ \t]+|[ \t]+$", "", re.sub(r"[ \t]+", " ", text))


def _first_rows(sample: str, separator: str) -> list[list[str]]:
    if separator == " ":
        sample = spaces_to_one(sample)
    block, _, _ = cut(sample.encode(errors="replace"), separator, last=True)
    rows = rows_of(block, separator)
    keep = ~(rows.blank | rows.gone)
    keep[np.flatnonzero(keep)[200:]] = False
    text = rows.text(keep, 0x1F, 0x1E).decode(errors="replace")
    return [[v.strip() for v in row.split("\x1f")] for row in text.split("\x1e")[:-1]]


def is_number(text: str) -> bool:
    """Whether it is written like a number, in whatever style.

    >>> is_number("-1.234,5"), is_number("12 %"), is_number("Iris-setosa"), is_number("1e-3")
    (True, True, False, True)
    """
    return len(text) < _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


_NUMBER = re.compile(r"[+-]?[$€£¥]?\s?[\d.,' ]*\d[\d.,' ]*([eE][+-]?\d+)?\s?[%€$£¥]?")
_LONGEST_NUMBER = 64  # characters; a longer text costs the pattern much and is none


_LEAST_ROWS = 5


def _has_names(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns; where there is nothing to compare, words do."""
    if not rows:
        return True
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    columns = [[row[i] for row in below if row[i]] for i in range(len(first))]
    numeric = [i for i, c in enumerate(columns) if c and all(map(is_number, c))]
    words = [i for i, c in enumerate(columns) if c and i not in numeric]
    again = [first[i] in columns[i] for i in words]
    if not below or numeric:
        values = [first[i] for i in numeric] if below else first
        return not all(map(is_number, values)) or (_counted(values, first) and not any(again))
    return not (len(below) >= _LEAST_ROWS and again and all(again))


def _counted(values: list[str], first: list[str]) -> bool:
    """Whether numbers may be names: years, or counted as pandas does without names."""
    if not all(value.isascii() and value.isdigit() for value in values):
        return False
    numbers = [int(value) for value in values]
    begin = numbers[0]
    if numbers != list(range(begin, begin + len(numbers))):
        return all(1900 <= n <= 2100 for n in numbers) and len(set(numbers)) == len(numbers)
    years = 1900 <= begin <= 2100
    return years or (begin <= 1 and len(first) - len(numbers) <= 1)
