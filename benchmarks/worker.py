"""One measurement in a process of its own: `worker.py ROW PEER`, `import`, `ROW watching` ...

Prints one line of JSON last. Ends with an error if the training did not do its work.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable

import measures
from measures import Measurement
from peers import BUILD, Fitter, fitwell
from rows import ROWS, Row

WATCHED = 9  # fits with a setting and as many without


def measure(row_name: str, peer: str) -> Measurement:
    row = next(row for row in ROWS if row.name == row_name)
    data = row.make_data()
    fitter = BUILD[peer](row)
    # Progress is produced, to be discarded.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        start = time.perf_counter()
        first = fitter.fit(data, 1)
        middle = time.perf_counter()
        last = fitter.fit(data, row.epochs)
        end = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if complaint := row.complaint(first, last):
        sys.exit(f"{peer} on {row_name}: {complaint}: it did other work than the rest.")
    first_fit, fit = middle - start, end - middle
    one = data.x[:1]
    return Measurement(
        step_us=fit / (row.epochs * row.steps_per_epoch) * 1e6,
        first_fit_s=first_fit,
        target_s=measures.seconds_to(
            row.target, first_fit, first.val_loss[-1], fit / row.epochs, last.val_loss
        ),
        memory_mb=memory,
        predict_us=latency(lambda: fitter.predict(one)),
        loss=float(last.loss[-1]),
    )


def watching(row: Row) -> dict[str, Fitter]:
    """With the doctor, as it is by default, and without."""
    return {"on": fitwell(row), "off": fitwell(row, doctor="off")}


def per_batch(row: Row) -> dict[str, Fitter]:
    """With a callback that is called after every batch, and does nothing, and without."""
    from fitwell.callbacks import LambdaCallback

    idle = LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    return {"on": fitwell(row, callbacks=[idle]), "off": fitwell(row)}


SETTINGS = {each.__name__: each for each in (watching, per_batch)}


def in_turns(row_name: str, setting: str) -> dict[str, list[float]]:
    """Seconds of whole fits with a setting of fitwell, and without."""
    row = next(row for row in ROWS if row.name == row_name)
    data, seconds = row.make_data(), dict[str, list[float]](on=[], off=[])
    fitters = SETTINGS[setting](row)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        for number in range(WATCHED + 1):
            for name, fitter in fitters.items():
                start = time.perf_counter()
                fitter.fit(data, row.epochs)
                if number:  # the first one compiles
                    seconds[name].append(time.perf_counter() - start)
    return seconds


def latency(call: Callable[[], object], seconds: float = 0.5, calls: int = 500) -> float:
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
    if arguments == ["import"]:
        result: dict[str, object] = {**import_time()}
    elif arguments[1] in SETTINGS:
        result = {**in_turns(*arguments)}
    else:
        result = dataclasses.asdict(measure(*arguments))
    print(json.dumps(result, allow_nan=False))
