"""Recurrent layers: cells, a cell over time, both directions, a layer at every step."""

from fitwell.layers.recurrent.bidirectional import Bidirectional
from fitwell.layers.recurrent.cell import Cell
from fitwell.layers.recurrent.distributed import TimeDistributed
from fitwell.layers.recurrent.gru import GRU, GRUCell
from fitwell.layers.recurrent.lstm import LSTM, LSTMCell
from fitwell.layers.recurrent.rnn import RNN, StackedRNNCells
from fitwell.layers.recurrent.simple import SimpleRNN, SimpleRNNCell

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "Cell",
    "GRUCell",
    "LSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "TimeDistributed",
]
