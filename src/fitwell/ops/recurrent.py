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
from jax import lax

from fitwell.types import Array

States: TypeAlias = tuple[Array, ...]
"""What a step hands to the next, each (batch, units); the first is also the step's output."""


class _Formula(NamedTuple):
    """One step of a recurrent map behind its products, and the step's derivative.

    Attributes:
        step: (inputs, product, states) -> (states, kept): what `back` will need is kept.
        back: (d_states, kept) -> (d_inputs, d_product or None if it is the same, d_states before).
    """

    step: Callable[[Array, Array, States], tuple[States, Any]]
    back: Callable[[States, Any], tuple[Array, Array | None, States]]


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def _ones(x: Array) -> Array:
    """A row of ones that sums all steps by a product.

    XLA's CPU code sums columns 40 times slower than it multiplies.
    """
    return jnp.ones((1, x.size // x.shape[-1]), x.dtype)


def project(x: Array, kernel: Array, bias: Array | None = None) -> Array:
    """x @ kernel + bias for all steps: (time, batch, in) -> (time, batch, out)."""
    y = _rows(x) @ kernel
    y = y if bias is None else y + _ones(x).T @ bias[None]
    return y.reshape(*x.shape[:-1], -1)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _recur(
    formula: _Formula,
    inputs: Array,
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
    inputs: Array,
    kernel: Array,
    bias: Array | None,
    start: States,
    real: Array | None,
    noise: Array | None,
) -> tuple[tuple[Array, States], Any]:
    def turn(states: States, now: tuple[Array, Array | None]) -> tuple[States, Any]:
        current, here = now
        product = (states[0] if noise is None else states[0] * noise) @ kernel
        new, kept = formula.step(current, product if bias is None else product + bias, states)
        if here is not None:
            new = tuple(jnp.where(here[:, None], a, b) for a, b in zip(new, states, strict=True))
        return new, (new[0], kept)

    last, (outputs, kept) = lax.scan(turn, start, (inputs, real))
    return (outputs, last), (kernel, bias, start[0], real, noise, outputs, kept)


def _backward(formula: _Formula, residuals: Any, cotangents: Any) -> tuple[Any, ...]:
    kernel, bias, first, real, noise, outputs, kept = residuals
    d_outputs, d_last = cotangents
    transposed = kernel.T

    def turn(d_states: States, now: Any) -> tuple[States, Any]:
        d_output, each, here = now
        d_states = (d_states[0] + d_output, *d_states[1:])
        d_input, d_product, d_before = formula.back(d_states, each)
        if here is not None:
            there = here[:, None]
            d_input = jnp.where(there, d_input, 0)
            d_product = None if d_product is None else jnp.where(there, d_product, 0)
            pairs = zip(d_before, d_states, strict=True)
            d_before = tuple(jnp.where(there, a, b) for a, b in pairs)
        d_hidden = (d_input if d_product is None else d_product) @ transposed
        d_hidden = d_hidden if noise is None else d_hidden * noise
        return (d_before[0] + d_hidden, *d_before[1:]), (d_input, d_product)

    d_start, (d_inputs, d_products) = lax.scan(turn, d_last, (d_outputs, kept, real), reverse=True)
    d_products = d_inputs if d_products is None else d_products
    before = jnp.concatenate([first[None], outputs[:-1]])
    before = before if noise is None else before * noise
    d_kernel = _rows(before).T @ _rows(d_products)
    d_bias = None if bias is None else _ones(d_products) @ _rows(d_products)
    d_bias = None if d_bias is None else d_bias[0]
    return d_inputs, d_kernel, d_bias, d_start, None, None


_recur.defvjp(_forward, _backward)


def _lstm_step(inputs: Array, product: Array, states: States) -> tuple[States, Any]:
    gates = jnp.tanh(inputs + product)
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    cell = (0.5 * f + 0.5) * states[1] + (0.5 * i + 0.5) * g
    seen = jnp.tanh(cell)
    return ((0.5 * o + 0.5) * seen, cell), (gates, states[1], seen)


def _lstm_back(d_states: States, kept: Any) -> tuple[Array, None, States]:
    gates, before, seen = kept
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    d_hidden, d_cell = d_states
    d_cell = d_cell + d_hidden * (0.5 * o + 0.5) * (1 - seen * seen)
    d_i = 0.5 * d_cell * g * (1 - i * i)
    d_f = 0.5 * d_cell * before * (1 - f * f)
    d_g = d_cell * (0.5 * i + 0.5) * (1 - g * g)
    d_o = 0.5 * d_hidden * seen * (1 - o * o)
    d_gates = jnp.concatenate([d_i, d_f, d_g, d_o], axis=-1)
    return d_gates, None, (jnp.zeros_like(d_hidden), d_cell * (0.5 * f + 0.5))


_LSTM = _Formula(_lstm_step, _lstm_back)


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


def _gru_step(inputs: Array, product: Array, states: States) -> tuple[States, Any]:
    units = states[0].shape[-1]
    gates = jnp.tanh(inputs[:, : 2 * units] + product[:, : 2 * units])
    update, reset = jnp.split(0.5 * gates + 0.5, 2, axis=-1)
    past = product[:, 2 * units :]
    proposed = jnp.tanh(inputs[:, 2 * units :] + reset * past)
    hidden = proposed + update * (states[0] - proposed)
    return (hidden,), (gates, past, proposed, states[0])


def _gru_back(d_states: States, kept: Any) -> tuple[Array, Array, States]:
    gates, past, proposed, before = kept
    update, reset = jnp.split(0.5 * gates + 0.5, 2, axis=-1)
    (d_hidden,) = d_states
    d_proposed = d_hidden * (1 - update) * (1 - proposed * proposed)
    d_update = 2 * d_hidden * (before - proposed) * update * (1 - update)
    d_reset = 2 * d_proposed * past * reset * (1 - reset)
    d_inputs = jnp.concatenate([d_update, d_reset, d_proposed], axis=-1)
    d_product = jnp.concatenate([d_update, d_reset, d_proposed * reset], axis=-1)
    return d_inputs, d_product, (d_hidden * update,)


_GRU = _Formula(_gru_step, _gru_back)


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
    half = jnp.array([0.5, 0.5, 1.0], x.dtype).repeat(recurrent_kernel.shape[0])
    first, second = (None, None) if bias is None else (bias[0] * half, bias[1] * half)
    inputs = project(x, kernel * half, first)
    return _recur(_GRU, inputs, recurrent_kernel * half, second, start, real, noise)


def _simple_step(inputs: Array, product: Array, states: States) -> tuple[States, Any]:
    hidden = jnp.tanh(inputs + product)
    return (hidden,), hidden


def _simple_back(d_states: States, hidden: Array) -> tuple[Array, None, States]:
    return d_states[0] * (1 - hidden * hidden), None, (jnp.zeros_like(hidden),)


_SIMPLE = _Formula(_simple_step, _simple_back)


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
