"""The family of a layer: whether its arithmetic is a convolution, a dense map, a recurrence ..."""

from __future__ import annotations

from fitwell.layers.base import Layer
from fitwell.layers.inputs import InputLayer

OTHERS = "others"

_FAMILIES = {
    "attention": ("attention",),
    "convolutions": (
        "spatial.convolution",
        "spatial.depthwise",
        "spatial.local",
        "spatial.transposed",
    ),
    "dense": ("dense", "highway", "masked", "maxout", "tied"),
    "embeddings": ("category_embedding", "embedding", "periodic", "positions"),
    "inputs": (),
    "normalization": ("normalizing",),
    "recurrent": ("recurrent",),
}
_BY_MODULE = {
    f"fitwell.layers.{module}": family for family, all_of in _FAMILIES.items() for module in all_of
}


def family_of(layer: Layer) -> str:
    """The family of a layer, of a subclass of one, and of what a wrapper holds.

    >>> from fitwell.layers import Conv2D, Dense, Flatten, TimeDistributed
    >>> [family_of(one) for one in (Conv2D(8, 3), TimeDistributed(Dense(3)), Flatten())]
    ['convolutions', 'dense', 'others']
    """
    if isinstance(layer, InputLayer):
        return "inputs"
    for inside in layer.inner().values():
        return family_of(inside)
    for kind in type(layer).__mro__:
        module = kind.__module__
        while module.startswith("fitwell.layers."):
            if module in _BY_MODULE:
                return _BY_MODULE[module]
            module = module.rpartition(".")[0]
    return OTHERS
