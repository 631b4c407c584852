"""Programs whose first value that is not finite is known: the walk back ends there."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell.doctor.origins import evaluated, numbers, origin

X = np.array([[1.0, 4.0], [-9.0, 0.0], [2.0, 3.0]], np.float32)


def where(function: Any, x: Any = X) -> tuple[str, tuple[int, ...], tuple[float, ...]] | None:
    outputs = evaluated(function, (x,), ["x"], [])
    assert outputs is not None
    found = origin(outputs[0])
    if found is None:
        return None
    value, place = found
    return value.operation or value.label, place, numbers(value, place)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: jnp.log(x + 0).sum(), ("log", (1, 0), (-9.0,))),
        (lambda x: jnp.log(x).T.reshape(-1)[None] * 2, ("log", (1, 0), (-9.0,))),
        (lambda x: (x / (x - 4))[:, None], ("div", (0, 1), (4.0, 0.0))),
        (lambda x: jnp.exp(x * 50).sum() - jnp.inf, ("exp", (0, 1), (200.0,))),
        (lambda x: jnp.where(x > 0, jnp.log(x), 0).sum(), None),
        (lambda x: jnp.where(x > -5, jnp.log(x), jnp.sqrt(x)).sum(), ("sqrt", (1, 0), (-9.0,))),
        (lambda x: jax.nn.relu(jnp.sqrt(x)), ("sqrt", (1, 0), (-9.0,))),
        (lambda x: x**-2, ("integer_pow", (1, 1), (0.0, -2.0))),
        (lambda x: (x * 1e38) @ x.T, ("mul", (0, 1), (4.0, float(np.float32(1e38))))),
        (lambda x: (x * 1e37) @ (x.T * 10), ("dot_general", (0, 0), (-9e37, -90.0))),
        (jax.grad(lambda x: jnp.sqrt(jnp.abs(x)).sum()), ("div", (1, 1), (0.5, 0.0))),
    ],
)  # fmt: skip
def test_the_operation_and_what_went_in(function: Any, expected: Any) -> None:
    found = where(function)
    if expected is None or found is None:
        assert found == expected
        return
    assert found[:2] == expected[:2]
    np.testing.assert_allclose(found[2], expected[2], rtol=1e-6)


def test_infinity_that_a_program_sets_is_not_blamed_but_what_made_nan_of_it() -> None:
    masked = where(lambda x: jax.nn.softmax(jnp.where(x > 9, x, -jnp.inf)))
    assert masked == ("sub", (0, 0), (-np.inf, -np.inf))


def test_an_input() -> None:
    x = X.copy()
    x[2, 1] = np.nan
    assert where(lambda x: jnp.tanh(x).sum(), x) == ("x", (2, 1), ())


def test_scopes_are_those_that_were_asked_for_inside_calls_too() -> None:
    def function(x: Any) -> Any:
        with jax.named_scope("outer"), jax.named_scope("mine"):
            y = jax.jit(jnp.sqrt)(x)
        with jax.named_scope("other"):
            return y.sum()

    outputs = evaluated(function, (X,), ["x"], ["outer"])
    assert outputs is not None
    found = origin(outputs[0])
    assert found is not None
    assert (found[0].operation, found[0].scope) == ("sqrt", "outer")
    assert outputs[0].scope is None
