"""How a model was trained, as facts: checked, for files may come from others, and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fitwell import notebook

_Check = Callable[[Any], bool]


def _is(*kinds: type) -> _Check:
    return lambda value: isinstance(value, kinds) and not isinstance(value, bool)


def _each(check: _Check, count: int | None = None) -> _Check:
    """A list, of so many if told."""
    return lambda value: (
        isinstance(value, list | tuple)
        and count in (None, len(value))
        and all(check(one) for one in value)
    )


def _named(check: _Check) -> _Check:
    """Values by name."""
    return lambda value: (
        isinstance(value, Mapping)
        and all(isinstance(name, str) and check(one) for name, one in value.items())
    )


def _with(needed: Mapping[str, _Check], **more: _Check) -> _Check:
    """Values by name, some of them needed; what has another name is not looked at."""
    known = {**needed, **more}
    return lambda value: (
        isinstance(value, Mapping)
        and set(needed) <= set(value)
        and all(check(value[name]) for name, check in known.items() if name in value)
    )


_whole, _number, _text = _is(int), _is(int, float), _is(str)
_optional_text = _is(str, type(None))
_scores = _named(_number)
_column = dict.fromkeys(("column", "kind", "decision", "why"), _text)
_KNOWN: Mapping[str, _Check] = {
    "baselines": _named(_scores),
    "best_epoch": _is(int, type(None)),
    "calibration": _with(
        {
            "temperature": _number,
            "before": _with({"ECE": _number}),
            "after": _with({"ECE": _number}),
        }
    ),
    "columns": _each(_with(_column, missing=_whole, distinct=_whole, example=_optional_text)),
    "constant": lambda value: _number(value) or _each(_number)(value),
    "differences": _named(_each(_number, 2)),
    "epochs": _whole,
    "features": _whole,
    "folds": _with({"folds": _whole, "scores": _named(_scores)}),
    "forms": _named(_text),
    "interval": _with({"coverage": _number, "measured": _number}, width=_number),
    "members": _whole,
    "network": _text,
    "notes": _each(_text),
    "origin": _with(
        {
            "data": _with({"path": _text, "sha256": _optional_text}),
            "options": _named(lambda value: True),
        },
        command=_each(_text),
        program=_text,
        versions=_named(_text),
    ),
    "planned_epochs": _whole,
    "refit_epochs": _whole,
    "roles": _named(_text),
    "rows": _named(_whole),
    "scores": _scores,
    "seconds": _number,
    "stopped": _optional_text,
    "treated": _text,
    "trials": _whole,
}


def checked(facts: Any) -> dict[str, Any]:
    """The facts of a model file, if those that fitwell reads are what it writes.

    Raises:
        TypeError, ValueError: one is of another type, or misses what belongs to it.

    >>> checked({"epochs": 3, "own": None})
    {'epochs': 3, 'own': None}
    >>> checked({"notes": [3]})
    Traceback (most recent call last):
    ValueError: facts['notes'] is [3]
    """
    found = dict(facts)
    for name, check in _KNOWN.items():
        if name in found and not check(found[name]):
            raise ValueError(f"facts[{name!r}] is {str(found[name])[:80]}")
    scores, baselines = found.get("scores", {}), found.get("baselines", {})
    if not all(set(scores) <= set(one) for one in baselines.values()):
        raise ValueError("facts['baselines'] lack scores of the network")
    if not set(found.get("differences", {})) <= set(baselines):
        raise ValueError("facts['differences'] are to other baselines")
    return found


def shown(name: str, facts: Mapping[str, Any]) -> str:
    """A model in a notebook: what it is, and its scores beside those of the baselines."""
    scores = {"network": facts.get("scores", {}), **facts.get("baselines", {})}
    rows = [
        (notebook.text(measure), *(f"{each[measure]:.4g}" for each in scores.values()))
        for measure in scores["network"]
    ]
    return notebook.paragraph(name) + (notebook.table(("", *scores), rows) if rows else "")
