"""`compile(precision="bfloat16")`: where numbers are rounded, and where that would lose too much.

bfloat16 has the range of float32, so that gradients need no scaling, and 8 bits of precision: a
product of rounded factors is within 2^-7 of the exact one, and a sum of thousands of terms must not
be kept in it. Weights, optimizer state, losses, metrics, softmax and the statistics of
normalizations are float32. A CPU gains nothing by it; accelerators multiply several times faster.

Source: Micikevicius et al. 2018, "Mixed precision training", arXiv:1710.03740; Kalamkar et al.
2019, "A study of bfloat16 for deep learning training", arXiv:1905.12322.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import jax
import jax.numpy as jnp

from fitwell.errors import InvalidArgument
from fitwell.types import Array, Params

P = ParamSpec("P")


def checked(subject: str, precision: Any) -> str:
    """The name of a precision, or the answer to what is none."""
    if precision in ("float32", "bfloat16"):
        return str(precision)
    cure = 'Pass "bfloat16" for Keras\' mixed_bfloat16; there is no float16.'
    expected = '"float32" or "bfloat16"'
    raise InvalidArgument(f"{subject}, precision", expected, repr(precision), cure)


def to_dtype(tree: Any, dtype: str) -> Any:
    """The same tree with its real numbers of another dtype; ids, masks and keys stay."""

    def cast(leaf: Any) -> Any:
        return leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(cast, tree)


def lowered(precision: str, params: Params, x: Any) -> tuple[Params, Any]:
    """Weights and input of a layer in the precision that it computes in.

    A layer without a matrix of weights takes its input as it is: numbers that none has multiplied
    yet (years, ids, what a normalization subtracts a mean from) may need all their digits.
    """
    if precision == "float32":
        return params, x
    if any(weight.ndim > 1 for weight in jax.tree.leaves(params)):
        return to_dtype(params, precision), to_dtype(x, precision)
    low = any(leaf.dtype == precision for leaf in jax.tree.leaves(x))
    return to_dtype(params, precision) if low else params, x


def raised(precision: str, values: Any) -> Any:
    """What losses, metrics and users get: float32."""
    return values if precision == "float32" else to_dtype(values, "float32")


def widened(x: Array) -> Array:
    """x with at least the digits of float32."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def in_float32(
    function: Callable[Concatenate[Array, P], Array],
) -> Callable[Concatenate[Array, P], Array]:
    """The function, computed with at least the digits of float32; the result has x's dtype.

    >>> half = jnp.full(4096, 0.5, jnp.bfloat16)
    >>> in_float32(lambda x: x.cumsum() - jnp.arange(4096) / 2)(half)[-1].item()
    0.5
    """

    def full(x: Array, /, *args: P.args, **kwargs: P.kwargs) -> Array:
        return function(widened(x), *args, **kwargs).astype(x.dtype)

    return functools.wraps(function)(full)


__all__ = ["checked", "in_float32", "lowered", "raised", "widened"]
