"""Gated recurrent units: one step, and over time."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from fitwell import activations
from fitwell.layers.recurrent.cell import GatedCell, Noise, States
from fitwell.layers.recurrent.rnn import Recurrent, cell_of
from fitwell.ops import recurrent as ops
from fitwell.types import Array, Key, Params


class GRUCell(GatedCell):
    """h' = z * h + (1 - z) * p: [x, h] -> [h', h'], for one step; p as in `GRU`.

    Args: as in `GRU`.

    >>> GRUCell(8).state_sizes
    (8,)
    """

    units: int
    activation: activations.Activation = "tanh"
    recurrent_activation: activations.Activation = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    recurrent_regularizer: Any = None
    bias_regularizer: Any = None
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    reset_after: bool = True
    seed: int | None = None
    layer_norm: bool = False

    parts: ClassVar[int] = 3

    def _fresh_bias(self, key: Key, units: int) -> Array:
        bias = super()._fresh_bias(key, units)
        return jnp.stack([bias, bias]) if self.reset_after else bias

    def _input_bias(self, bias: Array | None) -> Array | None:
        return bias[0] if bias is not None and self.reset_after else bias

    def step(
        self, params: Params, x: Array, states: States, noise: Noise | None = None
    ) -> tuple[Array, States]:
        act, gate = activations.get(self.activation), activations.get(self.recurrent_activation)
        (hidden,), units = states, self.units
        if self.reset_after:
            past = self.product(params, hidden, noise)
            past = past + params["bias"][1] if self.use_bias else past
            update, reset = jnp.split(gate((x + past)[:, : 2 * units]), 2, axis=-1)
            proposed = act(x[:, 2 * units :] + reset * past[:, 2 * units :])
        else:
            seen = hidden if noise is None or noise.states is None else hidden * noise.states
            kernel = params["recurrent_kernel"]
            gates = gate(x[:, : 2 * units] + seen @ kernel[:, : 2 * units])
            update, reset = jnp.split(gates, 2, axis=-1)
            proposed = act(x[:, 2 * units :] + (reset * seen) @ kernel[:, 2 * units :])
        new = update * hidden + (1 - update) * proposed
        return new, (new,)

    def sequence(
        self, params: Params, x: Array, states: States, real: Array | None, noise: Any
    ) -> tuple[Array, States]:
        if not (self.standard() and self.reset_after):
            return super().sequence(params, x, states, real, noise)
        kernels = params["kernel"], params["recurrent_kernel"], params.get("bias")
        inputs, hidden = noise or Noise()
        return ops.gru(x if inputs is None else x * inputs, *kernels, states, real, hidden)


class GRU(Recurrent):
    """h_t = z * h_{t-1} + (1 - z) * p: (time, features) -> (units,).

    With a = x_t @ kernel + bias[0] and b = h_{t-1} @ recurrent_kernel + bias[1], both in the
    order z, r, h: z, r = sigmoid(a + b) and p = act(a_h + r * b_h), the reset gate acting after
    the product, as in PyTorch. With `reset_after=False` it acts before: p = act(a_h + (r *
    h_{t-1}) @ recurrent_kernel_h), there is one bias, and the loop has no fast backward pass.
    Initial states: `GRU(8)([x, h])` or `GRU(8)(x, initial_state=h)`.

    Args:
        units: features of h, >= 1.
        reset_after: see above; the bias is (2, 3 * units) with True, (3 * units,) with False.
        layer_norm: True normalises both products (Ba et al. 2016), with weights kernel_scale and
            recurrent_scale; needs reset_after=True.

    The other arguments are those of `LSTM`; the kernels have 3 * units columns.

    Raises:
        InvalidArgument: a value that is not allowed.
        ShapeMismatch: the input is no sequence, or initial states that do not fit.

    >>> from fitwell.layers import Input
    >>> GRU(8, return_sequences=True)(Input((5, 3))).shape
    (None, 5, 8)

    Source: Cho et al. 2014, arXiv:1406.1078.
    """

    units: int
    activation: activations.Activation = "tanh"
    recurrent_activation: activations.Activation = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
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
    reset_after: bool = True
    use_cudnn: bool | str = "auto"
    layer_norm: bool = False

    init_only: ClassVar[tuple[str, ...]] = GRUCell.init_only

    @property
    def cell(self) -> GRUCell:
        return cell_of(self, GRUCell)


__all__ = ["GRU", "GRUCell"]
