"""Ids that a network reads as numbers: found, named and read as names or by bins."""

from __future__ import annotations

import numpy as np
import pytest
from tests.doctor.test_rules import FAILED, NUMBERS, change, record

import fitwell as fw
from fitwell.doctor import examining, reading, statistics
from fitwell.doctor.baselines import baselines, indicators
from fitwell.doctor.edits.features import binned, embedded, named
from fitwell.doctor.verdict import suspicions, verdict
from fitwell.examples import Examples
from fitwell.layers import Dense
from fitwell.treatment.asking import asked
from fitwell.treatment.examining import as_told, facts_of
from fitwell.treatment.scoring import divided, read

RANDOM = np.random.default_rng(0)
USERS, ITEMS = RANDOM.normal(size=40), RANDOM.normal(size=30)
PAIRS = np.c_[RANDOM.integers(0, 40, 600), RANDOM.integers(0, 30, 600)].astype(np.float32)
STARS = (USERS[PAIRS[:, 0].astype(int)] + ITEMS[PAIRS[:, 1].astype(int)])[:, None]
WORDS = RANDOM.integers(1, 90, size=(300, 12)).astype(np.float32)


def model() -> fw.Sequential:
    made = fw.Sequential([fw.Input((2,)), Dense(8, "relu"), Dense(1)], seed=0)
    made.compile(fw.optimizers.Adam(1e-3), loss="mse")
    return made


def test_a_linear_model_of_names_tells_what_one_of_numbers_does_not() -> None:
    plain, names = baselines(PAIRS, STARS, False), baselines(indicators(PAIRS), STARS, False)
    assert plain is not None
    assert names is not None
    assert max(plain.linear, plain.kernel) < 0.45  # of neighbours by chance
    assert names.linear > 0.5
    one = model()
    examples = Examples(one, "test")
    data = examples.batch(PAIRS, STARS)
    heads = reading.heads(one.network, examples.objective, data.y)
    subject = examining.subject(one.network, examples.objective, data, None, heads, None)
    found = subject.simple_models(0)
    assert found["named"] == found["linear"] > 0.3


def test_ids_are_named_where_they_tell_something_as_names() -> None:
    ids = change(FAILED, linear=0.6, kernel=0.5, named=0.6)
    found = verdict(record(heads=NUMBERS, run=ids))
    assert found.above().codes == ["unscaled_inputs"]
    assert "as names, not as quantities" in found[0].cause
    assert "reads whole numbers as names" in str(found[0].evidence[-1])
    assert "PiecewiseLinearEmbedding" in found[0].cure  # other columns may be no ids
    rows = statistics.features("x", WORDS, None)
    listed = verdict(record(rows, NUMBERS, run=ids))
    assert "Embedding(90, 16)" in listed[0].cure
    silent = change(ids, named=0.0)
    assert "unscaled_inputs" in verdict(record(rows, NUMBERS, run=silent)).codes
    for run in (silent, FAILED):  # of pixels, too, whole numbers may say nothing
        assert "unscaled_inputs" not in verdict(record(heads=NUMBERS, run=run)).codes


def test_rows_of_ids_are_told_from_pixels_and_from_tables() -> None:
    assert statistics.features("x", WORDS, None).listed
    smooth = np.cumsum(RANDOM.integers(-9, 10, size=(300, 12)), axis=1) + 120
    assert not statistics.features("x", smooth.astype(np.float32), None).listed
    assert not statistics.features("x", PAIRS, None).listed
    assert not statistics.features("x", RANDOM.normal(size=(300, 12)), None).listed


def test_cures_read_ids_as_names_and_numbers_by_bins() -> None:
    one = fw.Sequential([fw.Input((12,)), Dense(8, "relu"), Dense(1)], seed=0)
    one.compile(fw.optimizers.Adam(1e-3), loss="mse")
    data = divided(read("test", one, WORDS, WORDS[:, :1]), None)
    told = as_told("test", one, data)
    facts = facts_of(one, told, data)
    kinds = [type(n.layer).__name__ for n in embedded(told, facts).network.nodes]
    assert kinds == ["InputLayer", "Embedding", "Flatten", "Dense", "Dense"]
    assert embedded(told, facts).network.nodes[1].layer.input_dim == WORDS.max() + 1
    assert binned(told, facts) is None
    two = model()
    data = divided(read("test", two, PAIRS, STARS), None)
    told = as_told("test", two, data)
    facts = facts_of(two, told, data)
    assert embedded(told, facts) is None
    kinds = [type(n.layer).__name__ for n in binned(told, facts).network.nodes]
    assert kinds == ["InputLayer", "PiecewiseLinearEmbedding", "Dense", "Dense"]
    assert named(told, facts) is None
    case = asked("treat", two, PAIRS, STARS, None, 1, None, None)
    assert named(case.setup, case.facts) is not None  # ids tell more as names


def test_rows_of_few_values_meet_by_chance_and_are_no_leak() -> None:
    rows = np.c_[RANDOM.integers(0, 60, 3000), RANDOM.integers(0, 80, 3000)].astype(np.float32)
    new = np.c_[RANDOM.integers(0, 60, 500), RANDOM.integers(0, 80, 500)].astype(np.float32)
    found = statistics.features("x", rows, new)
    assert found.by_chance == pytest.approx(1 - (1 - 1 / 4800) ** 3000, rel=0.05)
    assert found.overlap == pytest.approx(found.by_chance, abs=0.05)
    codes = {one.finding.code for one in suspicions(record(found))}
    assert not codes & {"train_val_overlap", "duplicate_rows"}
    images = RANDOM.integers(0, 2, size=(300, 6, 6, 1)).astype(np.float32)  # black and white
    copied = statistics.features("x", images, images[:100])
    assert copied.by_chance < 1e-6  # 300 / 2^36
    assert "train_val_overlap" in {one.finding.code for one in suspicions(record(copied))}
    numbers = RANDOM.normal(size=(300, 2))
    leaky = statistics.features("x", numbers, numbers[:100])
    assert leaky.by_chance == 0
    assert "train_val_overlap" in {one.finding.code for one in suspicions(record(leaky))}
