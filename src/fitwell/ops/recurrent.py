"""Recurrent maps over time, with backward passes by hand.

All steps' input projections are one product before the loop, and the recurrent kernel's gradient
is one product after it. The loop itself holds the recurrent product and one fused pass over the
gates. Autodiff of the plain loop would add to the kernel's gradient at every step instead.

The backward passes are made of ordinary JAX operations: they can be differentiated again
(reverse over reverse, forward over reverse). Forward mode alone cannot enter (`jax.custom_vjp`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from fitwell.ops.columns import column_sum
from fitwell.ops.loops import loop
from fitwell.types import Array

States: TypeAlias = tuple[Array, ...]
"""What a step hands to the next, each (batch, units); the first is also the step's output."""


class _Formula(NamedTuple):
    """One step of a recurrent map behind its products, and the step's derivative.

    Attributes:
        step: (inputs, product, states) -> (states, kept): what the derivative will need is kept.
        factors: kept of all steps -> what `back` multiplies by. On several cores it is worth
            leaving little to the loop, which runs on one.
        back: (d_states, factors) -> (d_product, what else `d_inputs` needs, d_states before).
        d_inputs: what `back` returned first and second, of all steps -> the inputs' gradient.
    """

    step: Callable[[Any, Array, States], tuple[States, Any]]
    factors: Callable[[Any], Any]
    back: Callable[[States, Any], tuple[Array, Any, States]]
    d_inputs: Callable[[Array, Any], Any]


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def project(x: Array, kernel: Array, bias: Array | None = None) -> Array:
    """x @ kernel + bias for all steps: (time, batch, in) -> (time, batch, out)."""
    if bias is not None:  # as one product, which needs no second pass over the result
        x = jnp.concatenate([x, jnp.ones((*x.shape[:-1], 1), x.dtype)], axis=-1)
        kernel = jnp.concatenate([kernel, bias[None]])
    return (_rows(x) @ kernel).reshape(*x.shape[:-1], -1)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _recur(
    formula: _Formula,
    inputs: Any,
    kernel: Array,
    bias: Array | None,
    start: States,
    real: Array | None,
    noise: Array | None,
) -> tuple[Array, States]:
    """Outputs of all steps and the last states; see `lstm` for the arguments."""
    return _forward(formula, inputs, kernel, bias, start, real, noise)[0]


def _forward(
    formula: _Formula,
    inputs: Any,
    kernel: Array,
    bias: Array | None,
    start: States,
    real: Array | None,
    noise: Array | None,
) -> tuple[tuple[Array, States], Any]:
    turn = functools.partial(_turn, formula)
    last, (outputs, kept) = loop(turn, False, (kernel, bias, noise), start, (inputs, real))
    return (outputs, last), (kernel, bias, start[0], real, noise, outputs, kept)


def _turn(formula: _Formula, constants: Any, states: States, now: Any) -> tuple[States, Any]:
    (kernel, bias, noise), (current, here) = constants, now
    product = (states[0] if noise is None else states[0] * noise) @ kernel
    new, kept = formula.step(current, product if bias is None else product + bias, states)
    if here is not None:
        new = tuple(jnp.where(here[:, None], a, b) for a, b in zip(new, states, strict=True))
    return new, (new[0], kept)


def _backward(formula: _Formula, residuals: Any, cotangents: Any) -> tuple[Any, ...]:
    kernel, bias, first, real, noise, outputs, kept = residuals
    d_outputs, d_last = cotangents
    factors = formula.factors(kept)
    turn, constants = functools.partial(_turn_back, formula), (kernel.T, noise)
    xs = factors, d_outputs, real
    d_start, (d_products, more) = loop(turn, True, constants, d_last, xs)
    d_inputs = formula.d_inputs(d_products, more)
    before = jnp.concatenate([first[None], outputs[:-1]])
    before = before if noise is None else before * noise
    d_kernel = _rows(before).T @ _rows(d_products)
    d_bias = None if bias is None else column_sum(_rows(d_products))
    return d_inputs, d_kernel, d_bias, d_start, None, None


def _turn_back(formula: _Formula, constants: Any, d_states: States, now: Any) -> tuple[States, Any]:
    (transposed, noise), (factors, d_output, here) = constants, now
    d_states = (d_states[0] + d_output, *d_states[1:])
    d_product, more, d_before = formula.back(d_states, factors)
    if here is not None:
        there = here[:, None]
        d_product, more = jax.tree.map(lambda a: jnp.where(there, a, 0), (d_product, more))
        pairs = zip(d_before, d_states, strict=True)
        d_before = tuple(jnp.where(there, a, b) for a, b in pairs)
    d_hidden = d_product @ transposed
    d_hidden = d_hidden if noise is None else d_hidden * noise
    return (d_before[0] + d_hidden, *d_before[1:]), (d_product, more)


def _the_same(d_products: Array, _: None) -> Array:
    return d_products


_recur.defvjp(_forward, _backward)


def _lstm_step(inputs: Array, product: Array, states: States) -> tuple[States, Any]:
    gates = jnp.tanh(inputs + product)
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    cell = (0.5 * f + 0.5) * states[1] + (0.5 * i + 0.5) * g
    return ((0.5 * o + 0.5) * jnp.tanh(cell), cell), (gates, states[1])


def _lstm_factors(kept: Any) -> Any:
    gates, before = kept
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    forget = 0.5 * f + 0.5
    seen = jnp.tanh(forget * before + (0.5 * i + 0.5) * g)
    d_i = 0.5 * g * (1 - i * i)
    d_f = 0.5 * before * (1 - f * f)
    d_g = (0.5 * i + 0.5) * (1 - g * g)
    d_o = 0.5 * seen * (1 - o * o)
    d_gates = jnp.concatenate([d_i, d_f, d_g, d_o], axis=-1)
    return d_gates, (0.5 * o + 0.5) * (1 - seen * seen), forget


def _lstm_back(d_states: States, factors: Any) -> tuple[Array, None, States]:
    d_gates, d_seen, forget = factors
    d_hidden, d_cell = d_states
    d_cell = d_cell + d_hidden * d_seen
    d_gates = jnp.concatenate([d_cell, d_cell, d_cell, d_hidden], axis=-1) * d_gates
    return d_gates, None, (jnp.zeros_like(d_hidden), d_cell * forget)


_LSTM = _Formula(_lstm_step, _lstm_factors, _lstm_back, _the_same)


def lstm(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    start: States,
    real: Array | None = None,
    noise: Array | None = None,
) -> tuple[Array, States]:
    """c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t); i, f, o = sigmoid, g = tanh of the gates.

    The gates are x_t @ kernel + h_{t-1} @ recurrent_kernel + bias, in the order i, f, g, o.

    Args:
        x: (time, batch, in).
        kernel: (in, 4 * units).
        recurrent_kernel: (units, 4 * units).
        bias: (4 * units,) or None.
        start: h and c before the first step, each (batch, units).
        real: (time, batch) of booleans; a step that is not real hands on the states before it.
            None: all are real.
        noise: (batch, units), a factor of h in the product with the recurrent kernel (dropout).

    Returns:
        h of all steps, (time, batch, units), and the last h and c.

    Source: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 (the forget gate).
    """
    # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2: one tanh over all gates, the halves in the weights.
    half = jnp.array([0.5, 0.5, 1.0, 0.5], x.dtype).repeat(recurrent_kernel.shape[0])
    inputs = project(x, kernel * half, None if bias is None else bias * half)
    return _recur(_LSTM, inputs, recurrent_kernel * half, None, start, real, noise)


def _gru_step(inputs: Any, product: Array, states: States) -> tuple[States, Any]:
    units = states[0].shape[-1]
    gates = jnp.tanh(inputs[0] + product[:, : 2 * units])
    update, reset = jnp.split(0.5 * gates + 0.5, 2, axis=-1)
    past = product[:, 2 * units :]
    proposed = jnp.tanh(inputs[1] + reset * past)
    hidden = proposed + update * (states[0] - proposed)
    return (hidden,), (gates, past, proposed, states[0])


def _gru_factors(kept: Any) -> Any:
    gates, past, proposed, before = kept
    update, reset = jnp.split(0.5 * gates + 0.5, 2, axis=-1)
    d_proposed = (1 - update) * (1 - proposed * proposed)
    d_update = 2 * (before - proposed) * update * (1 - update)
    d_reset = 2 * d_proposed * past * reset * (1 - reset)
    d_product = jnp.concatenate([d_update, d_reset, d_proposed * reset], axis=-1)
    return d_product, d_proposed, update


def _gru_back(d_states: States, factors: Any) -> tuple[Array, Array, States]:
    (d_hidden,), (d_product, d_proposed, update) = d_states, factors
    d_product = jnp.concatenate([d_hidden] * 3, axis=-1) * d_product
    return d_product, d_hidden * d_proposed, (d_hidden * update,)


def _gru_inputs(d_products: Array, d_proposed: Array) -> tuple[Array, Array]:
    return d_products[..., : 2 * d_proposed.shape[-1]], d_proposed


_GRU = _Formula(_gru_step, _gru_factors, _gru_back, _gru_inputs)


def gru(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    start: States,
    real: Array | None = None,
    noise: Array | None = None,
) -> tuple[Array, States]:
    """h_t = z * h_{t-1} + (1 - z) * tanh(a_h + r * b_h); z = sigmoid(a_z + b_z), r alike.

    a = x_t @ kernel + bias[0], b = h_{t-1} @ recurrent_kernel + bias[1], both in the order
    z, r, h: the reset gate acts after the product (Keras' `reset_after=True`, PyTorch's GRU).

    Args:
        x: (time, batch, in).
        kernel: (in, 3 * units).
        recurrent_kernel: (units, 3 * units).
        bias: (2, 3 * units) or None.
        start: a tuple of h before the first step, (batch, units).
        real, noise: as in `lstm`.

    Returns:
        h of all steps, (time, batch, units), and a tuple of the last h.

    Source: Cho et al. 2014, arXiv:1406.1078.
    """
    units = recurrent_kernel.shape[0]
    half = jnp.array([0.5, 0.5, 1.0], x.dtype).repeat(units)
    first, second = (None, None) if bias is None else (bias[0] * half, bias[1] * half)
    parts = slice(2 * units), slice(2 * units, None)  # the gates; the state that is proposed
    kernel = kernel * half
    inputs = tuple(
        project(x, kernel[:, part], None if first is None else first[part]) for part in parts
    )
    return _recur(_GRU, inputs, recurrent_kernel * half, second, start, real, noise)


def _simple_step(inputs: Array, product: Array, states: States) -> tuple[States, Any]:
    hidden = jnp.tanh(inputs + product)
    return (hidden,), hidden


def _simple_factors(hidden: Array) -> Array:
    return 1 - hidden * hidden


def _simple_back(d_states: States, factors: Array) -> tuple[Array, None, States]:
    return d_states[0] * factors, None, (jnp.zeros_like(factors),)


_SIMPLE = _Formula(_simple_step, _simple_factors, _simple_back, _the_same)


def simple_rnn(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    start: States,
    real: Array | None = None,
    noise: Array | None = None,
) -> tuple[Array, States]:
    """h_t = tanh(x_t @ kernel + h_{t-1} @ recurrent_kernel + bias).

    Args:
        x: (time, batch, in).
        kernel: (in, units).
        recurrent_kernel: (units, units).
        bias: (units,) or None.
        start: a tuple of h before the first step, (batch, units).
        real, noise: as in `lstm`.

    Returns:
        h of all steps, (time, batch, units), and a tuple of the last h.

    Source: Elman 1990, doi:10.1016/0364-0213(90)90002-E.
    """
    inputs = project(x, kernel, bias)
    return _recur(_SIMPLE, inputs, recurrent_kernel, None, start, real, noise)


__all__ = ["States", "gru", "lstm", "project", "simple_rnn"]
