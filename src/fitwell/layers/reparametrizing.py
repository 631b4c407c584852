"""Wrappers that compute a layer's kernel from another one: a description inside a description."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from fitwell.description import check_number, check_positive_int, is_zero
from fitwell.errors import InvalidArgument
from fitwell.layers.base import Layer, describe
from fitwell.randomness import check_seed, seeded
from fitwell.types import Array, Key, Params, Shape, State

_KERNELS = ("kernel", "embeddings")
_SMALLEST_NORM = 1e-12


class _Reparametrized(Layer):
    """The layer inside, with its kernel replaced. Subclasses write `kernel`.

    The weights of the layer inside lie under `layer`; so do its regularizers and constraints.
    """

    layer: Layer

    uses_mask: ClassVar[bool] = True
    uses_rows: ClassVar[bool] = True

    def validate(self) -> None:
        kind, layer = type(self).__name__, self.layer
        if not isinstance(layer, Layer) or layer.several_inputs:
            raise InvalidArgument(
                kind,
                "a layer with a kernel and one input",
                f"layer={layer!r}",
                f"Wrap the layer whose kernel is meant: {kind}(Dense(10)).",
            )
        outside = {
            "trainable=False": not layer.trainable,
            "activity_regularizer": getattr(layer, "activity_regularizer", None) is not None,
        }
        for what, given in outside.items():
            if given:
                cure = "Put ActivityRegularization after it."
                raise InvalidArgument(
                    kind,
                    f"a layer without {what}, which acts on whole layers",
                    f"layer={layer!r}",
                    f"Write {kind}(..., trainable=False)." if "=" in what else cure,
                )

    def kernel(self, params: Params, state: State, *, key: Key, train: bool) -> tuple[Array, State]:
        """The kernel to compute with, and the wrapper's own state."""
        raise NotImplementedError

    def init(self, key: Key, shape: Shape) -> Params:
        inside = self.layer.init(key, shape)
        self._kernel_name(inside)
        return {"layer": inside}

    def init_state(self, shape: Shape) -> State:
        inside = self.layer.init_state(shape)
        return {"layer": inside} if inside else {}

    def forward(
        self,
        params: Params,
        state: State,
        x: Any,
        *,
        key: Key,
        train: bool,
        mask: Array | None = None,
        rows: Array | None = None,
    ) -> tuple[Any, State]:
        own_key, inner_key = jax.random.split(key)
        kernel, own = self.kernel(params, state, key=own_key, train=train)
        weights = {**params["layer"], self._kernel_name(params["layer"]): kernel}
        more = {"mask": mask} if self.layer.uses_mask else {}
        more |= {"rows": rows} if self.layer.uses_rows else {}
        y, inside = self.layer.forward(
            weights, state.get("layer", {}), x, key=inner_key, train=train, **more
        )
        return y, {**own, **({"layer": inside} if inside else {})}

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        return self.layer.output_mask(x, y, mask)

    def inner(self) -> dict[str, Layer]:
        return {"layer": self.layer}

    def split_activation(self) -> tuple[Layer | None, Any]:
        bare, activation = self.layer.split_activation()
        if bare is None or activation is None:
            return self, None
        return dataclasses.replace(self, layer=bare), activation

    def initializer_names(self) -> dict[str, str]:
        return self.layer.initializer_names()

    def program(self) -> Layer:
        return dataclasses.replace(self, layer=self.layer.program())

    def _kernel_name(self, inside: Params) -> str:
        for name in _KERNELS:
            if name in inside and not isinstance(inside[name], dict):
                return name
        raise InvalidArgument(
            describe(self),
            "a layer with a weight called kernel or embeddings",
            f"{self.layer!r} with {', '.join(inside) or 'no weights'}",
            "Wrap the layer whose kernel is meant, not a wrapper of it.",
        )

    def _inside_kernel(self, params: Params) -> Array:
        found: Array = params["layer"][self._kernel_name(params["layer"])]
        return found


class SpectralNormalization(_Reparametrized):
    """The layer with kernel / sigma: sigma is the kernel's largest singular value.

    The kernel counts as a matrix (all axes but the last, last axis), so the layer's map stretches
    no difference of inputs by more than its largest one (Lipschitz constant 1, for Dense).
    Sigma comes from `power_iterations` steps of the power method, which in training go on from
    the vector of the step before (`vector_u`); gradients flow through v @ kernel @ u with u and v
    fixed. Unlike Keras, which overwrites the kernel, this keeps it and divides in prediction too.
    Sigma is as good as these steps: too small before any training, and where several singular
    values are nearly the largest; more `power_iterations` help.

    Args:
        layer: a layer with a kernel.
        power_iterations: steps of the power method per call, >= 1.

    Raises:
        InvalidArgument: no layer, one without a kernel, or power_iterations < 1.

    >>> from fitwell.layers import Dense
    >>> layer = SpectralNormalization(Dense(2, use_bias=False), power_iterations=50)
    >>> params = {"layer": {"kernel": jnp.array([[3.0, 0.0], [0.0, 4.0]])}}
    >>> x, state = jnp.eye(2), layer.init_state((2,))
    >>> layer.forward(params, state, x, key=jax.random.key(0), train=False)[0].tolist()
    [[0.75, 0.0], [0.0, 1.0]]

    Source: Miyato et al. 2018, "Spectral normalization for generative adversarial networks",
    arXiv:1802.05957.
    """

    power_iterations: int = 1

    def validate(self) -> None:
        super().validate()
        check_positive_int(self, "power_iterations")

    def init_state(self, shape: Shape) -> State:
        key = jax.eval_shape(lambda: jax.random.key(0))
        inside = jax.eval_shape(lambda key: self.layer.init(key, shape), key)
        size = inside[self._kernel_name(inside)].shape[-1]
        u = jax.random.normal(jax.random.key(0), (1, size))
        return {**super().init_state(shape), "vector_u": _unit(u)}

    def kernel(self, params: Params, state: State, *, key: Key, train: bool) -> tuple[Array, State]:
        kernel = self._inside_kernel(params)
        matrix = kernel.reshape(-1, kernel.shape[-1])
        fixed = lax.stop_gradient(matrix)

        def power_step(_: int, u: Array) -> Array:
            return _unit(_unit(u @ fixed.T) @ fixed)

        old = state["vector_u"]
        before = lax.fori_loop(0, self.power_iterations - 1, power_step, old.astype(matrix.dtype))
        v = _unit(before @ fixed.T)
        u = _unit(v @ fixed)
        sigma = (v @ matrix @ u.T)[0, 0]
        kept = u.astype(old.dtype) if train else old
        return kernel / jnp.maximum(sigma, _SMALLEST_NORM), {"vector_u": kept}


class WeightNormalization(_Reparametrized):
    """The layer with kernel = g * v / |v|, per output: length and direction learn apart.

    v is the weight called `kernel`; |v| is over all axes but the last; g, of the last axis' size,
    starts as |v|, so the layer starts as it would without the wrapper.

    Args:
        layer: a layer with a kernel, without a regularizer or constraint for it: they would act
            on v, whose length has no effect.

    Raises:
        InvalidArgument: no layer, one without a kernel, or a rule for the kernel.

    >>> from fitwell.layers import Dense
    >>> layer = WeightNormalization(Dense(1))
    >>> params = {"layer": {"kernel": jnp.array([[3.0], [4.0]]), "bias": jnp.zeros(1)}, "g": 10.0}
    >>> x = jnp.array([[1.0, 1.0]])
    >>> layer.forward(params, {}, x, key=jax.random.key(0), train=False)[0].tolist()
    [[14.0]]

    Source: Salimans & Kingma 2016, "Weight normalization", arXiv:1602.07868.
    """

    def validate(self) -> None:
        super().validate()
        for rule in [
            f"{name}_{kind}" for name in _KERNELS for kind in ("regularizer", "constraint")
        ]:
            if getattr(self.layer, rule, None) is not None:
                raise InvalidArgument(
                    "WeightNormalization",
                    f"a layer without {rule}: it would act on v, whose length has no effect",
                    f"{rule}={getattr(self.layer, rule)!r}",
                    "Leave it out.",
                )

    def init(self, key: Key, shape: Shape) -> Params:
        params = super().init(key, shape)
        return {**params, "g": _lengths(self._inside_kernel(params))}

    def kernel(self, params: Params, state: State, *, key: Key, train: bool) -> tuple[Array, State]:
        v = self._inside_kernel(params)
        return v * (params["g"] / _lengths(v)), {}


class DropConnect(_Reparametrized):
    """The layer with kernel * mask / (1 - rate) in training; mask is 1 with probability 1 - rate.

    Dropout drops numbers, this drops connections: one mask for all examples of a step. In
    prediction the kernel is whole, which is the mean over the masks for a linear layer.

    Args:
        layer: a layer with a kernel.
        rate: the part of the kernel that is set to 0, in [0, 1).
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: no layer, one without a kernel, or a rate outside [0, 1).

    >>> from fitwell.layers import Dense
    >>> layer = DropConnect(Dense(100, use_bias=False, kernel_initializer="ones"), 0.5)
    >>> params = layer.init(jax.random.key(0), (1,))
    >>> y, _ = layer.forward(params, {}, jnp.ones((1, 1)), key=jax.random.key(1), train=True)
    >>> sorted(set(y[0].tolist()))
    [0.0, 2.0]

    Source: Wan et al. 2013, "Regularization of neural networks using DropConnect", ICML.
    """

    rate: float
    seed: int | None = None

    def validate(self) -> None:
        super().validate()
        check_number(self, "rate", 0, 1, open_high=True)
        check_seed(self, self.seed)

    def kernel(self, params: Params, state: State, *, key: Key, train: bool) -> tuple[Array, State]:
        kernel = self._inside_kernel(params)
        if not train or is_zero(self.rate):
            return kernel, {}
        keep = jax.random.bernoulli(seeded(key, self.seed), 1 - self.rate, kernel.shape)
        return jnp.where(keep, kernel / (1 - self.rate), 0), {}


def _unit(vector: Array) -> Array:
    return vector / jnp.maximum(jnp.linalg.norm(vector), _SMALLEST_NORM)


def _lengths(kernel: Array) -> Array:
    """The length of each output's weights."""
    squares = jnp.sum(jnp.square(kernel), tuple(range(kernel.ndim - 1)))
    return jnp.sqrt(jnp.maximum(squares, _SMALLEST_NORM**2))


__all__ = ["DropConnect", "SpectralNormalization", "WeightNormalization"]
