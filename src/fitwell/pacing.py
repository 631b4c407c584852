"""How long a dispatch lasts."""

from __future__ import annotations

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
