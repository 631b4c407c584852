"""What packages above this one can do with a fit: they enter it here when they are imported.

Imports point one way: `fit` watches, and knows nothing of `treat`, which fits. `import fitwell`
imports `fitwell.treatment`, so that both entries are there for every user.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fitwell.doctor.finding import Finding, Findings

__all__ = ["Clinic", "clinic", "with_cures"]


@dataclass
class Clinic:
    """The entries; None before they are made.

    Attributes:
        apply: `(model, data, validation, code) -> model` with the first cure for a code in it,
            compiled and untrained; None where no cure for the code applies.
        treat: `(model, data, validation, findings, seconds) -> (treated, what to say)` after a fit
            that took so long; the model may have other weights then.
    """

    apply: Callable[[Any, Any, Any, str], Any] | None = None
    treat: Callable[[Any, Any, Any, Findings, float], tuple[Any, str]] | None = None


clinic = Clinic()


def with_cures(found: Findings, model: Any, data: Any, held_out: Any) -> Findings:
    """The same findings, each able to `apply()` its cure to a copy of the model."""
    if clinic.apply is None or data is None:
        return found

    def cured(finding: Finding) -> Any:
        assert clinic.apply is not None
        return clinic.apply(model, data, held_out, finding.code)

    return Findings(dataclasses.replace(one, _cured=cured) for one in found)
