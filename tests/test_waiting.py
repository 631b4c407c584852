"""Ctrl-C and time limits while a program compiles: answered at once, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import compiling, waiting
from fitwell.pacing import Pace, interruptible

COMPILING = """
import json, time, warnings
import jax, jax.numpy as jnp, numpy as np
import fitwell as fw

fw.settings.progress = "off"
fw.settings.compile_cache = False
X = np.ones((8, 4), np.float32)

turn = jax.jit(lambda x: jnp.sort(jnp.sin(x)))

def slow(x):  # XLA takes half a minute for so many sorts and their gradients
    for _ in range(200):
        x = turn(x)
    return x

model = fw.Sequential([fw.Input((4,)), fw.layers.Dense(4), fw.layers.Lambda(slow)], seed=0)
model.compile("sgd", loss="mse")
before = model.get_weights()

class Begun(fw.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        print("begun", flush=True)

def told(history, seconds):
    same = all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    print(json.dumps([history.stopped, history.epoch, same, seconds]), flush=True)

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    began = time.perf_counter()
    history = model.fit(X, X, epochs=3, time_limit=0.5, doctor="off")
    told(history, time.perf_counter() - began)
print(json.dumps([str(each.message) for each in said]), flush=True)
told(model.fit(X, X, epochs=3, callbacks=Begun(), doctor="off"), 0.0)
population = fw.fit_many(model, X, X, seeds=2, epochs=3, time_limit=0.2, verbose=0)
print(json.dumps([[one.stopped, one.epoch] for one in population.histories]), flush=True)
"""


def test_a_compilation_is_left_at_once_and_the_model_is_as_it_was() -> None:
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    root = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    child = subprocess.Popen([sys.executable, "-c", COMPILING], env=environment, **pipes)
    assert child.stdout is not None
    assert child.stderr is not None
    stopped, epochs, same, seconds = json.loads(child.stdout.readline())
    assert (stopped, epochs, same) == ("time_limit", [], True)
    assert 0.5 <= seconds < 3  # half a second, on a machine with other work
    (said,) = json.loads(child.stdout.readline())
    assert said.startswith("fit: expected a first step within the time limit, received none")
    assert child.stdout.readline() == "begun\n"
    time.sleep(0.2)
    pressed = time.perf_counter()
    child.send_signal(signal.SIGINT)
    assert json.loads(child.stdout.readline())[:3] == ["interrupted", [], True]
    assert time.perf_counter() - pressed < 3
    assert json.loads(child.stdout.readline()) == [["time_limit", []], ["time_limit", []]]
    assert child.stderr.readline() == (
        "fitwell: a program is still being compiled; Ctrl-C does not wait.\n"
    )
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=20)
    assert child.returncode == 130, "ended by Ctrl-C, not crashed by a thread that comes back"


def test_what_was_left_is_compiled_once() -> None:
    """The first to ask leaves at once; the second waits for the same compilation, and calls it."""
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: compiled.append(event) if "backend_compile" in event else None
    )
    program = compiling.compile(lambda x: jnp.cumsum(x * 3) - 41)
    x = np.arange(5, dtype=np.float32)
    given: Any = program, compiling.form(x), lambda: (x,)
    asked = iter([True])
    compiling.prepared(*given, lambda: next(asked))
    assert compiling.prepared(*given, lambda: False)
    assert program(x).tolist() == [-41, -38, -32, -23, -11]
    jax.monitoring.clear_event_listeners()
    assert len(compiled) == 1


def test_an_error_of_a_compilation_is_the_callers_and_is_not_remembered() -> None:
    given: list[Any] = [np.zeros(2), np.zeros(3)]
    program = compiling.compile(lambda x, y: x + y)
    for _ in range(2):
        with pytest.raises(TypeError, match="incompatible shapes"):
            compiling.prepared(program, "key", lambda: tuple(given), lambda: False)
    given[1] = np.ones(2)
    assert compiling.prepared(program, "key", lambda: tuple(given), lambda: False)


def test_a_wait_ends_when_it_is_told_to() -> None:
    never: Future[None] = Future()
    began = time.perf_counter()
    assert not waiting.ended(never, lambda: time.perf_counter() - began > 0.1)
    assert 0.1 <= time.perf_counter() - began < 2
    never.set_result(None)
    assert waiting.ended(never, lambda: True)
    assert waiting.ended(never, lambda: False)


def late() -> Any:
    """An array that XLA needs about a second for."""
    turn = compiling.compile(
        lambda n: jax.lax.fori_loop(0, n, lambda i, x: jnp.sin(x @ x), jnp.eye(100))
    )
    return turn(20_000)


def test_a_second_ctrl_c_does_not_wait_for_a_long_step() -> None:
    pace = Pace(8)
    pace.update(1, 5.0)  # five seconds a step
    with interruptible() as pressed:
        for after in (0.05, 0.15):
            threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            pace.wait(1, late())
    assert len(pressed) == 1


def test_a_long_validation_is_left_and_a_short_one_waited_for() -> None:
    pace = Pace(8)
    pace.update(1, 5.0)
    there = jax.block_until_ready(jnp.ones(2))
    assert pace.wait(1, there, lambda: True), "what is there is no wait"
    assert not pace.wait(1, late(), lambda: True)
    pace.update(8, 0.01)
    assert pace.wait(8, [jnp.ones(2) + 1], lambda: True)


def test_after_ctrl_c_the_doctor_judges_by_the_curves_alone() -> None:
    """What else it looks at would be compiled, and computed, first."""
    compiled: list[str] = []

    class Press(fw.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            jax.monitoring.register_event_duration_secs_listener(
                lambda event, _, **about: compiled.append(about.get("fun_name", ""))
            )

    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(64, 3)), draw.normal(size=64)
    model = fw.Sequential([fw.layers.Dense(7), fw.layers.Dense(1)], seed=0)
    model.compile("sgd", loss="mse")
    history = model.fit(x, y, epochs=9, verbose=0, callbacks=Press())
    jax.monitoring.clear_event_listeners()
    assert (history.stopped, history.epoch) == ("interrupted", [0])
    assert not [name for name in compiled if "predict" in name]
