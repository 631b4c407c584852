"""What a rule returns."""

from __future__ import annotations

from dataclasses import dataclass

from fitwell.doctor.finding import Evidence, Finding, Severity
from fitwell.doctor.wording import words

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
GAP = 0.2  # of skill between training and validation
FILL = "X = numpy.where(numpy.isfinite(X), X, numpy.nanmedian(X, axis=0))  # or drop the rows"


@dataclass(frozen=True)
class Suspicion:
    """A finding, and how likely it is the cause where a network does not learn.

    A finding above INFO stands by itself: arithmetic says that it does harm. One of INFO is a fact,
    which becomes a WARNING only if learning fails and nothing explains it better.

    Attributes:
        strength: from 0 (never blamed) to 1.
    """

    finding: Finding
    strength: float = 0.0


def suspect(
    code: str,
    cause: str,
    cure: str,
    *evidence: tuple[str, float | str] | tuple[str, float | str, str],
    severity: Severity = INFO,
    strength: float = 0.0,
    layer: str | None = None,
) -> Suspicion:
    """A suspicion in one call; evidence as (what, value) or (what, value, unit)."""
    shown = tuple(Evidence(*one) for one in evidence)
    return Suspicion(Finding(code, severity, cause, cure, shown, layer), strength)


def more_epochs(epochs: int) -> str:
    """The cure of a fit that was too short, in Python or on the command line."""
    return f"more epochs: {words().longer.format(epochs=epochs)}"
