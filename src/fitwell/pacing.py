"""How long a dispatch lasts, and Ctrl-C between two of them."""

from __future__ import annotations

import signal
import threading
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax

from fitwell import waiting
from fitwell.settings import settings

ROOM = 8  # steps a buffer holds for each that the cautious estimate allows; speed is measured
_LONG = 0.25  # seconds from which on a wait is one that Ctrl-C may end


class Pace:
    """How many steps the next dispatch takes, so that it lasts about `settings.chunk_seconds`."""

    def __init__(self, capacity: int, first: int = 16) -> None:
        # A first dispatch that is surely short; what follows is measured.
        self.capacity, self.count = capacity, min(first, max(capacity // ROOM, 1))
        self.seconds = float("inf")  # that a step takes; not known yet

    def update(self, count: int, seconds: float) -> None:
        self.seconds = max(seconds, 1e-6) / count
        most = min(self.capacity, 4 * max(count, self.count))
        self.count = max(1, min(int(settings.chunk_seconds / self.seconds), most))

    def wait(self, count: int, arrays: Any, stop: Callable[[], bool] = lambda: False) -> bool:
        """Waits for what `count` steps compute; False as soon as `stop` says True before.

        Where they take long. A wait for a short dispatch is left to JAX, which wakes up earlier.
        """
        if count * self.seconds > _LONG and not waiting.computed(arrays, stop):
            return False
        jax.block_until_ready(arrays)
        return True


@contextmanager
def interruptible() -> Iterator[list[float]]:
    """Ctrl-C puts its time into the list; a second one ends the program as usual."""
    pressed: list[float] = []

    def note(number: int, frame: types.FrameType | None) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(time.perf_counter())

    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
