"""Losses of small networks in numpy, in float64, and their Hessians by finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fitwell.types import HostArray, Params


def flat(weights: Params) -> HostArray:
    """Layer by layer and weight by weight in the order of their names."""
    leaves = (weights[layer][name] for layer in sorted(weights) for name in sorted(weights[layer]))
    return np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in leaves])


def unflat(vector: HostArray, like: Params) -> Params:
    found: Params = {}
    for layer in sorted(like):
        found[layer] = {}
        for name in sorted(like[layer]):
            shape = np.shape(like[layer][name])
            count = int(np.prod(shape))
            found[layer][name], vector = vector[:count].reshape(shape), vector[count:]
    return found


def hessian(loss: Callable[[Params], float], weights: Params, step: float = 1e-4) -> HostArray:
    """d^2 L / dw_i dw_j by central differences: right to about 1e-7."""
    w = flat(weights)
    moves = step * np.eye(len(w))

    def at(move: HostArray) -> float:
        return loss(unflat(w + move, weights)) + loss(unflat(w - move, weights))

    alone, here = [at(move) for move in moves], at(0 * w)
    found = np.empty((len(w), len(w)))
    for i, first in enumerate(moves):
        for j, second in enumerate(moves[: i + 1]):
            value = (at(first + second) - alone[i] - alone[j] + here) / (2 * step**2)
            found[i, j] = found[j, i] = value
    return found


def cross_entropy(logits: HostArray, y: HostArray) -> HostArray:
    """Of each example: log(1 + e^z) - y z."""
    return np.logaddexp(0, logits) - y * logits


def dense(x: HostArray, weights: Params) -> HostArray:
    return x @ weights["kernel"] + weights["bias"]


def convolution(x: HostArray, weights: Params) -> HostArray:
    """2-D, "valid": x (batch, rows, columns, in), kernel (k, k, in, out)."""
    size = weights["kernel"].shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    return np.einsum("brcikl,klio->brco", windows, weights["kernel"]) + weights["bias"]


def recurrence(x: HostArray, weights: Params) -> HostArray:
    """h_t = tanh(x_t W + h_{t-1} U + b); the last h."""
    h = np.zeros((len(x), weights["bias"].shape[-1]))
    for t in range(x.shape[1]):
        inner = x[:, t] @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"]
        h = np.tanh(inner)
    return h
