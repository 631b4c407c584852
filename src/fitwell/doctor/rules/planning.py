"""What is wrong with optimizer, rate, batches and epochs, by arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fitwell.doctor.record import Plan, Record, Run
from fitwell.doctor.rules.base import INFO, WARNING, Suspicion, more_epochs, suspect

_SHORT_WAY = 0.3  # how far weights must be able to go: first weights have size 0.1 to 1
_FEW_STEPS = 100
_USUAL_RATE = 5e-4  # of Adam; below, it is the rate and not the number of steps that is small
_USUAL_RATES = {"Adadelta": 0.3, "Adagrad": 5e-3}  # whose steps are not as long as the rate
_BEST_RATES = {"Adadelta": 1.0, "Adagrad": 0.05}  # that of its paper; in 900 steps 3 (Plan.way)
_SLOW_DESCENT = 2e-3
_FAR = 3.0  # times the largest stable rate
_CURVES = {
    "MeanSquaredError": 2.0, "BinaryCrossentropy": 0.25, "CategoricalCrossentropy": 0.5,
    "SparseCategoricalCrossentropy": 0.5,
}  # fmt: skip
_FAST_DESCENT = 2.0  # rate over 1 - momentum: 0.1 and 0.9, which are usual, make 1
_FAST = 0.03  # Adam's 1e-3 is usual; beyond, weights jump by a good part of themselves a step
_LEFT = 0.1  # of the first moving mean and variance
_TINY_BATCH = 4


def rules(record: Record) -> Iterator[Suspicion]:
    plan = record.plan
    if plan is None:
        return
    yield from _schedule(plan) if plan.fades else _rate(plan)
    yield from _statistics(record, plan)
    yield from _stability(record, plan)
    yield from _batches(plan, record.run)
    if plan.shrinks:
        yield suspect(
            "over_regularized",
            f"weight_decay={plan.decay:g}: against steps of the same rate weights stay below"
            f" {1 / plan.decay:.2g}.",
            f"optimizer=fw.optimizers.{plan.optimizer}({plan.rate:g}, weight_decay=0.004)",
            ("weight decay", plan.decay),
            strength=0.85,
        )
    if plan.epsilon >= 1e-3:
        yield suspect(
            "adam_epsilon",
            f"epsilon={plan.epsilon:g} is as large as the gradients it should only protect from"
            " division by 0: small gradients are not scaled up any more.",
            "optimizer=fw.optimizers.Adam(learning_rate, epsilon=1e-7)",
            ("epsilon", plan.epsilon),
            strength=0.9 if plan.epsilon >= 0.1 else 0.55,
        )
    if not plan.validated and plan.rows >= 100:
        yield suspect(
            "missing_validation",
            "There are no validation data: overfitting cannot be seen.",
            "model.fit(X, y, validation_split=0.2)",
            ("rows", plan.rows),
        )
    if plan.rows < 30:
        yield suspect(
            "too_little_data",
            f"{plan.rows} examples for {plan.parameters:,} weights: a score on them says little"
            " about others.",
            "More data; or fw.cross_validate(model, X, y) to measure with what there is.",
            ("examples", plan.rows),
            ("weights", plan.parameters),
        )


def _schedule(plan: Plan) -> Iterator[Suspicion]:
    """A rate that is gone long before the fit is over."""
    mean, short = plan.reach / plan.total_steps, plan.reach < _SHORT_WAY
    yield suspect(
        "lr_too_low",
        f"The schedule starts at {plan.rate:g}, but the mean rate of the {plan.total_steps:,} steps"
        f" is {mean:.2g}: most of them move nothing.",
        f"optimizer=fw.optimizers.{plan.optimizer}({plan.rate:g})  # or a schedule over"
        f" {plan.total_steps:,} steps, such as CosineDecay({plan.rate:g}, {plan.total_steps})",
        ("largest rate", plan.rate),
        ("mean rate", mean),
        strength=0.97 if short and plan.per_weight else 0.8,
    )


def _rate(plan: Plan) -> Iterator[Suspicion]:
    yield from _of_weights(plan) if plan.per_weight else _of_descent(plan)
    if plan.total_steps < _FEW_STEPS and plan.rows > plan.batch_size * 2:
        yield suspect(
            "too_few_epochs",
            f"{plan.epochs} epochs of {plan.steps} steps are {plan.total_steps} steps.",
            more_epochs(_longer(plan)),
            ("steps in all", plan.total_steps),
            strength=0.4,
        )


def _way(plan: Plan) -> tuple[str, float]:
    return "the furthest a weight can go in all steps, about", plan.way


def _of_weights(plan: Plan) -> Iterator[Suspicion]:
    """Of optimizers that move a weight alike, however large its gradient is."""
    quick = plan.rate * plan.way / plan.reach if plan.reach > 0 else 0.0  # a step, about
    if plan.way < _SHORT_WAY:
        usual = _USUAL_RATES.get(plan.optimizer, _USUAL_RATE)
        code = "lr_too_low" if plan.rate < usual else "too_few_epochs"
        better = f"optimizer=fw.optimizers.{plan.optimizer}({_better(plan):g})"
        longer = more_epochs(_longer(plan))
        yield suspect(
            code,
            f"{plan.total_steps:,} steps of {plan.optimizer} at the rate {plan.rate:g} move a"
            f" weight by {plan.way:.3g} at most, about.",
            f"{better}; or {longer}" if code == "lr_too_low" else f"{longer}; and {better}",
            _way(plan),
            ("steps in all", plan.total_steps),
            strength=0.97 if plan.way < 0.1 else 0.72,
        )
    elif quick >= _FAST:
        yield suspect(
            "lr_too_high",
            f"{plan.optimizer} moves every weight by about {quick:.2g} a step, as much as the"
            " weights themselves.",
            f"optimizer=fw.optimizers.{plan.optimizer}({_BEST_RATES.get(plan.optimizer, 1e-3):g})",
            ("learning rate", plan.rate),
            strength=0.95 if quick >= 0.3 else 0.85 if quick >= 0.1 else 0.5,
        )


def _of_descent(plan: Plan) -> Iterator[Suspicion]:
    """Of optimizers whose steps are as large as the gradient."""
    if plan.clip and plan.way < _SHORT_WAY:
        yield suspect(
            "lr_too_low",
            f"Gradients are clipped to {plan.clip:g}: {plan.total_steps:,} steps of {plan.rate:g}"
            f" are {plan.way:.3g} at most.",
            f"optimizer=fw.optimizers.{plan.optimizer}({plan.rate:g}, global_clipnorm=1.0)",
            _way(plan),
            strength=0.9,
        )
    elif plan.rate <= _SLOW_DESCENT:
        yield suspect(
            "lr_too_low",
            f"Gradient descent with rate {plan.rate:g}: {plan.total_steps:,} steps go a short way.",
            "optimizer=fw.optimizers.Adam(1e-3)  # or fw.find_learning_rate(model, X, y)",
            ("learning rate", plan.rate),
            ("steps in all", plan.total_steps),
            strength=0.74 if plan.reach < 1 else 0.5,
        )
    elif plan.effective >= _FAST_DESCENT:
        momentum = ", momentum=0.9" if plan.momentum else ""
        yield suspect(
            "lr_too_high",
            f"With rate {plan.rate:g} and momentum {plan.momentum:g} a gradient that stays moves"
            f" the weights by {plan.effective:.3g} times itself a step.",
            f"optimizer=fw.optimizers.{plan.optimizer}(0.01{momentum})",
            ("rate over 1 - momentum", plan.effective),
            strength=0.84 if plan.effective >= 2 * _FAST_DESCENT else 0.6,
        )


def _statistics(record: Record, plan: Plan) -> Iterator[Suspicion]:
    """Batch normalization: of how many examples, and how long its moving statistics take."""
    layer = next((one for one in record.layers if one.kind == "BatchNormalization"), None)
    if layer is None:
        return
    if plan.batch_size <= _TINY_BATCH and plan.rows >= 50:
        yield suspect(
            "batch_too_small",
            f"{layer.name} takes mean and variance from {plan.batch_size} examples: they are"
            " mostly chance, and in prediction other ones stand in their place.",
            "model.fit(X, y, batch_size=32)  # or LayerNormalization",
            ("examples of a batch", plan.batch_size),
            strength=0.87,
            layer=layer.name,
        )
    left = layer.momentum**plan.total_steps
    if left > _LEFT:
        yield suspect(
            "too_few_epochs",
            f"After {plan.total_steps} steps the moving mean and variance of {layer.name}, with"
            f" which it predicts, are {left:.0%} what they began as.",
            f"{more_epochs(_longer(plan))}; or BatchNormalization(momentum=0.9)",
            ("steps in all", plan.total_steps),
            ("share of the first moving statistics", left),
            strength=0.75,
            layer=layer.name,
        )


def _longer(plan: Plan) -> int:
    return max(plan.epochs * 10, 100)


def _better(plan: Plan) -> float:
    return _BEST_RATES.get(plan.optimizer, 0.01 if plan.rate >= 1e-3 else 1e-3)


def _stability(record: Record, plan: Plan) -> Iterator[Suspicion]:
    """Gradient descent on a slope of curvature c diverges above the rate 2 (1 + momentum) / c."""
    run, curvature = record.run, record.curvature
    if curvature is None or plan.per_weight or not 0 < curvature < float("inf"):
        return
    limit = 2 * (1 + plan.momentum) / curvature
    if plan.rate > limit:
        far = plan.rate / limit  # at the edge of stability networks train, even well
        yield suspect(
            "lr_too_high",
            f"At the first weights the loss curves by {curvature:.3g}: gradient descent diverges"
            f" above the rate {limit:.2g}; it is {plan.rate:g}.",
            f"optimizer=fw.optimizers.{plan.optimizer}({limit / 4:.1g})  # or scale the inputs",
            ("largest eigenvalue of the Hessian", curvature),
            ("largest stable rate", limit),
            ("learning rate", plan.rate),
            # Without an outcome only what is far from stable is sure to do harm.
            severity=WARNING if run is None and far > 5 else INFO,
            strength=0.93 if far > 3 else 0.8 if far > 1.5 else 0.35,
        )


def steep(record: Record) -> bool:
    """Whether gradient descent would diverge on a linear model of these inputs, and by far.

    Its largest curvature is at least c (|mean|^2 + 1), c that of the loss in its logits. For a look
    at the network itself, which compiles.
    """
    plan = record.plan
    if plan is None or plan.per_weight or not record.inputs or len(record.heads) != 1:
        return False
    features, first = record.inputs[0], next(iter(record.layers), None)
    slope = _CURVES.get(record.heads[0].loss or "", 0.0)
    if features.normalized or first is None or first.kind != "Dense" or not features.mean.size:
        return False
    if record.heads[0].reduction == "sum":
        slope *= plan.batch_size
    each = first.fan_in / features.mean.size  # images are read by channel
    means = float(np.nansum(np.square(features.mean))) * each
    low = 1 + max(means, float(np.nanmax(np.square(features.size))))
    return plan.rate * slope * low > _FAR * 2 * (1 + plan.momentum)


def _batches(plan: Plan, run: Run | None) -> Iterator[Suspicion]:
    scales = [] if run is None else [one.noise for one in run.course if one.noise is not None]
    noise = [("gradient noise scale, in examples", min(scales))] if scales else []
    if plan.batch_size <= _TINY_BATCH and plan.rows >= 50:
        yield suspect(
            "batch_too_small",
            f"Each step sees {plan.batch_size} of {plan.rows:,} examples: its gradient is mostly"
            " chance.",
            "model.fit(X, y, batch_size=32)",
            ("examples of a batch", plan.batch_size),
            *noise,
            strength=0.72 if plan.batch_size <= 2 and not plan.per_weight else 0.35,
        )
    elif plan.steps <= 2 and plan.rows >= 500 and plan.total_steps < 500:
        yield suspect(
            "batch_too_large",
            f"An epoch is {plan.steps} step{'s' if plan.steps > 1 else ''} of {plan.batch_size:,}"
            f" examples, the whole fit {plan.total_steps}.",
            "model.fit(X, y, batch_size=32)",
            ("steps of an epoch", plan.steps),
            ("steps in all", plan.total_steps),
            *noise,
            strength=0.6,
        )
