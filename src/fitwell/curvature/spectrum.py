"""The eigenvalues of a symmetric operator that is known by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from fitwell.types import HostArray

Products: TypeAlias = Callable[[HostArray], HostArray]
"""`V (k, n) -> V H (k, n)`: H times each row."""

_ROWS = 64  # of H that are asked for at a time
_BASIS_FLOATS = 2**27  # that the vectors of one Lanczos run may take
# Of the norm of H. Products in float32 move eigenvalues by one or two roundings (measured on
# dense, convolutional and recurrent networks, against float64).
_TOLERANCE = 32 * float(np.finfo(np.float32).eps)
_EXHAUSTED = 1e-5  # from this residual on, relative to H, the run has seen all there is


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What is known of the eigenvalues of H (n, n).

    Attributes:
        size: n.
        exact: whether `nodes` are the eigenvalues themselves.
        nodes, shares: the density sum_i shares[i] delta(t - nodes[i]), ascending nodes; its first
            2 m moments are those of H, for m steps of Lanczos' method (seen by random vectors).
        trace, trace_error: sum of the eigenvalues, and its standard error.
        ends: the two smallest and the two largest eigenvalues, ascending (fewer if n < 4).
        bounds: H has an eigenvalue within so much of each of them; 0 if exact.
        vectors: their eigenvectors, (len(ends), n), of length 1.
        tolerance: what is smaller is zero: 32 roundings of float32 of the largest, or `least`.
        negative, positive: how many eigenvalues lie beyond it on either side; if not exact, there
            are at least so many.
    """

    size: int
    exact: bool
    nodes: HostArray
    shares: HostArray
    trace: float
    trace_error: float
    ends: HostArray
    bounds: HostArray
    vectors: HostArray
    tolerance: float
    negative: int
    positive: int

    @property
    def largest_size(self) -> float:
        """max |eigenvalue|, the norm of H."""
        return float(np.abs(self.ends).max())


def exact(products: Products, size: int, least: float = 0.0) -> Spectrum:
    """Every eigenvalue, from H itself: n products, n^2 numbers, time n^3.

    Args:
        least: no tolerance is smaller.
    """
    matrix = np.empty((size, size))
    for start in range(0, size, _ROWS):
        rows = np.arange(start, min(start + _ROWS, size))
        matrix[rows] = products(np.equal.outer(rows, np.arange(size)).astype(np.float32))
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    places = np.unique([0, min(1, size - 1), max(size - 2, 0), size - 1])
    zero = float(max(_TOLERANCE * np.abs(values).max(), least))
    return Spectrum(
        size, True, values, np.full(size, 1 / size), float(values.sum()), 0.0,
        values[places], np.zeros(len(places)), vectors[:, places].T, zero,
        int((values < -zero).sum()), int((values > zero).sum()),
    )  # fmt: skip


def estimated(
    products: Products, size: int, probes: int, steps: int, seed: int, least: float = 0.0
) -> Spectrum:
    """Ends, trace and density from a few random vectors: `probes * steps` products.

    Lanczos' method from z / |z| with random signs z gives a small matrix T, whose eigenvalues are
    near H's at both ends. z' H z, its first number, is on average the trace (Hutchinson); its
    eigenvalues with the squared first components of its eigenvectors are a density on average
    H's (stochastic Lanczos quadrature). T's eigenvalues interlace with H's: H has at least as many
    negative ones as T.

    Args:
        probes: >= 2.
        steps: >= 4.
        least: no tolerance is smaller.

    Sources: Hutchinson 1990, Communications in Statistics 19; Ubaru, Chen & Saad 2017, SIAM
    Journal on Matrix Analysis 38; Ghorbani, Krishnan & Xiao 2019, arXiv:1901.10159.
    """
    runs: list[Run] = []
    low = high = None
    for run, basis in _runs(products, size, probes, min(steps, size), seed):
        if low is None or run.values[0] < low.values[0]:
            low = run.ends(basis, first=True)
        if high is None or run.values[-1] > high.values[-1]:
            high = run.ends(basis, first=False)
        runs.append(run)
    assert low is not None
    assert high is not None
    new = np.abs(high.vectors @ low.vectors.T).max(1) < 0.5  # a short run has the same at both ends
    ends = Ends(*(np.concatenate([a, b[new]]) for a, b in zip(low, high, strict=True)))
    nodes = np.concatenate([run.values for run in runs])
    shares = np.concatenate([run.components[0] ** 2 for run in runs]) / probes
    order = np.argsort(nodes)
    traces = size * np.array([run.first for run in runs])
    zero = float(max(_TOLERANCE * np.abs(ends.values).max(), least))
    return Spectrum(
        size, False, nodes[order], shares[order],
        float(traces.mean()), float(traces.std(ddof=1) / np.sqrt(probes)),
        ends.values, np.maximum(ends.bounds, zero), ends.vectors, zero,
        max(int((run.values < -zero).sum()) for run in runs),
        max(int((run.values > zero).sum()) for run in runs),
    )  # fmt: skip


def _runs(
    products: Products, size: int, probes: int, steps: int, seed: int
) -> Iterator[tuple[Run, HostArray]]:
    """A run from each of the random vectors, with its orthonormal vectors (steps, n)."""
    random = np.random.default_rng(seed)
    together = int(np.clip(_BASIS_FLOATS // (steps * size), 1, probes))
    for start in range(0, probes, together):
        count = min(together, probes - start)
        signs = random.choice(np.array([-1.0, 1.0], np.float32), (count, size))
        yield from zip(*lanczos(products, signs / np.sqrt(size), steps), strict=True)


class Ends(NamedTuple):
    """Eigenvalues at one end, how near they are at least to H's, and their vectors."""

    values: HostArray
    bounds: HostArray
    vectors: HostArray


class Run(NamedTuple):
    """The small matrix T of one run, by its eigenvalues.

    Attributes:
        values: ascending, (m,).
        components: the eigenvectors of T as columns, (m, m).
        first: the first number of T, q' H q of the first vector q.
        residual: the norm of what the run leaves out of H.
    """

    values: HostArray
    components: HostArray
    first: float
    residual: float

    def ends(self, basis: HostArray, first: bool) -> Ends:
        """The two smallest (or largest) eigenvalues; of a T of one number, that one."""
        places = slice(0, 2) if first else slice(max(len(self.values) - 2, 0), None)
        parts = self.components[:, places]
        vectors = parts.T @ basis[: len(self.values)]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Ends(self.values[places], self.residual * np.abs(parts[-1]), vectors)


def lanczos(products: Products, start: HostArray, steps: int) -> tuple[list[Run], HostArray]:
    """Lanczos' method from several vectors in step, each orthogonalised against all before it.

    Args:
        start: (k, n), rows of length 1.
        steps: m <= n; a run ends sooner where it has seen all that its vector can reach.

    Returns:
        the runs, and their orthonormal vectors (k, m, n).
    """
    count, size = start.shape
    basis = np.zeros((count, steps, size), np.float32)
    along, beside = np.zeros((count, steps)), np.zeros((count, steps))
    lengths = np.full(count, steps)
    now = start
    for j in range(steps):
        basis[:, j] = now
        ahead = products(now)
        along[:, j] = (ahead * now).sum(1)
        before = basis[:, : j + 1]
        for _ in range(2):  # once leaves a rest as large as the rounding of what it removed
            parts = before @ ahead.astype(np.float32)[..., None]
            ahead = ahead - (parts.swapaxes(1, 2) @ before)[:, 0]
        beside[:, j] = np.linalg.norm(ahead, axis=1)
        scale = np.maximum(np.abs(along).max(1), beside[:, :j].max(1, initial=0.0))
        ended = beside[:, j] <= _EXHAUSTED * scale
        lengths = np.where(ended, np.minimum(lengths, j + 1), lengths)
        if (lengths <= j + 1).all():
            break
        now = ahead * np.where(ended, 0, 1 / np.where(ended, 1, beside[:, j]))[:, None]
    return [_run(a, b, m) for a, b, m in zip(along, beside, lengths, strict=True)], basis


def _run(along: HostArray, beside: HostArray, length: int) -> Run:
    between = beside[: length - 1]
    matrix = np.diag(along[:length]) + np.diag(between, 1) + np.diag(between, -1)
    return Run(*np.linalg.eigh(matrix), float(along[0]), float(beside[length - 1]))
