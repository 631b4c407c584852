"""Stores how PyTorch trains a small network: run with torch==2.13.0 installed.

python tests/golden/make_training.py
"""

from pathlib import Path

import numpy as np
import torch

OUT = Path(__file__).with_name("training.npz")
ROWS, BATCH, EPOCHS = 50, 16, 3  # the last batch has 2 rows: its mean is over 2


def network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
    ).double()


def weights(net: torch.nn.Sequential) -> list[np.ndarray]:
    """Kernel (in, out), bias, kernel, bias: copies."""
    return [p.detach().numpy().T.copy() for p in net.parameters()]


def main() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(ROWS, 4)), rng.integers(0, 3, ROWS)
    stored = {"x": x, "y": y}
    optimizers = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-12),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, eps=1e-12, weight_decay=0.1),
    }
    for name, make in optimizers.items():
        net = network()
        stored.update({f"start{i}": w for i, w in enumerate(weights(net))})
        optimizer = make(net.parameters())
        losses = []
        for _ in range(EPOCHS):
            total = 0.0
            for i in range(0, ROWS, BATCH):
                xb, yb = torch.tensor(x[i : i + BATCH]), torch.tensor(y[i : i + BATCH])
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(net(xb), yb)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(xb)
            losses.append(total / ROWS)
        stored[f"{name}_loss"] = np.array(losses)
        stored.update({f"{name}_end{i}": w for i, w in enumerate(weights(net))})
    np.savez(OUT, **stored)


if __name__ == "__main__":
    main()
