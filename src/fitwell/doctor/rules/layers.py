"""What the layers showed: at the first weights, at the last, and in between."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from fitwell.doctor.pulse import Moment, Pulse
from fitwell.doctor.record import Record, Run
from fitwell.doctor.rules.base import Suspicion, suspect

_VANISHED = 1e-3  # gradient of the first layer over that of the last
_GROWN = 1e3
_DEAD = 0.9  # of a layer's units
_LOW = -1.0  # a first bias: below, a unit is at 0 for inputs of size 1
_SATURATED = 0.7  # of a layer's values
_LONG, _SHORT = 0.1, 1e-4  # |w' - w| / |w| of a step: TheDeepChecker's bounds


def rules(record: Record) -> Iterator[Suspicion]:
    run = record.run
    if run is None:
        return
    hidden = {layer.name for layer in record.layers if layer.hidden}
    first, last = run.course[:1], run.course[-1:]
    before = run.before or (first[0].pulses if first else ())
    after = run.after or (last[0].pulses if last else ())
    yield from _gradients(before, after, blocked=any(one.dead >= _DEAD for one in before))
    yield from _sizes([pulse for pulse in before if pulse.name in hidden])
    below = {layer.name: layer.bias for layer in record.layers if layer.bias < _LOW}
    yield from _units([pulse for pulse in after if pulse.name in hidden], run, below)
    yield from _updates(run)


def _gradients(
    before: Sequence[Pulse], after: Sequence[Pulse], blocked: bool
) -> Iterator[Suspicion]:
    """`blocked`: units that are off from the start let no gradient through: it does not vanish."""
    learning = _learning(before)
    if len(learning) < 3:
        return
    first, last = learning[0], learning[-1]
    share, last_learning = _share(learning), _learning(after)
    end = [("the same at the end of the fit", _share(last_learning))] if last_learning else []
    if share < _VANISHED and last.gradient > 0:
        yield suspect(
            "vanishing_gradient",
            f"The gradient of {first.name} is {share:.1e} times that of {last.name}: over"
            f" {len(learning)} layers it vanishes.",
            'activation="relu", kernel_initializer="he_normal"; fewer layers, or normalization',
            ("gradient of the first layer over the last", share),
            *end,
            strength=0.5 if blocked else 0.86,
            layer=first.name,
        )
    elif share > _GROWN or first.gradient > 1e4:
        grown = f"is {share:.1e} times that of {last.name}"
        yield suspect(
            "exploding_gradient",
            f"The gradient of {first.name} "
            + (f"{grown}." if share > _GROWN else f"is huge: {first.gradient:.2g} per weight."),
            "optimizer=fw.optimizers.Adam(1e-3, global_clipnorm=1.0)",
            ("gradient of the first layer over the last", share),
            ("norm of its gradient over the square root of its size", first.gradient),
            *end,
            strength=0.5,
            layer=first.name,
        )


def _learning(pulses: Sequence[Pulse]) -> list[Pulse]:
    return [one for one in pulses if one.gradient >= 0 and np.isfinite(one.gradient)]


def _share(learning: Sequence[Pulse]) -> float:
    return float(learning[0].gradient / max(learning[-1].gradient, 1e-30))


def _sizes(before: Sequence[Pulse]) -> Iterator[Suspicion]:
    grown = [pulse for pulse in before if pulse.size > 1e4]
    if grown:
        yield suspect(
            "exploding_activation",
            f"At the first weights {grown[0].name} already gives values of size"
            f" {grown[0].size:.2g}.",
            'activation="relu", kernel_initializer="he_normal"',
            ("sqrt(mean(a^2))", grown[0].size),
            strength=0.3,
            layer=grown[0].name,
        )


def _units(pulses: Sequence[Pulse], run: Run, below: Mapping[str, float]) -> Iterator[Suspicion]:
    """`below`: the first bias of layers where it is far below 0."""
    dead = [pulse for pulse in pulses if pulse.dead >= _DEAD]
    if dead:
        whole = [pulse for pulse in dead if pulse.dead == 1]
        shown = (whole or dead)[0]
        yield suspect(
            "dying_relu",
            f"{shown.dead:.0%} of the units of {shown.name} are at 0 for every example: no gradient"
            " passes them."
            + (f" Its biases began at {below[shown.name]:.3g}." if shown.name in below else ""),
            'bias_initializer="zeros"  # the default'
            if shown.name in below
            else 'activation="leaky_relu"  # and a lower rate, kernel_initializer="he_normal"',
            ("share of units that are never above 0", shown.dead),
            ("layers of which that is so", len(dead)),
            *_since(run.course, shown.name, lambda pulse: pulse.dead >= _DEAD),
            strength=0.78 if whole else 0.5,
            layer=shown.name,
        )
    full = [pulse for pulse in pulses if pulse.saturated >= _SATURATED]
    if full:
        yield suspect(
            "saturation",
            f"{full[0].saturated:.0%} of the values of {full[0].name} lie where its activation is"
            " flat.",
            "inputs of size 1 (fw.layers.Normalization()), smaller first weights",
            ("share of flat values", full[0].saturated),
            *_since(run.course, full[0].name, lambda pulse: pulse.saturated >= _SATURATED),
            strength=0.45,
            layer=full[0].name,
        )


def _since(
    course: Sequence[Moment], name: str, ill: Callable[[Pulse], bool]
) -> Iterator[tuple[str, float]]:
    """The epoch by which it had come to that, if anybody looked."""
    for moment in course:
        if any(pulse.name == name and ill(pulse) for pulse in moment.pulses):
            yield "epochs after which it was first seen", moment.epoch
            return


def _updates(run: Run) -> Iterator[Suspicion]:
    """Steps that are long or short against the weights that they move."""
    seen = []
    for moment in run.course:
        ratios = [one.update for one in moment.pulses if one.update and np.isfinite(one.update)]
        if ratios:
            seen.append((statistics.median(ratios), moment))
    if not seen:
        return
    most, moment = max(seen, key=lambda one: one[0])
    what = "update of a step over the weights, median over the layers"
    if most > _LONG:
        yield suspect(
            "lr_too_high",
            f"After epoch {moment.epoch} a step moves the weights by {most:.0%} of themselves.",
            "fw.find_learning_rate(model, X, y)",
            (what, most),
            strength=0.32,
        )
    elif most < _SHORT:
        yield suspect(
            "lr_too_low",
            f"No step was seen to move the weights by more than {most:.1e} of themselves.",
            "fw.find_learning_rate(model, X, y)",
            (what, most),
            strength=0.32,
        )
