"""The simple recurrent network: one step, and over time."""

from __future__ import annotations

from typing import Any, ClassVar

from fitwell import activations
from fitwell.layers.recurrent.cell import GatedCell, Noise, States
from fitwell.layers.recurrent.rnn import Recurrent, cell_of
from fitwell.ops import recurrent as ops
from fitwell.types import Array, Params


class SimpleRNNCell(GatedCell):
    """h' = act(x @ kernel + h @ recurrent_kernel + bias): [x, h] -> [h', h'], for one step.

    Args: as in `SimpleRNN`.

    >>> SimpleRNNCell(8).state_sizes
    (8,)
    """

    units: int
    activation: activations.Activation = "tanh"
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
    seed: int | None = None
    layer_norm: bool = False

    def step(
        self, params: Params, x: Array, states: States, noise: Noise | None = None
    ) -> tuple[Array, States]:
        act = activations.get(self.activation)
        hidden = act(x + self.product(params, states[0], noise))
        return hidden, (hidden,)

    def sequence(
        self, params: Params, x: Array, states: States, real: Array | None, noise: Any
    ) -> tuple[Array, States]:
        if not self.standard():
            return super().sequence(params, x, states, real, noise)
        kernels = params["kernel"], params["recurrent_kernel"], params.get("bias")
        inputs, hidden = noise or Noise()
        return ops.simple_rnn(x if inputs is None else x * inputs, *kernels, states, real, hidden)


class SimpleRNN(Recurrent):
    """h_t = act(x_t @ kernel + h_{t-1} @ recurrent_kernel + bias): (time, features) -> (units,).

    Initial states: `SimpleRNN(8)([x, h])` or `SimpleRNN(8)(x, initial_state=h)`.

    Args:
        units: features of h, >= 1.
        activation: a name or a function.
        layer_norm: True normalises both products (Ba et al. 2016), with weights kernel_scale and
            recurrent_scale.

    The other arguments are those of `LSTM`; the kernels have `units` columns.

    Raises:
        InvalidArgument: a value that is not allowed.
        ShapeMismatch: the input is no sequence, or initial states that do not fit.

    >>> from fitwell.layers import Input
    >>> SimpleRNN(8)(Input((5, 3))).shape
    (None, 8)

    Source: Elman 1990, doi:10.1016/0364-0213(90)90002-E.
    """

    units: int
    activation: activations.Activation = "tanh"
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
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    seed: int | None = None
    layer_norm: bool = False

    init_only: ClassVar[tuple[str, ...]] = SimpleRNNCell.init_only

    @property
    def cell(self) -> SimpleRNNCell:
        return cell_of(self, SimpleRNNCell)


__all__ = ["SimpleRNN", "SimpleRNNCell"]
