"""TensorBoard: the logs of every epoch as curves in a browser."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from fitwell.errors import MissingPackage
from fitwell.hooks import Callback, MutableLogs

__all__ = ["TensorBoard"]

_FLUSH_SECONDS = 5.0


class TensorBoard(Callback):
    """Writes the logs for `tensorboard --logdir log_dir`.

    Training goes to the run `train`, validation to the run `validation`, both under the tag
    `epoch_<name>`, so that they share a picture.

    Args:
        log_dir: the folder; made if it is missing.

    Raises:
        MissingPackage: `tensorboard` is not installed.
    """

    def __init__(self, log_dir: str | os.PathLike[str] = "logs") -> None:
        try:
            import tensorboard  # noqa: F401
        except ImportError as error:
            cure = 'Run pip install "fitwell[tensorboard]".'
            raise MissingPackage("TensorBoard", "the package tensorboard", "none", cure) from error
        self.log_dir = Path(log_dir)
        self._writers: dict[str, Any] = {}

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        self.on_train_end()
        self._flushed_at = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        named = dict(logs or {})
        held_out = {k.removeprefix("val_"): v for k, v in named.items() if k.startswith("val_")}
        self._write("train", epoch, {k: v for k, v in named.items() if not k.startswith("val_")})
        self._write("validation", epoch, held_out)
        if time.monotonic() - self._flushed_at > _FLUSH_SECONDS:  # a kill costs seconds, not all
            self._flushed_at = time.monotonic()
            for writer in self._writers.values():
                writer.flush()

    def _write(self, run: str, epoch: int, logs: MutableLogs) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if not logs:
            return
        if run not in self._writers:
            self._writers[run] = EventFileWriter(str(self.log_dir / run))
        values = [Summary.Value(tag=f"epoch_{k}", simple_value=float(v)) for k, v in logs.items()]
        summary = Summary(value=values)
        self._writers[run].add_event(Event(wall_time=time.time(), step=epoch, summary=summary))

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
