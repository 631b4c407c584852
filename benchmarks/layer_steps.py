"""The training steps of a row of `layers.py`, for each library."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from layer_rows import Row, Torch

SECONDS, STEPS = 0.4, 20


class Program(NamedTuple):
    """A call that takes STEPS steps, and the numbers of weights and outputs."""

    run: Callable[[], Any]
    weights: int
    outputs: int


def programs(library: str, row: Row) -> list[Program]:
    """The row's program, or several of which the fastest counts."""
    if library == "fitwell":
        return [fitwell_program(row)]
    import torch

    images = {3: [None, torch.channels_last], 4: [None, torch.channels_last_3d]}
    formats = [None] if row.sequence else images.get(len(row.shape), [None])
    return [torch_program(row, each) for each in formats]


def microseconds(run: Callable[[], Any]) -> float:
    """Per step, the median over calls for SECONDS."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) / STEPS * 1e6


def fitwell_program(row: Row) -> Program:
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax

    import fitwell as fw
    from fitwell import compiling, graph

    class Scale(fw.layers.Layer):
        """A factor for each feature: with it, the input has a gradient."""

        def init(self, key: Any, shape: tuple[int, ...]) -> Any:
            return {"factor": jnp.ones(shape[-1:])}

        def apply(self, params: Any, x: Any) -> Any:
            return x * params["factor"]

    start = symbol = fw.layers.Input(row.shape, dtype="int32" if row.ids else "float32")
    for layer in [*([] if row.ids else [Scale()]), *row.fitwell(fw.layers)]:
        symbol = layer(symbol)
    network = graph.from_symbols([start], [symbol]).program()
    (place, _), key, x = network.outputs[0], jax.random.key(0), jnp.asarray(row.data())
    params, state = network.init(key)
    shape = (row.batch, *network.output_shapes[0][0])
    random = np.random.default_rng(1)
    if row.classes:
        target = jnp.asarray(random.integers(row.classes, size=shape[:-1]))
        cost = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        target = jnp.asarray(random.normal(size=shape), jnp.float32)
        cost = fw.losses.MeanSquaredError()
    optimizer = fw.optimizers.Adam() if row.classes else fw.optimizers.SGD()

    def loss(params: Any, state: Any) -> Any:
        values, state = network.forward(params, state, [x], key=key, train=True)
        return cost(target, values[place]), state

    def step(_: Any, carry: Any) -> Any:
        params, state, slots = carry
        grads, state = jax.grad(loss, has_aux=True)(params, state)
        params, slots = optimizer.step(params, grads, slots, jnp.float32(1e-3))
        return params, state, slots

    run = compiling.compile(lambda carry: lax.fori_loop(0, STEPS, step, carry))
    carry = (params, state, optimizer.init(params))
    weights = sum(leaf.size for leaf in jax.tree.leaves(params))
    return Program(lambda: jax.block_until_ready(run(carry)), weights, int(np.prod(shape)))


def torch_program(row: Row, memory: Torch) -> Program:
    import torch
    from torch.nn import functional

    network = torch.nn.Sequential(*row.torch(torch.nn))
    x = torch.as_tensor(row.data())
    x = x if row.sequence else x.movedim(-1, 1).contiguous()
    shape = () if row.ids else (x.shape[-1],) if row.sequence else (x.shape[1], *[1] * (x.ndim - 2))
    scale = torch.nn.Parameter(torch.ones(shape))
    if memory is not None:
        x, network = x.to(memory_format=memory), network.to(memory_format=memory)
    with torch.no_grad():
        y = network(x)
    weights = [*([] if row.ids else [scale]), *network.parameters()]
    make = torch.optim.Adam if row.classes else torch.optim.SGD
    optimizer = make(weights, lr=1e-3)
    target = torch.randint(row.classes, y.shape[:-1]) if row.classes else torch.randn_like(y)

    def loss() -> Any:
        y = network(x if row.ids else x * scale)
        if row.classes:
            return functional.cross_entropy(y.flatten(0, -2), target.flatten())
        return functional.mse_loss(y, target)

    def run() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad(set_to_none=True)
            loss().backward()
            optimizer.step()

    return Program(run, sum(w.numel() for w in weights), y.numel())
