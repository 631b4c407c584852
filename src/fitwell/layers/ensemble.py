"""Many networks that share their weights: one row of scales and one last layer for each."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell import activations
from fitwell.description import check_positive_int
from fitwell.errors import ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Key, Params, Shape, State


class EnsembleAdapter(Layer):
    """y_k = scale_k * x for each member k of an ensemble: (d,) -> (members, d).

    The layers behind it (Dense, activations, Dropout) act on the last axis and are shared by all
    members; `EnsembleDense` ends them. Scales begin as random signs, so that every member sees
    the features in a way of its own.

    In prediction every member sees every row. In training a row goes to one member alone, row i
    of a batch to member i mod members: the output is (batch, 1, d), and a step costs what it
    costs one network. A batch with fewer rows than members is seen by all.

    Args:
        members: networks in the ensemble, >= 1.

    Raises:
        InvalidArgument: members is no whole number >= 1.
        ShapeMismatch: an input that is not one row of features.

    >>> adapter, key = EnsembleAdapter(members=4), jax.random.key(0)
    >>> params = adapter.init(key, (3,))
    >>> sorted(set(params["scale"].ravel().tolist()))
    [-1.0, 1.0]
    >>> x = jnp.ones((8, 3))
    >>> [adapter.forward(params, {}, x, key=key, train=t)[0].shape for t in (False, True)]
    [(8, 4, 3), (8, 1, 3)]

    Source: Wen, Tran & Ba 2020, "BatchEnsemble", arXiv:2002.06715; at the input alone: Gorishniy
    et al. 2025, "TabM" (mini), arXiv:2410.24210.
    """

    members: int

    def validate(self) -> None:
        check_positive_int(self, "members")

    def init(self, key: Key, shape: Shape) -> Params:
        if len(shape) != 1:
            raise ShapeMismatch(
                describe(self),
                "one row of features per example, shape (d,)",
                f"shape {shape}",
                "Put Flatten() before it.",
            )
        return {"scale": jax.random.rademacher(key, (self.members, shape[0]), jnp.float32)}

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        if not train or len(x) < self.members:
            return x[:, None, :] * params["scale"], state
        scaled = _dealt(x, self.members) * params["scale"]
        return scaled.reshape(-1, 1, x.shape[-1])[: len(x)], state


class EnsembleDense(Layer):
    """activation(mean_k (x_k @ kernel_k + bias_k)): (members, d) -> (units,), the last layer.

    In training each row belongs to one member (see `EnsembleAdapter`), and its output is that
    member's own: (batch, 1, d) -> (batch, units). So the loss is the mean of the members' losses,
    and no member relies on the others. In prediction the members' outputs before the activation
    are averaged.

    Args:
        units: number of outputs, >= 1.
        activation: a name, a function array -> array, or None for none.
        kernel_initializer: of each member's (d, units): "auto" follows the activation; or a name
            or an initializer.
        bias_initializer: a name or an initializer.

    Raises:
        InvalidArgument: units is no whole number >= 1.
        ShapeMismatch: an input without an axis of members.

    >>> layer = EnsembleDense(2)
    >>> {name: w.shape for name, w in layer.init(jax.random.key(0), (4, 3)).items()}
    {'kernel': (4, 3, 2), 'bias': (4, 2)}

    Source: Gorishniy et al. 2025, "TabM", arXiv:2410.24210.
    """

    units: int
    activation: activations.Activation = None
    kernel_initializer: Any = "auto"
    bias_initializer: Any = "zeros"

    init_only: ClassVar[tuple[str, ...]] = ("kernel_initializer", "bias_initializer")

    def validate(self) -> None:
        check_positive_int(self, "units")

    def init(self, key: Key, shape: Shape) -> Params:
        if len(shape) != 2:
            raise ShapeMismatch(
                describe(self),
                "a row of features per member, shape (members, d)",
                f"shape {shape}",
                "Put EnsembleAdapter(members) before the layers that the members share.",
            )
        members, features = shape
        kernels, biases = (jax.random.split(each, members) for each in jax.random.split(key))
        draw, begin = self.initializer("kernel"), self.initializer("bias")
        return {
            "kernel": jax.vmap(lambda own: draw(own, (features, self.units)))(kernels),
            "bias": jax.vmap(lambda own: begin(own, (self.units,)))(biases),
        }

    def apply(self, params: Params, x: Array) -> Array:
        kernel, bias = params["kernel"], params["bias"]
        if x.shape[1] == len(kernel):
            y = (jnp.einsum("bkd,kdu->bku", x, kernel) + bias).mean(axis=1)
        else:
            own = jnp.einsum("bkd,kdu->bku", _dealt(x[:, 0], len(kernel)), kernel) + bias
            y = own.reshape(-1, self.units)[: len(x)]
        return activations.get(self.activation)(y)


def _dealt(x: Array, members: int) -> Array:
    """Rows given out in turn, (b, d) -> (ceil(b / members), members, d); zeros fill the rest."""
    filled = jnp.pad(x, ((0, -len(x) % members), (0, 0)))
    return filled.reshape(-1, members, x.shape[-1])


__all__ = ["EnsembleAdapter", "EnsembleDense"]
