"""A cure: one change of a setup, what it answers and the code that does it by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fitwell.doctor.setup import Facts, Setup


@dataclass(frozen=True)
class Cure:
    """One change of a setup.

    Attributes:
        name: short, in the imperative.
        codes: the findings it answers.
        sentence: what it does and why.
        code: lines a user can paste and adapt.
        apply: Setup, Facts -> Setup, or None where it does not apply; pure.
        fits: what it is for: "underfitting", "overfitting" or "" for both.
        of_plan: it changes how weights are moved, not the network.
        neutral: in place of `apply`, makes the same program do nothing; None where that cannot be.
        free: leaving it out gives a program that is compiled already.
    """

    name: str
    codes: tuple[str, ...]
    sentence: str
    code: str
    apply: Callable[[Setup, Facts], Setup | None]
    fits: str = ""
    of_plan: bool = False
    neutral: Callable[[Setup, Facts], Setup | None] | None = None
    free: bool = False
