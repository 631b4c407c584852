"""What mixes units: with it, a narrow network inside a wide one is not the narrow network.

Weights that a narrow network does not have are 0 in the wide one. Whatever looks at a whole
weight or at all units of a layer may notice them; here it is tried out on small arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import activations, compiling, constraints, regularizers, tree
from fitwell.layers import (
    ELU,
    Activation,
    BatchNormalization,
    Dense,
    DropConnect,
    Layer,
    LeakyReLU,
    PReLU,
    ReLU,
)
from fitwell.optimizers import Optimizer
from fitwell.population.varying import DROPOUTS
from fitwell.types import Array

NARROW, WIDE = (3, 2), (5, 4)
_KINDS = (
    Activation, BatchNormalization, Dense, ELU, LeakyReLU, PReLU, ReLU,
    *(kind for kind in DROPOUTS if kind is not DropConnect),
)  # fmt: skip


def objection(layer: Layer, rank: int, *, hidden: bool) -> str | None:
    """What of a layer mixes units, in words; None if nothing does.

    Args:
        rank: axes of an example of its output.
        hidden: its own units differ between lanes, not those of its input alone.
    """
    if hidden and not isinstance(layer, _KINDS):
        return type(layer).__name__
    function = getattr(layer, "activation", None)
    if hidden and not element_wise(function):
        return f"activation={function!r}, which mixes units"
    if hidden and layer.__dict__.get("activity_regularizer") is not None:
        return "activity_regularizer, which sees units that the narrow network does not have"
    if isinstance(layer, BatchNormalization) and layer.axis not in (-1, rank):
        return f"axis={layer.axis}, over which units have common statistics"
    return _rule(layer)


def _rule(layer: Layer) -> str | None:
    """A regularizer or constraint that notices zeros around a weight."""
    for name, value in layer.__dict__.items():
        axes = 2 if "kernel" in name else 1
        if value is None or name == "activity_regularizer":
            continue
        if name.endswith("_regularizer"):
            fits = additive(regularizers.get(value), axes)
        elif name.endswith("_constraint"):
            fits = apart(constraints.get(value), axes)
        else:
            continue
        if not fits:
            return f"{name}={value!r}, which is another for the narrow weight"
    return None


def element_wise(function: Any) -> bool:
    """Whether an activation maps each number by itself."""
    f = activations.get(function)
    x = jnp.array([0.3, -2.0, 1.1, 0.0, -0.4, 2.5, -1.2])
    try:
        together, each = f(x[None]), f(x[:, None])
    except Exception:  # a user's function that takes no such array
        return False
    return bool(
        together.shape == (1, 7) and each.shape == (7, 1) and jnp.allclose(together[0], each[:, 0])
    )


def additive(penalty: Any, axes: int) -> bool:
    """Whether zeros around a weight change neither its penalty nor the penalty's gradient."""
    small, large = _pair(axes)
    (value, slope), (other, wide) = (jax.value_and_grad(penalty)(w) for w in (small, large))
    inside = wide[tuple(slice(0, n) for n in small.shape)]
    finite = jnp.isfinite(wide).all()
    return bool(jnp.allclose(value, other) and jnp.allclose(slope, inside) and finite)


def apart(constraint: Callable[[Array], Array] | None, axes: int) -> bool:
    """Whether a constraint leaves zeros around a weight alone, and moves the weight as ever."""
    assert constraint is not None
    small, large = _pair(axes)
    return bool(jnp.allclose(constraint(large), _within(constraint(small), large.shape), atol=1e-6))


@functools.cache
def separate(optimizer: Optimizer, ranks: tuple[tuple[str, int], ...]) -> bool:
    """Whether zeros around the weights change nothing of an optimizer's steps.

    Args:
        optimizer: `optimizer.program()`.
        ranks: name and axes of each weight; all but those with 2 are taken as vectors.
    """
    pairs = {name: _pair(2 if axes == 2 else 1) for name, axes in ranks}

    def moved(which: int) -> Any:
        weights = {name: pair[which] for name, pair in pairs.items()}
        params, state = tree.unflatten(weights), optimizer.init(tree.unflatten(weights))
        for turn in (1.0, -0.3):
            grads = {name: turn * w + 0.1 * (w != 0) for name, w in weights.items()}
            params, state = optimizer.step(params, tree.unflatten(grads), state, 0.1)
        return tree.flatten(params)

    small, large = compiling.compile(lambda: (moved(0), moved(1)))()
    return all(
        np.allclose(large[name], _within(w, large[name].shape), rtol=1e-4, atol=1e-6)
        for name, w in small.items()
    )


def _pair(axes: int) -> tuple[Array, Array]:
    """A weight, and the same with zeros around it."""
    small = jnp.asarray(np.random.default_rng(0).normal(size=NARROW[:axes]), jnp.float32)
    return small, _within(small, WIDE[:axes])


def _within(small: Array, shape: tuple[int, ...]) -> Array:
    return jnp.zeros(shape).at[tuple(slice(0, n) for n in small.shape)].set(small)
