"""Layers that `layers.py` measures: each row makes the same work for fitwell and for PyTorch."""

from layer_rows import convolving, networks, normalizing, reshaping, sequences
from layer_rows.row import Row, Torch

ROWS: dict[str, Row] = {
    **networks.ROWS,
    **convolving.ROWS,
    **reshaping.ROWS,
    **normalizing.ROWS,
    **sequences.ROWS,
}

__all__ = ["ROWS", "Row", "Torch"]
