"""What packages above this one can do with a fit: they enter it here when they are imported.

Imports point one way: `fit` watches, and knows nothing of `treat`, which fits. `import fitwell`
imports `fitwell.treatment`, so that all entries are there for every user.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from fitwell.doctor.cures import cures_for
from fitwell.doctor.finding import Findings
from fitwell.layerwise import even_rows
from fitwell.training import Batch

__all__ = ["Clinic", "Ties", "clinic", "with_cures"]

_KEPT = 2**24  # bytes of a fit's data that its findings hold


@dataclass
class Clinic:
    """The entries; None before they are made.

    Attributes:
        apply: `(ties, code) -> model` with the first cure for a code in it, compiled and untrained;
            None where no cure for the code applies.
        prove: `(ties, code, budget) -> proof` that a cure for a code helps, or that none does; None
            likewise.
        treat: `(model, data, validation, findings, seconds) -> (treated, what to say)` after a fit
            that took so long; the model may have other weights then.
        curable: `(ties, codes) -> code` of the first that `prove` has a cure for; "" if none.
    """

    apply: Callable[[Ties, str], Any] | None = None
    prove: Callable[[Ties, str, Any], Any] | None = None
    treat: Callable[[Any, Any, Any, Findings, float], tuple[Any, str]] | None = None
    curable: Callable[[Ties, Sequence[str]], str] | None = None


clinic = Clinic()


@dataclass
class Ties:
    """What findings hold of a model and its data: enough to try a cure.

    Attributes:
        data, held_out: with inputs as they were given; of more than 16 MB an even sample.
        proofs: by code, what was proved so far.
    """

    model: Any
    data: Batch | None
    held_out: Batch | None
    proofs: dict[str, Any] = field(default_factory=dict)

    def apply(self, code: str) -> Any:
        return None if clinic.apply is None or self.data is None else clinic.apply(self, code)

    def prove(self, code: str, budget: Any) -> Any:
        if clinic.prove is None or self.data is None:
            return None
        self.proofs[code] = clinic.prove(self, code, budget)
        return self.proofs[code]

    def provable(self, codes: Sequence[str]) -> str:
        """The first code with a cure that `prove` can try; "" if there is none."""
        known = [code for code in codes if cures_for(code)]
        if clinic.curable is None or self.data is None or not known:
            return ""
        try:
            return clinic.curable(self, known)
        except Exception:  # it is asked for a hint alone: no fit ends because of it
            return ""

    def release(self) -> None:
        self.model = self.data = self.held_out = None


def ties(model: Any, data: Batch | None, held_out: Batch | None) -> Ties:
    """Of a fit or a checkup."""
    return Ties(model, _some(data), _some(held_out))


def _some(data: Batch | None) -> Batch | None:
    if data is None:
        return None
    arrays = jax.tree.leaves(data)
    each = sum(a.nbytes // max(len(a), 1) for a in arrays)
    rows, most = len(data.x[0]), max(_KEPT // max(each, 1), 1)
    if rows <= most or sum(map(_spanned, arrays)) <= _KEPT:
        return data
    chosen = even_rows(rows, most)
    found: Batch = jax.tree.map(lambda a: np.asarray(a[chosen]), data)
    return found


def _spanned(a: Any) -> int:
    """Bytes from the first to the last number: of windows into a text, those of the text."""
    array = np.asarray(a)
    if not array.size:
        return 0
    steps = zip(array.shape, array.strides, strict=True)
    return array.itemsize + sum((n - 1) * abs(stride) for n, stride in steps)


def with_cures(found: Findings, held: Ties) -> Findings:
    """The same findings, each able to `apply()` and to `prove()` its cure."""
    return Findings(dataclasses.replace(one, _ties=held) for one in found)
