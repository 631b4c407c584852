"""Writes losses.json: losses, their reductions and their gradients in Keras' and PyTorch's float64.

Run in an environment with keras==3.15.1, torch==2.13.0 and scikit-learn (not needed by the tests):
    python tests/golden/make_losses.py
"""

import json
import os
from functools import partial
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own habit
from sklearn.metrics import mean_pinball_loss

keras.config.set_floatx("float64")
# Without this, Keras' mean of float64 numbers is computed in float32.
keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum")
random = np.random.default_rng(7)
N, D, T = 5, 3, 4
WEIGHT = np.array([1.0, 0.5, 2.0, 0.0, 3.0])

z = random.normal(size=(N, D)) * 3
p = 1 / (1 + np.exp(-z))
labels = np.array([2, 0, 1, 1, 0])
one_hot = np.eye(D)[labels]
soft = random.dirichlet(np.ones(D), N)
sequence = random.normal(size=(N, T, D)) * 3
sequence_labels = random.integers(0, D, (N, T))
yes_no = random.integers(0, 2, (N, D)).astype(float)
real = random.normal(size=(N, D)) * 2
guess = real + random.normal(size=(N, D)) * 1.5
large = random.normal(size=(N, D)) * 40
positive, positive_guess = np.exp(random.normal(size=(2, N, D)))
counts = random.poisson(3, (N, D)).astype(float)
distribution = random.dirichlet(np.ones(D), N)


def t(x):
    return torch.tensor(x)


def label_smoothed_bce(y, x):
    return F.binary_cross_entropy_with_logits(x, 0.8 * y + 0.1, reduction="none").mean(-1)


def multiclass_hinge(y, x):
    """The largest of PyTorch's per-class margins; its scores must be positive to agree."""
    right = (y * x).sum(-1, keepdim=True)
    return torch.relu(1 + (x - 1e9 * y).max(-1).values - right[..., 0])


def focal(y, x):
    """Per class, from PyTorch's own cross-entropy and probabilities."""
    return -(0.25 * (1 - F.softmax(x, -1)) ** 2 * y * F.log_softmax(x, -1)).sum(-1)


# name: loss, its arguments, y_true, y_pred, PyTorch's value of each example (None: has none)
CASES = {
    "mse": (
        "MeanSquaredError", {}, real, guess,
        lambda y, x: F.mse_loss(x, y, reduction="none").mean(-1),
    ),
    "mse/column": ("MeanSquaredError", {}, real[:, 0], guess[:, :1], None),
    "mse/sequence": ("MeanSquaredError", {}, sequence, sequence * 0.5 + 1, None),
    "mae": (
        "MeanAbsoluteError", {}, real, guess,
        lambda y, x: F.l1_loss(x, y, reduction="none").mean(-1),
    ),
    "mape": ("MeanAbsolutePercentageError", {}, real, guess, None),
    "msle": (
        "MeanSquaredLogarithmicError", {}, positive, positive_guess,
        lambda y, x: ((1 + x).log() - (1 + y).log()).square().mean(-1),
    ),
    "huber": (
        "Huber", {}, real, guess,
        lambda y, x: F.huber_loss(x, y, reduction="none").mean(-1),
    ),
    "huber/delta": (
        "Huber", {"delta": 0.4}, real, guess,
        lambda y, x: F.huber_loss(x, y, reduction="none", delta=0.4).mean(-1),
    ),
    "log_cosh": ("LogCosh", {}, real, guess, lambda y, x: (x - y).cosh().log().mean(-1)),
    "log_cosh/large": ("LogCosh", {}, real, large, None),
    "cosine": (
        "CosineSimilarity", {}, real, guess, lambda y, x: -F.cosine_similarity(x, y, dim=-1)
    ),
    "cosine/axis": (
        "CosineSimilarity", {"axis": 1}, sequence, sequence[::-1].copy(),
        lambda y, x: -F.cosine_similarity(x, y, dim=1),
    ),
    "kl": (
        "KLDivergence", {}, soft, distribution,
        lambda y, x: F.kl_div(x.log(), y, reduction="none").sum(-1),
    ),
    "poisson": (
        "Poisson", {}, counts, positive_guess,
        lambda y, x: F.poisson_nll_loss(x, y, log_input=False, eps=1e-7, reduction="none").mean(-1),
    ),
    "hinge": (
        "Hinge", {}, 2 * yes_no - 1, real,
        lambda y, x: torch.relu(1 - y * x).mean(-1),
    ),
    "hinge/zeros": ("Hinge", {}, yes_no, real, None),
    "squared_hinge": (
        "SquaredHinge", {}, 2 * yes_no - 1, real,
        lambda y, x: torch.relu(1 - y * x).square().mean(-1),
    ),
    "squared_hinge/zeros": ("SquaredHinge", {}, yes_no, real, None),
    "categorical_hinge": ("CategoricalHinge", {}, one_hot, positive_guess, multiclass_hinge),
    "bce": (
        "BinaryCrossentropy", {}, yes_no, p,
        lambda y, x: F.binary_cross_entropy(x, y, reduction="none").mean(-1),
    ),
    "bce/saturated": ("BinaryCrossentropy", {}, yes_no, (p > 0.4).astype(float), None),
    "bce/logits": (
        "BinaryCrossentropy", {"from_logits": True}, yes_no, z,
        lambda y, x: F.binary_cross_entropy_with_logits(x, y, reduction="none").mean(-1),
    ),
    "bce/large logits": (
        "BinaryCrossentropy", {"from_logits": True}, yes_no, large * 250,
        lambda y, x: F.binary_cross_entropy_with_logits(x, y, reduction="none").mean(-1),
    ),
    "bce/smoothed": (
        "BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, yes_no, z,
        label_smoothed_bce,
    ),
    "bce/axis": ("BinaryCrossentropy", {"axis": 1}, np.tile(yes_no[:, None], (1, T, 1)),
                 1 / (1 + np.exp(-sequence / 3)), None),
    "cce": (
        "CategoricalCrossentropy", {}, one_hot, distribution,
        lambda y, x: F.cross_entropy(x.log(), y, reduction="none"),
    ),
    "cce/unnormalised": (
        "CategoricalCrossentropy", {}, soft, p,
        lambda y, x: F.cross_entropy(x.log(), y, reduction="none"),
    ),
    "cce/logits": (
        "CategoricalCrossentropy", {"from_logits": True}, soft, z,
        lambda y, x: F.cross_entropy(x, y, reduction="none"),
    ),
    "cce/large logits": (
        "CategoricalCrossentropy", {"from_logits": True}, one_hot, large * 250,
        lambda y, x: F.cross_entropy(x, y, reduction="none"),
    ),
    "cce/smoothed": (
        "CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.3}, one_hot, z,
        lambda y, x: F.cross_entropy(x, y, reduction="none", label_smoothing=0.3),
    ),
    "cce/axis": (
        "CategoricalCrossentropy", {"from_logits": True, "axis": 1},
        np.eye(T)[sequence_labels[:, :D]].transpose(0, 2, 1), sequence,
        lambda y, x: F.cross_entropy(x, y, reduction="none"),
    ),
    "sparse": (
        "SparseCategoricalCrossentropy", {}, labels, distribution,
        lambda y, x: F.cross_entropy(x.log(), y, reduction="none"),
    ),
    "sparse/column": ("SparseCategoricalCrossentropy", {}, labels[:, None], p, None),
    "sparse/logits": (
        "SparseCategoricalCrossentropy", {"from_logits": True}, labels, z,
        lambda y, x: F.cross_entropy(x, y, reduction="none"),
    ),
    "sparse/large logits": (
        "SparseCategoricalCrossentropy", {"from_logits": True}, labels, large * 250,
        lambda y, x: F.cross_entropy(x, y, reduction="none"),
    ),
    "sparse/sequence": (
        "SparseCategoricalCrossentropy", {"from_logits": True}, sequence_labels, sequence,
        lambda y, x: F.cross_entropy(x.movedim(-1, 1), y, reduction="none"),
    ),
    "sparse/ignored": (
        "SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, labels, z,
        lambda y, x: F.cross_entropy(x, y, reduction="none", ignore_index=1),
    ),
    "sparse/sequence ignored": (
        "SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": -1},
        np.where(sequence_labels == 1, -1, sequence_labels), sequence,
        lambda y, x: F.cross_entropy(x.movedim(-1, 1), y, reduction="none", ignore_index=-1),
    ),
    "binary_focal": ("BinaryFocalCrossentropy", {}, yes_no, p, None),
    "binary_focal/logits": (
        "BinaryFocalCrossentropy", {"from_logits": True, "gamma": 1.5}, yes_no, z, None
    ),
    "binary_focal/balanced": (
        "BinaryFocalCrossentropy",
        {"from_logits": True, "apply_class_balancing": True, "alpha": 0.3, "label_smoothing": 0.1},
        yes_no, z, None,
    ),
    "categorical_focal": ("CategoricalFocalCrossentropy", {}, one_hot, p, None),
    "categorical_focal/logits": (
        "CategoricalFocalCrossentropy", {"from_logits": True}, soft, z, focal
    ),
    "categorical_focal/alphas": (
        "CategoricalFocalCrossentropy",
        {"alpha": [0.1, 0.5, 2.0], "gamma": 0.5, "label_smoothing": 0.1, "from_logits": True},
        one_hot, z, None,
    ),
}  # fmt: skip
PINBALL = {
    "quantile": (0.5, real, guess),
    "quantile/high": (0.9, real, guess),
    "quantile/several": ([0.1, 0.5, 0.9], real, guess),
    "quantile/one target": ([0.1, 0.5, 0.9], real[:, :1], guess),
}


def keras_case(kind, arguments, y_true, y_pred, torch_value):
    make = partial(getattr(keras.losses, kind), dtype="float64")
    values = np.asarray(make(**arguments, reduction=None)(y_true, y_pred))
    weight = WEIGHT if values.ndim == 1 else np.outer(WEIGHT, np.linspace(0.5, 2, values.shape[1]))
    reduced, gradient = {}, {}
    for reduction in REDUCTIONS:
        loss = make(**arguments, reduction=reduction)
        weighted, slope = jax.value_and_grad(lambda x, f=loss: f(y_true, x, weight))(y_pred)
        reduced[reduction] = [float(loss(y_true, y_pred)), float(weighted)]
        if reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
            gradient[reduction] = slope.tolist()
    case = {"loss": kind, "arguments": arguments, "y_true": y_true, "y_pred": y_pred}
    case |= {"weight": weight, "values": values, "reduced": reduced, "gradient": gradient}
    if torch_value is not None:
        x = t(y_pred).requires_grad_()
        own = torch_value(t(y_true), x)
        own.sum().backward()
        case |= {"torch_values": own.detach().numpy(), "torch_gradient": x.grad.numpy()}
    return case


def pinball_case(q, y_true, y_pred):
    """Element by element with scikit-learn, and its own weighted mean."""
    qs, ys = np.broadcast_to(q, y_pred.shape), np.broadcast_to(y_true, y_pred.shape)
    each = [mean_pinball_loss([a], [b], alpha=c) for a, b, c in zip(*map(np.ravel, (ys, y_pred, qs)))]  # fmt: skip # noqa: B905, E501
    values = np.reshape(each, y_pred.shape).mean(-1)
    weighted = np.mean([
        mean_pinball_loss(ys[:, j], y_pred[:, j], sample_weight=WEIGHT, alpha=qs[0, j])
        for j in range(y_pred.shape[1])
    ])  # fmt: skip
    reduced = {"mean_with_sample_weight": [values.mean(), weighted]}
    arguments = {"quantile": q}
    return {"loss": "Quantile", "arguments": arguments, "y_true": y_true, "y_pred": y_pred,
            "weight": WEIGHT, "values": values, "reduced": reduced, "gradient": {}}  # fmt: skip


def main():
    cases = {name: keras_case(*case) for name, case in CASES.items()}
    cases |= {name: pinball_case(*case) for name, case in PINBALL.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(case, default=np.ndarray.tolist)}"
             for name, case in cases.items()]  # fmt: skip
    Path(__file__).with_name("losses.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
