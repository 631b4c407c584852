"""Schedules against Keras' and PyTorch's, arithmetic by hand, and their messages."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitwell import schedules
from fitwell.errors import InvalidArgument
from fitwell.optimizers import SGD
from fitwell.schedules import (
    ConstantSchedule,
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    OneCycle,
    PiecewiseConstantDecay,
    Schedule,
    WarmUp,
)

GOLDEN = json.loads((Path(__file__).parent / "golden" / "schedules.json").read_text())


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [row[1:] for row in GOLDEN],
    ids=[f"{library}-{kind}-{i}" for i, (library, kind, *_) in enumerate(GOLDEN)],
)
def test_agrees_with_keras_and_pytorch(kind, arguments, expected):
    made = getattr(schedules, kind)
    schedule = made(**arguments) if isinstance(arguments, dict) else made(*arguments)
    steps = np.arange(len(expected))
    found = schedule(steps)
    assert found.dtype == np.float64
    exact = not kind.startswith("Cosine")  # Keras computes its cosines in float32
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 if exact else 1e-7)
    one_by_one = [float(schedule(int(step))) for step in steps]
    np.testing.assert_allclose(found, one_by_one, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize(("kind", "arguments"), [row[1:3] for row in GOLDEN])
def test_a_rate_is_the_same_to_the_last_bit_in_every_chunk(kind, arguments):
    made = getattr(schedules, kind)
    schedule = made(**arguments) if isinstance(arguments, dict) else made(*arguments)
    optimizer, steps = SGD(WarmUp(schedule, 3)), np.arange(96)
    whole = optimizer.rate(steps)
    for chunk in (1, 3, 8, 13):
        parts = [optimizer.rate(steps[i : i + chunk]) for i in range(0, 96, chunk)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal([optimizer.rate(int(step)) for step in steps], whole)
    np.testing.assert_array_equal(optimizer.rate(steps.reshape(4, -1)), whole.reshape(4, -1))


def test_every_schedule_has_a_golden_case_or_a_test_here():
    tested = {kind for _, kind, *_ in GOLDEN} | {"WarmUp", "Schedule", "LearningRateSchedule"}
    assert set(schedules.__all__) == tested


def test_warm_up_is_the_line_of_cosine_decay():
    steps = np.arange(80)
    own = WarmUp(CosineDecay(0.5, 40, alpha=0.1), steps=15, start=0.01)
    whole = CosineDecay(0.01, 40, alpha=0.1, warmup_target=0.5, warmup_steps=15)
    np.testing.assert_allclose(own(steps), whole(steps), rtol=1e-12)


def test_warm_up_of_a_number_and_of_a_function():
    assert WarmUp(0.4, steps=4, start=0.2)([0, 1, 2, 4, 9]).tolist() == pytest.approx(
        [0.2, 0.25, 0.3, 0.4, 0.4]
    )
    assert WarmUp(lambda step: 1.0 / (1 + step), steps=2)([0, 1, 2, 3]).tolist() == [0, 0.5, 1, 0.5]
    assert WarmUp(0.4, steps=0)([0, 1]).tolist() == [0.4, 0.4]


@pytest.mark.parametrize("t_mul", [1.0, 2.0, 3.0, 10.0])
def test_a_restart_is_at_its_step_and_not_one_later(t_mul):
    schedule = CosineDecayRestarts(1.0, 7, t_mul=t_mul)
    starts = [7 * sum(int(t_mul) ** k for k in range(i)) for i in range(7)]
    np.testing.assert_allclose(schedule(starts), 1.0, rtol=1e-9)
    before = schedule(np.array(starts[1:]) - 1)
    assert (before < 0.06).all()


@pytest.mark.parametrize("pct_start", [0.0, 0.001, 0.01, 0.5, 0.999, 1.0])
def test_one_cycle_stays_between_its_ends_and_holds_the_last_rate(pct_start):
    found = OneCycle(0.1, 100, pct_start=pct_start)(np.arange(150))
    assert found.max() <= 0.1
    assert found.min() >= 0.1 / 25 / 1e4 * (1 - 1e-12)
    np.testing.assert_array_equal(found[100:], found[99])


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=5, unique=True).map(sorted),
    st.integers(0, 1200),
)
def test_piecewise_counts_the_boundaries_that_are_passed(boundaries, step):
    values = [float(i) for i in range(len(boundaries) + 1)]
    assert PiecewiseConstantDecay(boundaries, values)(step) == sum(step > b for b in boundaries)


def test_equal_schedules_are_one_key():
    assert hash(ExponentialDecay(0.1, 5, 0.5)) == hash(ExponentialDecay(0.1, 5, 0.5))
    assert ExponentialDecay(0.1, 5, 0.5) != ExponentialDecay(0.1, 5, 0.6)


def test_keras_place_has_the_same_names():
    from fitwell.optimizers import schedules as there

    assert there.__all__ == schedules.__all__
    assert all(getattr(there, name) is getattr(schedules, name) for name in there.__all__)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ExponentialDecay(-0.1, 5, 0.5),
            "ExponentialDecay: expected initial_learning_rate to be a number in [0, inf), "
            "received initial_learning_rate=-0.1. Choose initial_learning_rate inside it.",
        ),
        (
            lambda: CosineDecay(0.1, 0),
            "CosineDecay: expected decay_steps to be a number in (0, inf), "
            "received decay_steps=0. Choose decay_steps inside it.",
        ),
        (
            lambda: CosineDecayRestarts(0.1, 5, t_mul=0.5),
            "CosineDecayRestarts: expected t_mul to be a number in [1, inf), "
            "received t_mul=0.5. Choose t_mul inside it.",
        ),
        (
            lambda: ConstantSchedule(float("nan")),
            "ConstantSchedule: expected learning_rate to be a number in [0, inf), "
            "received learning_rate=nan. Choose learning_rate inside it.",
        ),
        (
            lambda: OneCycle(0.1, 10, pct_start=30),
            "OneCycle: expected pct_start to be a number in [0, 1], received pct_start=30. "
            "Choose pct_start inside it.",
        ),
        (
            lambda: PiecewiseConstantDecay([10], [0.1]),
            "PiecewiseConstantDecay: expected one more value than boundaries, "
            "received 1 boundaries and 1 values. "
            "Give a rate for before, between and after the boundaries.",
        ),
        (
            lambda: PiecewiseConstantDecay([20, 10], [0.1, 0.1, 0.1]),
            "PiecewiseConstantDecay: expected increasing boundaries, "
            "received boundaries=(20, 10). Sort them and leave out doubles.",
        ),
        (
            lambda: PiecewiseConstantDecay(10, [0.1, "0.2"]),
            "PiecewiseConstantDecay: expected boundaries to be a list of numbers >= 0, "
            "received boundaries=10. Write for example boundaries=[1000], values=[0.1, 0.01].",
        ),
        (
            lambda: WarmUp(CosineDecay, 5),
            "WarmUp: expected schedule to be a number, a schedule or a function of the step, "
            "received the class CosineDecay. Make an instance: schedule=CosineDecay(...).",
        ),
        (
            lambda: Schedule()(0),
            "Schedule: expected the method __call__(self, step), received none. "
            "Define it in your schedule: it takes integers and returns rates.",
        ),
        (
            lambda: WarmUp(PlainNumber(), 5)([0, 1]),
            "PlainNumber(): expected one rate for each step, "
            "received shape () for steps of shape (2,). "
            "Write __call__ with operations of numpy that act on every element.",
        ),
        (
            lambda: WarmUp(Falling(), 5)([6, 7]),
            "Falling(): expected a finite rate >= 0 at every step, "
            "received -1.0 at step 2. Change its numbers.",
        ),
    ],
)
def test_messages(make, message):
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert str(caught.value) == message


class PlainNumber(Schedule):
    def __call__(self, step):
        return 0.1


class Falling(Schedule):
    def __call__(self, step):
        return 1.0 - np.asarray(step)
