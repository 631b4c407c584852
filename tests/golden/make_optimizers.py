"""Trajectories of Keras' and PyTorch's optimizers on a small problem, for tests/test_optimizers.py.

Loss at step t: sum of (w - target_t)^2 / 2 over all weights, so the gradient is w - target_t.
Everything is float64. Run with Keras 3 and PyTorch installed:

    python tests/golden/make_optimizers.py
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
import torch

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")

STEPS = 12
SHAPES = {
    "dense/kernel": (3, 4),
    "dense/bias": (4,),
    "conv/kernel": (2, 2, 3, 2),
    "embedding/embeddings": (5, 3),
    "out/kernel": (4, 2),
}

# class, arguments: the same for Keras and fitwell
KERAS = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.05}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.3}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 0.7}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 1.5}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.5, "gradient_accumulation_steps": 3}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.1}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0}),
    ("RMSprop", {"learning_rate": 0.05}),
    ("RMSprop", {"learning_rate": 0.05, "rho": 0.8, "momentum": 0.9}),
    ("RMSprop", {"learning_rate": 0.05, "centered": True}),
    ("RMSprop", {"learning_rate": 0.05, "centered": True, "momentum": 0.5, "epsilon": 1e-3}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adadelta", {"learning_rate": 0.5, "rho": 0.9, "epsilon": 1e-4}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    ("Adam", {"learning_rate": 0.1, "beta_2": 0.5, "amsgrad": True}),
    ("Adam", {"learning_rate": 0.1, "weight_decay": 0.1, "clipnorm": 0.5}),
    ("Adam", {"learning_rate": 0.1, "gradient_accumulation_steps": 4}),
    ("Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    (
        "Adam",
        {
            "learning_rate": 0.1,
            "use_ema": True,
            "ema_momentum": 0.8,
            "ema_overwrite_frequency": 3,
        },
    ),
    ("AdamW", {"learning_rate": 0.1}),
    ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.2}),
    ("Adamax", {"learning_rate": 0.1}),
    ("Adamax", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.6, "epsilon": 1e-2}),
    ("Nadam", {"learning_rate": 0.1}),
    ("Nadam", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.9}),
    ("Lion", {"learning_rate": 0.05}),
    ("Lion", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.8, "weight_decay": 0.1}),
    ("Lamb", {"learning_rate": 0.1}),
    ("Lamb", {"learning_rate": 0.1, "beta_1": 0.6, "weight_decay": 0.1}),
    ("Adafactor", {"learning_rate": 0.5}),
    ("Adafactor", {"learning_rate": 0.1, "beta_2_decay": -0.5, "clip_threshold": 0.4}),
    ("Muon", {"learning_rate": 0.05}),
    ("Muon", {"learning_rate": 0.05, "exclude_layers": ["out"], "nesterov": False}),
    (
        "Muon",
        {
            "learning_rate": 0.05,
            "exclude_embeddings": False,
            "rms_rate": None,
            "ns_steps": 3,
            "adam_lr_ratio": 0.5,
            "adam_weight_decay": None,
            "momentum": 0.8,
        },
    ),
]

# fitwell's class and arguments, PyTorch's class and arguments. PyTorch adds epsilon to the root
# where Keras adds it below the root, or to the root of an average that is still biased; an epsilon
# of 1e-16 makes them one. Its NAdam counts with 0.96 ** (0.004 t) unless told otherwise.
TINY = 1e-16
TORCH = [
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}, "SGD", {"lr": 0.1, "momentum": 0.9}),
    (
        "SGD",
        {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    (
        "Adagrad",
        {"learning_rate": 0.1, "epsilon": TINY},
        "Adagrad",
        {"lr": 0.1, "eps": TINY},
    ),
    (
        "RMSprop",
        {"learning_rate": 0.05, "rho": 0.8, "momentum": 0.9, "centered": True, "epsilon": TINY},
        "RMSprop",
        {"lr": 0.05, "alpha": 0.8, "momentum": 0.9, "centered": True, "eps": TINY},
    ),
    (
        "Adadelta",
        {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6},
        "Adadelta",
        {"lr": 1.0, "rho": 0.9, "eps": 1e-6},
    ),
    ("Adam", {"learning_rate": 0.1, "epsilon": TINY}, "Adam", {"lr": 0.1, "eps": TINY}),
    (
        "AdamW",
        {"learning_rate": 0.1, "weight_decay": 0.2, "epsilon": TINY},
        "AdamW",
        {"lr": 0.1, "weight_decay": 0.2, "eps": TINY},
    ),
    ("Adamax", {"learning_rate": 0.1, "epsilon": TINY}, "Adamax", {"lr": 0.1, "eps": TINY}),
    (
        "Nadam",
        {"learning_rate": 0.1, "epsilon": TINY},
        "NAdam",
        {"lr": 0.1, "eps": TINY, "momentum_decay": 1.0},
    ),
]


def problem():
    random = np.random.default_rng(7)
    start = {name: random.normal(size=shape) for name, shape in SHAPES.items()}
    targets = {name: random.normal(size=(STEPS, *shape)) for name, shape in SHAPES.items()}
    return start, targets


def run_keras(kind, arguments, start, targets):
    variables = {}
    for name, value in start.items():
        layer, weight = name.split("/")
        with keras.name_scope(layer):
            variables[name] = keras.Variable(value, name=weight, dtype="float64")
    optimizer = getattr(keras.optimizers, kind)(**arguments)
    optimizer.build(list(variables.values()))
    path = {name: [] for name in start}
    for step in range(STEPS):
        grads = [variables[name].value - targets[name][step] for name in variables]
        optimizer.apply(grads)
        for name, variable in variables.items():
            path[name].append(np.array(variable.value))
    optimizer.finalize_variable_values(list(variables.values()))
    final = {name: np.array(variable.value) for name, variable in variables.items()}
    return path, final


def run_torch(kind, arguments, start, targets):
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    optimizer = getattr(torch.optim, kind)(tensors.values(), **arguments)
    path = {name: [] for name in start}
    for step in range(STEPS):
        for name, tensor in tensors.items():
            tensor.grad = tensor.detach() - torch.tensor(targets[name][step])
        optimizer.step()
        for name, tensor in tensors.items():
            path[name].append(tensor.detach().numpy().copy())
    return path, {name: values[-1] for name, values in path.items()}


def main():
    start, targets = problem()
    arrays = {f"start:{name}": value for name, value in start.items()}
    arrays |= {f"targets:{name}": value for name, value in targets.items()}
    cases = [("keras", kind, arguments, kind, arguments) for kind, arguments in KERAS]
    cases += [("torch", *case) for case in TORCH]
    for number, (library, _, _, kind, arguments) in enumerate(cases):
        run = run_keras if library == "keras" else run_torch
        path, final = run(kind, arguments, start, targets)
        for name in start:
            arrays[f"{number}:path:{name}"] = np.stack(path[name])
            arrays[f"{number}:final:{name}"] = final[name]
    table = [[library, kind, arguments] for library, kind, arguments, *_ in cases]
    arrays["cases"] = np.array(json.dumps(table))
    np.savez_compressed(Path(__file__).with_name("optimizers.npz"), **arrays)
    print(f"keras {keras.__version__}, torch {torch.__version__}: {len(cases)} cases")


if __name__ == "__main__":
    main()
