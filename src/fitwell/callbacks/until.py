"""A time limit that leaves no model untrained."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from fitwell.feeding import seconds
from fitwell.hooks import Callback, MutableLogs


class Until(Callback):
    """Ends a fit after a time, but not before its first steps, however long they compile.

    `fit(time_limit=...)` ends while it compiles, too; whoever goes on with the model needs one that
    was trained. Not made by users.

    Args:
        subject: what the user called, for messages.
        limit: seconds from now, or "90s", "10m"; None for no limit.

    Raises:
        InvalidArgument: another limit.
    """

    def __init__(self, subject: str, limit: float | str | None) -> None:
        left = math.inf if limit is None else seconds(subject, "time_limit", limit)
        self.end = time.perf_counter() + left

    def on_chunk_end(self, step: int, live: Callable[[], MutableLogs]) -> None:
        self._look()

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        self._look()

    def _look(self) -> None:
        if time.perf_counter() >= self.end and not self.model.stop_training:
            self.model.history.stopped = "time_limit"
            self.model.stop_training = True
