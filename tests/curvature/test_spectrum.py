"""Spectra of matrices whose eigenvalues are known."""

from __future__ import annotations

import numpy as np
import pytest

from fitwell.curvature import spectrum
from fitwell.types import HostArray

RNG = np.random.default_rng(0)


def matrix(values: HostArray) -> HostArray:
    """A symmetric matrix with these eigenvalues, its eigenvectors at random."""
    turn, _ = np.linalg.qr(RNG.normal(size=(len(values), len(values))))
    return turn @ np.diag(values) @ turn.T


VALUES = np.concatenate([[-3.0, -1.0], RNG.normal(0, 0.01, 110), np.linspace(2, 9, 8)])
H = matrix(VALUES)


def beyond(zero: float) -> tuple[int, int]:
    return int(np.less(VALUES, -zero).sum()), int(np.greater(VALUES, zero).sum())


def test_exact_is_all_of_it() -> None:
    found = spectrum.exact(lambda v: v @ H, 120)
    np.testing.assert_allclose(found.nodes, np.sort(VALUES), atol=1e-12)
    assert found.trace == pytest.approx(VALUES.sum())
    assert found.trace_error == 0
    assert (found.negative, found.positive) == beyond(found.tolerance)
    np.testing.assert_allclose(found.ends, [-3, -1, 8, 9])
    np.testing.assert_allclose(found.vectors @ H, found.ends[:, None] * found.vectors, atol=1e-12)


def test_estimated_finds_both_ends_within_its_bounds() -> None:
    found = spectrum.estimated(lambda v: v @ H, 120, probes=4, steps=40, seed=0)
    assert (np.abs(found.ends - [-3, -1, 8, 9]) <= found.bounds).all()
    assert found.bounds.max() < 1e-3
    residuals = found.vectors @ H - found.ends[:, None] * found.vectors
    np.testing.assert_allclose(residuals, 0, atol=1e-3)
    # Interlacing: never more than there are, though many of the small ones are not seen.
    negative, positive = beyond(found.tolerance)
    assert 2 <= found.negative <= negative
    assert 8 <= found.positive <= positive


def test_the_trace_and_its_error_are_hutchinsons() -> None:
    """z'Hz over random signs has variance 2 (|H|_F^2 - sum of squares of the diagonal)."""
    probes = 400
    found = spectrum.estimated(lambda v: v @ H, 120, probes=probes, steps=4, seed=1)
    spread = np.sqrt(2 * ((H**2).sum() - (np.diag(H) ** 2).sum()) / probes)
    assert found.trace_error == pytest.approx(spread, rel=0.2)
    assert abs(found.trace - VALUES.sum()) < 4 * spread


def test_moments_of_the_density() -> None:
    """m steps from q are exact for polynomials of degree 2 m - 1: the mean of q' H^p q."""
    found = spectrum.estimated(lambda v: v @ H, 120, probes=3, steps=5, seed=2)
    signs = np.random.default_rng(2).choice(np.array([-1.0, 1.0], np.float32), (3, 120))
    vectors = signs / np.sqrt(120)
    assert found.shares.sum() == pytest.approx(1, abs=1e-6)
    for power in (1, 2, 5, 9):
        seen = (found.shares * found.nodes**power).sum()
        wanted = np.mean([v @ np.linalg.matrix_power(H, power) @ v for v in vectors])
        assert seen == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("values", [np.zeros(40), np.ones(40), np.repeat([-1.0, 2.0], 20)])
def test_a_run_that_has_seen_all_there_is_ends(values: HostArray) -> None:
    """Of k different eigenvalues k steps find each once, and the rest is no product."""
    calls = []
    square = matrix(values)

    def products(vectors: HostArray) -> HostArray:
        calls.append(len(vectors))
        return vectors @ square

    found = spectrum.estimated(products, 40, probes=2, steps=30, seed=0)
    assert len(calls) == len(set(values))
    np.testing.assert_allclose(np.unique(found.nodes.round(4)), np.unique(values), atol=1e-4)
    assert found.ends[[0, -1]] == pytest.approx([values.min(), values.max()], abs=1e-5)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(len(found.ends)), atol=0.5)


def test_one_weight() -> None:
    for found in (
        spectrum.exact(lambda v: 5 * v, 1),
        spectrum.estimated(lambda v: 5 * v, 1, probes=2, steps=4, seed=0),
    ):
        assert (found.trace, found.positive, found.negative) == (5, 1, 0)
        assert found.ends[-1] == 5
