"""Rows of the contract table: recurrent layers, masking and embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell import layers

from .table import row

U = 2
ALL: dict[str, Any] = {"return_sequences": True, "return_state": True}
X = (5, 3)
H = (U,)


def two_cells(p: Any, xs: Any) -> Any:
    """Two SimpleRNNCells, one upon the other, for one step."""
    x, h1, h2 = (np.asarray(each, np.float64) for each in xs)
    h1 = np.tanh(x @ p["cell_0"]["kernel"] + h1 @ p["cell_0"]["recurrent_kernel"])
    h2 = np.tanh(h1 @ p["cell_1"]["kernel"] + h2 @ p["cell_1"]["recurrent_kernel"])
    return [h2, h1, h2]


PAIR = [layers.SimpleRNNCell(2, use_bias=False), layers.SimpleRNNCell(4, use_bias=False)]

ROWS = [
    row("lstm", layers.LSTM(U), X),
    row("lstm_all", layers.LSTM(U, **ALL), X),
    row("lstm_start", layers.LSTM(U, return_sequences=True), X, H, H),
    row("lstm_backwards", layers.LSTM(U, go_backwards=True, return_sequences=True), X),
    row("lstm_no_bias", layers.LSTM(U, use_bias=False), X),
    row(
        "lstm_other_gates",
        layers.LSTM(U, "relu", "hard_sigmoid", return_sequences=True),
        X,
        dtype="float64",
    ),
    row("lstm_norm", layers.LSTM(4, return_sequences=True, layer_norm=True), X, (4,), (4,)),
    row("gru", layers.GRU(U), X),
    row("gru_all", layers.GRU(U, **ALL), X, H),
    row("gru_no_bias", layers.GRU(U, use_bias=False, go_backwards=True), X),
    row("gru_before", layers.GRU(U, reset_after=False, **ALL), X, H),
    row("gru_other_gates", layers.GRU(U, "softsign", "hard_sigmoid"), X),
    row("gru_norm", layers.GRU(4, return_sequences=True, layer_norm=True), X, (4,)),
    row("simple_rnn", layers.SimpleRNN(U), X),
    row("simple_rnn_all", layers.SimpleRNN(U, **ALL), X, H),
    row("simple_rnn_relu", layers.SimpleRNN(U, "relu", return_sequences=True), X),
    row("simple_rnn_norm", layers.SimpleRNN(4, return_sequences=True, layer_norm=True), X, (4,)),
    row("lstm_cell", layers.LSTMCell(U), (3,), H, H),
    row("gru_cell", layers.GRUCell(U), (3,), H),
    row("gru_cell_before", layers.GRUCell(U, reset_after=False), (3,), H),
    row("simple_rnn_cell", layers.SimpleRNNCell(U), (3,), H),
    row("stacked_cells", layers.StackedRNNCells(PAIR), (3,), (2,), (4,), formula=two_cells),
    row("rnn", layers.RNN(layers.LSTMCell(U), return_sequences=True), X),
    row("rnn_stacked", layers.RNN([layers.LSTMCell(U), layers.GRUCell(4)]), X),
    row("bidirectional", layers.Bidirectional(layers.LSTM(U, return_sequences=True)), X),
    row("bidirectional_sum", layers.Bidirectional(layers.GRU(U), merge_mode="sum"), X),
    row("bidirectional_mul", layers.Bidirectional(layers.GRU(U), merge_mode="mul"), X),
    row("bidirectional_ave", layers.Bidirectional(layers.SimpleRNN(U, **ALL), "ave"), X),
    row("bidirectional_none", layers.Bidirectional(layers.LSTM(U), merge_mode=None), X),
    row("time_distributed", layers.TimeDistributed(layers.Dense(4, "tanh")), (2, 5, 3)),
    row("masking", layers.Masking(), X, formula=lambda p, x: np.asarray(x)),
    row("embedding", layers.Embedding(5, 3), (5,), ids=5),
    row("embedding_mask_zero", layers.Embedding(5, 3, mask_zero=True), (5,), ids=5),
]
