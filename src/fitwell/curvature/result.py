"""What `model.curvature` returns: a verdict, the numbers behind it, and their picture."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fitwell import notebook
from fitwell.curvature.spectrum import Spectrum
from fitwell.types import HostArray, Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STATIONARY = 1e-3  # of the loss, that one gradient step could gain
_ROUNDING = 10 * float(np.finfo(np.float32).eps)
_POINTS = 1001
_WIDTH = 0.005  # of the range of eigenvalues, which the density is smoothed by
_REACH = 5.0  # widths beyond the last eigenvalue


@dataclass(frozen=True, eq=False, repr=False)
class Curvature:
    """The second derivatives of the loss at the model's weights, in short.

    Attributes:
        loss: L, over all data, in inference, with penalties.
        gradient_norm: |g|, the Euclidean length of the gradient.
        length: |w|, of the weights that learn.
        spectrum: what is known of the eigenvalues of the Hessian H.
        directions: eigenvectors of length 1 in the form of the weights, layer -> weight -> array:
            of the two smallest and the two largest eigenvalues, `spectrum.ends`.
    """

    loss: float
    gradient_norm: float
    length: float
    spectrum: Spectrum
    directions: tuple[Params, ...]

    @property
    def verdict(self) -> str:
        """By the signs of the eigenvalues: "minimum" (none negative), "saddle" (some negative),
        "maximum" (all negative) or "flat" (all zero), whether or not the point is stationary.
        """
        found = self.spectrum
        if found.negative:
            return "maximum" if found.negative == found.size else "saddle"
        return "minimum" if found.positive else "flat"

    @property
    def gain(self) -> float:
        """|g|^2 / (2 max |eigenvalue|): what one gradient step of the best length gains at least
        where the loss is quadratic; infinite on a slope without curvature.
        """
        if not self.gradient_norm:
            return 0.0
        norm = self.spectrum.largest_size
        return self.gradient_norm**2 / (2 * norm) if norm else float("inf")

    @property
    def stationary(self) -> bool:
        """Whether `gain` is at most a thousandth of the loss, or the gradient is the rounding of
        the weights: |g| <= 10 eps max |eigenvalue| max(|w|, 1).
        """
        rounding = _ROUNDING * self.spectrum.largest_size * max(self.length, 1.0)
        return self.gain <= _STATIONARY * abs(self.loss) or self.gradient_norm <= rounding

    @property
    def exact(self) -> bool:
        """Whether every eigenvalue is known."""
        return self.spectrum.exact

    @property
    def tolerance(self) -> float:
        """Eigenvalues within it count as zero: the rounding of float32, and of the loss."""
        return self.spectrum.tolerance

    @property
    def negative(self) -> int:
        """Directions along which the loss falls; at least so many unless `exact`."""
        return self.spectrum.negative

    @property
    def zero(self) -> int | None:
        """Directions along which the loss stays to second order; None unless `exact`."""
        found = self.spectrum
        return found.size - found.negative - found.positive if found.exact else None

    @property
    def positive(self) -> int:
        """Directions along which the loss rises; at least so many unless `exact`."""
        return self.spectrum.positive

    @property
    def eigenvalues(self) -> HostArray:
        """All of them, ascending; unless `exact`, the two smallest and the two largest."""
        return self.spectrum.nodes if self.exact else self.spectrum.ends

    @property
    def trace(self) -> float:
        """The sum of the eigenvalues; estimated unless `exact` (see `trace_error`)."""
        return self.spectrum.trace

    @property
    def trace_error(self) -> float:
        """The standard error of `trace`; 0 if `exact`."""
        return self.spectrum.trace_error

    @property
    def worst(self) -> Params:
        """The direction of the smallest eigenvalue, layer -> weight -> array, of length 1."""
        return self.directions[0]

    def density(self, width: float | None = None) -> tuple[HostArray, HostArray]:
        """The share of eigenvalues per unit: points t and rho(t), whose integral is 1.

        Args:
            width: of the Gaussians it is smoothed with; a two-hundredth of the range by default.
        """
        nodes, shares = self.spectrum.nodes, self.spectrum.shares
        low, high = nodes[0], nodes[-1]
        width = width or _WIDTH * (high - low) or max(abs(high), 1.0) * _WIDTH
        points = np.linspace(low - _REACH * width, high + _REACH * width, _POINTS)
        bells = np.exp(-0.5 * ((points[:, None] - nodes) / width) ** 2)
        return points, bells @ shares / (width * np.sqrt(2 * np.pi))

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """The eigenvalues in order where all are known, and their density.

        Args:
            path: `"curvature.svg"`, `.png` or `.pdf` to write it to.

        Raises:
            InvalidArgument: a path with another suffix.
            InvalidFile: a folder that is missing or cannot be written to.
        """
        from fitwell.curvature.picture import draw

        return draw(self, path)

    def __repr__(self) -> str:
        return f"<Curvature: {self.sentence()}>"

    def _repr_html_(self) -> str:
        """The verdict and its numbers, in a notebook."""
        low, high = self.eigenvalues[0], self.eigenvalues[-1]
        facts = {
            "loss": f"{self.loss:.4g}",
            "directions downward": f"{self.negative}{'' if self.exact else ' or more'}",
            "directions upward": f"{self.positive}{'' if self.exact else ' or more'}",
            "eigenvalues": f"{low:.4g} to {high:.4g}",
            "trace": f"{self.trace:.4g}{_within(self.trace_error)}",
            "gradient norm": f"{self.gradient_norm:.2g}",
            "stationary": "yes" if self.stationary else "no",
        }
        rows = [(notebook.text(name), notebook.text(value)) for name, value in facts.items()]
        return notebook.paragraph(f"Curvature: {self.verdict}") + notebook.table((), rows)

    def sentence(self) -> str:
        """The verdict with its numbers and how far they can be trusted."""
        found = self.spectrum
        low, high = (f"{found.ends[i]:.4g}{_within(found.bounds[i])}" for i in (0, -1))
        counts = f"{self.negative} negative, {self.zero} zero and {self.positive} positive"
        if not self.exact:
            counts = f"at least {self.negative} negative and {self.positive} positive"
        trace = f", trace {self.trace:.4g}{_within(self.trace_error)}"
        where = "stationary" if self.stationary else "not stationary"
        gains = f"a gradient step lowers the loss of {self.loss:.4g} by about {self.gain:.2g}"
        return (
            f"{self.verdict}, {counts} of {found.size} directions (zero is within "
            f"{self.tolerance:.1g}), eigenvalues from {low} to {high}{trace}; gradient norm "
            f"{self.gradient_norm:.2g}, {where} ({gains})"
        )


def _within(error: float) -> str:
    return f" ± {error:.1g}" if error else ""
