"""Training steps of convolutions and pooling beside PyTorch's: microseconds and their ratio.

    python benchmarks/layers.py [--rows conv2d,cnn_28] [--rounds 5]

For fitwell many steps run inside one compiled loop, as in `fit`; PyTorch runs eagerly, in the
faster of its two memory formats. A step is forward pass, gradients of weights and of the input, and
an update. Each library has a process of its own; they take turns row by row, and a ratio is formed
within a round, so that a change of the machine's load meets both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from layer_rows import ROWS, Row, Torch

SECONDS, STEPS = 0.4, 20


def fitwell_steps(row: Row) -> tuple[Callable[[], Any], int, int]:
    """A call that takes STEPS steps, the numbers of weights and of outputs."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    import fitwell as fw
    from fitwell import compiling

    network = row.fitwell(fw.layers)
    optimizer = fw.optimizers.Adam() if row.classes else fw.optimizers.SGD()
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(row.batch, *row.shape)), jnp.float32)
    params: dict[str, Any] = {"scale": {"factor": jnp.ones(row.shape[-1:])}}
    y = x
    for i, layer in enumerate(network):
        params[str(i)] = layer.init(jax.random.key(i), y.shape[1:])
        y = layer.apply(params[str(i)], y)
    outputs = y.size
    if row.classes:
        target = jnp.asarray(random.integers(row.classes, size=row.batch))
        cost = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        target = jnp.asarray(random.normal(size=y.shape), jnp.float32)
        cost = fw.losses.MeanSquaredError()

    def loss(params: Any) -> Any:
        y = x * params["scale"]["factor"]
        for i, layer in enumerate(network):
            y = layer.apply(params[str(i)], y)
        return cost(target, y)

    def step(_: Any, carry: Any) -> Any:
        params, state = carry
        return optimizer.step(params, jax.grad(loss)(params), state, jnp.float32(1e-3))

    run = compiling.compile(lambda carry: lax.fori_loop(0, STEPS, step, carry))
    carry = (params, optimizer.init(params))
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    return lambda: jax.block_until_ready(run(carry)), count, outputs


def torch_steps(row: Row, memory: Torch) -> tuple[Callable[[], Any], int, int]:
    import torch

    axes = len(row.shape) - 1
    network = torch.nn.Sequential(*row.torch(torch.nn))
    channels, *sizes = row.shape[-1], *row.shape[:-1]
    x = torch.randn(row.batch, channels, *sizes)
    scale = torch.nn.Parameter(torch.ones(channels, *[1] * axes))
    if memory is not None:
        x, network = x.to(memory_format=memory), network.to(memory_format=memory)
    with torch.no_grad():
        y = network(x)
    if row.classes:
        target, cost = torch.randint(row.classes, (row.batch,)), torch.nn.CrossEntropyLoss()
    else:
        target, cost = torch.randn_like(y), torch.nn.MSELoss()
    weights = [scale, *network.parameters()]
    make = torch.optim.Adam if row.classes else torch.optim.SGD
    optimizer = make(weights, lr=1e-3)

    def run() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad(set_to_none=True)
            cost(network(x * scale), target).backward()
            optimizer.step()

    return run, sum(w.numel() for w in weights), y.numel()


def programs(library: str, row: Row) -> list[tuple[Callable[[], Any], int, int]]:
    if library == "fitwell":
        return [fitwell_steps(row)]
    import torch

    memory = {3: [None, torch.channels_last], 4: [None, torch.channels_last_3d]}
    return [torch_steps(row, each) for each in memory.get(len(row.shape), [None])]


def microseconds(run: Callable[[], Any]) -> float:
    """Per step, the median over calls for SECONDS."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) / STEPS * 1e6


def serve(library: str) -> None:
    """A worker: measures the row that each line of its input names, and prints one line of JSON."""
    ready: dict[str, Any] = {}
    for line in sys.stdin:
        name = line.strip()
        if name not in ready:
            ready[name] = programs(library, ROWS[name])
            for run, _, _ in ready[name]:
                run()
        best = min(microseconds(run) for run, _, _ in ready[name])
        print(json.dumps({"us": best, "work": ready[name][0][1:]}), flush=True)


def start(library: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--worker", library]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(worker: subprocess.Popen[str], name: str) -> dict[str, Any]:
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write(f"{name}\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        sys.exit(f"a worker failed at {name}; its message is above")
    answer: dict[str, Any] = json.loads(line)
    return answer


def compare(names: list[str], rounds: int) -> None:
    workers = {library: start(library) for library in ("fitwell", "pytorch")}
    print(f"{'row':26}{'fitwell us':>12}{'PyTorch us':>12}{'ratio (range)':>22}")
    for name in names:
        found: dict[str, list[float]] = {library: [] for library in workers}
        for _ in range(rounds):
            answers = {library: ask(worker, name) for library, worker in workers.items()}
            if answers["fitwell"]["work"] != answers["pytorch"]["work"]:
                sys.exit(f"{name}: weights and outputs differ: {answers}")
            for library, answer in answers.items():
                found[library].append(answer["us"])
        ours, theirs = found["fitwell"], found["pytorch"]
        ratios = sorted(t / o for t, o in zip(theirs, ours, strict=True))
        span = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}..{ratios[-1]:.2f})"
        middle = (statistics.median(ours), statistics.median(theirs))
        print(f"{name:26}{middle[0]:12.0f}{middle[1]:12.0f}{span:>22}", flush=True)
    for worker in workers.values():
        worker.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", default=",".join(ROWS), help="names, with commas between")
    parser.add_argument("--rounds", type=int, default=5, help="at least 1 (default 5)")
    parser.add_argument("--worker", choices=("fitwell", "pytorch"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    names = chosen.rows.split(",")
    if chosen.worker:
        serve(chosen.worker)
    elif chosen.rounds < 1 or not set(names) <= set(ROWS):
        parser.error(f"the rows are {', '.join(ROWS)}; rounds is at least 1")
    else:
        compare(names, chosen.rounds)


if __name__ == "__main__":
    main()
