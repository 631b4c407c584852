"""How long a dispatch lasts, and Ctrl-C between two of them."""

from __future__ import annotations

import signal
import threading
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fitwell.settings import settings

ROOM = 8  # steps a buffer holds for each that the cautious estimate allows; speed is measured


class Pace:
    """How many steps the next dispatch takes, so that it lasts about `settings.chunk_seconds`."""

    def __init__(self, capacity: int, first: int = 16) -> None:
        # A first dispatch that is surely short; what follows is measured.
        self.capacity, self.count = capacity, min(first, max(capacity // ROOM, 1))

    def update(self, count: int, seconds: float) -> None:
        wanted = count * settings.chunk_seconds / max(seconds, 1e-6)
        self.count = int(np.clip(wanted, 1, min(self.capacity, 4 * max(count, self.count))))


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
