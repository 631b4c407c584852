"""How numbers and dates are written in a column of text: `1.234,5`, `12%`, `31.01.2020`.

A form is a short text that is kept with a model, so that a single new row is read as the whole
training table was: a number as an example (`"1.234,5"`, `"1,234.5%"`), a date as strftime has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fitwell.data.values import slips

if TYPE_CHECKING:
    import polars as pl

POINT, COMMA = "1,234.5", "1.234,5"
NUMBER_FORMS = (POINT, COMMA, f"{POINT}%", f"{COMMA}%")

_SIGNS = r"[$€£¥₹₽₩₪₺]|R\$|kr\.?|zł|Kč"
_CODES = "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HUF|INR|JPY|MXN|NOK|PLN|SEK|USD|ZAR"
_MONEY = f"(?:{_SIGNS}|{_CODES})"
_SPACES = " \u00a0\u2009\u202f"
_MINUS = ((r"^\u2212", "-"), (r"^\((.*\d.*)\)$", "-${1}"), (r"^(.*[.,]\d+)-$", "-${1}"))
"""How a minus is written beside Python's way: the sign of typesetters, `(1,234)`, `1.234,50-`."""


def _shape(decimal: str, group: str) -> str:
    """The pattern of a number: groups of three digits, a decimal mark, an exponent.

    Of commas also groups of two before the last three, as in India: `12,34,567`.
    """
    grouped = [rf"[1-9]\d{{0,2}}(?:{g}\d{{3}})+" for g in (group, "['’]", f"[{_SPACES}]")]
    if group == ",":
        grouped.append(r"[1-9]\d?(?:,\d{2})+,\d{3}")
    whole = "|".join([*grouped, r"\d+"])
    return rf"^[+-]?(?:(?:{whole})(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?$"


_SHAPES = {POINT: _shape(r"\.", ","), COMMA: _shape(",", r"\.")}
_GROUPING = {POINT: f"[,'’{_SPACES}]", COMMA: f"[.'’{_SPACES}]"}
_HEAD = 1000
"""Values that are looked at before a whole column is."""


def mark(form: str) -> str:
    """What a form shares with those of other columns: the decimal mark, or how a date begins."""
    if form in NUMBER_FORMS:
        return "," if form.startswith(COMMA) else "."
    return form[:2]


def read_as(text: pl.Series, form: str) -> pl.Series:
    """Stripped text as numbers or moments; missing where it is not written in that form.

    >>> import polars as pl
    >>> read_as(pl.Series(["1.234,50", "-7", "n"]), "1.234,5").to_list()
    [1234.5, -7.0, None]
    """
    return _numbers(text, form) if form in NUMBER_FORMS else _dates(text, form)


def forms_of(text: pl.Series) -> list[str]:
    """The forms in which stripped text can be read as numbers or dates; all fit equally well.

    Numbers: all values, or nine tenths of them as in `slips`. Dates: all values.

    >>> import polars as pl
    >>> forms_of(pl.Series(["12,50 €", "1.234,00 €"])), forms_of(pl.Series(["1,234", "5,678"]))
    (['1.234,5'], ['1,234.5', '1.234,5'])
    """
    head = text.drop_nulls().head(_HEAD)
    if not head.len() or head.str.contains(r"\d").sum() < head.len() / 2:
        return []
    return _number_forms(text, head) or _date_forms(text, str(head[0]))


# Numbers


def _numbers(text: pl.Series, form: str) -> pl.Series:
    import polars as pl

    percent, kind = form.endswith("%"), form.removesuffix("%")
    bare = text
    for written, read in _MINUS:
        bare = bare.str.replace(written, read)
    bare = bare.str.replace(rf"^([+-]?)\s*{_MONEY}\s*", "${1}").str.replace(rf"\s*{_MONEY}$", "")
    if percent:
        bare = _where(bare, bare.str.ends_with("%")).str.replace(r"\s*%$", "")
    bare = _where(bare, bare.str.contains(_SHAPES[kind])).str.replace_all(_GROUPING[kind], "")
    if kind == COMMA:
        bare = bare.str.replace(",", ".", literal=True)
    whole = bare.cast(pl.Int64, strict=False)
    if whole.null_count() == bare.null_count() and not percent:
        return whole
    numbers = bare.cast(pl.Float64, strict=False)
    return numbers / 100 if percent else numbers


def _where(text: pl.Series, good: pl.Series) -> pl.Series:
    import polars as pl

    return pl.select(pl.when(good).then(text).alias(text.name)).to_series()


def _number_forms(text: pl.Series, head: pl.Series) -> list[str]:
    sign = "%" if head.str.ends_with("%").sum() > head.len() / 2 else ""
    forms = [form + sign for form in (POINT, COMMA)]
    if head.str.starts_with("(").all() or all(
        _numbers(head, form).count() < head.len() / 2 for form in forms
    ):
        return []
    found = [_numbers(text, form) for form in forms]
    most = max(values.count() for values in found)
    best = [(f, v) for f, v in zip(forms, found, strict=True) if v.count() == most]
    if most < text.count() and slips(text, best[0][1]) is None:
        return []
    return [form for form, _ in best[: 1 if _same([v for _, v in best]) else 2]]


def _same(found: Sequence[pl.Series]) -> bool:
    import polars as pl

    return all(v.cast(pl.Float64).equals(found[0].cast(pl.Float64)) for v in found)


# Dates

_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
_DATES = {
    r"^\d{1,2}\.\d{1,2}\.\d{4}\b": ("%d.%m.%Y",),
    r"^\d{1,2}/\d{1,2}/\d{4}\b": ("%d/%m/%Y", "%m/%d/%Y"),
    r"^\d{1,2}-\d{1,2}-\d{4}\b": ("%d-%m-%Y", "%m-%d-%Y"),
    r"^\d{1,2} [A-Za-z]{3,} \d{4}\b": ("%d %b %Y", "%d %B %Y"),
    r"^\d{1,2}-[A-Za-z]{3}-\d{4}\b": ("%d-%b-%Y",),
    r"^[A-Za-z]{3,} \d{1,2}, \d{4}\b": ("%b %d, %Y", "%B %d, %Y"),
    r"^\d\d\.\d\d\.\d\d\b": ("%d.%m.%y",),
    r"^\d{1,2}/\d{1,2}/\d\d\b": ("%d/%m/%y", "%m/%d/%y", "%y/%m/%d"),
    r"^\d{1,2}-\d{1,2}-\d\d\b": ("%d-%m-%y", "%m-%d-%y", "%y-%m-%d"),
    r"^\d{1,2}[ -][A-Za-z]{3}[ -]\d\d\b": ("%d-%b-%y", "%d %b %y"),
}
"""How a day may be written, and the forms that this may be."""

_ZONED = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d)$"
_ZONED_FORMS = ("%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z")


def explained(form: str) -> str:
    """What a form leaves open, and how it is read; empty of most."""
    return " (years of two digits are 1969 to 2068)" if "%y" in form else ""


def _dates(text: pl.Series, form: str) -> pl.Series:
    import polars as pl

    if "%y" in form:
        text, form = _full_years(text, form), form.replace("%y", "%Y")
    if "%H" not in form and "%I" not in form:
        return text.str.to_date(form, strict=False)
    moments: Any = text.str.to_datetime(form, strict=False, time_unit="us")
    if moments.dtype.time_zone:  # those with an offset
        moments = moments.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return moments.cast(pl.Datetime("us"))


def _full_years(text: pl.Series, form: str) -> pl.Series:
    """Years of two digits as 1969 to 2068: so POSIX and Python's strptime have it."""
    before = "" if form.startswith("%y") else r"\w+[./ -]\w+[./ -]"
    for years, century in ((r"69|[7-9]\d", "19"), (r"\d\d", "20")):
        text = text.str.replace(rf"^({before})({years})\b", f"${{1}}{century}${{2}}")
    return text


def _date_forms(text: pl.Series, first: str) -> list[str]:
    candidates: list[str] = []
    if re.match(_ZONED, first):
        pattern, candidates = _ZONED, list(_ZONED_FORMS)
    for pattern_, forms in _DATES.items():
        if re.match(pattern_, first):
            times = _TIMES[1:] if ":" in first else _TIMES[:1]
            pattern, candidates = pattern_, [form + time for form in forms for time in times]
    if not candidates or not text.drop_nulls().str.contains(pattern).all():
        return []
    found = [(form, _dates(text, form)) for form in candidates]
    whole = [(form, v) for form, v in found if v.count() == text.count()]
    usual = [(form, v) for form, v in whole if not form.startswith("%y")]
    whole = usual or whole  # 31/12/20 may always begin with a year, and hardly ever does
    same = all(v.equals(whole[0][1]) for _, v in whole)
    return [form for form, _ in (whole[:1] if same else whole)]
