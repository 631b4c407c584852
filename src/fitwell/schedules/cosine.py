"""Schedules made of cosine waves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fitwell.description import check_number
from fitwell.schedules.base import Schedule, as_float, check_nonnegative, check_positive
from fitwell.schedules.warmup import line_then
from fitwell.types import HostArray


class CosineDecay(Schedule):
    """rate = peak * ((1 - alpha) * (1 + cos(pi * s / decay_steps)) / 2 + alpha).

    `s` counts from the end of the warm-up and stops at `decay_steps`; the warm-up is a straight
    line from `initial_learning_rate` to the peak, `warmup_target`. Without one, the peak is
    `initial_learning_rate`.

    >>> CosineDecay(0.1, decay_steps=10)([0, 5, 10, 99]).round(6).tolist()
    [0.1, 0.05, 0.0, 0.0]

    Args:
        initial_learning_rate: the rate at step 0, in [0, inf).
        decay_steps: steps of the decay, in (0, inf).
        alpha: the end as a fraction of the peak, in [0, inf).
        warmup_target: the peak, in [0, inf); None leaves the warm-up out.
        warmup_steps: steps of the warm-up, in [0, inf).

    Source: Loshchilov & Hutter 2017, "SGDR"; warm-up: Goyal et al. 2017.
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: float = 0

    def validate(self) -> None:
        check_nonnegative(self, "initial_learning_rate", "alpha", "warmup_steps")
        check_positive(self, "decay_steps")
        if self.warmup_target is not None:
            check_nonnegative(self, "warmup_target")

    def __call__(self, step: Any) -> HostArray:
        start, peak = self.initial_learning_rate, self.warmup_target
        if peak is None:
            return self._decayed(start, as_float(step))
        decayed = self._decayed(peak, as_float(step) - self.warmup_steps)
        return line_then(decayed, step, self.warmup_steps, start, peak)

    def _decayed(self, peak: float, steps: HostArray) -> HostArray:
        done = np.clip(steps, 0.0, self.decay_steps) / self.decay_steps
        wave = 0.5 * (1.0 + np.cos(np.pi * done))
        return np.asarray(peak * ((1.0 - self.alpha) * wave + self.alpha))


class CosineDecayRestarts(Schedule):
    """rate = initial * ((1 - alpha) * m_mul**i * (1 + cos(pi * s / T_i)) / 2 + alpha).

    Period i begins where the one before ends and lasts T_i = first_decay_steps * t_mul**i steps;
    `s` counts from its beginning.

    >>> CosineDecayRestarts(0.1, 10, m_mul=0.5)([0, 10, 30]).tolist()
    [0.1, 0.05, 0.025]

    Args:
        initial_learning_rate: the rate at step 0, in [0, inf).
        first_decay_steps: steps of the first period, in (0, inf).
        t_mul: how many times longer every next period is, in [1, inf).
        m_mul: how many times higher every next start is, in [0, inf).
        alpha: the lowest rate as a fraction of `initial_learning_rate`, in [0, inf).

    Source: Loshchilov & Hutter 2017, "SGDR".
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0

    def validate(self) -> None:
        check_nonnegative(self, "initial_learning_rate", "m_mul", "alpha")
        check_positive(self, "first_decay_steps")
        check_number(self, "t_mul", 1.0, math.inf, open_high=True)

    def __call__(self, step: Any) -> HostArray:
        done = as_float(step) / self.first_decay_steps
        period = self._period(done)
        within = (done - self._start(period)) / self.t_mul**period
        wave = 0.5 * self.m_mul**period * (1.0 + np.cos(np.pi * within))
        return np.asarray(self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha))

    def _period(self, done: HostArray) -> HostArray:
        if self.t_mul == 1.0:
            return np.asarray(np.floor(done))
        period = np.floor(np.log1p(done * (self.t_mul - 1.0)) / math.log(self.t_mul))
        # the logarithm may miss a boundary by a rounding error, on either side
        period = np.where(self._start(period + 1.0) <= done, period + 1.0, period)
        return np.where(self._start(period) > done, period - 1.0, period)

    def _start(self, period: HostArray) -> HostArray:
        """Where a period begins, in units of `first_decay_steps`."""
        if self.t_mul == 1.0:
            return period
        return np.asarray((self.t_mul**period - 1.0) / (self.t_mul - 1.0))


class OneCycle(Schedule):
    """Half a cosine wave up to `max_learning_rate`, then half a one down to almost nothing.

    The rate begins at max/div_factor, peaks at step pct_start * total_steps - 1 and ends, at step
    total_steps - 1, at max/div_factor/final_div_factor; it stays there.

    >>> OneCycle(0.1, total_steps=10)([0, 2, 9]).round(9).tolist()
    [0.004, 0.1, 4e-07]

    Args:
        max_learning_rate: the peak, in [0, inf).
        total_steps: steps of the whole cycle, in (1, inf).
        pct_start: the fraction of them on the way up, in [0, 1].
        div_factor: peak / start, in [1, inf).
        final_div_factor: start / end, in (0, inf).

    Source: Smith & Topin 2017, "Super-convergence"; PyTorch's `OneCycleLR` has these numbers.
    """

    max_learning_rate: float
    total_steps: float
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 10000.0

    def validate(self) -> None:
        check_nonnegative(self, "max_learning_rate")
        check_number(self, "total_steps", 1.0, math.inf, open_low=True, open_high=True)
        check_number(self, "pct_start", 0.0, 1.0)
        check_number(self, "div_factor", 1.0, math.inf, open_high=True)
        check_positive(self, "final_div_factor")

    def __call__(self, step: Any) -> HostArray:
        end, peak = self.total_steps - 1.0, self.pct_start * self.total_steps - 1.0
        steps, top = np.minimum(as_float(step), end), self.max_learning_rate
        start = top / self.div_factor
        up = _half_wave(start, top, steps / peak) if peak > 0 else as_float(top)
        down = (steps - peak) / (end - peak) if end > peak else as_float(1.0)
        return np.where(steps <= peak, up, _half_wave(top, start / self.final_div_factor, down))


def _half_wave(first: float, last: float, done: HostArray) -> HostArray:
    return np.asarray(last + (first - last) * 0.5 * (1.0 + np.cos(np.pi * done)))
