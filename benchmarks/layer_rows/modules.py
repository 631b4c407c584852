"""What PyTorch has no module of, in its own operations. Imported where PyTorch is measured."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import rnn


class First(nn.Module):
    """The first of a module's outputs: of a recurrent one, all steps."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.module(x)[0]
        return y


class Last(First):
    """The last step of a module's first output."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, -1]


class Packed(nn.Module):
    """A recurrent module over sequences of different lengths, and zeros behind their ends."""

    def __init__(self, module: nn.Module, lengths: Any) -> None:
        super().__init__()
        self.module, self.lengths = module, torch.as_tensor(lengths)

    def forward(self, x: Tensor) -> Tensor:
        packed = rnn.pack_padded_sequence(x, self.lengths, batch_first=True, enforce_sorted=False)
        y, _ = self.module(packed)
        found: Tensor = rnn.pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])[0]
        return found


class SelfAttention(nn.Module):
    def __init__(self, module: nn.MultiheadAttention) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.module(x, x, x, need_weights=False)[0]
        return y


class CausalBlock(nn.Module):
    """x + attention(norm(x)), then x + dense(gelu(dense(norm(x)))); nobody looks ahead."""

    def __init__(self, width: int, heads: int, bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width, bias=bias) for _ in range(2)])
        self.project = nn.Linear(width, 3 * width, bias=bias)
        self.join = nn.Linear(width, width, bias=bias)
        self.wide = nn.Linear(width, 4 * width, bias=bias)
        self.narrow = nn.Linear(4 * width, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        batch, steps, width = x.shape
        parts = self.project(self.norms[0](x)).split(width, dim=2)
        q, k, v = (p.view(batch, steps, self.heads, -1).transpose(1, 2) for p in parts)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.join(y.transpose(1, 2).reshape(batch, steps, width))
        z: Tensor = x + self.narrow(functional.gelu(self.wide(self.norms[1](x))))
        return z


class LanguageModel(nn.Module):
    """Tokens and positions, causal blocks without biases, scores by the embeddings."""

    def __init__(self, vocabulary: int, context: int, width: int, *, heads: int, blocks: int):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(CausalBlock(width, heads, False) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.blocks(self.tokens(x) + self.positions.weight[: x.shape[1]])
        return functional.linear(self.norm(y), self.tokens.weight)


class Crop(nn.Module):
    """Without the first and last entry of each axis."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.rank = rank

    def forward(self, x: Tensor) -> Tensor:
        return x[(..., *[slice(1, -1)] * self.rank)]


class Local(nn.Module):
    """A kernel for every position: windows, and one batched product over the positions."""

    def __init__(self, shape: tuple[int, ...], filters: int, size: int, strides: int) -> None:
        super().__init__()
        *sizes, channels = shape
        self.size, self.strides = size, strides
        self.places = [(n - size) // strides + 1 for n in sizes]
        features, count = channels * size ** len(sizes), int(torch.tensor(self.places).prod())
        self.kernel = nn.Parameter(0.05 * torch.randn(count, features, filters))
        self.bias = nn.Parameter(torch.zeros(count, 1, filters))

    def forward(self, x: Tensor) -> Tensor:
        if len(self.places) == 1:
            windows = x.unfold(2, self.size, self.strides).permute(2, 0, 1, 3).flatten(2)
        else:
            windows = functional.unfold(x, self.size, stride=self.strides).permute(2, 0, 1)
        y = torch.baddbmm(self.bias, windows, self.kernel)
        return y.permute(1, 2, 0).unflatten(2, self.places)


class Residual(nn.Module):
    def __init__(self, channels: int, filters: int, strides: int) -> None:
        super().__init__()
        self.first = self._convolved(channels, filters, 3, strides)
        self.second = self._convolved(filters, filters, 3, 1)
        same = strides == 1 and channels == filters
        self.skip = nn.Identity() if same else self._convolved(channels, filters, 1, strides)

    def _convolved(self, channels: int, filters: int, size: int, strides: int) -> nn.Sequential:
        conv = nn.Conv2d(channels, filters, size, strides, size // 2, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(filters))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.skip(x) + self.second(functional.relu(self.first(x))))
