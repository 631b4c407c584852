"""What the doctor says: one fault, its evidence, its cause and its cure, as an object."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fitwell import notebook
from fitwell.errors import InvalidArgument, NotReady

__all__ = ["Evidence", "Finding", "Findings", "Severity"]


class Severity(enum.IntEnum):
    """How much a finding matters, judged by its outcome.

    INFO is a fact that did no harm so far; WARNING does harm or is about to; CRITICAL keeps the
    network from learning at all.
    """

    INFO = 0
    WARNING = 1
    CRITICAL = 2


_COLORS = {Severity.CRITICAL: "#d5400a", Severity.WARNING: "#b58900", Severity.INFO: "#0072b2"}
"""Readable on white and on black."""
_HEADER = ("severity", "code", "layer", "cause", "evidence", "cure")


@dataclass(frozen=True)
class Evidence:
    """One measured number: what it is, its value, its unit ("" for a ratio or a count).

    >>> print(Evidence("largest standard deviation of a feature", 7400.0))
    largest standard deviation of a feature: 7,400
    """

    what: str
    value: float | str
    unit: str = ""

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else _digits(self.value)
        return f"{self.what}: {value}{' ' + self.unit if self.unit else ''}"


def _digits(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value:g}"
    if value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        code: its name (`fitwell explain CODE` says all about it).
        severity: INFO, WARNING or CRITICAL.
        cause: one sentence: what is wrong.
        cure: code that a user can paste, or a sentence where there is none.
        evidence: the numbers that show it.
        layer: the layer it is about, or None.
        symptoms: codes of what follows from it and was seen too.

    >>> finding = Finding("unscaled_inputs", Severity.WARNING, "Feature 2 reaches 7,400.", "...")
    >>> finding.severity > Severity.INFO
    True
    """

    code: str
    severity: Severity
    cause: str
    cure: str
    evidence: tuple[Evidence, ...] = ()
    layer: str | None = None
    symptoms: tuple[str, ...] = ()
    _ties: Any = field(default=None, repr=False, compare=False)

    def apply(self) -> Any:
        """A new model with the cure in it, compiled and untrained; the old one stays as it is.

        Where `prove` was called and found a cure that helps, it is that one.

        Raises:
            NotReady: the finding belongs to no model, or its cure is not a change of the model.
        """
        model = None if self._ties is None else self._ties.apply(self.code)
        if model is None:
            raise self._without_cure("a cure that changes the model")
        return model

    def prove(self, budget: float | str = "10s") -> Any:
        """Trains the model as it is and with the cure, from the same starts, and compares.

        gain = mean score with the cure - mean score as it is, over the starts

        Cures that answer the code are tried in turn until one helps. The score is accuracy for
        classes and R2 for numbers, on the validation data of the fit; without any, on a fifth of
        the rows that is kept out. Weights of examples and classes act in the trainings, and not on
        the score. Shown with the finding from then on (`history.findings`).

        Args:
            budget: seconds, or "10s", "1m"; what compiles is not interrupted.

        Returns:
            a Proof: `.helps`, `.cure`, `.before` and `.after` (a score per start), `.failing` (how
            many starts fail as it is: all for a bad design, some for bad luck), `.model` (trained).

        Raises:
            NotReady: the finding belongs to no fit, or its cure is up to you.
            InvalidArgument: a budget that is no time.
        """
        found = None if self._ties is None else self._ties.prove(self.code, budget)
        if found is None:
            raise self._without_cure("a cure that can be tried")
        return found

    @property
    def proof(self) -> Any:
        """What `prove` found; None if it was not asked."""
        return None if self._ties is None else self._ties.proofs.get(self.code)

    def release(self) -> None:
        """Lets go of the model and the data: what `history.clear` does for all findings."""
        if self._ties is not None:
            self._ties.release()

    def _without_cure(self, wanted: str) -> NotReady:
        if self._ties is None:
            received = "a finding that belongs to no model"
        elif self._ties.model is None:
            received = "one whose model and data were let go (history.clear)"
        else:
            received = "one that is up to you"
        expected = f"{wanted}, of a finding that a fit or a checkup returned"
        return NotReady(f"finding {self.code}", expected, received, self.cure)

    def __str__(self) -> str:
        where = f" [{self.layer}]" if self.layer else ""
        proof = f" Proof: {self.proof.words}" if self.proof is not None else ""
        return f"{self.severity.name} {self.code}{where}: {self.cause} Cure: {self.cure}{proof}"

    def _repr_html_(self) -> str:
        """A table of one column, in a notebook."""
        cells = zip(_HEADER, self._cells(), strict=True)
        return notebook.table((), [(notebook.strong(name), cell) for name, cell in cells if cell])

    def _cells(self) -> tuple[str, ...]:
        """In the order of the header, as HTML."""
        evidence = "\n".join(map(str, self.evidence))
        if self.symptoms:
            evidence += f"\nseen too: {', '.join(self.symptoms)}"
        text = notebook.text
        return (
            notebook.strong(self.severity.name, _COLORS[self.severity]),
            notebook.code(self.code),
            notebook.code(self.layer) if self.layer else "",
            text(self.cause),
            text(evidence.strip()),
            notebook.code(self.cure)
            + ("" if self.proof is None else f"<br>{notebook.strong(self.proof.words)}"),
        )


class Findings(Sequence[Finding]):
    """Findings in the order of their severity; a list that prints, and a table in a notebook.

    `findings[0]` is the worst, `findings["unscaled_inputs"]` the worst of that code, and
    `"unscaled_inputs" in findings` says whether there is one.

    >>> Findings([])
    nothing found
    >>> found = Findings([Finding("nan", Severity.CRITICAL, "The loss is NaN.", "...")])
    >>> found["nan"].cause, "too_deep" in found
    ('The loss is NaN.', False)
    """

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        self._found = tuple(sorted(found, key=lambda one: -one.severity))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self._of(index)
        chosen = self._found[index]
        return Findings(chosen) if isinstance(chosen, tuple) else chosen

    def __contains__(self, one: object) -> bool:
        return one in (self.codes if isinstance(one, str) else self._found)

    def _of(self, code: str) -> Finding:
        for one in self._found:
            if one.code == code:
                return one
        known = f"one of {', '.join(dict.fromkeys(self.codes))}" if self._found else "none"
        cure = "findings.codes lists them."
        raise InvalidArgument("findings", f"the code of a finding ({known})", repr(code), cure)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def codes(self) -> list[str]:
        return [one.code for one in self._found]

    def above(self, severity: Severity = Severity.INFO) -> Findings:
        """Those that are worse than `severity`."""
        return Findings(one for one in self._found if one.severity > severity)

    def __repr__(self) -> str:
        return "\n".join(map(str, self._found)) or "nothing found"

    def _repr_html_(self) -> str:
        """One row per finding, in a notebook."""
        if not self._found:
            return notebook.paragraph("nothing found")
        return notebook.table(_HEADER, [one._cells() for one in self._found])
