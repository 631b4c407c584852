"""How the weights are moved: optimizer, rate, batches, epochs, weights of classes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TypeAlias

from fitwell.doctor.setup import Facts, Setup
from fitwell.optimizers import Adam
from fitwell.optimizers.schedules import CosineDecay

Apply: TypeAlias = Callable[[Setup, Facts], Setup | None]

ADAPTIVE = ("Adam", "AdamW", "Nadam", "Adamax", "RMSprop")
LOW_RATE, HIGH_RATE = 5e-4, 2e-2  # of an optimizer that moves a weight by about the rate per step
RATE = 3e-3
_FEW_STEPS, _ENOUGH_STEPS = 1500, 4000
_SMALL_BATCH, _LARGE_BATCH, _FEW_A_PASS = 8, 512, 5


def adam(setup: Setup, facts: Facts) -> Setup | None:
    """Adam, where the optimizer does not scale its steps or its rate is far from usual."""
    plan = facts.record.plan
    assert plan is not None
    usual = LOW_RATE <= plan.rate <= HIGH_RATE
    usual = usual and plan.epsilon < 1e-4 and not plan.fades and not plan.shrinks
    if type(setup.optimizer).__name__ in ADAPTIVE and usual:
        return None
    return dataclasses.replace(setup, optimizer=Adam(RATE))


def adam_at(rate: float) -> Apply:
    """Adam at this rate, whatever the optimizer is."""
    return lambda setup, facts: dataclasses.replace(setup, optimizer=Adam(rate))


def at_rate(rate: float) -> Apply:
    """The same optimizer at this rate."""
    return lambda setup, facts: with_rate(setup, rate)


def with_rate(setup: Setup, rate: float) -> Setup:
    optimizer = dataclasses.replace(setup.optimizer, learning_rate=rate)
    return dataclasses.replace(setup, optimizer=optimizer)


def cosine(setup: Setup, facts: Facts) -> Setup | None:
    """A rate that falls to 0 along a half cosine over the whole training."""
    if not isinstance(setup.optimizer.learning_rate, float):
        return None
    steps = setup.epochs * math.ceil(facts.rows / setup.batch_size)
    schedule = CosineDecay(setup.optimizer.learning_rate, steps)
    return dataclasses.replace(
        setup, optimizer=dataclasses.replace(setup.optimizer, learning_rate=schedule)
    )


def clipped(setup: Setup, facts: Facts) -> Setup | None:
    """Gradients of a norm above 1 are shortened to it."""
    if any(getattr(setup.optimizer, n) for n in ("clipnorm", "clipvalue", "global_clipnorm")):
        return None
    optimizer = dataclasses.replace(setup.optimizer, global_clipnorm=1.0)
    return dataclasses.replace(setup, optimizer=optimizer)


def usual_batches(setup: Setup, facts: Facts) -> Setup | None:
    """32 examples a step, where batches are tiny or make few steps of an epoch."""
    size, rows = setup.batch_size, facts.rows
    tiny = size < _SMALL_BATCH and rows >= 8 * size
    few = size > 32 and rows / size < _FEW_A_PASS and rows >= 64
    huge = few or size > _LARGE_BATCH
    return dataclasses.replace(setup, batch_size=32) if tiny or huge else None


def longer(setup: Setup, facts: Facts) -> Setup | None:
    """4, 8, ... 256 times the epochs: the first that makes 4000 steps."""
    steps = setup.epochs * math.ceil(facts.rows / setup.batch_size)
    if steps >= _FEW_STEPS:
        return None
    times = next((t for t in (4, 8, 16, 32, 64, 128, 256) if t * steps >= _ENOUGH_STEPS), 256)
    return dataclasses.replace(setup, epochs=times * setup.epochs)


def much_longer(setup: Setup, facts: Facts) -> Setup | None:
    """4 times the epochs."""
    return dataclasses.replace(setup, epochs=4 * setup.epochs)


def stopped_early(setup: Setup, facts: Facts) -> Setup | None:
    """Training ends, and the best weights come back, when the validation loss gets no better."""
    plan = facts.record.plan
    if setup.patience is not None or plan is None or not plan.validated:
        return None
    return dataclasses.replace(setup, patience=max(5, setup.epochs // 5))


def balanced(setup: Setup, facts: Facts) -> Setup | None:
    """Classes count alike, however many examples they have."""
    labels = [of.labels for of in facts.record.heads]
    given = facts.weighted or setup.class_weight is not None
    if len(labels) != 1 or labels[0].majority < 0.75 or given:
        return None
    return dataclasses.replace(setup, class_weight="balanced")
