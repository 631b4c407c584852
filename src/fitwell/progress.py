"""What `fit` prints: one live bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.errors import InvalidArgument
from fitwell.hooks import Callback, MutableLogs
from fitwell.settings import settings

if TYPE_CHECKING:
    from rich.live import Live

__all__ = ["ProgressBar"]

_LINE_SECONDS = 0.25  # between two lines, so that 10,000 short epochs do not print 10,000
_STEP_LINE_SECONDS = 30.0  # a log file shows that a long epoch is alive
_DRAW_SECONDS = 0.2  # between two pictures of the bar


class ProgressBar(Callback):
    """Shows where the fit is: epoch, step, speed, time left, loss and metrics.

    In a terminal a bar that is drawn at most five times a second. Elsewhere a line per epoch, at
    most four a second; the first and the last epoch always have theirs:

    `Epoch 3/100  312 steps  0.4s  loss 0.3121  accuracy 0.8712  val_loss 0.3320`

    Args:
        verbose: 0 is silent; 1 and "auto" follow `settings.progress`; 2 prints a line for every
            epoch.
        notes: sentences printed before the first epoch.

    Raises:
        InvalidArgument: another value of `verbose`, or of `settings.progress`.
    """

    def __init__(self, verbose: int | str = "auto", notes: Sequence[str] = ()) -> None:
        self._view = _view(verbose, notes)

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        self._view.begin(self.params)

    def on_epoch_begin(self, epoch: int, logs: MutableLogs | None = None) -> None:
        self._view.begin_epoch(epoch)

    def on_chunk_end(self, step: int, live: Callable[[], MutableLogs]) -> None:
        self._view.step(step, live)

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        self._view.end_epoch(logs or {})

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        self.close()

    def close(self) -> None:
        """Gives the terminal back; also needed, and enough, after an error."""
        self._view.end()


class _Silent:
    """The interface of the views; prints nothing."""

    def begin(self, params: Mapping[str, Any]) -> None:
        """Before the first epoch; `params` of the fit."""

    def begin_epoch(self, epoch: int) -> None: ...

    def step(self, step: int, live: Callable[[], Mapping[str, float]]) -> None: ...

    def end_epoch(self, logs: Mapping[str, float]) -> None: ...

    def end(self) -> None:
        """After the last epoch or an error; may come twice."""


class _Lines(_Silent):
    """A line per epoch, at least `pause` seconds apart."""

    def __init__(self, notes: Sequence[str], pause: float) -> None:
        self.notes, self.pause = notes, pause
        self.epochs, self.steps = 0, None
        self.waiting: tuple[int, float, Mapping[str, float]] | None = None

    def begin(self, params: Mapping[str, Any]) -> None:
        self.epochs, self.steps = params.get("epochs", 0), params.get("steps")
        self.printed_at = -math.inf
        for note in self.notes:
            print(note, flush=True)

    def begin_epoch(self, epoch: int) -> None:
        self.epoch, self.began = epoch, time.perf_counter()

    def step(self, step: int, live: Callable[[], Mapping[str, float]]) -> None:
        now = time.perf_counter()
        if now - max(self.printed_at, self.began) >= _STEP_LINE_SECONDS:
            done = f"step {step}" + (f"/{self.steps}" if self.steps else "")
            self._print(self.epoch, done, now - self.began, live())

    def end_epoch(self, logs: Mapping[str, float]) -> None:
        now = time.perf_counter()
        self.waiting = self.epoch, now - self.began, logs
        if now - self.printed_at >= self.pause or self.epoch + 1 >= self.epochs:
            self.end()

    def end(self) -> None:
        if self.waiting:
            epoch, seconds, logs = self.waiting
            self.waiting = None
            self._print(epoch, f"{self.steps} steps" if self.steps else "", seconds, logs)

    def _print(self, epoch: int, done: str, seconds: float, logs: Mapping[str, float]) -> None:
        parts = [f"Epoch {epoch + 1}/{self.epochs}", done, duration(seconds), values(logs)]
        print("  ".join(part for part in parts if part), flush=True)
        self.printed_at = time.perf_counter()


class _Bar(_Silent):
    """One live line for the whole fit."""

    def __init__(self, notes: Sequence[str]) -> None:
        self.notes = notes
        self.live: Live | None = None

    def begin(self, params: Mapping[str, Any]) -> None:
        from rich.console import Console
        from rich.live import Live

        self.first: int = params.get("initial_epoch", 0)
        self.epochs: int = params.get("epochs", 0)
        self.steps: int | None = params.get("steps")
        self.epoch: int = self.first
        self.done = 0
        self.logs: dict[str, float] = {}
        self.began = self.drawn_at = time.perf_counter()
        self.mark: tuple[int, float] | None = None  # where and when speed is measured from
        console = Console(file=sys.stdout, force_terminal=True, highlight=False)
        for note in self.notes:
            console.print(note, markup=False)
        # No thread of its own: it is drawn between dispatches, when this class says so.
        self.live = Live(console=console, auto_refresh=False, transient=False)
        self.live.start()

    def begin_epoch(self, epoch: int) -> None:
        self.epoch, self.done = epoch, 0

    def step(self, step: int, live: Callable[[], Mapping[str, float]]) -> None:
        now = time.perf_counter()
        self.done = step
        if self.mark is None:  # the first dispatch contained the compilation
            self.mark = self._total_steps(), now
        if now - self.drawn_at >= _DRAW_SECONDS:
            self.logs = {**self.logs, **live()}  # validation stays in sight
            self._draw(now)

    def end_epoch(self, logs: Mapping[str, float]) -> None:
        self.epoch, self.done, self.logs = self.epoch + 1, 0, dict(logs)
        now = time.perf_counter()
        if self.mark is None:
            self.mark = self._total_steps(), now
        if now - self.drawn_at >= _DRAW_SECONDS:
            self._draw(now)

    def end(self) -> None:
        if self.live is not None:
            self._draw(time.perf_counter(), finished=True)
            self.live.stop()
            self.live = None

    def _total_steps(self) -> int:
        """Steps since the fit began; epochs where an epoch's steps are unknown."""
        return (self.epoch - self.first) * (self.steps or 1) + (self.done if self.steps else 0)

    def _draw(self, now: float, finished: bool = False) -> None:
        from rich.console import Group
        from rich.progress_bar import ProgressBar as Gauge
        from rich.table import Table
        from rich.text import Text

        assert self.live is not None
        total, done = (self.epochs - self.first) * (self.steps or 1), self._total_steps()
        between = self.done == 0 and self.epoch > self.first  # an epoch has just ended
        epoch = self.epoch if between else min(self.epoch + 1, self.epochs)
        of = f"/{self.steps}" if self.steps else ""
        step = "" if between else f"step {self.done}{of}"
        speed = duration(now - self.began) if finished else self._speed(total, done, now)
        row = Table.grid(padding=(0, 2, 0, 0))
        gauge = Gauge(total=max(total, 1), completed=done, width=20)
        cells = [Text(text, no_wrap=True) for text in (f"Epoch {epoch}/{self.epochs}", step, speed)]
        row.add_row(cells[0], gauge, *(cell for cell in cells[1:] if cell))
        self.live.update(Group(row, Text(values(self.logs))), refresh=True)
        self.drawn_at = time.perf_counter()

    def _speed(self, total: int, done: int, now: float) -> str:
        if self.mark is None or now <= self.mark[1] or done <= self.mark[0]:
            return "starting"
        rate = (done - self.mark[0]) / (now - self.mark[1])
        unit = "steps" if self.steps else "epochs"
        return f"{rate:,.0f} {unit}/s  {duration((total - done) / rate)} left"


def _view(verbose: int | str, notes: Sequence[str]) -> _Silent:
    kind = style(verbose)
    if kind == "off":
        return _Silent()
    if verbose == 2:
        return _Lines(notes, pause=0.0)
    return _Bar(notes) if kind == "bar" else _Lines(notes, pause=_LINE_SECONDS)


def style(verbose: int | str) -> str:
    """How a fit speaks: "off", "bar" (a terminal that draws) or "plain" (lines of a log).

    Raises:
        InvalidArgument: another value of `verbose`, or of `settings.progress`.

    >>> style(0), style(2)
    ('off', 'plain')
    """
    if isinstance(verbose, bool) or verbose not in (0, 1, 2, "auto"):
        cure = "Pass 0 for silence, 1 for a bar or a few lines, 2 for a line per epoch."
        raise InvalidArgument(
            "fit", 'verbose to be 0, 1, 2 or "auto"', f"verbose={verbose!r}", cure
        )
    progress = settings.progress
    if progress not in ("auto", "bar", "plain", "off"):
        cure = 'Assign settings.progress = "auto".'
        expected = 'progress to be "auto", "bar", "plain" or "off"'
        raise InvalidArgument("settings", expected, repr(progress), cure)
    if verbose == 0 or progress == "off":
        return "off"
    drawn = progress == "bar" or (progress == "auto" and _is_terminal())
    return "bar" if drawn and verbose != 2 else "plain"


def _is_terminal() -> bool:
    stream = sys.stdout  # None under pythonw
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def duration(seconds: float) -> str:
    """Seconds as people read them.

    >>> duration(0.417), duration(125), duration(7260)
    ('0.4s', '2m05s', '2h01m')
    """
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"


def values(logs: Mapping[str, float]) -> str:
    """Names and values on one line.

    >>> values({"loss": 0.31214, "learning_rate": 1e-5})
    'loss 0.3121  learning_rate 1.000e-05'
    """
    return "  ".join(f"{name} {number(value)}" for name, value in logs.items())


def digits(value: float, *, zeros: bool = False) -> str:
    """Four digits that matter; with `zeros` also where they are 0 behind the point.

    >>> digits(0.123456), digits(48260.4), digits(12), digits(float("nan"))
    ('0.1235', '48,260', '12', '-')
    >>> digits(0.5), digits(0.5, zeros=True)
    ('0.5', '0.5000')
    """
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if not np.isfinite(value):
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:#.4g}" if zeros else f"{value:.4g}"


def number(value: float) -> str:
    """Four decimals where they say something, else three behind the first digit.

    >>> number(0.0), number(12.5), number(123456.0), number(float("nan"))
    ('0.0000', '12.5000', '1.235e+05', 'nan')
    """
    size = abs(value)
    return f"{value:.4f}" if size == 0 or 1e-3 <= size < 1e4 else f"{value:.3e}"
