"""`fitwell checkup`: findings in the terminal, or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from fitwell.cli.explaining import prose, put
from fitwell.doctor import Evidence, Finding, Findings, Severity

LONGER = "fitwell train --epochs {epochs}"
"""How to train for more epochs, where there is no Python prompt."""
_COLORS = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "cyan"}


def show(console: Console, found: Findings, examined: str) -> None:
    """Each finding with its evidence and its cure, worst first."""
    console.print(Text.assemble(("Checkup ", "bold"), examined), soft_wrap=True)
    for one in found:
        where = f" in {one.layer}" if one.layer else ""
        console.print()
        name = Text(f"{one.severity.name} {one.code}", _COLORS[one.severity])
        console.print(name + Text(where, "default"), soft_wrap=True)
        prose(console, one.cause)
        for number in one.evidence:
            prose(console, str(number), "- ")
        put(console, Text(f"cure: {one.cure}", "green").split("\n"), "  ")
    console.print()
    console.print(_summary(found), soft_wrap=True)


def _summary(found: Findings) -> str:
    if not found:
        return "Nothing found."
    counts = {kind: sum(one.severity == kind for one in found) for kind in reversed(Severity)}
    said = ", ".join(f"{count} {kind.name}" for kind, count in counts.items() if count)
    return f"{said}. fitwell explain CODE says more."


def as_json(found: Findings) -> str:
    """`{"findings": [...]}`, one object per finding, worst first."""
    return json.dumps({"findings": [plain(one) for one in found]}, indent=2)


def plain(one: Finding) -> dict[str, Any]:
    """A finding as JSON values."""
    return {
        "code": one.code,
        "severity": one.severity.name,
        "layer": one.layer,
        "cause": one.cause,
        "evidence": [
            {"what": number.what, "value": _value(number.value), "unit": number.unit}
            for number in one.evidence
        ],
        "cure": one.cure,
        "symptoms": list(one.symptoms),
    }


def from_plain(found: Iterable[Mapping[str, Any]]) -> Findings:
    """The inverse of `plain`."""
    return Findings(
        Finding(
            one["code"],
            Severity[one["severity"]],
            one["cause"],
            one["cure"],
            tuple(Evidence(**number) for number in one["evidence"]),
            one["layer"],
            tuple(one["symptoms"]),
        )
        for one in found
    )


def _value(value: float | str) -> float | str:
    """JSON has no word for NaN and infinity."""
    if isinstance(value, str):
        return value
    return float(value) if math.isfinite(value) else str(float(value))
