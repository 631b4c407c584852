"""From sums to values, and loss and metrics over a source."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

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
    stop: Callable[[], bool] = lambda: False,
    pace: Pace | None = None,
) -> dict[str, float] | None:
    """Loss and metrics over a source, exact for a partial last batch.

    Args:
        network: a program's.
        on_batch: called with "begin" and "end" around every batch, which is a dispatch then.
        stop: asked while programs compile and run; once it says True there is no result: None.
        pace: what an earlier call measured of the same source; this one goes on with it.
    """
    program = evaluate_program(network, objective)
    totals: Stats | None = None
    collected: Collected = {}
    step = 0
    rates = np.zeros(source.capacity, np.float32)
    pace, ran, since = pace or Pace(source.capacity, first=source.capacity), 0, 0.0
    while source.steps is None or step < source.steps:
        data, count = source.chunk(0, step, pace.count if on_batch is None else 1)
        if count == 0:
            break
        if totals is None:
            given = params, state, data, rates, count
            totals = _begun(program, network, objective, given, stop)
            if totals is None:
                return None
        if on_batch is not None:
            on_batch("begin", step, {})
        # Two buffers: the one before must have been read.
        if not pace.wait(ran, totals, stop):
            return None
        now = time.perf_counter()
        if ran:
            pace.update(ran, now - since)
        if stop():
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
    return to_logs(objective, totals, collected) if pace.wait(ran, totals, stop) else None


def _begun(
    program: Any, network: Network, objective: Objective, given: tuple[Any, ...],
    stop: Callable[[], bool],
) -> Stats | None:  # fmt: skip
    """The sums before the first batch, once the program is compiled; None if `stop` came first."""
    params, state, data, rates, count = given

    def arguments() -> tuple[Any, ...]:
        zeros = zero_totals(network, objective, data)
        return params, state, zeros, compiling.shard(data), rates, count

    if not compiling.prepared(program, compiling.form(data), arguments, stop):
        return None
    return zero_totals(network, objective, data)
