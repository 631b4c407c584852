"""Rates of Keras' and PyTorch's learning-rate schedules, for tests/test_schedules.py.

Everything is float64, but Keras' cosines, which it computes in float32. Run with Keras 3 and
PyTorch installed:

    python tests/golden/make_schedules.py
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

STEPS = 100

# class, arguments: the same for Keras and fitwell
KERAS = [
    ("ExponentialDecay", [0.1, 10, 0.9]),
    ("ExponentialDecay", [0.1, 10, 0.9, True]),
    ("InverseTimeDecay", [0.1, 7, 0.5]),
    ("InverseTimeDecay", [0.1, 7, 0.5, True]),
    ("PiecewiseConstantDecay", [[10, 20, 50], [1.0, 0.5, 0.1, 0.01]]),
    ("PiecewiseConstantDecay", [[3], [1.0, 0.5]]),
    ("PolynomialDecay", [0.1, 30]),
    ("PolynomialDecay", [0.1, 30, 0.01, 0.5]),
    ("PolynomialDecay", [0.1, 30, 0.01, 2.0, True]),
    ("CosineDecay", [0.1, 40]),
    ("CosineDecay", [0.1, 40, 0.2]),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.01,
            "decay_steps": 40,
            "alpha": 0.1,
            "warmup_target": 0.5,
            "warmup_steps": 15,
        },
    ),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.0, "decay_steps": 40, "warmup_target": 0.5, "warmup_steps": 15},
    ),
    ("CosineDecayRestarts", [0.1, 10]),
    ("CosineDecayRestarts", [0.1, 10, 1.5, 0.8, 0.1]),
    ("CosineDecayRestarts", [0.1, 10, 1.0, 0.5]),
]

# fitwell's class and arguments; a function of an optimizer that makes PyTorch's scheduler
ONE = [0.1, STEPS]
TORCH = [
    ("OneCycle", ONE, lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, STEPS)),
    (
        "OneCycle",
        [0.1, STEPS, 0.25, 10.0, 100.0],
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o, 0.1, STEPS, pct_start=0.25, div_factor=10.0, final_div_factor=100.0
        ),
    ),
    ("StepDecay", [0.1, 15], lambda o: torch.optim.lr_scheduler.StepLR(o, 15)),
    ("StepDecay", [0.1, 15, 0.5], lambda o: torch.optim.lr_scheduler.StepLR(o, 15, 0.5)),
    ("ConstantSchedule", [0.1], lambda o: torch.optim.lr_scheduler.ConstantLR(o, factor=1.0)),
]


def build_keras(kind, arguments):
    made = getattr(keras.optimizers.schedules, kind)
    schedule = made(**arguments) if isinstance(arguments, dict) else made(*arguments)
    return [float(schedule(np.float64(step))) for step in range(STEPS)]


def build_torch(make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = make(optimizer)
    found = []
    for step in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < STEPS - 1:
            scheduler.step()
    return found


def main():
    rows = [["keras", kind, arguments, build_keras(kind, arguments)] for kind, arguments in KERAS]
    rows += [["torch", kind, arguments, build_torch(make)] for kind, arguments, make in TORCH]
    lines = ",\n".join(json.dumps(row) for row in rows)
    Path(__file__).with_name("schedules.json").write_text(f"[\n{lines}\n]\n")
    print(f"keras {keras.__version__}, torch {torch.__version__}: {len(rows)} cases")


if __name__ == "__main__":
    main()
