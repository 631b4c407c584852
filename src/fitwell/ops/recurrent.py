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
    d_bias = None if bias is None else d_products.sum((0, 1))
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


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def project(x: Array, kernel: Array, bias: Array | None) -> Array:
    """x @ kernel + bias for all steps: (time, batch, in) -> (time, batch, out).

    The bias enters by a product with ones: its gradient is then a product as well, 40 times
    faster than the sum over all rows that XLA's CPU code makes of a plain addition.
    """
    rows = _rows(x)
    y = rows @ kernel
    if bias is not None:
        y = y + jnp.ones((len(rows), 1), y.dtype) @ bias[None]
    return y.reshape(*x.shape[:-1], -1)


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
    units = recurrent_kernel.shape[0]
    # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2: one tanh over all gates, the halves in the weights.
    half = jnp.array([0.5, 0.5, 1.0, 0.5], x.dtype).repeat(units)
    inputs = project(x, kernel * half, None if bias is None else bias * half)
    return _recur(_LSTM, inputs, recurrent_kernel * half, None, start, real, noise)
