"""`model.curvature`: from a model and data to the answer."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from fitwell import feeding
from fitwell.arguments import named, whole_number
from fitwell.compiling import in_words
from fitwell.curvature import spectrum
from fitwell.curvature.result import Curvature
from fitwell.curvature.surface import Point, Surface
from fitwell.errors import InvalidArgument
from fitwell.examples import Examples, Receiver
from fitwell.training import TrainState

_MOST_EXACT = 5000  # weights; beyond, H itself takes minutes and hundreds of megabytes


class Fitted(Receiver, Protocol):
    """What the question needs of a model."""

    name: str

    @property
    def train_state(self) -> TrainState: ...


@named
@in_words
def curvature(
    model: Fitted,
    x: Any = None,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    *,
    exact: bool | None = None,
    probes: int = 8,
    steps: int = 48,
    seed: int = 0,
) -> Curvature:
    """H_ij = d^2 L / dw_i dw_j at the model's weights: minimum, saddle or flat?

    L is the loss over all data, in inference (dropout off, running statistics), penalties included;
    w are the weights that learn. At a point where the gradient is zero, the eigenvalues of H tell:
    all positive, a minimum; some negative, a saddle, with as many directions that lead down. In
    high dimension most of the points where training stalls are saddles. H is only used through
    products H v, which are exact.

    Args:
        x, y, sample_weight: arrays, as in `fit`.
        batch_size: examples per step; only memory and speed depend on it.
        exact: whether to compute all eigenvalues, for n weights by n products and n^3 operations.
            None: up to 5,000 weights. Otherwise the ends, the trace and the density are estimated.
        probes, steps: of the estimate: random vectors (>= 2), and products of each (>= 4). The
            standard error of the trace falls with sqrt(probes), that of the ends with steps.
        seed: of the random vectors.

    Raises:
        NotReady: the model is not compiled.
        InvalidArgument: no data, an iterable of batches, no weights that learn, layers that keep
            states from batch to batch.
        InvalidData: the loss or one of its derivatives is not finite.

    >>> import numpy as np
    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((1,)), fw.layers.Dense(1, use_bias=False)])
    >>> model.compile(loss="mse")
    >>> found = model.curvature(np.array([[1.0], [3.0]]), np.array([[2.0], [6.0]]))
    >>> found.verdict, found.eigenvalues.round(4).tolist()  # 2 mean(x^2)
    ('minimum', [10.0])

    Sources: Pearlmutter 1994, Neural Computation 6; Hutchinson 1990; Ghorbani et al. 2019,
    arXiv:1901.10159; Dauphin et al. 2014, arXiv:1406.2572.
    """
    for name, value, lowest in (("probes", probes, 2), ("steps", steps, 4), ("seed", seed, 0)):
        whole_number("curvature", name, value, lowest)
    point = point_of("curvature", model, x, y, sample_weight, batch_size)
    return found_at(
        point, exact or (exact is None and point.size <= _MOST_EXACT), probes, steps, seed
    )


def found_at(point: Point, exact: bool, probes: int, steps: int, seed: int) -> Curvature:
    """The answer for one point; the numbers are those of `curvature`."""
    loss, gradient = point.slope()
    length = float(np.linalg.norm(point.weights))
    # A curvature that does not show in the loss, were the weights moved by their own length.
    least = 2 * float(np.finfo(np.float32).eps) * abs(loss) / max(length, 1.0) ** 2
    if exact:
        found = spectrum.exact(point.products, point.size, least)
    else:
        found = spectrum.estimated(point.products, point.size, probes, steps, seed, least)
    directions = tuple(point.as_tree(vector.astype(np.float32)) for vector in found.vectors)
    return Curvature(loss, float(np.linalg.norm(gradient)), length, found, directions)


def point_of(
    subject: str, model: Fitted, x: Any, y: Any, sample_weight: Any, batch_size: int | None
) -> Point:
    """The loss over these data, at the model's weights."""
    if x is None:
        raise InvalidArgument(subject, "x", "None", f"Call {subject}(x, y) with the data.")
    if feeding.is_iterable_of_batches(x):
        raise InvalidArgument(
            subject,
            "arrays: the same examples are read many times",
            f"an iterable of batches ({type(x).__name__})",
            "Pass x and y as arrays; some thousand examples are enough.",
        )
    if batch_size is not None:
        whole_number(subject, "batch_size", batch_size, 1)
    examples = Examples(model, subject)
    data = examples.batch(x, y, sample_weight)
    surface = Surface(subject, model.network, examples.objective, data, batch_size)
    return surface.at(model.train_state)
