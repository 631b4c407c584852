"""Writes activations.npz: values and slopes of every activation in PyTorch's float64.

Run in an environment with torch==2.13.0 (not needed by the tests):
    python tests/golden/make_activations.py
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own habit

# Both tails, both sides of every kink that is not itself tested by hand, and 0.
POINTS = [
    *(-1e4, -300, -86, -40, -20, -10, -6.5, -4.25, -2.5, -1.75, -1, -0.5, -0.125, -1e-3, 0),
    *(1e-3, 0.125, 0.5, 1, 1.75, 2.5, 4.25, 6.5, 10, 20, 40, 88, 300, 1e4),
]
ROWS = [
    [0, 0, 0, 0],
    [1, 2, 3, 4],
    [-1e4, 1e4, 0, 1e4],
    [1e4, 0, -1e4, 5],
    [0.5, -30, 30, -0.25],
    [-100, -101, -102, -120],
]


def relu_full(x: torch.Tensor) -> torch.Tensor:
    """relu(x, negative_slope=0.1, max_value=5, threshold=1.5) by its definition."""
    return torch.where(x >= 5, 5.0, torch.where(x > 1.5, x, 0.1 * (x - 1.5)))


def gelu_tanh(x: torch.Tensor) -> torch.Tensor:
    """x sigmoid(2u) = 0.5 x (1 + tanh(u)), which has digits left in the lower tail."""
    y = x * torch.sigmoid(2 * (2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3))
    torch.testing.assert_close(y, F.gelu(x, approximate="tanh"), rtol=1e-9, atol=1e-13)
    return y


def squareplus(x: torch.Tensor, b: float) -> torch.Tensor:
    """(x + sqrt(x^2 + b)) / 2, extended where it cancels."""
    root = (x * x + b).sqrt()
    return torch.where(x > 0, (x + root) / 2, b / 2 / (root - x))


ELEMENTWISE = {
    "linear": lambda x: x * 1,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": lambda x: F.relu6(x + 3) / 6,  # F.hardsigmoid's slope is a float32 1/6
    "tanh": torch.tanh,
    "relu": F.relu,
    "relu(negative_slope=0.3)": lambda x: F.leaky_relu(x, 0.3),
    "relu(negative_slope=0.1, max_value=5.0, threshold=1.5)": relu_full,
    "relu6": F.relu6,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "leaky_relu(negative_slope=0.01)": lambda x: F.leaky_relu(x, 0.01),
    "elu": F.elu,
    "elu(alpha=0.5)": lambda x: F.elu(x, 0.5),
    "selu": F.selu,
    "celu": F.celu,
    "celu(alpha=2.0)": lambda x: F.celu(x, 2.0),
    # x * Phi(x) through erfc: torch's own form, 1 + erf, has no digits left in the lower tail.
    "gelu": lambda x: 0.5 * x * torch.special.erfc(-x / 2**0.5),
    "gelu(approximate=True)": gelu_tanh,
    "gelu_tanh": gelu_tanh,
    "silu": F.silu,
    "hard_silu": F.hardswish,
    "mish": F.mish,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "relu2": lambda x: F.relu(x) ** 2,
    "squareplus": lambda x: squareplus(x, 4),
    "squareplus(b=0.25)": lambda x: squareplus(x, 0.25),
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
    "threshold(threshold=1.5, default_value=-2.0)": lambda x: F.threshold(x, 1.5, -2.0),
}
VECTOR = {
    "softmax": lambda x: F.softmax(x, -1),
    "softmax(axis=0)": lambda x: F.softmax(x, 0),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "glu": lambda x: F.glu(x, -1),
    "glu(axis=0)": lambda x: F.glu(x, 0),
}


def main() -> None:
    points = torch.tensor(np.float32(POINTS), dtype=torch.float64)
    rows = torch.tensor(ROWS, dtype=torch.float64)
    arrays = {"points": points.numpy(), "rows": rows.numpy()}
    for name, function in {**ELEMENTWISE, **VECTOR}.items():
        x = (rows if name in VECTOR else points).clone().requires_grad_()
        y = function(x)
        # A weight per output, so that a vector's whole Jacobian is seen.
        weight = torch.linspace(1, 2, y.numel(), dtype=torch.float64).reshape(y.shape)
        (slope,) = torch.autograd.grad((y * weight).sum() if name in VECTOR else y.sum(), x)
        arrays[f"{name}/value"], arrays[f"{name}/slope"] = y.detach().numpy(), slope.numpy()
    np.savez_compressed(Path(__file__).with_name("activations.npz"), **arrays)


if __name__ == "__main__":
    main()
