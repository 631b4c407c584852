"""The recipe: what follows from the number of rows, and what it makes of several targets."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import fitwell as fw
from fitwell.data.labels import Target
from fitwell.tabular.recipe import MEMBERS, default_network, described, members, plan, strength

ROWS = (1, 50, 455, 1000, 1200, 5000, 9999, 13_210, 50_000, 1_000_000)
NUMBER = Target("y", "regression")
CLASSES = Target("c", "multiclass", ("a", "b", "c"))


@pytest.mark.parametrize("rows", ROWS)
def test_batches_are_equal_and_give_every_member_as_many_rows(rows: int) -> None:
    found = plan(rows)
    batches = math.ceil(rows / found.batch_size)
    assert found.batch_size % MEMBERS == 0
    # The rest of a division: no more than what makes all batches a multiple of the members.
    assert batches * found.batch_size - rows < MEMBERS * batches
    assert found.steps(rows) == found.epochs * batches
    assert 16 <= found.epochs <= 128
    assert found.validation_freq * found.patience <= max(found.epochs, 4)


def test_the_length_can_be_chosen_and_the_best_epoch_is_always_looked_for() -> None:
    assert plan(500, epochs=1).validation_freq == 1
    assert plan(500, epochs=100_000).validation_freq == 5
    assert plan(500, epochs=7).epochs == 7


def test_more_rows_need_less_to_hold_them_back() -> None:
    for few, many in itertools.pairwise(strength(rows, 10) for rows in ROWS):
        assert few.bins <= many.bins
        assert few.dropout >= many.dropout
        assert few.smoothing >= many.smoothing
        assert few.weight_decay * few.learning_rate >= many.weight_decay * many.learning_rate
    # The first layer stays narrow however many features there are.
    assert [strength(500, features).units * features for features in (4, 64, 128)] == [64, 256, 256]


def test_weights_that_do_not_decay_and_one_output_for_each_target() -> None:
    network = default_network(5, [NUMBER, CLASSES], plan(455), 455, seed=0)
    assert [shape for shape, _ in network.network.output_shapes] == [(1,), (3,)]
    assert members(network) == MEMBERS
    assert described(network).startswith("8 members that share 2 x 256 relu, 2 bins of 5 features")
    assert network.optimizer is not None
    assert network.optimizer.exclude_from_weight_decay == ("bias", "scale")
    alone = fw.Sequential([fw.Input((5,)), fw.layers.Dense(1)], name="own")
    assert (members(alone), described(alone)) == (1, "own, 2 layers: 6 weights")


def test_categories_of_many_values_are_embedded_beside_the_bins() -> None:
    network = default_network(3, NUMBER, plan(455), 455, seed=0, categories=((1, 300),))
    assert "8 members" in described(network)
    assert network.output_shape == (None, 1)
    x = np.array([[0.5, 2 * 7 / 299 - 1, 0.0], [0.5, 2 * 8 / 299 - 1, 0.0]], np.float32)
    before = network.predict(x, verbose=0)
    (table,) = network["category_embedding"].get_weights()
    assert table.shape == (300, 8)
    table[7] += 5
    network["category_embedding"].set_weights([table])
    after = network.predict(x, verbose=0)
    assert abs(after[0] - before[0]) > 0.01
    assert after[1] == before[1]
