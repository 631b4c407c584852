"""`fit(doctor=...)`: what it may be, and what raises because of findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fitwell.doctor.finding import Findings, Severity
from fitwell.errors import InvalidArgument, Unhealthy

MODES = ("warn", "off", "strict", "treat")


def refuse(found: Findings) -> None:
    """Raises for critical findings, before time is spent."""
    worst = [one for one in found if one.severity == Severity.CRITICAL]
    if worst:
        raise Unhealthy(
            'fit(doctor="strict")',
            "no critical finding before training",
            "; ".join(f"{one.code} ({one.cause})" for one in worst),
            f"{worst[0].cure}",
        )


def check_mode(mode: str) -> str:
    if mode not in MODES:
        choices = ", ".join(f'"{name}"' for name in MODES)
        cure = 'Leave it out for "warn".'
        raise InvalidArgument("fit, doctor", f"one of {choices}", repr(mode), cure)
    return mode


def assert_healthy(history: Any, allow: Sequence[str] = ()) -> None:
    """For tests: raises if a fit has a finding above INFO.

    Args:
        history: what `fit` returned.
        allow: codes that are no error.

    Raises:
        Unhealthy: with the findings. It is an AssertionError too.
    """
    found = [one for one in history.findings if one.severity > 0 and one.code not in allow]
    if found:
        raise Unhealthy(
            "assert_healthy",
            "no finding above INFO",
            "; ".join(str(one) for one in found),
            "Cure it, or pass its code in allow=[...].",
        )
