"""The types that every part of fitwell shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import jax
import numpy as np

Array: TypeAlias = jax.Array
"""An array of JAX, concrete or traced."""

ArrayLike: TypeAlias = jax.Array | np.ndarray[Any, np.dtype[Any]] | float | int | bool
"""What the pure functions take: JAX and numpy arrays and numbers."""

HostArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]
"""An array of numpy, in the memory of the host."""

Key: TypeAlias = jax.Array
"""A JAX random key."""

Shape: TypeAlias = tuple[int, ...]
"""The shape of one example: no batch axis."""

HOST_DTYPES = ("string", "int64")
"""Dtypes of inputs that never enter a compiled program: a layer on the host reads them."""

Shapes: TypeAlias = Shape | list[Shape]
"""The shape of a layer's input: a list for layers with several inputs."""

Inputs: TypeAlias = Any
"""A layer's input: one array, or a list of arrays for layers with several inputs."""

Params: TypeAlias = dict[str, Any]
"""Trainable arrays by name; may be nested."""

State: TypeAlias = dict[str, Any]
"""Arrays that change without gradients (running means, counts) by name; may be nested."""

Tree: TypeAlias = Any
"""Any nest of dicts, lists and tuples with arrays as leaves."""

Logs: TypeAlias = Mapping[str, float]
"""Names and values of one epoch: `{"loss": 0.31, "val_loss": 0.35}`."""

LayerRecord: TypeAlias = dict[str, Any]
"""What one layer was at one moment of a fit, by name; see `History.layers`."""

LAYER_KEYS = (
    "epoch", "step", "layer", "kind", "activation_mean", "activation_rms", "dead", "saturated",
    "constant", "gradient_norm", "weight_norm", "weights", "update_ratio", "noise_scale",
)  # fmt: skip
"""The names in a LayerRecord."""
