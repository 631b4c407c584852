"""Writes layers.npz: inputs, weights, outputs and gradients of layers in Keras and PyTorch.

    KERAS_BACKEND=torch python tests/golden/make_layers.py

Needs torch and keras 3; the tests need neither. Everything is computed in float64. For each case:
`x0`, `x1`, ... the inputs, `param/<name>` and `state/<name>` the weights, `y` the output,
`cotangent` an array like y, and `grad/...` the gradient of sum(cotangent * y).
"""

import os
import zlib
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras import layers

keras.config.set_floatx("float64")
ROWS = 3
Case = tuple[object, tuple[tuple[int, ...], ...]]

CASES: dict[str, Case] = {
    "dense": (layers.Dense(3), ((4,),)),
    "dense_torch": (torch.nn.Linear(4, 3, dtype=torch.float64), ((4,),)),
    "dense_relu": (layers.Dense(3, activation="relu"), ((4,),)),
    "dense_tanh_no_bias": (layers.Dense(2, activation="tanh", use_bias=False), ((5, 4),)),
    "dense_softmax": (layers.Dense(3, activation="softmax"), ((2, 2, 4),)),
    "activation": (layers.Activation("silu"), ((4,),)),
    "relu": (layers.ReLU(), ((4,),)),
    "relu_full": (layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.4), ((4, 3),)),
    "leaky_relu": (layers.LeakyReLU(), ((4,),)),
    "leaky_relu_torch": (torch.nn.LeakyReLU(0.01), ((4,),)),
    "prelu": (layers.PReLU(), ((3, 2),)),
    "prelu_shared": (layers.PReLU(shared_axes=[1, 2]), ((2, 2, 3),)),
    "prelu_torch": (torch.nn.PReLU(dtype=torch.float64), ((4,),)),
    "elu": (layers.ELU(alpha=0.7), ((4,),)),
    "softmax": (layers.Softmax(), ((4,),)),
    "softmax_axis": (layers.Softmax(axis=1), ((3, 2),)),
    "flatten": (layers.Flatten(), ((2, 3),)),
    "reshape": (layers.Reshape((3, -1)), ((2, 6),)),
    "permute": (layers.Permute((3, 1, 2)), ((2, 3, 4),)),
    "repeat_vector": (layers.RepeatVector(3), ((2,),)),
    "normalization": (
        layers.Normalization(mean=[0.5, -1.0, 2.0], variance=[4.0, 0.25, 1e-3]),
        ((2, 3),),
    ),
    "normalization_invert": (
        layers.Normalization(mean=[0.5, -1.0, 2.0], variance=[4.0, 0.25, 1e-3], invert=True),
        ((3,),),
    ),
    "normalization_all": (layers.Normalization(axis=None, mean=1.5, variance=2.0), ((3,),)),
    "normalization_axes": (
        layers.Normalization(
            axis=(1, 3), mean=[[0.0, 1.0], [2.0, 3.0]], variance=[[1.0, 2.0], [3.0, 4.0]]
        ),
        ((2, 3, 2),),
    ),
    "rescaling": (layers.Rescaling(0.25, offset=-1.0), ((2, 3),)),
    "rescaling_features": (layers.Rescaling([0.5, 2.0, -1.0], offset=[1.0, 0.0, 3.0]), ((2, 3),)),
    "add": (layers.Add(), ((3,), (3,), (3,))),
    "add_ranks": (layers.Add(), ((3,), (2, 3))),
    "subtract": (layers.Subtract(), ((2, 3), (2, 1))),
    "multiply": (layers.Multiply(), ((2, 1), (2, 3))),
    "average": (layers.Average(), ((3,), (3,), (3,))),
    "maximum": (layers.Maximum(), ((3,), (3,), (1,))),
    "minimum": (layers.Minimum(), ((3,), (3,))),
    "concatenate": (layers.Concatenate(), ((2, 3), (2, 1))),
    "concatenate_axis": (layers.Concatenate(axis=1), ((2, 3), (4, 3))),
    "dot": (layers.Dot(axes=1), ((3,), (3,))),
    "dot_axes": (layers.Dot(axes=(2, 1)), ((2, 3), (3, 4))),
    "dot_cosine": (layers.Dot(axes=-1, normalize=True), ((2, 3), (4, 3))),
}


def weights(layer: object, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Random weights, set in the layer and returned by fitwell's names (kernels are (in, out))."""
    if isinstance(layer, torch.nn.Module) and not isinstance(layer, keras.Layer):
        names = {"weight": "alpha" if isinstance(layer, torch.nn.PReLU) else "kernel"}
        named = [(names.get(name, name), value) for name, value in layer.named_parameters()]
    else:
        named = [(weight.name, weight.value) for weight in layer.trainable_weights]
    for _, value in named:
        value.data = torch.as_tensor(rng.normal(size=value.shape))
        value.requires_grad_(True)
    return dict(named)


def record(name: str, layer: object, shapes: tuple[tuple[int, ...], ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    xs = [torch.tensor(rng.normal(size=(ROWS, *s)) * 1.5, requires_grad=True) for s in shapes]
    inputs = xs if len(xs) > 1 else xs[0]
    layer(inputs)  # Keras makes its weights now
    params = weights(layer, rng)
    y = layer(inputs)
    cotangent = torch.tensor(rng.normal(size=tuple(y.shape)))
    (y * cotangent).sum().backward()
    arrays = {"y": y, "cotangent": cotangent}
    for i, x in enumerate(xs):
        arrays |= {f"x{i}": x, f"grad/x{i}": x.grad}
    for key, value in params.items():
        turned = isinstance(layer, torch.nn.Linear) and key == "kernel"
        for path, array in ((f"param/{key}", value), (f"grad/{key}", value.grad)):
            arrays[path] = array.T if turned else array
    return {f"{name}/{key}": value.detach().numpy() for key, value in arrays.items()}


if __name__ == "__main__":
    golden = {k: v for name, case in CASES.items() for k, v in record(name, *case).items()}
    np.savez_compressed(Path(__file__).with_name("layers.npz"), **golden)
