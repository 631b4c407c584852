"""The contract of a recurrent cell, and what the three cells of the library share."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from fitwell import activations
from fitwell.description import check_choice, check_number, check_positive_int
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe, flat_features
from fitwell.ops.recurrent import States, project
from fitwell.randomness import check_seed, seeded
from fitwell.types import Array, Key, Params, Shape, State

_EPSILON = 1e-5  # PyTorch's, of layer normalisation inside a cell


class Noise(NamedTuple):
    """Dropout of one sequence, the same at every step: factors (batch, n), or None."""

    inputs: Array | None = None
    states: Array | None = None


class Cell(Layer):
    """One step of a recurrent layer: [x_t, *states] -> [y_t, *states], each (batch, ...).

    A cell of your own defines `state_sizes`, `init` and `step`; `RNN(cell)` runs it over time:

    >>> class Leaky(Cell):
    ...     units: int
    ...
    ...     @property
    ...     def state_sizes(self):
    ...         return (self.units,)
    ...
    ...     def step(self, params, x, states, noise=None):
    ...         y = 0.9 * states[0] + 0.1 * x
    ...         return y, (y,)
    """

    several_inputs: ClassVar[bool | None] = True

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The features of each state."""
        raise InvalidArgument(
            type(self).__name__,
            "the property state_sizes",
            "none",
            "Define it in your cell: the number of features of each state.",
        )

    @property
    def output_size(self) -> int:
        """The features of the output."""
        return self.state_sizes[0]

    def step(
        self, params: Params, x: Any, states: States, noise: Any = None
    ) -> tuple[Array, States]:
        """Output and new states of one step; x is one step of what `prepare` returned."""
        raise InvalidArgument(
            type(self).__name__,
            "the method step(self, params, x, states, noise=None)",
            "none",
            "Define it in your cell.",
        )

    def prepare(self, params: Params, x: Array, noise: Any) -> Any:
        """What `step` takes, for all steps at once: (time, batch, features) -> (time, ...)."""
        return x

    def noise(self, key: Key, batch: int, features: int, dtype: Any) -> Any:
        """What is drawn once per sequence in training."""
        return None

    def sequence(
        self, params: Params, x: Array, states: States, real: Array | None, noise: Any
    ) -> tuple[Array, States]:
        """The outputs of all steps, time first, and the last states.

        Args:
            x: (time, batch, features).
            states: before the first step, each (batch, size).
            real: (time, batch); a step that is not real hands on the states before it, and its
                output is the first of them, as in Keras.
        """

        def turn(before: States, now: tuple[Any, Array | None]) -> tuple[States, Array]:
            current, here = now
            y, new = self.step(params, current, before, noise)
            if here is not None:
                kept = here.reshape(-1, 1)
                y = jnp.where(kept, y, before[0])
                new = tuple(jnp.where(kept, a, b) for a, b in zip(new, before, strict=True))
            return tuple(new), y

        last, outputs = lax.scan(turn, states, (self.prepare(params, x, noise), real))
        return outputs, last

    def split_activation(self) -> tuple[Layer | None, Any]:
        return self, None  # the activation acts inside the step

    def forward(
        self, params: Params, state: State, x: Any, *, key: Key, train: bool
    ) -> tuple[Any, State]:
        first, states = x[0], tuple(x[1:])
        check_states(self, self.state_sizes, first, states)
        noise = self.noise(key, len(first), first.shape[-1], first.dtype) if train else None
        inputs = jax.tree.map(lambda a: a[0], self.prepare(params, first[None], noise))
        y, new = self.step(params, inputs, states, noise)
        return [y, *new], state


def check_states(owner: Layer, sizes: tuple[int, ...], x: Array, states: States) -> None:
    """Raises ShapeMismatch unless there is one state of each size for every example."""
    expected = [(len(x), n) for n in sizes]
    if [s.shape for s in states] != expected:
        counted = f"{len(sizes)} states" if len(sizes) > 1 else "1 state"
        raise ShapeMismatch(
            describe(owner),
            f"{counted} after the input, of the shapes {[(n,) for n in sizes]}",
            f"{len(states)} of the shapes {[s.shape[1:] for s in states]}",
            "Pass what the layer before returned as its states (return_state=True).",
        )


class GatedCell(Cell):
    """What the cells of the library share; made of fields that each of them declares."""

    parts: ClassVar[int] = 1
    """How many times `units` columns the kernels have."""

    init_only: ClassVar[tuple[str, ...]] = (
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
    )

    @property
    def own(self) -> Any:
        """This cell with the fields that its class declares."""
        return self

    def validate(self) -> None:
        check_fields(self)

    @property
    def state_sizes(self) -> tuple[int, ...]:
        units: int = self.own.units
        return (units,)

    def init(self, key: Key, shape: Any) -> Params:
        example: Shape = shape[0] if isinstance(shape, list) else shape
        if len(example) > 1:
            raise ShapeMismatch(
                describe(self),
                "one vector per step, shape (features,)",
                f"shape {example}",
                "Put TimeDistributed(Flatten()) before it.",
            )
        kernel_key, recurrent_key, bias_key = jax.random.split(key, 3)
        units = self.state_sizes[0]
        width = self.parts * units
        params = {
            "kernel": self.initializer("kernel")(kernel_key, (flat_features(self, example), width)),
            "recurrent_kernel": self.initializer("recurrent")(recurrent_key, (units, width)),
        }
        if self.own.use_bias:
            params["bias"] = self._fresh_bias(bias_key, units)
        if self.own.layer_norm:
            params |= {f"{name}_scale": jnp.ones(width) for name in ("kernel", "recurrent")}
        return params

    def _fresh_bias(self, key: Key, units: int) -> Array:
        fresh: Array = self.initializer("bias")(key, (self.parts * units,))
        return fresh

    def noise(self, key: Key, batch: int, features: int, dtype: Any) -> Noise:
        inputs_key, states_key = jax.random.split(seeded(key, self.own.seed))
        return Noise(
            dropped(inputs_key, self.own.dropout, (batch, features), dtype),
            dropped(states_key, self.own.recurrent_dropout, (batch, self.state_sizes[0]), dtype),
        )

    def prepare(self, params: Params, x: Array, noise: Noise | None) -> Any:
        x = x if noise is None or noise.inputs is None else x * noise.inputs
        bias = params.get("bias")
        if not self.own.layer_norm:
            return project(x, params["kernel"], self._input_bias(bias))
        y = normalized(project(x, params["kernel"])) * params["kernel_scale"]
        return y if bias is None else y + self._input_bias(bias)

    def _input_bias(self, bias: Array | None) -> Array | None:
        """The part of the bias that is added before the loop."""
        return bias

    def product(self, params: Params, hidden: Array, noise: Noise | None) -> Array:
        """hidden @ recurrent_kernel, with what dropout and layer normalisation do to it."""
        hidden = hidden if noise is None or noise.states is None else hidden * noise.states
        y: Array = hidden @ params["recurrent_kernel"]
        y = normalized(y) * params["recurrent_scale"] if self.own.layer_norm else y
        return y

    def standard(self) -> bool:
        """Whether the backward pass by hand computes this cell: tanh, sigmoid, nothing else."""
        names = ("activation", "recurrent_activation")
        given = [
            activations.get(getattr(self, name, own)) for name, own in zip(names, _OWN, strict=True)
        ]
        return not self.own.layer_norm and given == [activations.get(own) for own in _OWN]


_OWN = ("tanh", "sigmoid")


def check_fields(owner: Any) -> None:
    """The checks of the fields that cells and the layers made of them have in common."""
    check_positive_int(owner, "units")
    for name in ("use_bias", "unit_forget_bias", "reset_after", "layer_norm"):
        if hasattr(owner, name):
            check_choice(owner, name, (True, False))
    for name in ("dropout", "recurrent_dropout"):
        check_number(owner, name, 0, 1, open_high=True)
    check_seed(owner, owner.seed)
    for name in ("bias_regularizer", "bias_constraint"):
        if not owner.use_bias and getattr(owner, name) is not None:
            raise InvalidArgument(
                type(owner).__name__,
                f"use_bias=True where {name} is given",
                f"use_bias=False, {name}={getattr(owner, name)!r}",
                "Leave one of them out.",
            )
    if owner.layer_norm and not getattr(owner, "reset_after", True):
        raise InvalidArgument(
            type(owner).__name__,
            "reset_after=True with layer_norm=True",
            "reset_after=False",
            "Leave one of them out.",
        )


def dropped(key: Key, rate: float, shape: Shape, dtype: Any) -> Array | None:
    """0 with probability `rate`, 1 / (1 - rate) otherwise; None for a rate of 0."""
    if rate == 0:
        return None
    return jax.random.bernoulli(key, 1 - rate, shape).astype(dtype) / (1 - rate)


def normalized(x: Array) -> Array:
    """(x - mean) / sqrt(variance + 1e-5) over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return centred * lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + _EPSILON)


__all__ = ["Cell", "GatedCell", "Noise", "States", "check_fields", "check_states", "normalized"]
