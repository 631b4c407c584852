"""Long short-term memory: one step, and over time."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from fitwell import activations, initializers
from fitwell.layers.recurrent.cell import GatedCell, Noise, States, normalized
from fitwell.layers.recurrent.rnn import Recurrent, cell_of
from fitwell.ops import recurrent as ops
from fitwell.types import Array, Key, Params


class LSTMCell(GatedCell):
    """c' = f * c + i * g, h' = o * act(c'): [x, h, c] -> [h', h', c'], for one step.

    i, f, o = sigmoid and g = act of the columns of x @ kernel + h @ recurrent_kernel + bias, in
    the order i, f, g, o. The kernel is (in, 4 * units), recurrent_kernel (units, 4 * units).

    Args: as in `LSTM`.

    >>> LSTMCell(8).state_sizes
    (8, 8)
    """

    units: int
    activation: activations.Activation = "tanh"
    recurrent_activation: activations.Activation = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
    unit_forget_bias: bool = True
    kernel_regularizer: Any = None
    recurrent_regularizer: Any = None
    bias_regularizer: Any = None
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int | None = None
    layer_norm: bool = False

    parts: ClassVar[int] = 4
    init_only: ClassVar[tuple[str, ...]] = (*GatedCell.init_only, "unit_forget_bias")

    @property
    def state_sizes(self) -> tuple[int, ...]:
        return (self.units, self.units)

    def init(self, key: Key, shape: Any) -> Params:
        params = super().init(key, shape)
        if self.layer_norm:
            params |= {"state_scale": jnp.ones(self.units), "state_shift": jnp.zeros(self.units)}
        return params

    def _fresh_bias(self, key: Key, units: int) -> Array:
        bias = super()._fresh_bias(key, units)
        if not self.unit_forget_bias:
            return bias
        return bias.at[units : 2 * units].set(initializers.get("ones")(key, (units,)))

    def step(
        self, params: Params, x: Array, states: States, noise: Noise | None = None
    ) -> tuple[Array, States]:
        act, gate = activations.get(self.activation), activations.get(self.recurrent_activation)
        parts = x + self.product(params, states[0], noise)
        i, f, g, o = jnp.split(parts, 4, axis=-1)
        cell = gate(f) * states[1] + gate(i) * act(g)
        seen = cell
        if self.layer_norm:
            seen = normalized(cell) * params["state_scale"] + params["state_shift"]
        hidden = gate(o) * act(seen)
        return hidden, (hidden, cell)

    def sequence(
        self, params: Params, x: Array, states: States, real: Array | None, noise: Any
    ) -> tuple[Array, States]:
        if not self.standard():
            return super().sequence(params, x, states, real, noise)
        kernels = params["kernel"], params["recurrent_kernel"], params.get("bias")
        inputs, hidden = noise or Noise()
        return ops.lstm(x if inputs is None else x * inputs, *kernels, states, real, hidden)


class LSTM(Recurrent):
    """c_t = f * c_{t-1} + i * g, h_t = o * act(c_t): (time, features) -> (units,).

    i, f, o = sigmoid and g = act of the columns of x_t @ kernel + h_{t-1} @ recurrent_kernel +
    bias, in the order i, f, g, o. With `return_sequences` all h_t: (time, units). With
    `return_state` also the last h and c. Initial states: `LSTM(8)([x, h, c])` or
    `LSTM(8)(x, initial_state=[h, c])`. Steps that are masked hand on the states before them.

    Args:
        units: features of h and c, >= 1.
        activation: of the cell and its proposal: a name or a function.
        recurrent_activation: of the gates.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, (in, 4 * units); recurrent_initializer of the recurrent
            kernel, (units, 4 * units); bias_initializer of the bias, (4 * units,).
        unit_forget_bias: True starts the forget gate's bias at 1: the cell begins by remembering.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: added to the loss.
        activity_regularizer: added to the loss, as a function of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: applied after every step.
        dropout: rate for the inputs, in [0, 1); one mask per sequence (Gal & Ghahramani 2016).
        recurrent_dropout: likewise for h in the product with the recurrent kernel.
        seed: a whole number mixed into the key of the dropout.
        return_sequences, return_state, go_backwards, stateful, unroll, batch_size,
        zero_output_for_mask: as in `RNN`.
        use_cudnn: accepted for Keras' sake.
        layer_norm: True normalises both products and the cell's state (Ba et al. 2016), with
            weights kernel_scale, recurrent_scale, state_scale and state_shift.

    Raises:
        InvalidArgument: a value that is not allowed.
        ShapeMismatch: the input is no sequence, or initial states that do not fit.

    >>> from fitwell.layers import Input
    >>> y, h, c = LSTM(8, return_sequences=True, return_state=True)(Input((5, 3)))
    >>> y.shape, h.shape, c.shape
    ((None, 5, 8), (None, 8), (None, 8))

    Source: Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735.
    """

    units: int
    activation: activations.Activation = "tanh"
    recurrent_activation: activations.Activation = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
    unit_forget_bias: bool = True
    kernel_regularizer: Any = None
    recurrent_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int | None = None
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    use_cudnn: bool | str = "auto"
    layer_norm: bool = False

    init_only: ClassVar[tuple[str, ...]] = LSTMCell.init_only

    @property
    def cell(self) -> LSTMCell:
        return cell_of(self, LSTMCell)


__all__ = ["LSTM", "LSTMCell"]
