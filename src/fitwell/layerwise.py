"""Statistics of every layer on a sample of the data: activations, gradients, weights, updates.

One compiled program for each architecture and optimizer, apart from the compiled steps: what the
doctor, `callbacks.LayerStatistics` and reports read.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import activations, compiling
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.training import Batch, Objective, TrainState, losses_and_stats
from fitwell.types import LAYER_KEYS, Array, HostArray, LayerRecord, Params, State, Tree

__all__ = ["LayerProbe", "Look", "even_rows", "rows_of"]

MOST_ROWS = 256  # that layers are looked at with: gradients cost more than predictions
_NUMBERS = 2**22  # of one sample's inputs
_PARTS = (8, 4, 2)  # of the sample, whose gradients tell the noise
_FLAT = {"sigmoid": 5.0, "tanh": 3.0, "softsign": 50.0, "hard_sigmoid": 3.0}
"""Beyond |z| of this size an activation's slope is below 1 % of its largest."""
_RECTIFIED = ("relu", "relu6", "relu_squared")
_START, _LAYER = 0.4, 0.2  # seconds to compile a probe, and each layer of it, cautiously


def even_rows(rows: int, most: int) -> Any:
    """Which rows stand for all: evenly spread, so that sorted data are seen whole."""
    if rows <= most:
        return slice(None)
    return np.linspace(0, rows - 1, most).astype(np.int64)


def rows_of(data: Batch, most: int = MOST_ROWS, among: HostArray | None = None) -> Batch:
    """A sample that stands for all the data, small enough to be looked at in one go.

    Rows repeat up to a power of two, so that other data of about the size compile nothing anew.

    Args:
        among: the rows to choose from, in their order; all of them by default.
    """
    places = np.arange(len(data.x[0])) if among is None else among
    n = len(places)
    each = max(sum(int(np.prod(x.shape[1:])) for x in data.x), 1)
    room = int(np.clip(_NUMBERS // each, 16, most))
    chosen = np.resize(places[even_rows(n, room)], min(1 << (n - 1).bit_length(), room))
    x, y, weight = (
        tuple(None if a is None else np.asarray(a[chosen]) for a in part)
        for part in (data.x, data.y, data.weight)
    )
    return Batch(x, y, weight, np.ones(len(chosen), np.float32))


@dataclasses.dataclass(frozen=True)
class Look:
    """What a probe saw at one moment.

    Attributes:
        loss: of the sample, in inference.
        layers: by name, its numbers; what is not defined for a layer is missing.
    """

    loss: float
    layers: Mapping[str, Mapping[str, Any]]

    def records(self, epoch: int, step: int) -> list[LayerRecord]:
        """One for each layer, as `history.layers` keeps them; None for what has no finite value."""

        def finite(value: Any) -> Any:
            known = isinstance(value, str | int) or (value is not None and math.isfinite(value))
            return value if known else None

        return [
            {"epoch": epoch, "step": step, "layer": name}
            | {key: finite(numbers.get(key)) for key in LAYER_KEYS[3:]}
            for name, numbers in self.layers.items()
        ]


@dataclasses.dataclass(frozen=True)
class LayerProbe:
    """Looks at the layers of one network with one sample; nothing of the fit changes.

    In inference: dropout is off, statistics rest.

    Args:
        network, objective, optimizer: of the fit.
        sample: of the data; its first 256 rows are used.
    """

    network: Network
    objective: Objective
    optimizer: Optimizer
    sample: Batch

    def look(self, train: TrainState, rate: float) -> Look:
        """The numbers of every layer at these weights; `rate`: of the next step."""
        program, began = self._program(), time.perf_counter()
        batch = jax.tree.map(lambda a: a[:MOST_ROWS], self.sample)
        moving = train.params, train.state, train.optimizer
        loss, facts = jax.device_get(program.call(*moving, batch, np.float32(rate)))
        program.seconds = time.perf_counter() - began
        kinds = {node.name: type(node.layer).__name__ for node in self.network.nodes}
        layers: dict[str, dict[str, Any]] = {}
        for name, numbers in facts.items():
            values = {key: float(value) for key, value in sorted(numbers.items())}
            layers[name] = {"kind": kinds[name], **values, "weights": int(values["weights"])}
        return Look(float(loss), layers)

    def seconds(self) -> float:
        """What the next look takes: as the last one did, or a guess of how long it compiles."""
        known = self._program().seconds
        return _START + _LAYER * len(self.network.nodes) if known is None else known

    def _program(self) -> _Program:
        objective = dataclasses.replace(self.objective, measures=())
        return layers_program(self.network.program(), objective, self.optimizer.program())


@dataclasses.dataclass
class _Program:
    """A compiled probe, and how long it took last."""

    call: Any
    seconds: float | None = None


@compiling.program()
def layers_program(network: Network, objective: Objective, optimizer: Optimizer) -> _Program:
    """Compiled: `(params, state, optimizer state, batch, rate) -> (loss, numbers by layer)`."""

    def probe(
        params: Params, state: State, slots: Tree, batch: Batch, rate: Array
    ) -> tuple[Array, dict[str, dict[str, Array]]]:
        value, slopes, spreads = _gradients(network, objective, params, state, batch)
        ratios = _updates(network, optimizer, params, slots, slopes, rate)
        values, _, _ = network.masked_forward(
            params, state, batch.x, key=jax.random.key(0), train=False, rows=batch.mask
        )
        facts: dict[str, dict[str, Array]] = {}
        for place, y in _looked_at(network, values):
            node = network.nodes[place]
            _, activation = node.layer.split_activation()
            name = (activations.name_of(activation) if activation is not None else "") or "linear"
            own = params.get(node.name, {})
            size = sum(leaf.size for leaf in jax.tree.leaves(slopes.get(node.name, {})))
            numbers = {"weights": jnp.array(size), **_activity(y, name)}
            if size:
                numbers |= {"gradient_norm": _norm(slopes[node.name]), **spreads[node.name]}
            if jax.tree.leaves(own):
                numbers["weight_norm"] = _norm(own)
            if node.name in ratios:
                numbers["update_ratio"] = ratios[node.name]
            facts[node.name] = numbers
        return value, facts

    return _Program(compiling.compile(probe, once=True))


def _gradients(
    network: Network, objective: Objective, params: Params, state: State, batch: Batch
) -> tuple[Array, Params, dict[str, dict[str, Array]]]:
    """The loss, its gradient, and by layer the noise scale of the gradient.

    From the gradients g_i of k parts of b rows each: tr(S) = b sum |g_i - g|^2 / (k - 1) is the
    variance of one example's gradient, |G|^2 = |g|^2 - tr(S) / (k b), the scale tr(S) / |G|^2.

    Source: McCandlish et al. 2018, arXiv:1812.06162, appendix A.
    """
    learn, kept = network.split_trainable(params)
    rows = len(batch.mask)
    parts = next((k for k in _PARTS if rows % k == 0 and rows >= 2 * k), 1)
    # Every k-th row, so that of sorted data all parts see everything.
    folded = jax.tree.map(lambda a: a.reshape(-1, parts, *a.shape[1:]).swapaxes(0, 1), batch)

    def cost(learn: Params, some: Batch) -> Array:
        given, key = {**learn, **kept}, jax.random.key(0)
        found = losses_and_stats(network, objective, given, state, some, key=key, train=False)
        return found[0]

    def part(carry: Any, some: Batch) -> tuple[Any, None]:
        value, slopes = jax.value_and_grad(cost)(learn, some)
        sizes = {name: _norm(own) ** 2 for name, own in slopes.items()}
        return jax.tree.map(jnp.add, carry, (value, slopes, sizes)), None

    zeros = jnp.zeros(()), jax.tree.map(jnp.zeros_like, learn), {n: jnp.zeros(()) for n in learn}
    sums, _ = jax.lax.scan(part, zeros, folded)
    value, slopes, sizes = jax.tree.map(lambda a: a / parts, sums)
    noise: dict[str, dict[str, Array]] = {}
    for name, own in slopes.items():
        square = _norm(own) ** 2
        trace = jnp.maximum(sizes[name] - square, 0) * rows / max(parts - 1, 1)
        signal = square - trace / rows
        # A sample too small to tell the gradient from 0 does not tell the scale.
        scale = jnp.where(signal > 0, trace / signal, jnp.nan)
        noise[name] = {"noise_scale": scale} if parts > 1 else {}
    return value, slopes, noise


def _updates(
    network: Network, optimizer: Optimizer, params: Params, slots: Tree, slopes: Params,
    rate: Array,
) -> dict[str, Array]:  # fmt: skip
    """By layer, |w' - w| / |w| of the step that the optimizer would take with this gradient."""
    if optimizer.needs_value:
        return {}
    learn, _ = network.split_trainable(params)
    single = dataclasses.replace(optimizer, gradient_accumulation_steps=None)
    sums = ("gradient_sum", "gradient_count")
    kept = {name: slot for name, slot in slots.items() if name not in sums}
    after, _ = single.step(learn, slopes, kept, rate)
    after = network.project(after, rate)
    moved = jax.tree.map(jnp.subtract, after, learn)
    return {name: _norm(moved[name]) / _norm(own) for name, own in learn.items()}


def _norm(tree: Any) -> Array:
    leaves = jax.tree.leaves(tree)
    return jnp.sqrt(sum((jnp.square(leaf).sum() for leaf in leaves), jnp.zeros(())))


def _looked_at(network: Network, values: list[Any]) -> Iterator[tuple[int, Array]]:
    """Layers with weights, and activations that are layers of their own."""
    weights, _ = network.weight_shapes
    for place, (node, y) in enumerate(zip(network.nodes, values, strict=True)):
        active = node.layer.split_activation()[1] is not None
        numbers = isinstance(y, jax.Array) and jnp.issubdtype(y.dtype, jnp.floating)
        if (node.name in weights or active) and numbers and y.ndim >= 2:
            yield place, y


def _activity(y: Array, activation: str) -> dict[str, Array]:
    """Numbers of one layer's outputs; its units are along the last axis."""
    flat = y.reshape(-1, y.shape[-1]).astype(jnp.float32)
    spread = flat.max(0) - flat.min(0)
    found = {
        "activation_mean": jnp.mean(flat),
        "activation_rms": jnp.sqrt(jnp.mean(jnp.square(flat))),
        "constant": jnp.mean(spread <= 1e-6 * jnp.maximum(jnp.abs(flat).max(0), 1e-6)),
    }
    if activation in _RECTIFIED:
        found["dead"] = jnp.mean(flat.max(0) <= 0)
    if activation in _FLAT:
        edge = _FLAT[activation]
        ends: tuple[Any, Any] = {
            "sigmoid": (jax.nn.sigmoid(-edge), jax.nn.sigmoid(edge)),
            "hard_sigmoid": (0.0, 1.0),
            "tanh": (-jnp.tanh(edge), jnp.tanh(edge)),
            "softsign": (-edge / (1 + edge), edge / (1 + edge)),
        }[activation]
        found["saturated"] = jnp.mean((flat <= ends[0]) | (flat >= ends[1]))
    return found


def network_noise(records: list[LayerRecord]) -> float | None:
    """The noise scale of the whole network from the records of one moment; None if not known.

    Traces and squared gradients add up over layers: sum |G|^2 s / sum |G|^2.
    """
    known = [
        (one["gradient_norm"] ** 2, one["noise_scale"])
        for one in records
        if one["gradient_norm"] and one["noise_scale"] is not None
    ]
    total = sum(square for square, _ in known)
    return sum(square * scale for square, scale in known) / total if total else None
