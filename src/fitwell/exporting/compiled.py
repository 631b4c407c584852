"""A program as JAX' own portable bytes: StableHLO for CPUs, GPUs and TPUs."""

from __future__ import annotations

from typing import Any

import jax

from fitwell.errors import InvalidArgument
from fitwell.exporting.package import Package


def serialized(package: Package) -> bytes:
    """What `jax.export.deserialize(data).call(*arrays)` runs; the batch may have any size.

    Layers see one example, and `jax.vmap` makes batches of it: sizes that are not known yet would
    stop layers that compute with them.
    """
    if not all(feed.plain for feed in package.feeds):
        cure = 'Choose format="onnx" or format="numpy", which take text and tables.'
        expected = 'a network of numbers for format="jax"'
        raise InvalidArgument("export", expected, "text that is looked up, or a table", cure)

    def one(*xs: Any) -> Any:
        found = package.function(package.weights, *(x[None] for x in xs))
        return [y[0] for y in found]

    (batch,) = jax.export.symbolic_shape("batch")
    given = [jax.ShapeDtypeStruct((batch, *shape), dtype) for shape, dtype in package.examples]
    made = jax.export.export(jax.jit(jax.vmap(one)), platforms=("cpu", "cuda", "tpu"))(*given)
    return bytes(made.serialize())
