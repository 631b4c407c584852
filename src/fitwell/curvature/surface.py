"""The loss over all data as a function of the weights: values, slope, Hessian-vector products."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree

from fitwell import compiling, feeding, tree
from fitwell.data.sources import ArraySource
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.families import family_of
from fitwell.network import Network
from fitwell.programs import loop
from fitwell.training import Batch, Objective, Stats, TrainState, losses_and_stats
from fitwell.types import Array, HostArray, Params, State

Cost: TypeAlias = Callable[[Params], tuple[Array, Array]]
Quantity: TypeAlias = Callable[..., dict[str, Array]]

_ROWS = 256  # of a batch, unless batch_size says otherwise
_ROWS_TOGETHER, _MOST_TOGETHER = 1024, 64  # of the batches of products that run side by side
_DISPATCHED = 8  # products of a dispatch at least: enough to hide what starting it costs


class Surface:
    """L(w) = sum(c_i L_i(w)) / sum(c_i) over batches i, in inference and with penalties.

    c_i is what L_i is a mean over, so L does not depend on how the data are divided (with
    `reduction="sum"` it is the mean of the batches' sums, as in `evaluate`).

    Args:
        subject: the method the user called, for messages.
        data: all examples; the mask is ignored.
        batch_size: rows of a batch.

    Raises:
        InvalidArgument: the network keeps states between batches, so there is no such L.
    """

    def __init__(
        self,
        subject: str,
        network: Network,
        objective: Objective,
        data: Batch,
        batch_size: int | None = None,
    ) -> None:
        if network.remembers:
            raise InvalidArgument(
                subject,
                "a loss that is a mean over examples",
                "a network that keeps states from batch to batch",
                "Leave stateful=True out of its recurrent layers.",
            )
        # Second derivatives need all digits, whatever the network trains with.
        self.network = dataclasses.replace(network.program(), precision="float32")
        self.subject = subject
        self.objective = dataclasses.replace(objective, measures=(), augment=())
        rows = min(batch_size or _ROWS, len(data.x[0]))
        steps = -(-len(data.x[0]) // rows)
        room = min(feeding.capacity(network, rows, data), 1 << (steps - 1).bit_length())
        self.source = ArraySource(data, rows, room, shuffle=False)
        self._whole: Batch | None = None

    def at(self, train: TrainState) -> Point:
        """The surface around the weights of `train`."""
        return Point(self, train)

    def chunks(self) -> Iterator[tuple[Batch, int]]:
        """Stacked batches and how many there are; data that fit into one chunk stay on device."""
        steps, room = self.source.steps or 0, self.source.capacity
        if steps > room:
            for start in range(0, steps, room):
                data, count = self.source.chunk(0, start, room)
                yield compiling.shard(data), count
            return
        if self._whole is None:
            self._whole = jax.device_put(compiling.shard(self.source.chunk(0, 0, steps)[0]))
        yield self._whole, steps

    @functools.cached_property
    def together(self) -> int:
        """How many products run side by side: as many as keep the cores busy with small batches.

        One where there are convolutions: with a kernel per product they become grouped ones.
        """
        layers = self.network.layers.values()
        if any(family_of(layer) == "convolutions" for layer in layers):
            return 1
        return int(np.clip(_ROWS_TOGETHER // self.source.batch_size, 1, _MOST_TOGETHER))


class Point:
    """A surface seen from one set of weights; vectors are (n,), the weights that learn in a row."""

    def __init__(self, surface: Surface, train: TrainState) -> None:
        self.surface, self.state = surface, train.state
        self.learn, self.kept = surface.network.split_trainable(train.params)
        self.size = tree.size(self.learn)
        if not self.size:
            raise InvalidArgument(
                surface.subject,
                "weights that learn",
                "none: every layer is frozen or has no weights",
                "Set trainable=True on a layer that has weights.",
            )
        self.weights = np.asarray(ravel_pytree(self.learn)[0])

    def as_tree(self, vector: HostArray) -> Params:
        """A vector in the form of the weights: layer -> weight -> array."""
        leaves, form = jax.tree.flatten(self.learn)
        ends = np.cumsum([leaf.size for leaf in leaves])[:-1]
        parts = np.split(np.asarray(vector), ends)
        shaped = (part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True))
        return jax.tree.unflatten(form, list(shaped))

    def slope(self) -> tuple[float, HostArray]:
        """L and its gradient (n,).

        Raises:
            InvalidData: one of them is not finite.
        """
        found = self._sums(_slope)
        value, gradient = float(found["value"] / found["count"]), found["gradient"] / found["count"]
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            raise InvalidData(
                self.surface.subject,
                "a finite loss with a finite gradient",
                f"loss {value:g}" if not np.isfinite(value) else "a gradient with NaN",
                "Look for NaN in the data and the weights; train with a smaller learning rate.",
            )
        return value, gradient

    def products(self, vectors: HostArray) -> HostArray:
        """H v for each of the vectors (k, n), H the Hessian of L, as (k, n) in float64.

        Pearlmutter's product: the derivative of the gradient along v, exact, at a few times the
        price of a gradient and without H.

        Source: Pearlmutter 1994, "Fast exact multiplication by the Hessian", Neural Computation 6.
        """
        together = min(self.surface.together, len(vectors))
        most = together * -(-min(_DISPATCHED, len(vectors)) // together)
        parts = []
        for start in range(0, len(vectors), most):
            some = vectors[start : start + most]
            (given,) = feeding.padded([np.asarray(some, np.float32)], most)
            found = self._sums(_products, given.reshape(-1, together, self.size))
            parts.append(found["products"].reshape(most, -1)[: len(some)] / found["count"])
        products = np.concatenate(parts)
        if not np.isfinite(products).all():
            raise InvalidData(
                self.surface.subject,
                "finite second derivatives",
                "NaN or infinity",
                "A formula in the loss or in a layer has none at these weights.",
            )
        return products

    def losses(self, directions: HostArray, steps: HostArray) -> HostArray:
        """L at w + sum_j steps[i, j] directions[j] for each i, as (len(steps),)."""
        given = np.asarray(directions, np.float32), np.asarray(steps, np.float32)
        found = self._sums(_values, *given)
        return np.asarray(found["values"] / found["count"])

    def _sums(self, quantity: Quantity, *given: Any) -> dict[str, Any]:
        """A quantity summed over all batches, in float64; `count` is at least 1."""
        surface, total = self.surface, None
        run = _program(surface.network, surface.objective, quantity)
        for data, count in surface.chunks():
            part = run(self.learn, self.kept, self.state, data, count, *given)
            host = jax.tree.map(lambda a: np.asarray(a, np.float64), part)
            total = host if total is None else jax.tree.map(np.add, total, host)
        assert total is not None
        return {**total, "count": total["count"] or 1.0}


# What is summed over the batches: functions of the cost of one batch, c_i L_i(w).


def _slope(cost: Cost, learn: Params) -> dict[str, Array]:
    (value, count), gradient = jax.value_and_grad(cost, has_aux=True)(learn)
    return {"value": value, "count": count, "gradient": ravel_pytree(gradient)[0]}


def _products(cost: Cost, learn: Params, vectors: Array) -> dict[str, Array]:
    """Vectors (groups, together, n): one group after the other, side by side within one."""
    gradient, unravel = jax.grad(cost, has_aux=True), ravel_pytree(learn)[1]

    def along(vector: Array) -> tuple[Array, Array]:
        _, product, count = jax.jvp(gradient, (learn,), (unravel(vector),), has_aux=True)
        return ravel_pytree(product)[0], count

    if vectors.shape[1] == 1:  # not even a batch of one: convolutions stay what they are
        products, counts = lax.map(along, vectors[:, 0])
    else:
        products, counts = lax.map(jax.vmap(along, out_axes=(0, None)), vectors)
    return {"products": products, "count": counts[0]}


def _values(cost: Cost, learn: Params, directions: Array, steps: Array) -> dict[str, Array]:
    flat, unravel = ravel_pytree(learn)
    values, counts = lax.map(lambda step: cost(unravel(flat + step @ directions)), steps)
    return {"values": values, "count": counts[0]}


@compiling.program()
def _program(network: Network, objective: Objective, quantity: Quantity) -> Any:
    """Compiled: `(learn, kept, state, data, count, *given) -> the sums over count batches`."""

    def run(
        learn: Params, kept: Params, state: State, data: Batch, count: Array, *given: Any
    ) -> Stats:
        def body(carry: None, batch: Batch, rate: Array) -> tuple[None, Stats]:
            def cost(learn: Params) -> tuple[Array, Array]:
                key = jax.random.key(0)  # no layer draws from it in inference
                params = {**learn, **kept}
                found = losses_and_stats(
                    network, objective, params, state, batch, key=key, train=False
                )[1][1]["loss"]
                return found["sum"], found["count"]

            return carry, quantity(cost, learn, *given)

        # Some accelerators round products to 10 bits unless told not to.
        with jax.default_matmul_precision("highest"):
            first = jax.tree.map(lambda a: a[0], data)
            rates = jnp.zeros(len(data.mask))
            shapes = jax.eval_shape(lambda batch: body(None, batch, rates[0])[1], first)
            zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
            return loop(objective, body, None, zeros, data, rates, count)[1]

    return compiling.compile(run)
