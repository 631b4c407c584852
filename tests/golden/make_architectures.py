"""Stores what PyTorch makes of small residual blocks: architectures.npz.

    python tests/golden/make_architectures.py      # needs torch

Weights are stored in the order of fitwell's `get_weights`: kernels as (rows, columns, in, out);
of a normalisation gamma, beta, mean, variance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn


def conv(ins: int, outs: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(ins, outs, size, stride, size // 2, bias=False)


def norm(channels: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(channels)
    for tensor in (layer.weight.data, layer.bias.data, layer.running_mean):
        tensor.copy_(torch.randn(channels) * 0.5 + 0.5)
    layer.running_var.copy_(torch.rand(channels) + 0.5)
    return layer


class Block(nn.Module):
    """A block of version 1 or 2, written from the papers' figures."""

    def __init__(self, kind: str, version: int, ins: int, channels: int, stride: int) -> None:
        super().__init__()
        self.version = version
        outs = channels if kind == "basic" else 4 * channels
        plan = (
            [(ins, channels, 3, stride), (channels, outs, 3, 1)]
            if kind == "basic"
            else [(ins, channels, 1, 1), (channels, channels, 3, stride), (channels, outs, 1, 1)]
        )
        self.convs = nn.ModuleList(conv(*each) for each in plan)
        before = [each[0] for each in plan]
        after = [each[1] for each in plan]
        self.norms = nn.ModuleList(norm(n) for n in (after if version == 1 else before))
        changes = stride > 1 or ins != outs
        self.shortcut = conv(ins, outs, 1, stride) if changes else None
        self.shortcut_norm = norm(outs) if changes and version == 1 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, short = x, x
        if self.version == 1:
            for i, (c, n) in enumerate(zip(self.convs, self.norms, strict=True)):
                y = n(c(y))
                if i < len(self.convs) - 1:
                    y = torch.relu(y)
            if self.shortcut is not None:
                short = self.shortcut_norm(self.shortcut(x))
            return torch.relu(y + short)
        for i, (c, n) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = torch.relu(n(y))
            if i == 0 and self.shortcut is not None:
                short = self.shortcut(y)
            y = c(y)
        return y + short


CASES = {
    "basic_1_stride": ("basic", 1, 3, 4, 2),
    "basic_1_same": ("basic", 1, 4, 4, 1),
    "bottleneck_1_stride": ("bottleneck", 1, 6, 2, 2),
    "basic_2_stride": ("basic", 2, 3, 4, 2),
    "bottleneck_2_same": ("bottleneck", 2, 8, 2, 1),
    "bottleneck_2_widen": ("bottleneck", 2, 4, 2, 1),
}


def flat(module: nn.Module) -> list[np.ndarray]:
    if isinstance(module, nn.Conv2d):
        return [module.weight.detach().numpy().transpose(2, 3, 1, 0)]
    parts = (module.weight, module.bias, module.running_mean, module.running_var)
    return [part.detach().numpy() for part in parts]


def main() -> None:
    torch.manual_seed(0)
    arrays: dict[str, np.ndarray] = {}
    for name, case in CASES.items():
        block = Block(*case).eval()
        x = torch.randn(2, case[2], 7, 6)
        arrays[f"{name}/x"] = x.numpy().transpose(0, 2, 3, 1)
        arrays[f"{name}/y"] = block(x).detach().numpy().transpose(0, 2, 3, 1)
        groups = {"conv": block.convs, "norm": block.norms}
        for kind, modules in groups.items():
            for i, module in enumerate(modules):
                for j, array in enumerate(flat(module)):
                    arrays[f"{name}/{kind}{i}/{j}"] = array
        if block.shortcut is not None:
            arrays[f"{name}/conv_short/0"] = flat(block.shortcut)[0]
        if block.shortcut_norm is not None:
            for j, array in enumerate(flat(block.shortcut_norm)):
                arrays[f"{name}/norm_short/{j}"] = array
    np.savez_compressed(Path(__file__).with_name("architectures.npz"), **arrays)


if __name__ == "__main__":
    main()
