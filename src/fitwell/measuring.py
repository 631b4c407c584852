"""From sums to values, and loss and metrics over a source."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

import jax
import numpy as np

from fitwell import compiling
from fitwell.data.sources import Source
from fitwell.errors import InvalidData
from fitwell.network import Network
from fitwell.pacing import Pace
from fitwell.programs import evaluate_program, zero_totals
from fitwell.training import Objective, Stats
from fitwell.types import HostArray, Params, State

Collected: TypeAlias = dict[str, list[dict[str, HostArray]]]
"""Per metric that needs every prediction: what each chunk gave."""


def keep_collected(kept: Collected, collected: Stats, count: int) -> None:
    for label, stats in collected.items():
        rows = {k: np.asarray(v[:count]).reshape(-1, *v.shape[2:]) for k, v in stats.items()}
        kept.setdefault(label, []).append(rows)


def to_logs(objective: Objective, totals: Stats, collected: Collected) -> dict[str, float]:
    """Names and values from the sums of an epoch: loss first, in float64."""
    metrics = {m.label: m.metric for m in objective.measures}
    host = {
        label: {name: np.asarray(a, np.float64) for name, a in stats.items()}
        for label, stats in totals.items()
    }
    for label, parts in collected.items():
        host[label] = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    logs = {"loss": 0.0}
    for label in [*(k for k in host if k not in metrics), *metrics]:
        stats = host[label]
        if label in metrics:
            logs[label] = metrics[label].result(stats)
        else:
            logs[label] = float(stats["sum"] / stats["count"]) if stats["count"] else float("nan")
    return logs


def measure(
    network: Network,
    objective: Objective,
    params: Params,
    state: State,
    source: Source,
    on_batch: Callable[[str, int, dict[str, float]], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, float] | None:
    """Loss and metrics over a source, exact for a partial last batch.

    Args:
        network: a program's.
        on_batch: called with "begin" and "end" around every batch, which is a dispatch then.
        stop: asked between dispatches; once it says True there is no result: None.
    """
    program = evaluate_program(network, objective)
    totals: Stats | None = None
    collected: Collected = {}
    step = 0
    rates = np.zeros(source.capacity, np.float32)
    pace, ran, since = Pace(source.capacity, first=source.capacity), 0, 0.0
    while source.steps is None or step < source.steps:
        data, count = source.chunk(0, step, pace.count if on_batch is None else 1)
        if count == 0:
            break
        if totals is None:
            totals = zero_totals(network, objective, data)
        if on_batch is not None:
            on_batch("begin", step, {})
        jax.block_until_ready(totals)  # two buffers: the one before must have been read
        now = time.perf_counter()
        if ran:
            pace.update(ran, now - since)
        if stop is not None and stop():
            return None
        ran, since = count, now
        after, totals, each = program(params, state, totals, compiling.shard(data), rates, count)
        state = after or state
        keep_collected(collected, each, count)
        step += count
        if on_batch is not None:
            on_batch("end", step - 1, to_logs(objective, totals, collected))
    if totals is None:
        cure = "Check the data loader."
        raise InvalidData("evaluate", "an iterable with at least one batch", "none", cure)
    return to_logs(objective, totals, collected)
