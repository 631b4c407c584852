"""Writes layers_recurrent.npz: recurrent layers and Embedding in Keras and PyTorch.

    KERAS_BACKEND=torch python tests/golden/make_layers_recurrent.py

Needs torch and keras 3; the tests need neither. The form is that of make_layers.py; a case with
several outputs has `y0`, `y1`, ... and a cotangent for each. Cases called `masked_...` also have
`mask`, and those called `lengths_...` come from PyTorch's packed sequences. Layer normalisation
inside a cell is in neither library: it is written out here in PyTorch, step by step.
"""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras import layers
from torch.nn.functional import layer_norm
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

keras.config.set_floatx("float64")
ROWS, STEPS, IN, UNITS = 3, 5, 3, 2
X = ((STEPS, IN),)
H = (UNITS,)
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], bool)
LENGTHS = [3, 5, 1]
ALL = {"return_sequences": True, "return_state": True}

KERAS = {
    "lstm": (layers.LSTM(UNITS), X),
    "lstm_all": (layers.LSTM(UNITS, **ALL), X),
    "lstm_start": (layers.LSTM(UNITS, return_sequences=True), (*X, H, H)),
    "lstm_backwards": (layers.LSTM(UNITS, go_backwards=True, return_sequences=True), X),
    "lstm_no_bias": (layers.LSTM(UNITS, use_bias=False), X),
    "lstm_other_gates": (layers.LSTM(UNITS, "relu", "hard_sigmoid", return_sequences=True), X),
    "gru": (layers.GRU(UNITS), X),
    "gru_all": (layers.GRU(UNITS, **ALL), (*X, H)),
    "gru_no_bias": (layers.GRU(UNITS, use_bias=False, go_backwards=True), X),
    "gru_before": (layers.GRU(UNITS, reset_after=False, **ALL), (*X, H)),
    "gru_other_gates": (layers.GRU(UNITS, "softsign", "hard_sigmoid"), X),
    "simple_rnn": (layers.SimpleRNN(UNITS), X),
    "simple_rnn_all": (layers.SimpleRNN(UNITS, **ALL), (*X, H)),
    "simple_rnn_relu": (layers.SimpleRNN(UNITS, "relu", return_sequences=True), X),
    "rnn": (layers.RNN(layers.LSTMCell(UNITS), return_sequences=True), X),
    "rnn_stacked": (layers.RNN([layers.LSTMCell(UNITS), layers.GRUCell(4)]), X),
    "bidirectional": (layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True)), X),
    "bidirectional_sum": (layers.Bidirectional(layers.GRU(UNITS), merge_mode="sum"), X),
    "bidirectional_mul": (layers.Bidirectional(layers.GRU(UNITS), merge_mode="mul"), X),
    "bidirectional_ave": (
        layers.Bidirectional(layers.SimpleRNN(UNITS, **ALL), merge_mode="ave"),
        X,
    ),
    "bidirectional_none": (layers.Bidirectional(layers.LSTM(UNITS), merge_mode=None), X),
    "time_distributed": (layers.TimeDistributed(layers.Dense(4, activation="tanh")), ((2, 5, 3),)),
    "masked_lstm": (layers.LSTM(UNITS, **ALL), X),
    "masked_lstm_backwards": (layers.LSTM(UNITS, go_backwards=True, **ALL), X),
    "masked_gru": (layers.GRU(UNITS, **ALL), X),
    "masked_gru_before": (layers.GRU(UNITS, reset_after=False, **ALL), X),
    "masked_simple_rnn": (layers.SimpleRNN(UNITS, **ALL), X),
    "masked_bidirectional": (layers.Bidirectional(layers.GRU(UNITS, **ALL)), X),
}
PREFIXES = {
    "rnn": ["cell/"],
    "rnn_stacked": ["cell/cell_0/", "cell/cell_1/"],
    "time_distributed": ["layer/"],
    **{f"bidirectional{end}": ["forward/", "backward/"] for end in ("", "_sum", "_mul", "_none")},
    "bidirectional_ave": ["forward/", "backward/"],
    "masked_bidirectional": ["forward/", "backward/"],
}


def leaf(rng: np.random.Generator, *shape: int) -> torch.Tensor:
    return torch.tensor(rng.normal(size=shape), requires_grad=True)


def listed(y: object) -> list[torch.Tensor]:
    return list(y) if isinstance(y, list | tuple) else [y]


Params = dict[str, torch.Tensor]
Map = Callable[[Params, list[torch.Tensor]], object]


def record(name: str, params: Params, xs: list[torch.Tensor], f: Map) -> dict[str, np.ndarray]:
    """The outputs of f and the gradients of their sum with random cotangents."""
    ys = listed(f(params, xs))
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)
    cotangents = [torch.tensor(rng.normal(size=tuple(y.shape))) for y in ys]
    sum((y * c).sum() for y, c in zip(ys, cotangents, strict=True)).backward()
    end = (lambda i: "") if len(ys) == 1 else str
    arrays = {f"y{end(i)}": y for i, y in enumerate(ys)}
    arrays |= {f"cotangent{end(i)}": c for i, c in enumerate(cotangents)}
    for i, x in enumerate(xs):
        arrays |= {f"x{i}": x, f"grad/x{i}": x.grad}
    for key, value in params.items():
        arrays |= {f"param/{key}": value, f"grad/{key}": value.grad}
    return {f"{name}/{key}": value.detach().numpy() for key, value in arrays.items()}


def keras_case(name: str, layer: keras.Layer, shapes: tuple) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    xs = [leaf(rng, ROWS, *s) for s in shapes]
    more = {"mask": torch.tensor(MASK)} if name.startswith("masked") else {}

    def call() -> object:
        start = {"initial_state": xs[1:]} if len(xs) > 1 else {}
        return layer(xs[0], **start, **more)

    call()  # Keras makes its weights now
    weights = layer.trainable_weights
    prefixes = PREFIXES.get(name, [""])
    each = len(weights) // len(prefixes)
    params = {}
    for i, weight in enumerate(weights):
        weight.value.data = torch.as_tensor(rng.normal(size=weight.shape))
        weight.value.requires_grad_(True)
        params[prefixes[i // each] + weight.name] = weight.value
    found = record(name, params, xs, lambda p, xs: call())
    return found | ({f"{name}/mask": MASK} if more else {})


def cell_case(name: str, cell: keras.Layer, states: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    xs = [leaf(rng, ROWS, IN), *(leaf(rng, ROWS, UNITS) for _ in range(states))]
    cell.build((ROWS, IN))
    params = {}
    for weight in cell.trainable_weights:
        weight.value.data = torch.as_tensor(rng.normal(size=weight.shape))
        params[weight.name] = weight.value.requires_grad_(True)

    def step(p: Params, xs: list[torch.Tensor]) -> list[torch.Tensor]:
        y, new = cell(xs[0], list(xs[1:]))
        return [y, *new]

    return record(name, params, xs, step)


def packed_case(name: str, kind: str) -> dict[str, np.ndarray]:
    """PyTorch's own layers on sequences of different lengths."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    xs = [leaf(rng, ROWS, STEPS, IN)]
    lstm = kind == "lstm"
    layer = (torch.nn.LSTM if lstm else torch.nn.GRU)(IN, UNITS, batch_first=True).double()
    width = (4 if lstm else 3) * UNITS
    shapes = {"kernel": (IN, width), "recurrent_kernel": (UNITS, width), "bias": (2, width)}
    params = {key: leaf(rng, *shape) for key, shape in shapes.items()}
    if lstm:
        params["bias"] = leaf(rng, width)
    # PyTorch's gates are r, z, n where ours are z, r, h.
    order = [0, 1, 2, 3] if lstm else [1, 0, 2]
    columns = [i * UNITS + j for i in order for j in range(UNITS)]

    def run(p: Params, xs: list[torch.Tensor]) -> list[torch.Tensor]:
        bias = [p["bias"], 0 * p["bias"]] if lstm else [p["bias"][0], p["bias"][1]]
        own = {
            "weight_ih_l0": p["kernel"][:, columns].T,
            "weight_hh_l0": p["recurrent_kernel"][:, columns].T,
            "bias_ih_l0": bias[0][columns],
            "bias_hh_l0": bias[1][columns],
        }
        x = pack_padded_sequence(xs[0], LENGTHS, batch_first=True, enforce_sorted=False)
        y, last = torch.func.functional_call(layer, own, (x,))
        states = [s[0] for s in last] if lstm else [last[0]]
        return [pad_packed_sequence(y, batch_first=True)[0], *states]

    mask = np.arange(STEPS) < np.array(LENGTHS)[:, None]
    return record(name, params, xs, run) | {f"{name}/mask": mask}


def norm(x: torch.Tensor) -> torch.Tensor:
    return layer_norm(x, x.shape[-1:])


def lstm_norm(p: Params, h: torch.Tensor, c: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    z = norm(x @ p["kernel"]) * p["kernel_scale"] + p["bias"]
    z = z + norm(h @ p["recurrent_kernel"]) * p["recurrent_scale"]
    i, f, g, o = z.chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return [o.sigmoid() * (norm(c) * p["state_scale"] + p["state_shift"]).tanh(), c]


def gru_norm(p: Params, h: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    a = norm(x @ p["kernel"]) * p["kernel_scale"] + p["bias"][0]
    b = norm(h @ p["recurrent_kernel"]) * p["recurrent_scale"] + p["bias"][1]
    (az, ar, ah), (bz, br, bh) = a.chunk(3, -1), b.chunk(3, -1)
    z, r = (az + bz).sigmoid(), (ar + br).sigmoid()
    return [z * h + (1 - z) * (ah + r * bh).tanh()]


def simple_norm(p: Params, h: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    z = norm(x @ p["kernel"]) * p["kernel_scale"] + p["bias"]
    return [(z + norm(h @ p["recurrent_kernel"]) * p["recurrent_scale"]).tanh()]


def normalized_case(name: str, step: Callable, parts: int, states: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    units = 4  # of two numbers, layer normalisation would leave only the signs
    width = parts * units
    shapes = {"kernel": (IN, width), "recurrent_kernel": (units, width), "bias": (width,)}
    shapes |= {"kernel_scale": (width,), "recurrent_scale": (width,)}
    if parts == 3:
        shapes["bias"] = (2, width)
    if parts == 4:
        shapes |= {"state_scale": (units,), "state_shift": (units,)}
    params = {key: leaf(rng, *shape) for key, shape in shapes.items()}
    xs = [leaf(rng, ROWS, STEPS, IN)] + [leaf(rng, ROWS, units) for _ in range(states)]

    def run(p: Params, xs: list[torch.Tensor]) -> torch.Tensor:
        now, ys = xs[1:], []
        for t in range(STEPS):
            now = step(p, *now, xs[0][:, t])
            ys.append(now[0])
        return torch.stack(ys, 1)

    return record(name, params, xs, run)


def embedding_case(name: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    ids = rng.integers(0, 5, size=(ROWS, STEPS))
    table = leaf(rng, 5, 3)
    y = torch.nn.functional.embedding(torch.tensor(ids), table)
    cotangent = torch.tensor(rng.normal(size=tuple(y.shape)))
    (y * cotangent).sum().backward()
    arrays = {"y": y, "cotangent": cotangent, "param/embeddings": table}
    found = {f"{name}/{k}": v.detach().numpy() for k, v in arrays.items()}
    return found | {f"{name}/x0": ids, f"{name}/grad/embeddings": table.grad.numpy()}


if __name__ == "__main__":
    golden = {}
    for name, (layer, shapes) in KERAS.items():
        golden |= keras_case(name, layer, shapes)
    golden |= cell_case("lstm_cell", layers.LSTMCell(UNITS), 2)
    golden |= cell_case("gru_cell", layers.GRUCell(UNITS), 1)
    golden |= cell_case("gru_cell_before", layers.GRUCell(UNITS, reset_after=False), 1)
    golden |= cell_case("simple_rnn_cell", layers.SimpleRNNCell(UNITS), 1)
    golden |= packed_case("lengths_lstm", "lstm") | packed_case("lengths_gru", "gru")
    golden |= normalized_case("lstm_norm", lstm_norm, 4, 2)
    golden |= normalized_case("gru_norm", gru_norm, 3, 1)
    golden |= normalized_case("simple_rnn_norm", simple_norm, 1, 1)
    golden |= embedding_case("embedding") | embedding_case("embedding_mask_zero")
    np.savez_compressed(Path(__file__).with_name("layers_recurrent.npz"), **golden)
