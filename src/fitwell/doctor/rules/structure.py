"""What is wrong with the network and its first weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fitwell.doctor.record import Layer, Record
from fitwell.doctor.rules.base import CRITICAL, INFO, WARNING, Suspicion, suspect

_GAIN_HIGH = 5.0  # over sqrt(1 / fan_in), for which values keep their size
_GROWN = 20.0  # over all layers
_GAIN_LOW = 0.15  # over Glorot's standard deviation
_DEEP = 8  # layers without a way around them
_SQUASHING = ("sigmoid", "softmax", "tanh", "hard_sigmoid", "softsign")
_RELU_LIKE = ("relu", "leaky_relu", "elu", "gelu", "silu", "swish", "selu")


def rules(record: Record) -> Iterator[Suspicion]:
    dense = [layer for layer in record.layers if layer.fan_in]
    hidden = [layer for layer in dense if layer.hidden]
    normalized = any("Normalization" in layer.kind for layer in record.layers)
    for layer in dense:
        if record.fresh:
            yield from _first_weights(layer, normalized)
        yield from _regularizer(layer)
    if record.fresh:
        yield from _growth(hidden)
    yield from _activations(hidden, record)
    yield from _depth(hidden, record)
    yield from _dropouts(record)
    if dense and record.plan is not None and not record.plan.parameters:
        yield suspect(
            "underfitting",
            "No weight learns: every layer is frozen (trainable = False).",
            "model.trainable = True  # or of some layers: model.layers[-1].trainable = True",
            ("weights that learn", 0),
            severity=CRITICAL,
        )
    if dense and not hidden and len(dense) == len(record.heads):
        yield suspect(
            "no_hidden_layer",
            "The network is a linear model: it has no hidden layer.",
            'fw.layers.Dense(64, activation="relu")  # before the last layer',
            ("hidden layers", 0),
            strength=_curved(record, 0.1),
        )


def _curved(record: Record, otherwise: float) -> float:
    """How likely it is that the network is too straight: a linear model does as well as it."""
    run = record.run
    if run is None or run.score is None:
        return otherwise
    if run.linear is None or run.kernel is None:  # too few rows to tell
        return max(otherwise, 0.4)
    bent = run.kernel - run.linear > max(run.noise, 0.1)
    reached = run.score if run.held_out is None else min(run.score, run.held_out)
    return 0.92 if bent and reached < run.linear + max(run.noise, 0.05) else otherwise


def _first_weights(layer: Layer, normalized: bool) -> Iterator[Suspicion]:
    name = "he_normal" if layer.activation in _RELU_LIKE else "glorot_uniform"
    cure = f'kernel_initializer="{name}"'
    # Normalization, or pooling after a convolution, may bring the values back.
    most = 2 * _GAIN_HIGH if layer.kind.startswith("Dense") and not normalized else np.inf
    if layer.hidden and layer.zero:
        # Behind other weights than equal ones, and without a ReLU that is off, a layer of zeros
        # learns: residual blocks begin so.
        stuck = layer.twins or layer.activation in ("relu", "relu6")
        yield suspect(
            "zero_init",
            f"All weights of {layer.name} start at 0: its units are equal"
            + (", and stay equal." if stuck else ", and only later layers tell them apart."),
            cure,
            ("units that start equal", layer.units),
            severity=CRITICAL if stuck else INFO,
            strength=0.5,
            layer=layer.name,
        )
    elif layer.hidden and (layer.constant or layer.twins) and layer.units > 1:
        yield suspect(
            "symmetric_init",
            f"All weights of {layer.name} start equal: its {layer.units} units compute the same,"
            + (" and stay equal." if layer.twins else " and only later layers tell them apart."),
            cure,
            ("units that start equal", layer.units),
            severity=CRITICAL if layer.twins else WARNING,
            layer=layer.name,
        )
    elif layer.gain > _GAIN_HIGH and layer.fan_in >= 4 and layer.kind.startswith(("Dense", "Conv")):
        yield suspect(
            "bad_init",
            f"The first weights of {layer.name} have standard deviation"
            f" {layer.gain / layer.fan_in**0.5:.3g}: every value it passes on grows"
            f" {layer.gain:.0f} times.",
            cure,
            ("growth of values", layer.gain),
            ("standard deviation that keeps their size", layer.fan_in**-0.5),
            severity=WARNING if layer.hidden and layer.gain > most else INFO,
            strength=0.65,
            layer=layer.name,
        )
    elif layer.hidden and 0 < layer.gain * _glorot(layer) < _GAIN_LOW:
        yield suspect(
            "bad_init",
            f"The first weights of {layer.name} are {1 / layer.gain / _glorot(layer):.0f} times"
            " smaller than those that keep the size of values: what it"
            " passes on, and the gradient it hands back, almost vanish.",
            cure,
            ("size of values after it, over before", layer.gain),
            strength=0.6,
            layer=layer.name,
        )


def _growth(hidden: Sequence[Layer]) -> Iterator[Suspicion]:
    """What first weights do over the layers: each halves the mean square at a ReLU."""
    factors = [
        layer.gain * (0.5**0.5 if layer.activation in _RELU_LIKE else 1.0)
        for layer in hidden
        if layer.activation in (*_RELU_LIKE, "linear") and layer.gain > 0
    ]
    growth = float(np.prod(factors)) if factors else 1.0
    if growth > _GROWN:
        for code, what in (("activation", "values"), ("gradient", "gradients")):
            yield suspect(
                f"exploding_{code}",
                f"Over {len(factors)} layers the first weights make {what} {growth:,.0f} times as"
                " large.",
                'kernel_initializer="he_normal"',
                (f"growth of {what}, expected", growth),
                strength=0.3,
            )


def _glorot(layer: Layer) -> float:
    """What to multiply a gain with to compare its weights with Glorot's."""
    return float(((layer.fan_in + layer.units) / (2 * layer.fan_in)) ** 0.5)


def _regularizer(layer: Layer) -> Iterator[Suspicion]:
    strongest = max(layer.l1, layer.l2)
    if strongest >= 0.05:
        yield suspect(
            "over_regularized",
            f"The penalty of {layer.name} is {strongest:g} times its weights: usual are 1e-5 to"
            " 1e-3.",
            "kernel_regularizer=fw.regularizers.L2(1e-4)",
            ("factor of the penalty", strongest),
            strength=0.85 if layer.hidden else 0.45,
            layer=layer.name,
        )


def _activations(hidden: Sequence[Layer], record: Record) -> Iterator[Suspicion]:
    soft = [layer for layer in hidden if layer.activation == "softmax"]
    if soft:
        yield suspect(
            "softmax_hidden",
            f"{soft[0].name} is hidden and has a softmax: its {soft[0].units} outputs share a sum"
            " of 1, so little passes.",
            'activation="relu"',
            ("hidden layers with a softmax", len(soft)),
            strength=0.95,
            layer=soft[0].name,
        )
    squashed = [layer for layer in hidden if layer.activation in ("sigmoid", "hard_sigmoid")]
    if squashed:
        yield suspect(
            "hidden_sigmoid",
            f"{len(squashed)} hidden layers have a sigmoid: its slope is at most 1/4, so each takes"
            " three quarters of the gradient or more.",
            'activation="relu"  # or "tanh"',
            ("hidden layers with a sigmoid", len(squashed)),
            strength=0.8 if len(squashed) > 2 else 0.45 if len(squashed) == 2 else 0.2,
            layer=squashed[0].name,
        )
    growing = [layer for layer in hidden if layer.activation in ("exponential", "exp")]
    if growing:
        yield suspect(
            "exploding_activation",
            f"{growing[0].name} raises e to its input: stacked, such layers leave every range.",
            'activation="relu"',
            ("hidden layers with an exponential", len(growing)),
            severity=WARNING if len(growing) > 1 else INFO,
            strength=0.9,
            layer=growing[0].name,
        )
    linear = [
        layer
        for before, layer, after in zip([None, *hidden], hidden, [*hidden[1:], None], strict=False)
        if layer.activation == "linear"
        and (layer.kind == "Dense" or record.straight)
        and not _bottleneck(before, layer, after)
    ]
    if linear:
        whole = record.straight or all(
            one.activation == "linear" and one.kind == "Dense" for one in hidden
        )
        yield suspect(
            "linear_hidden",
            f"{linear[0].name} has no activation: with the layer after it it is one linear map"
            + (", and the network a linear model." if whole else "."),
            'activation="relu"',
            ("hidden layers without an activation", len(linear)),
            severity=WARNING if record.straight and _curved(record, 0.0) > 0.9 else INFO,
            strength=_curved(record, 0.6) if whole else 0.35,
            layer=linear[0].name,
        )


def _bottleneck(before: Layer | None, layer: Layer, after: Layer | None) -> bool:
    """Narrower than what is before and after it: a linear code, as in a factorised layer."""
    reads = layer.fan_in if before is None else before.units
    return layer.units < reads and (after is None or layer.units < after.units)


def _depth(hidden: Sequence[Layer], record: Record) -> Iterator[Suspicion]:
    kinds = {layer.kind for layer in record.layers}
    helped = any("Normalization" in kind for kind in kinds) or "Highway" in kinds
    dense = [layer for layer in hidden if layer.kind == "Dense"]
    if len(dense) >= _DEEP and not helped:
        yield suspect(
            "too_deep",
            f"{len(dense)} dense layers in a row, without normalization or a way around them.",
            "two or three hidden layers; or BatchNormalization, or x + layer(x), after each",
            ("hidden layers", len(dense)),
            strength=0.7,
        )
    widths = [layer.units for layer in dense]
    features = sum(one.mean.size for one in record.inputs)
    needed = min((head.units for head in record.heads), default=1)
    if widths and min(widths) < min(4, max(needed, 2)) and features > 1:
        yield suspect(
            "too_narrow",
            f"The narrowest hidden layer has {min(widths)} units: what does not pass there is"
            " lost.",
            'fw.layers.Dense(32, activation="relu")',
            ("units of the narrowest hidden layer", min(widths)),
            strength=0.8 if min(widths) == 1 else 0.5 if min(widths) == 2 < features else 0.3,
        )


def _dropouts(record: Record) -> Iterator[Suspicion]:
    for i, layer in enumerate(record.layers):
        if not layer.rate:
            continue
        last = all(not after.hidden for after in record.layers[i + 1 :])
        before = next((b for b in reversed(record.layers[:i]) if b.units), None)
        left = (1 - layer.rate) * before.units if before else 0
        if layer.rate > 0.6 or (layer.rate >= 0.5 and 0 < left < 8) or not layer.hidden:
            yield suspect(
                "high_dropout",
                f"{layer.name} drops {layer.rate:.0%} of the values"
                + (" of the output itself." if not layer.hidden
                   else f", and leaves about {left:.0f} units." if left < 8 and left
                   else "."),
                "fw.layers.Dropout(0.2)",
                ("rate", layer.rate),
                severity=INFO if layer.hidden else WARNING,
                strength=0.7 if layer.rate > 0.6 else 0.4,
                layer=layer.name,
            )  # fmt: skip
        elif layer.rate >= 0.5:
            yield suspect(
                "high_dropout",
                f"{layer.name} drops half of the values"
                f"{' right before the output' if last else ''}.",
                "fw.layers.Dropout(0.2)",
                ("rate", layer.rate),
                strength=0.15,
                layer=layer.name,
            )
