"""Findings for people: a few lines in a terminal or a log."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fitwell.doctor.finding import Finding, Severity

_MARKS = {Severity.CRITICAL: "x", Severity.WARNING: "!", Severity.INFO: "-"}
_MOST = 3  # findings in full; of others the code


def print_findings(found: Sequence[Finding]) -> None:
    """At most a few lines: what is wrong, the number that shows it, what to do."""
    for line in lines(found):
        print(line, file=sys.stdout)


def lines(found: Sequence[Finding]) -> list[str]:
    """The text, line by line."""
    shown: list[str] = []
    for one in found[:_MOST]:
        where = f" in {one.layer}" if one.layer else ""
        shown.append(f"{_MARKS[one.severity]} {one.code}{where}: {one.cause}")
        shown.append(f"    cure: {one.cure.splitlines()[0]}")
    if len(found) > _MOST:
        others = ", ".join(one.code for one in found[_MOST:])
        shown.append(f"  and {others}: see history.findings")
    return shown
