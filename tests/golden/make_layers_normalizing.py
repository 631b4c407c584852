"""Writes layers_normalizing.npz: the normalization layers in Keras and PyTorch, in float64.

    KERAS_BACKEND=torch python tests/golden/make_layers_normalizing.py

The cases are recorded as in make_layers.py. `batch_normalization_train/...` holds one call of
Keras' BatchNormalization in training, with its gradients and the moving statistics after it.
"""

from pathlib import Path

import make_layers  # sets the back end, so it comes before keras
import numpy as np
import torch
from keras import initializers, layers
from make_layers import Case


class ChannelsLast(torch.nn.Module):
    """A layer of PyTorch, with its parameters under Keras' names, on channels-last arrays."""

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__()
        self.gamma, self.beta = layer.weight, layer.bias
        self.inner = [layer]  # in a list: its parameters are not registered a second time

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner[0](x.movedim(-1, 1)).movedim(1, -1)


MOVING = {
    "moving_mean_initializer": initializers.Constant(0.3),
    "moving_variance_initializer": initializers.Constant(2.5),
}
DOUBLE = {"dtype": torch.float64}

CASES: dict[str, Case] = {
    "batch_normalization": (layers.BatchNormalization(**MOVING), ((2, 3),)),
    "batch_normalization_axis": (
        layers.BatchNormalization(axis=1, epsilon=0.1, center=False, **MOVING),
        ((3, 2),),
    ),
    "layer_normalization": (layers.LayerNormalization(), ((2, 4),)),
    "layer_normalization_axes": (
        layers.LayerNormalization(axis=(3, 1), epsilon=0.2, scale=False),
        ((2, 3, 2),),
    ),
    "layer_normalization_torch": (
        ChannelsLast(torch.nn.GroupNorm(1, 4, eps=1e-3, **DOUBLE)),
        ((4,),),
    ),
    "group_normalization": (layers.GroupNormalization(groups=2), ((2, 3, 4),)),
    "group_normalization_axis": (layers.GroupNormalization(groups=2, axis=1), ((4, 3),)),
    "group_normalization_torch": (
        ChannelsLast(torch.nn.GroupNorm(3, 6, eps=1e-3, **DOUBLE)),
        ((2, 2, 6),),
    ),
    "instance_normalization": (
        ChannelsLast(torch.nn.InstanceNorm2d(3, eps=1e-3, affine=True, **DOUBLE)),
        ((2, 4, 3),),
    ),
    "rms_normalization": (layers.RMSNormalization(), ((2, 4),)),
    "unit_normalization": (layers.UnitNormalization(), ((2, 4),)),
    "unit_normalization_axes": (layers.UnitNormalization(axis=(1, 2)), ((2, 4),)),
}


def training() -> dict[str, np.ndarray]:
    """Keras' BatchNormalization on two batches: the second begins with moved statistics."""
    rng = np.random.default_rng(7)
    layer = layers.BatchNormalization(momentum=0.8, epsilon=0.01)
    layer.build((None, 4, 3))
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
        weight.value.requires_grad_(True)
    arrays = {f"param/{w.name}": w.value for w in layer.trainable_weights}
    for i in range(2):
        x = torch.tensor(rng.normal(size=(5, 4, 3)) * 2 + 1, requires_grad=True)
        y = layer(x, training=True)
        arrays |= {f"x{i}": x, f"y{i}": y}
        arrays |= {f"{w.name}{i}": w.value.clone() for w in layer.non_trainable_weights}
    cotangent = torch.tensor(rng.normal(size=tuple(y.shape)))
    (y * cotangent).sum().backward()
    arrays |= {"cotangent": cotangent, "grad/x": x.grad}
    arrays |= {f"grad/{w.name}": w.value.grad for w in layer.trainable_weights}
    named = {f"batch_normalization_train/{key}": value for key, value in arrays.items()}
    return {key: value.detach().numpy() for key, value in named.items()}


if __name__ == "__main__":
    golden = {
        key: value
        for name, case in CASES.items()
        for key, value in make_layers.record(name, *case).items()
    }
    path = Path(__file__).with_name("layers_normalizing.npz")
    np.savez_compressed(path, **golden, **training())
