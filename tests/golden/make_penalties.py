"""Writes penalties.npz: Keras' regularizers (value, gradient) and constraints (weight).

Run in an environment with keras 3 and torch==2.13.0 (not needed by the tests):
    python tests/golden/make_penalties.py
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras import constraints, regularizers

REGULARIZERS = {
    "L1()": regularizers.L1(),
    "L1(l1=0.3)": regularizers.L1(0.3),
    "L2()": regularizers.L2(),
    "L2(l2=0.3)": regularizers.L2(0.3),
    "L1L2(l1=0.2, l2=0.1)": regularizers.L1L2(0.2, 0.1),
    "OrthogonalRegularizer()": regularizers.OrthogonalRegularizer(),
    "OrthogonalRegularizer(factor=0.5, mode='columns')": regularizers.OrthogonalRegularizer(
        0.5, "columns"
    ),
}
CONSTRAINTS = {
    "MaxNorm()": constraints.MaxNorm(),
    "MaxNorm(max_value=0.7, axis=1)": constraints.MaxNorm(0.7, 1),
    "NonNeg()": constraints.NonNeg(),
    "UnitNorm()": constraints.UnitNorm(),
    "UnitNorm(axis=(0, 1))": constraints.UnitNorm((0, 1)),
    "MinMaxNorm()": constraints.MinMaxNorm(),
    "MinMaxNorm(min_value=1.5, max_value=2.0, rate=0.25, axis=1)": constraints.MinMaxNorm(
        1.5, 2.0, 0.25, 1
    ),
}


def main() -> None:
    keras.config.set_floatx("float64")
    weight = np.random.default_rng(0).normal(size=(4, 5)).round(3)
    weight[:, 3] = 0  # a dead unit
    weight[0, 0] = 0
    arrays = {"weight": weight}
    for name, regularizer in REGULARIZERS.items():
        w = torch.tensor(weight, requires_grad=True)
        value = regularizer(w)
        value.backward()
        arrays[f"{name}/value"], arrays[f"{name}/slope"] = value.detach().numpy(), w.grad.numpy()
    for name, constraint in CONSTRAINTS.items():
        arrays[f"{name}/weight"] = constraint(torch.tensor(weight)).numpy()
    np.savez_compressed(Path(__file__).with_name("penalties.npz"), **arrays)


if __name__ == "__main__":
    main()
