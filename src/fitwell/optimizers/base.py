"""The contract of an optimizer, and what all optimizers share."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp

from fitwell import tree
from fitwell.description import Description, is_zero
from fitwell.errors import InvalidArgument
from fitwell.optimizers.checks import check_common
from fitwell.optimizers.gradients import clip
from fitwell.optimizers.names import check_names, covers
from fitwell.schedules.base import LearningRate, rates
from fitwell.types import Array, HostArray, Params

Slots = dict[str, Array]
"""What an optimizer remembers of one weight, by name."""


class Optimizer(Description):
    """w, state = step(w, gradient, state, rate): a frozen description, pure functions of arrays.

    The learning rate is an argument of `step`, never a constant of the compiled program. In one
    step, in this order: gradients are averaged over `gradient_accumulation_steps` and clipped,
    weights decay by rate * weight_decay * w, `update` moves them, their average is taken. All
    weights move at once: each new weight is a function of the old ones.

    An optimizer of your own says how one weight moves:

    >>> class SignDescent(Optimizer):
    ...     learning_rate: float = 0.1
    ...
    ...     def update(self, weight, gradient, slots, rate, factors):
    ...         return weight - rate * jnp.sign(gradient), slots
    >>> params, grads = {"dense": {"bias": jnp.ones(2)}}, {"dense": {"bias": jnp.array([3.0, -3])}}
    >>> optimizer = SignDescent()
    >>> params, state = optimizer.step(params, grads, optimizer.init(params), 0.5)
    >>> params["dense"]["bias"].tolist()
    [0.5, 1.5]

    One that remembers something defines `slots`; one that counts steps, `scalars` and `factors`.

    Args:
        learning_rate: a number in [0, inf), a schedule, or a function of the step's number.
        weight_decay: decoupled decay per step and unit of rate, in [0, inf); None is none.
        clipnorm: each weight's gradient is scaled down to at most this norm, in (0, inf).
        clipvalue: every number of a gradient is clipped to [-clipvalue, clipvalue].
        global_clipnorm: all gradients are scaled by one factor, so that their common norm is
            at most this. Only one of the three.
        use_ema: keep an exponential moving average of the weights, which `fit` puts in their
            place at its end.
        ema_momentum: average <- momentum * average + (1 - momentum) * w, in [0, 1].
        ema_overwrite_frequency: also put the average in the weights' place every so many updates.
        gradient_accumulation_steps: apply the mean gradient of n steps at every n-th step.
        multipliers: factors in [0, inf) of the learning rate, by layer or weight:
            `{"dense": 0.1, "dense_1/bias": 0.0, "gamma": 2.0}`. A weight that several names
            cover gets their product; at 0 it stays as it is.
        exclude_from_weight_decay: names of weights or layers that do not decay: `("bias",)`.
        name: for the reader alone.
    """

    cure_of_change: ClassVar[str] = (
        "Set the rate of a model with model.learning_rate = 0.1; for all else compile it anew "
        "with a new optimizer."
    )

    learning_rate: LearningRate = 0.001
    weight_decay: float | None = field(default=None, kw_only=True)
    clipnorm: float | None = field(default=None, kw_only=True)
    clipvalue: float | None = field(default=None, kw_only=True)
    global_clipnorm: float | None = field(default=None, kw_only=True)
    use_ema: bool = field(default=False, kw_only=True)
    ema_momentum: float = field(default=0.99, kw_only=True)
    ema_overwrite_frequency: int | None = field(default=None, kw_only=True)
    gradient_accumulation_steps: int | None = field(default=None, kw_only=True)
    multipliers: Mapping[str, float] | tuple[tuple[str, float], ...] = field(
        default=(), kw_only=True
    )
    exclude_from_weight_decay: tuple[str, ...] = field(default=(), kw_only=True)
    name: str | None = field(default=None, kw_only=True)

    needs_value: ClassVar[bool] = False
    """True if `step` also takes `value` (the loss) and `value_fn` (parameters -> loss)."""

    def validate(self) -> None:
        check_common(self)

    # What an optimizer defines

    def slots(self, name: str, weight: Array) -> Slots:
        """What it remembers of a weight before the first step; nothing by default."""
        return {}

    def scalars(self) -> dict[str, Array]:
        """What it remembers of the whole before the first step; nothing by default."""
        return {}

    def advance(self, scalars: dict[str, Array]) -> dict[str, Array]:
        """The scalars of the next step: an entry called `count` counts."""
        return {**scalars, "count": scalars["count"] + 1} if "count" in scalars else scalars

    def factors(self, scalars: dict[str, Array]) -> Any:
        """What `update` needs of the scalars: computed once per step, not once per weight."""
        return None

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        """The weight after a step, and its slots."""
        raise InvalidArgument(
            type(self).__name__,
            "the method update(self, weight, gradient, slots, rate, factors)",
            "none",
            "Define it in your optimizer: it returns the new weight and the new slots.",
        )

    def decay(self, slots: Slots) -> float | None:
        """The weight decay of a weight with these slots."""
        return self.weight_decay

    # What the engine calls

    def init(self, params: Params) -> dict[str, Any]:
        """The state before the first step: a nest of dicts of arrays.

        Raises:
            UnknownName: `multipliers` or `exclude_from_weight_decay` name no weight.
        """
        weights = tree.flatten(params)
        check_names(self, list(weights))
        slots: dict[str, Any] = {}
        for name, weight in weights.items():
            for slot, value in self.slots(name, weight).items():
                slots.setdefault(slot, {})[name] = value
        state: dict[str, Any] = {slot: tree.unflatten(flat) for slot, flat in slots.items()}
        state |= self._all_scalars()
        if self.use_ema:
            state["average"] = _per_weight(weights, lambda weight: jnp.array(weight, copy=True))
        if self._accumulates:
            state["gradient_sum"] = _per_weight(weights, jnp.zeros_like)
            state["gradient_count"] = jnp.zeros((), jnp.int32)
        return state

    def step(
        self, params: Params, grads: Params, state: dict[str, Any], learning_rate: Any
    ) -> tuple[Params, dict[str, Any]]:
        """Parameters and state after one step; pure, and the rate may be traced."""
        gradients = tree.flatten(grads)
        if not self._accumulates:
            return self._apply(params, gradients, state, learning_rate)
        return self._accumulate(params, gradients, state, learning_rate)

    def averaged(self, params: Params, state: dict[str, Any]) -> Params:
        """The moving average of the weights with `use_ema`, the weights themselves without."""
        if not self.use_ema:
            return params
        average = tree.flatten(state["average"])
        return tree.map_with_names(lambda name, _: average[name], params)

    def rate(self, step: Any) -> HostArray:
        """The learning rate at every step of an integer array, float64, on the host.

        >>> Optimizer(learning_rate=0.1).rate([0, 1, 2]).tolist()
        [0.1, 0.1, 0.1]
        """
        return rates(self.learning_rate, step)

    def program(self) -> Self:
        """The same without what does not enter the compiled program: the key of compiled code."""
        return dataclasses.replace(self, learning_rate=1.0, name=None)

    # How a step is put together

    @property
    def _accumulates(self) -> bool:
        return (self.gradient_accumulation_steps or 1) > 1

    def _all_scalars(self) -> dict[str, Array]:
        counter = {"count": jnp.zeros((), jnp.int32)} if self.use_ema else {}
        return counter | self.scalars()

    def _apply(
        self, params: Params, gradients: dict[str, Array], state: dict[str, Any], learning_rate: Any
    ) -> tuple[Params, dict[str, Any]]:
        gradients = clip(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)
        names = self._all_scalars()
        scalars = self.advance({name: state[name] for name in names})
        factors = self.factors(scalars)
        old = {k: tree.flatten(v) for k, v in state.items() if k not in names and k != "average"}
        weights: dict[str, Array] = {}
        new: dict[str, dict[str, Array]] = {slot: {} for slot in old}
        for name, weight in tree.flatten(params).items():
            slots = {slot: values[name] for slot, values in old.items() if name in values}
            weights[name], slots = self._move(
                name, weight, gradients[name], slots, learning_rate, factors
            )
            for slot, value in slots.items():
                new[slot][name] = value
        result = {slot: tree.unflatten(values) for slot, values in new.items()} | scalars
        if self.use_ema:
            weights, average = self._average(weights, state["average"], scalars["count"])
            result["average"] = tree.unflatten(average)
        return tree.map_with_names(lambda name, _: weights[name], params), result

    def _move(
        self, name: str, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        multiplier = math.prod(
            m for part, m in dict(self.multipliers).items() if covers(part, name)
        )
        if multiplier == 0:
            return weight, slots
        if multiplier != 1:
            rate = rate * multiplier
        decay, decayed = self.decay(slots), weight
        excluded = any(covers(part, name) for part in self.exclude_from_weight_decay)
        if not (decay is None or is_zero(decay) or excluded):
            decayed = weight - weight * (rate * decay)
        moved, updated = self.update(decayed, gradient, slots, rate, factors)
        kept = {slot: value.astype(slots[slot].dtype) for slot, value in updated.items()}
        return moved.astype(weight.dtype), kept

    def _average(
        self, weights: dict[str, Array], average: Params, count: Array
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        momentum = jnp.where(count == 1, 0.0, self.ema_momentum)  # the first average is the weight
        old = tree.flatten(average)
        new = {
            name: (momentum * old[name] + (1.0 - momentum) * weight).astype(weight.dtype)
            for name, weight in weights.items()
        }
        if self.ema_overwrite_frequency is not None:
            due = count % self.ema_overwrite_frequency == 0
            weights = {name: jnp.where(due, new[name], weight) for name, weight in weights.items()}
        return weights, new

    def _accumulate(
        self, params: Params, gradients: dict[str, Array], state: dict[str, Any], learning_rate: Any
    ) -> tuple[Params, dict[str, Any]]:
        steps = self.gradient_accumulation_steps or 1
        rest = dict(state)
        before, count = tree.flatten(rest.pop("gradient_sum")), rest.pop("gradient_count") + 1
        total = {name: before[name] + gradient for name, gradient in gradients.items()}

        def move(weights: Params, rest: dict[str, Any], total: dict[str, Array]) -> Any:
            mean = {name: value / steps for name, value in total.items()}
            zeros = {name: jnp.zeros_like(value) for name, value in total.items()}
            return *self._apply(weights, mean, rest, learning_rate), zeros

        # a branch beats a select on the CPU, from the smallest networks on
        due = count == steps
        weights, result, sums = jax.lax.cond(due, move, lambda *kept: kept, params, rest, total)
        sums, count = tree.unflatten(sums), jnp.where(due, 0, count)
        return weights, {**result, "gradient_sum": sums, "gradient_count": count}


def _per_weight(weights: dict[str, Array], make: Any) -> dict[str, Any]:
    return tree.unflatten({name: make(weight) for name, weight in weights.items()})
