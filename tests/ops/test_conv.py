"""Convolutions against XLA's own with JAX's own derivatives, in float64."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fitwell.ops.conv import convolution, transposed_convolution
from fitwell.ops.geometry import transposed_windows, windows

pytestmark = pytest.mark.optimized  # what is timed, read as XLA's text or run for long

FORMS = {1: ("NHC", "HIO", "NHC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


class Case(NamedTuple):
    sizes: tuple[int, ...]
    taps: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Any
    dilation: tuple[int, ...]
    groups: int
    channels: tuple[int, int]


CASES = {
    "same_strides_dilation": Case((7, 6), (3, 2), (2, 1), "same", (1, 2), 1, (6, 4)),
    "few_channels": Case((9, 9), (3, 3), (3, 2), "valid", (2, 1), 1, (2, 3)),
    "point_strides": Case((5, 6), (1, 1), (2, 2), "valid", (1, 1), 1, (6, 4)),
    "more_padding_than_kernel": Case((4, 5), (2, 2), (1, 2), ((3, 2), (0, 3)), (1, 1), 1, (5, 2)),
    "cut": Case((6, 7), (2, 3), (1, 2), ((-1, 0), (0, -2)), (1, 1), 1, (5, 2)),
    "unused_end": Case((8, 6), (2, 3), (4, 2), "valid", (1, 1), 1, (5, 2)),
    "groups": Case((7, 6), (3, 3), (1, 1), "valid", (1, 1), 2, (6, 4)),
    "groups_not_merged": Case((5, 4), (2, 2), (2, 1), "same", (1, 1), 2, (40, 2)),
    "groups_partly_merged": Case((4, 4), (2, 2), (1, 1), "same", (1, 1), 4, (32, 4)),
    "depthwise": Case((7, 6), (3, 3), (2, 2), "same", (1, 1), 6, (6, 12)),
    "one_axis": Case((7,), (3,), (2,), "causal", (2,), 1, (5, 3)),
    "three_axes": Case((5, 6, 4), (2, 3, 2), (1, 2, 1), "same", (2, 1, 1), 2, (6, 4)),
    "three_axes_few": Case((4, 5, 4), (2, 3, 2), (2, 1, 1), "valid", (1, 1, 1), 1, (1, 2)),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def ours(case: Case) -> Callable[[Any, Any], Any]:
    return lambda x, kernel: convolution(
        x,
        kernel,
        strides=case.strides,
        padding=case.padding,
        dilation=case.dilation,
        groups=case.groups,
    )


def theirs(case: Case) -> Callable[[Any, Any], Any]:
    found = windows(case.sizes, case.taps, case.strides, case.padding, case.dilation)
    return lambda x, kernel: lax.conv_general_dilated(
        x,
        kernel,
        case.strides,
        [(w.before, w.after) for w in found],
        rhs_dilation=case.dilation,
        dimension_numbers=FORMS[len(case.taps)],
        feature_group_count=case.groups,
    )


def arrays(case: Case, batch: int = 4) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    inputs, outputs = case.channels
    x = random.normal(size=(batch, *case.sizes, inputs))
    return x, random.normal(size=(*case.taps, inputs // case.groups, outputs))


def same(function: Callable[[Any], Any], case: Case) -> None:
    """function(convolution) is the same for ours and theirs."""
    with jax.enable_x64(True):
        found, truth = jax.jit(lambda: (function(ours(case)), function(theirs(case))))()
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(truth), strict=True):
            assert a.dtype == jnp.float64
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


def bent(conv: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """A number that is not linear in anything: its second derivatives are not zero."""
    return lambda both: jnp.sum(jnp.sin(conv(*both)))


@every_case
def test_values_and_derivatives_of_first_and_second_order(case: Case) -> None:
    """Forward, reverse, and a Hessian times a vector in the three ways there are."""
    both = arrays(case)
    along = tuple(np.cos(a) for a in both)

    def everything(conv: Any) -> Any:
        f = bent(conv)

        def slope(both: Any) -> Any:
            return sum(jnp.vdot(g, v) for g, v in zip(jax.grad(f)(both), along, strict=True))

        return {
            "value": conv(*both),
            "forward": jax.jvp(f, (both,), (along,)),
            "reverse": jax.grad(f)(both),
            "forward over reverse": jax.jvp(jax.grad(f), (both,), (along,))[1],
            "reverse over reverse": jax.grad(slope)(both),
            "reverse over forward": jax.grad(lambda b: jax.jvp(f, (b,), (along,))[1])(both),
        }

    same(everything, case)


@every_case
def test_lanes_of_inputs_kernels_and_both(case: Case) -> None:
    x, kernel = arrays(case, batch=2)
    xs, kernels = np.stack([x, 2 * x, x + 1]), np.stack([kernel, kernel - 1, 3 * kernel], 1)

    def everything(conv: Any) -> Any:
        value_and_grad = jax.value_and_grad(bent(conv))
        each = jax.vmap(lambda x, k: value_and_grad((x, k)), (0, 1))(xs, kernels)
        second = jax.vmap(
            lambda x, k: jax.jvp(jax.grad(bent(conv)), ((x, k),), ((x, k),))[1], (0, 1)
        )(xs, kernels)
        shared_kernel = jax.vmap(lambda x: value_and_grad((x, kernel)))(xs)
        shared_input = jax.vmap(lambda k: value_and_grad((x, k)), 1)(kernels)
        return each, second, shared_kernel, shared_input

    same(everything, case)


@pytest.mark.parametrize("name", ["same_strides_dilation", "groups", "depthwise", "one_axis"])
def test_eager_is_the_same(name: str) -> None:
    case = CASES[name]
    x, kernel = (jnp.asarray(a, jnp.float32) for a in arrays(case))
    np.testing.assert_allclose(ours(case)(x, kernel), theirs(case)(x, kernel), rtol=1e-4, atol=1e-5)


def test_numbers_of_two_types_meet_in_the_wider() -> None:
    x, kernel = np.ones((1, 3, 1), np.int32), np.full((2, 1, 1), 0.5, np.float32)
    y = convolution(x, kernel, strides=[1], dilation=[1])
    assert (y.dtype, y.ravel().tolist()) == (jnp.float32, [1.0, 1.0])


# By hand: a transposed convolution in one axis, x = 1, 2 and the kernel 1, 10, 100.
@pytest.mark.parametrize(
    ("strides", "padding", "dilation", "more", "expected"),
    [
        (1, "valid", 1, None, [1, 12, 120, 200]),
        (2, "valid", 1, None, [1, 10, 102, 20, 200]),
        (4, "valid", 1, None, [1, 10, 100, 0, 2, 20, 200, 0]),
        (2, "valid", 1, 1, [1, 10, 102, 20, 200, 0]),
        (2, "same", 1, None, [1, 10, 102, 20]),
        (2, "same", 1, 0, [10, 102, 20]),
        (1, "valid", 2, None, [1, 2, 10, 20, 100, 200]),
    ],
)
def test_transposed_by_hand(
    strides: int, padding: str, dilation: int, more: int | None, expected: list[float]
) -> None:
    y = transposed_convolution(
        jnp.array([1.0, 2.0]).reshape(1, 2, 1),
        jnp.array([1.0, 10.0, 100.0]).reshape(3, 1, 1),
        strides=[strides],
        padding=padding,
        dilation=[dilation],
        output_padding=None if more is None else [more],
    )
    assert y.ravel().tolist() == expected


@pytest.mark.parametrize("sizes", [(3,), (3, 4), (2, 3, 2)])
def test_transposed_has_the_derivatives_of_a_transposed_convolution(sizes: tuple[int, ...]) -> None:
    rank = len(sizes)
    strides, taps, dilation = (2, 1, 3)[:rank], (3, 2, 2)[:rank], (1, 2, 1)[:rank]
    random = np.random.default_rng(1)
    y = random.normal(size=(2, *sizes, 5))
    kernel = random.normal(size=(*taps, 6, 5))
    found = transposed_windows(sizes, taps, strides, "same", dilation)

    def naive(y: Any, kernel: Any) -> Any:
        padding = [(w.before, w.after) for w in found]
        x = jax.ShapeDtypeStruct((2, *(w.size for w in found), 6), y.dtype)
        conv = Case(tuple(w.size for w in found), taps, strides, padding, dilation, 1, (6, 5))
        return jax.linear_transpose(lambda x: theirs(conv)(x, kernel), x)(y)[0]

    def own(y: Any, kernel: Any) -> Any:
        return transposed_convolution(y, kernel, strides=strides, padding="same", dilation=dilation)

    def everything(conv: Any) -> Any:
        grad = jax.grad(lambda both: jnp.sum(jnp.sin(conv(*both))))
        along = (np.cos(y), np.cos(kernel))
        return conv(y, kernel), jax.jvp(grad, ((y, kernel),), (along,))

    with jax.enable_x64(True):
        a, b = jax.jit(lambda: (everything(own), everything(naive)))()
        for left, right in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-11, atol=1e-11)


@pytest.mark.skipif(
    jax.default_backend() != "cpu", reason="accelerators choose the form themselves"
)
@every_case
def test_every_convolution_of_a_step_has_the_form_that_is_fast_in_loops(case: Case) -> None:
    """XLA's CPU back end computes any other form fifty times slower inside a loop."""
    x, kernel = (jnp.asarray(a, jnp.float32) for a in arrays(case))
    text = jax.jit(jax.grad(bent(ours(case)))).lower((x, kernel)).as_text()
    forms = set(re.findall(r"dim_numbers = (.*?), window", text))
    groups = set(re.findall(r"(?:feature|batch)_group_count = (\d+)", text))
    assert forms <= {"[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]"}
    assert groups <= {"1"}


def test_the_gradient_of_a_depthwise_convolution_repeats_no_tap() -> None:
    """XLA's CPU back end would compute the output anew for every tap of the kernel's gradient."""
    case = CASES["depthwise"]._replace(strides=(1, 1), channels=(6, 6))
    both = tuple(jnp.asarray(a, jnp.float32) for a in arrays(case))

    def squares(both: Any) -> Any:
        return jnp.sum(jnp.square(ours(case)(*both)))

    text = jax.jit(jax.grad(squares)).lower(both).compile().as_text()
    parts = 4  # of the batch, in which the kernel's gradient is summed
    assert len(re.findall(r" multiply\(", text)) <= 9 * (1 + 1 + parts) + 9
