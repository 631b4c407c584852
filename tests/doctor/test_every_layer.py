"""The doctor reads, and looks into, a network of every layer that there is."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from tests.layers import table
from tests.layers.table import Row

import fitwell as fw
from fitwell.doctor import reading, recurrence
from fitwell.examples import Examples
from fitwell.layers import Dense, Flatten, Input, InputLayer
from fitwell.layers.recurrent.cell import Cell
from fitwell.layerwise import layers_program
from fitwell.programs import optimizer_program

FAMILIES = sorted(path.stem for path in Path(table.__file__).parent.glob("rows_*.py"))
ROWS: list[Row] = [*table.ROWS]
for family in FAMILIES:
    ROWS += importlib.import_module(f"tests.layers.{family}").ROWS
FIRST = {type(row.layer).__name__: row for row in reversed(ROWS)}
READ = {
    name: row
    for name, row in FIRST.items()
    if not row.layer.on_host and row.layer.lender is None
    if not isinstance(row.layer, InputLayer | Cell)
}
"""A row of each class of layers that make numbers of numbers; cells run within an RNN."""
ROWS_OF_DATA = 8


def network(row: Row) -> fw.Model:
    """Inputs, the layer, one unit."""
    inputs = [Input(shape, dtype="int32" if row.ids else "float32") for shape in row.shapes]
    x: Any = row.layer(inputs if row.many else inputs[0])
    x = x[0] if isinstance(x, list) else x
    x = Flatten()(x) if len(x.example_shape) > 1 else x
    model = fw.Model(inputs, Dense(1)(x), seed=0)
    model.compile(fw.optimizers.SGD(0.1), "mse")
    return model


def data(row: Row) -> list[Any]:
    random = np.random.default_rng(0)
    sizes = [(ROWS_OF_DATA, *shape) for shape in row.shapes]
    if row.ids:
        return [random.integers(0, row.ids, size) for size in sizes]
    return [random.normal(size=size).astype(np.float32) for size in sizes]


@pytest.mark.parametrize("name", READ)
def test_a_layer_is_read_and_looked_into(name: str) -> None:
    """It is in the record if it has weights, and has a gradient if some of them learn."""
    row = READ[name]
    model = network(row)
    train, examples = model.train_state, Examples(model, "test")
    batch = examples.batch(data(row), np.zeros(ROWS_OF_DATA))
    batch = batch._replace(mask=np.ones(ROWS_OF_DATA, np.float32))
    learn, _ = model.network.split_trainable(train.params)
    own = model.network.nodes[len(row.shapes)].name

    layers = {one.name: one for one in reading.layers(model.network, train.params)}
    if train.params.get(own) and "activation" not in row.layer.__class__.__module__:
        assert layers[own].kind == name
    assert all(np.isfinite(one.gain) for one in layers.values())
    for one in reading.features(model.network, batch, None):
        assert one.rows == ROWS_OF_DATA
        assert not one.missing
    assert recurrence.padding(model.network, batch) is None

    program = optimizer_program(model.network.program(), model.optimizer.program())
    look = layers_program(model.network.program(), examples.objective, model.optimizer.program())
    given = train.params, train.state, jax.eval_shape(program, learn), batch, np.float32(0.1)
    _, facts = jax.eval_shape(look.call, *given)  # traced, and not compiled
    weights = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(learn.get(own, {})))
    assert ("gradient_norm" in facts.get(own, {})) == (weights > 0)
