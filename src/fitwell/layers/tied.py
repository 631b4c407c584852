"""Tied weights: a layer that maps back with the weights of another."""

from __future__ import annotations

from typing import Any, ClassVar

from fitwell import activations, initializers
from fitwell.description import check_choice
from fitwell.errors import InvalidArgument
from fitwell.layers.base import Layer
from fitwell.types import Array, Key, Params, Shape


class Tied(Layer):
    """activation(W^T y + bias), where W is the kernel of `of`: from its output back to its input.

    Of a Dense, (..., units) -> (..., in); of a convolution, the transposed convolution with the
    same kernel, (positions, filters) -> (positions * strides, in) for padding "same"; of an
    Embedding, the scores of all ids, (..., output_dim) -> (..., input_dim). The kernel is stored
    once and gets the gradients of both uses. It is fixed if `of` is.

    Args:
        of: the very instance that stands before it in the network. It owns the kernel.
        activation: a name, a function array -> array, or None for none.
        use_bias: add a bias of its own.
        bias_initializer: a name or an initializer.

    Raises:
        InvalidArgument: `of` is no layer, is not in the network before this one, or has no
            transpose.

    >>> import fitwell as fw
    >>> encoder = fw.layers.Dense(2, use_bias=False)
    >>> model = fw.Sequential([fw.Input((5,)), encoder, Tied(encoder, use_bias=False)])
    >>> model.count_params(), model.output_shape
    (10, (None, 5))

    Source: autoencoders: Vincent et al. 2010, JMLR 11; language models: Press & Wolf 2017,
    arXiv:1608.05859.
    """

    of: Any
    activation: activations.Activation = None
    use_bias: bool = True
    bias_initializer: Any = "zeros"

    init_only: ClassVar[tuple[str, ...]] = ("bias_initializer",)

    def validate(self) -> None:
        check_choice(self, "use_bias", (True, False))
        if not isinstance(self.of, Layer):
            raise InvalidArgument(
                "Tied",
                "of to be a layer of the network",
                f"of={self.of!r}",
                "Write encoder = Dense(8), use encoder in the network, and then Tied(encoder).",
            )

    @property
    def lender(self) -> Layer | None:
        return self.of

    def init(self, key: Key, shape: Shape) -> Params:
        if not self.use_bias:
            return {}
        # An embedding reads ids: what it maps back to has an entry for each of them.
        features = getattr(self.of, "input_dim", shape[-1] if shape else 1)
        return {"bias": initializers.get(self.bias_initializer)(key, (features,))}

    def apply(self, params: Params, x: Array) -> Array:
        y = self.of.transposed(params["lender"], x)
        if self.use_bias:
            y = y + params["bias"]
        result: Array = activations.get(self.activation)(y)
        return result

    def program(self) -> Layer:
        bare = super().program()
        object.__setattr__(bare, "of", self.of.program())
        return bare


__all__ = ["Tied"]
