"""One measurement in a process of its own: `python worker.py ROW PEER` or `... import`.

Prints one line of JSON last. Ends with an error if the training did not do its work.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Callable

from measures import Measurement
from peers import BUILD
from rows import ROWS


def measure(row_name: str, peer: str) -> Measurement:
    row = next(row for row in ROWS if row.name == row_name)
    x, y = row.make_data()
    fitter = BUILD[peer](row)
    start = time.perf_counter()
    first = fitter.fit(x, y, 1)
    first_fit = time.perf_counter() - start
    start = time.perf_counter()
    epochs = fitter.fit(x, y, row.epochs)
    step = (time.perf_counter() - start) / (row.epochs * row.steps_per_epoch)
    accuracy = epochs.accuracy[-1] if epochs.accuracy else None
    if complaint := row.complaint(first.loss[-1], epochs.loss, accuracy):
        sys.exit(f"{peer} on {row_name}: {complaint}: it did other work than the rest.")
    one = x[:1]
    predict = latency(lambda: fitter.predict(one))
    return Measurement(step * 1e6, first_fit, predict, float(epochs.loss[-1]))


def latency(call: Callable[[], object], seconds: float = 1.0, calls: int = 500) -> float:
    """Median microseconds of a call after the first few, for at most `seconds`."""
    for _ in range(3):
        call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < calls and (not times or time.perf_counter() < end):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def import_time() -> dict[str, float]:
    """Seconds of `import jax`, and of `import fitwell` after it."""
    start = time.perf_counter()
    import jax  # noqa: F401

    middle = time.perf_counter()
    import fitwell  # noqa: F401

    return {"jax_s": middle - start, "fitwell_s": time.perf_counter() - middle}


if __name__ == "__main__":
    arguments = sys.argv[1:]
    result = import_time() if arguments == ["import"] else dataclasses.asdict(measure(*arguments))
    print(json.dumps(result, allow_nan=False))
