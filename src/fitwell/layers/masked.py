"""A Dense layer with some of its connections left out."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import activations
from fitwell.description import check_choice, check_number, check_positive_int
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe, flat_features
from fitwell.types import Array, Key, Params, Shape, State


class MaskedDense(Layer):
    """activation(x @ (kernel * mask) + bias): (..., in) -> (..., units), with a fixed 0/1 mask.

    The mask is state, saved with the model. Without one it is drawn so that every unit has
    max(1, round(density * in)) inputs. Weights that are masked out are 0 and stay 0. Initializers
    see the number of connections as fan-in, so that signals keep their size at every density.

    Args:
        units: number of outputs, >= 1.
        activation: a name, a function array -> array, or None for none.
        use_bias: False leaves the bias out.
        mask: an array (in, units) of 0 and 1, or None to draw one.
        density: part of the connections that is kept, in (0, 1]; only without a mask.
        seed: a whole number: which connections are drawn. The model's seed has no part in it.
        kernel_initializer: "auto" follows the activation; or a name or an initializer.
        bias_initializer: a name or an initializer.
        kernel_regularizer: added to the loss, as a function of the kernel; bias_regularizer alike.
        activity_regularizer: added to the loss, as a function of the output.
        kernel_constraint: applied to the kernel after every step; bias_constraint alike.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, a density outside (0, 1], a mask that
            is no matrix of 0 and 1, mask and density together, or a rule for a bias that is not
            used.
        ShapeMismatch: a mask of another shape than (in, units).

    >>> layer = MaskedDense(2, use_bias=False, mask=[[1, 0], [1, 1]])
    >>> state = layer.init_state((2,))
    >>> params, x = {"kernel": jnp.ones((2, 2))}, jnp.array([[10.0, 1.0]])
    >>> layer.forward(params, state, x, key=jax.random.key(0), train=False)[0].tolist()
    [[11.0, 1.0]]

    Source: Mocanu et al. 2018, "Scalable training of artificial neural networks with adaptive
    sparse connectivity", doi:10.1038/s41467-018-04316-3 (whose connections also move).
    """

    units: int
    activation: activations.Activation = None
    use_bias: bool = True
    mask: Any = None
    density: float = 0.5
    seed: int = 0
    kernel_initializer: Any = "auto"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = (
        "mask",
        "density",
        "seed",
        "kernel_initializer",
        "bias_initializer",
    )

    def validate(self) -> None:
        check_positive_int(self, "units")
        check_choice(self, "use_bias", (True, False))
        check_number(self, "density", 0, 1, open_low=True)
        if type(self.seed) is not int or self.seed < 0:
            self._refuse("seed to be a whole number >= 0", f"seed={self.seed!r}", "Pass seed=0.")
        for name in ("bias_regularizer", "bias_constraint"):
            if not self.use_bias and getattr(self, name) is not None:
                self._refuse(
                    f"use_bias=True where {name} is given",
                    f"use_bias=False, {name}={getattr(self, name)!r}",
                    "Leave one of them out.",
                )
        if self.mask is None:
            return
        if self.density != 0.5:
            cure = "Leave one of them out."
            self._refuse("mask or density", f"both, density={self.density!r}", cure)
        try:
            mask = np.asarray(self.mask)
        except ValueError:
            mask = np.zeros(())
        if mask.ndim != 2 or not np.isin(mask, (0, 1)).all():
            found = f"shape {mask.shape}" if mask.ndim != 2 else "other numbers"
            self._refuse(
                "mask to be a matrix (in, units) of 0 and 1",
                found,
                "A 1 stands for a connection that is there.",
            )

    def init(self, key: Key, shape: Shape) -> Params:
        kernel_key, bias_key = jax.random.split(key)
        mask = self._mask(shape)
        # Row r of a smaller kernel becomes the weight of each unit's r-th connection.
        rows = self._connections(shape)
        dense = self.initializer("kernel")(kernel_key, (rows, self.units))
        rank = jnp.clip(jnp.cumsum(mask, axis=0).astype(int) - 1, 0, rows - 1)
        params = {"kernel": jnp.take_along_axis(dense, rank, axis=0) * mask}
        if self.use_bias:
            params["bias"] = self.initializer("bias")(bias_key, (self.units,))
        return params

    def init_state(self, shape: Shape) -> State:
        return {"mask": self._mask(shape)}

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        y = x @ (params["kernel"] * state["mask"])
        if self.use_bias:
            y = y + params["bias"]
        return activations.get(self.activation)(y), state

    def _connections(self, shape: Shape) -> int:
        """The largest number of inputs that a unit has."""
        if self.mask is not None:
            return max(1, int(np.asarray(self.mask).sum(axis=0).max()))
        return max(1, round(self.density * flat_features(self, shape)))

    def _mask(self, shape: Shape) -> Array:
        wanted = (flat_features(self, shape), self.units)
        if self.mask is None:
            order = jax.random.uniform(jax.random.key(self.seed), wanted).argsort(axis=0)
            return (order.argsort(axis=0) < self._connections(shape)).astype(jnp.float32)
        mask = np.asarray(self.mask)
        if mask.shape != wanted:
            raise ShapeMismatch(
                describe(self),
                f"a mask of shape {wanted} (in, units)",
                f"{mask.shape}",
                "Give one row per input and one column per unit.",
            )
        return jnp.asarray(mask, jnp.float32)

    def _refuse(self, expected: str, received: str, cure: str) -> None:
        raise InvalidArgument("MaskedDense", expected, received, cure)


__all__ = ["MaskedDense"]
