"""The convolution as a trilinear form, so that every derivative of it is fast.

With x the input, k the kernel and y something like the output, the number sum(y * conv(x, k)) is
linear in each of the three. Its three gradients are maps of the other two arrays: `output(x, k)`,
the convolution; `input(y, k)`, the transposed convolution; `kernel(x, y)`. The derivatives of each
are again these maps. So they are three JAX primitives that are each other's transposes: reverse
and forward mode, any composition of them and any order are exact, and all run in one of the forms
that XLA compiles well, inside loops too.

On CPUs the maps are those of `canonical.py`, and dots of patches under `jax.vmap` over kernels
(XLA would make it a grouped convolution, which is slow there).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from fitwell import compiling
from fitwell.ops import canonical, depthwise, patches
from fitwell.ops.geometry import Window
from fitwell.types import Array, Shape


def output(x: Array, kernel: Array, windows: tuple[Window, ...], groups: int) -> Array:
    """The convolution: x (batch, *sizes, in), kernel (*taps, in / groups, out)."""
    return _output.bind(x, kernel, windows=windows, groups=groups)


def input(y: Array, kernel: Array, windows: tuple[Window, ...], groups: int) -> Array:
    """The transposed convolution: y (batch, *positions, out) -> (batch, *sizes, in)."""
    return _input.bind(y, kernel, windows=windows, groups=groups)


def _output_shape(x: Any, kernel: Any, windows: tuple[Window, ...], groups: int) -> Shape:
    return (x.shape[0], *(w.positions for w in windows), kernel.shape[-1])


def _input_shape(y: Any, kernel: Any, windows: tuple[Window, ...], groups: int) -> Shape:
    return (y.shape[0], *(w.size for w in windows), kernel.shape[-2] * groups)


def _kernel_shape(x: Any, y: Any, windows: tuple[Window, ...], groups: int) -> Shape:
    return (*(w.kernel for w in windows), x.shape[-1] // groups, y.shape[-1])


def _primitive(name: str, fast: Callable[..., Array], shape: Callable[..., Shape]) -> Primitive:
    primitive = Primitive(f"conv_{name}")

    def abstract(a: Any, b: Any, **how: Any) -> Any:
        return jax.core.ShapedArray(shape(a, b, **how), a.dtype)

    @functools.cache
    def compiled(windows: tuple[Window, ...], groups: int) -> Any:
        return compiling.compile(functools.partial(fast, windows=windows, groups=groups))

    primitive.def_abstract_eval(abstract)
    primitive.def_impl(lambda a, b, **how: compiled(**how)(a, b))
    mlir.register_lowering(primitive, mlir.lower_fun(fast, multiple_results=False))
    return primitive


_output = _primitive("output", canonical.output, _output_shape)
_input = _primitive("input", canonical.input, _input_shape)
_kernel = _primitive("kernel", canonical.kernel, _kernel_shape)

# The transposes: given the gradient in its result, the gradient in one of a map's two arrays.
ad.defbilinear(
    _output,
    lambda y, x, kernel, **how: _input.bind(y, kernel, **how),
    lambda y, x, kernel, **how: _kernel.bind(x, y, **how),
)
ad.defbilinear(
    _input,
    lambda x, y, kernel, **how: _output.bind(x, kernel, **how),
    lambda x, y, kernel, **how: _kernel.bind(x, y, **how),
)
ad.defbilinear(
    _kernel,
    lambda kernel, x, y, **how: _input.bind(y, kernel, **how),
    lambda kernel, x, y, **how: _output.bind(x, kernel, **how),
)


def _by_dots(name: str, a: Array, b: Array, **how: Any) -> Array:
    """The maps in the form that stays a dot (or a sum of products) when kernels are batched."""
    shapes = {"output": b, "input": b, "kernel": a}[name].shape
    alone = (shapes[-1] // how["groups"] if name == "kernel" else shapes[-2]) == 1
    module: Any = depthwise if alone and how["groups"] > 1 else patches
    return getattr(module, name)(a, b, **how)


def _batch(
    primitive: Primitive, name: str, args: tuple[Array, Array], axes: tuple[Any, Any], **how: Any
) -> tuple[Array, int]:
    (a, b), (first, second) = args, axes
    if name != "kernel" and second is None:
        # Examples of all lanes make one batch.
        a = jnp.moveaxis(a, first, 0)
        found = primitive.bind(a.reshape(-1, *a.shape[2:]), b, **how)
        return found.reshape(*a.shape[:2], *found.shape[1:]), 0
    if name != "input" and first is None and how["groups"] == 1:
        # Kernels (or outputs) of all lanes make one with more channels.
        b = jnp.moveaxis(b, second, -2)
        found = primitive.bind(a, b.reshape(*b.shape[:-2], -1), **how)
        return found.reshape(*found.shape[:-1], *b.shape[-2:]), found.ndim - 1
    return jax.vmap(lambda a, b: _by_dots(name, a, b, **how), (first, second))(a, b), 0


for _each, _name in ((_output, "output"), (_input, "input"), (_kernel, "kernel")):
    batching.primitive_batchers[_each] = functools.partial(_batch, _each, _name)
