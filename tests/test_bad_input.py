"""Bad input, from every side: one message each, and the model stays what it was, bit for bit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from scipy.sparse import csr_matrix

import fitwell as fw
from fitwell.data.labels import target_column
from fitwell.data.tables import read_table
from fitwell.errors import (
    FitwellError,
    InvalidArgument,
    InvalidData,
    InvalidFile,
    NotReady,
    ShapeMismatch,
    UnknownArgument,
    UnknownName,
)
from fitwell.layers import Dense, Input

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype(np.float32)
Y = np.arange(20) % 3


def classifier() -> fw.Sequential:
    layers = [Dense(5, activation="tanh"), Dense(3, activation="softmax")]
    made = fw.Sequential([Input((4,), name="flowers"), *layers], seed=0)
    made.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


@pytest.fixture(scope="module")
def model() -> fw.Sequential:
    made = classifier()
    made.fit(X, Y, epochs=1)  # with a state of the optimizer that could be spoilt, too
    return made


def everything(model: fw.Model) -> list[bytes]:
    return [np.asarray(a).tobytes() for a in jax.tree.leaves(model.train_state._replace(key=()))]


Call = Callable[[Any], Any]
EMPTY = (
    "expected at least one example, received empty data. Check the file or the filter that made it."
)
TEXT = (
    "Look words up with StringLookup or TextVectorization, convert digits with astype('float32'), "
    "or train from the table with fitwell.tabular."
)
NOT_ARRAY = "Pass an array, a list or a frame."

BAD: dict[str, tuple[Call, type[FitwellError], str]] = {
    # Shapes
    "columns": (
        lambda m: m.fit(X[:, :3], Y),
        ShapeMismatch,
        "fit, layer flowers: expected x of shape (n, 4), received (20, 3). "
        "Change the data or the network's first layer.",
    ),
    "transposed": (
        lambda m: m.predict(X.T),
        ShapeMismatch,
        "predict, layer flowers: expected x of shape (n, 4), received (4, 20). "
        "The axes are in another order: transpose x.",
    ),
    "one example": (
        lambda m: m.predict(X[0]),
        ShapeMismatch,
        "predict, layer flowers: expected x of shape (n, 4), received (4,). "
        "This is one example: pass x[None], a batch of one.",
    ),
    "lengths": (
        lambda m: m.evaluate(X, Y[:5]),
        InvalidData,
        "evaluate: expected as many rows in every array, received x: 20, y of dense_1: 5. "
        "Each example needs one row in every array.",
    ),
    "no y": (
        lambda m: m.fit(X),
        ShapeMismatch,
        "fit, x as y (none was given): expected labels of shape (n,), received (20, 4). Each "
        "example needs one class index. No labels were passed: if there are any, pass (x, y).",
    ),
    "no y in validation_data": (
        lambda m: m.fit(X, Y, validation_data=X),
        ShapeMismatch,
        "validation_data, x as y (none was given): expected labels of shape (n,), received "
        "(20, 4). Each example needs one class index. No labels were passed: if there are any, "
        "pass (x, y).",
    ),
    "sparse": (
        lambda m: m.fit(csr_matrix(X), Y),
        InvalidData,
        "fit, x: expected a dense array, received a sparse matrix (csr_matrix). "
        "Pass x.toarray().",
    ),
    "weights' shape": (
        lambda m: m.fit(X, Y, sample_weight=np.ones((20, 2))),
        ShapeMismatch,
        "sample_weight: expected one number per example or per loss: shape (32,) or (32,), "
        "received shape (32, 2). Give sample_weight as many entries as there are examples.",
    ),
    # Labels
    "out of range": (
        lambda m: m.fit(X, Y + 1),
        InvalidData,
        "fit, y: expected class labels from 0 to 2 (the output has 3 units), "
        "received labels from 1 to 3. Labels begin at 0: subtract 1.",
    ),
    "NaN labels": (
        lambda m: m.fit(X, np.where(Y == 2, np.nan, Y)),
        InvalidData,
        "fit, y: expected finite labels, received NaN or infinity in 6 of 20 rows (first: row 2). "
        "Drop these rows or fill them.",
    ),
    "text labels": (
        lambda m: m.fit(X, ["a"] * 20),
        InvalidData,
        f"fit, y: expected numbers, received text (first value 'a'). {TEXT}",
    ),
    "validation labels": (
        lambda m: m.fit(X, Y, validation_data=(X, Y + 1)),
        InvalidData,
        "validation_data, y: expected class labels from 0 to 2 (the output has 3 units), "
        "received labels from 1 to 3. Labels begin at 0: subtract 1.",
    ),
    # Data
    "empty": (lambda m: m.fit(X[:0], Y[:0]), InvalidData, f"fit: {EMPTY}"),
    "empty lists": (lambda m: m.fit([], []), InvalidData, f"fit: {EMPTY}"),
    "empty evaluate": (lambda m: m.evaluate(X[:0], Y[:0]), InvalidData, f"evaluate: {EMPTY}"),
    "empty predict": (lambda m: m.predict(X[:0]), InvalidData, f"predict: {EMPTY}"),
    "no batches": (
        lambda m: m.evaluate(iter([])),
        InvalidData,
        "evaluate: expected an iterable with at least one batch, received none. "
        "Check the data loader.",
    ),
    "no batches to predict": (
        lambda m: m.predict(iter([])),
        InvalidData,
        "predict: expected at least one batch, received none. Check the data loader.",
    ),
    "objects": (
        lambda m: m.fit(np.array([["a", 1, 2, 3]] * 20, object), Y),
        InvalidData,
        f"fit, x: expected numbers, received text (first value 'a'). {TEXT}",
    ),
    "ragged": (
        lambda m: m.fit([[1, 2, 3, 4], [1, 2]], [0, 1]),
        InvalidData,
        "fit, x: expected rows of one length, received a ragged list (rows of different lengths). "
        "Pad the rows to one length.",
    ),
    "a path": (
        lambda m: m.fit("iris.csv"),
        InvalidData,
        f"fit, x: expected numbers, received text (first value 'iris.csv'). {TEXT}",
    ),
    "no array": (
        lambda m: m.predict(object()),
        InvalidData,
        f"predict, x: expected an array of numbers, received object. {NOT_ARRAY}",
    ),
    "no x": (
        lambda m: m.fit(),
        InvalidArgument,
        "fit: expected x, received None. Call fit(x, y).",
    ),
    # Names
    "loss": (
        lambda m: m.compile(loss="sparse_crossentropy"),
        UnknownName,
        "loss: expected a name it knows, received 'sparse_crossentropy'. "
        "Did you mean binary_crossentropy?",
    ),
    "metric": (
        lambda m: m.compile(metrics=["acuracy"]),
        UnknownName,
        "metric: expected a name it knows, received 'acuracy'. Did you mean accuracy?",
    ),
    "optimizer": (
        lambda m: m.compile("adm"),
        UnknownName,
        "optimizer: expected a name it knows, received 'adm'. Did you mean adam?",
    ),
    "activation": (
        lambda m: Dense(1, activation="rellu"),
        UnknownName,
        "activation: expected a name it knows, received 'rellu'. Did you mean relu?",
    ),
    "layer argument": (
        lambda m: Dense(1, activaton="relu"),
        UnknownArgument,
        "Dense: expected an argument it knows, received activaton='relu'. "
        "Did you mean activation?",
    ),
    "fit argument": (
        lambda m: m.fit(X, Y, epoch=3),
        UnknownArgument,
        "fit: expected an argument it knows, received epoch=3. Did you mean epochs?",
    ),
    "output name": (
        lambda m: m.fit(X, {"dense1": Y}),
        InvalidData,
        "fit, y: expected a dict with the names dense_1, received dense1. dense_1 is missing. "
        "Did you mean dense_1?",
    ),
    "name of weights": (
        lambda m: m.fit(X, Y, sample_weight={"dense": 1}),
        InvalidArgument,
        "fit, sample_weight: expected a dict by output name (dense_1), received the keys dense. "
        "Pass sample_weight={'dense_1': ...}.",
    ),
    # Arguments
    **{
        f"{name}={value!r}": (
            lambda m, name=name, value=value: m.fit(X, Y, **{name: value}),
            InvalidArgument,
            f"fit: expected {name} to be a whole number >= {least}, received {name}={value!r}. "
            f"Pass {name}={least} or more.",
        )
        for name, least, value in [
            ("epochs", 0, 2.5),
            ("batch_size", 1, 0),
            ("batch_size", 1, "all"),
            ("initial_epoch", 0, -1),
            ("steps_per_epoch", 1, 0),
            ("validation_steps", 1, 0),
            ("validation_freq", 1, 0),
        ]
    },
    "steps": (
        lambda m: m.evaluate(X, Y, steps=0),
        InvalidArgument,
        "evaluate: expected steps to be a whole number >= 1, received steps=0. Pass steps=1 or "
        "more.",
    ),
    "callbacks": (
        lambda m: m.fit(X, Y, callbacks=[3]),
        InvalidArgument,
        "fit: expected callbacks that are Callbacks, received 3. "
        "Derive it from fitwell.callbacks.Callback.",
    ),
    "weights beside batches": (
        lambda m: m.fit(iter([(X, Y)]), sample_weight=Y),
        InvalidArgument,
        "fit: expected x alone with an iterable of batches, received sample_weight as well. "
        "Let the iterable give (x, y, sample_weight), and pass validation_data.",
    ),
    # Files
    "a missing file": (
        lambda m: read_table(Path("nowhere") / "iris.csv"),
        InvalidFile,
        f"file {Path('nowhere') / 'iris.csv'}: expected a file that exists, "
        "received none of this name. The folder nowhere does not exist either.",
    ),
    "a missing target column": (
        lambda m: target_column(read_table("sklearn:iris"), "targt"),
        UnknownName,
        "table: expected the name of one of its columns, received 'targt'. Did you mean target?",
    ),
    "a file without a table": (
        lambda m: read_table(__file__),
        InvalidFile,
        f"file {__file__}: expected one of the endings .csv, .tsv, .tab, .txt, .parquet, .pq, "
        ".jsonl, .ndjson, .npz, received '.py'. Save or export the table as CSV or Parquet.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_and_changes_nothing(model: fw.Sequential, name: str) -> None:
    call, kind, text = BAD[name]
    before = everything(model)
    compiled = model.optimizer, model.compiled()
    with pytest.raises(kind) as error:
        call(model)
    assert str(error.value) == text
    assert everything(model) == before
    assert (model.optimizer, model.compiled()) == compiled


def test_a_batch_refused_later_on_keeps_the_steps_before_it() -> None:
    broken, whole = classifier(), classifier()
    with pytest.raises(InvalidData, match="labels from 1 to 3"):
        broken.fit(iter([(X, Y)] * 40 + [(X, Y + 1)]))
    steps = int(broken.train_state.step)
    assert 0 < steps <= 40
    whole.fit(iter([(X, Y)] * steps))
    assert everything(broken) == everything(whole)


def test_a_model_whose_first_data_were_wrong_takes_the_right_ones() -> None:
    """Its input size is learnt from data: data that were refused have taught it nothing."""
    for wrong in ((X.T, Y), (X[:, :3], Y + 1), (np.c_[X, Y], Y * 2)):
        unbuilt = fw.Sequential([Dense(3, activation="softmax")], seed=0)
        unbuilt.compile(loss="sparse_categorical_crossentropy")
        for refused in (unbuilt.fit, unbuilt.evaluate):
            with pytest.raises(InvalidData):
                refused(*wrong)
            with pytest.raises(InvalidData):
                refused(iter([wrong]))
        assert not unbuilt.built
        unbuilt.fit(X, Y)
        assert unbuilt.network.input_shapes == [((4,), "float32")]


def test_calls_that_come_too_early() -> None:
    raw = fw.Sequential([Dense(1)])
    with pytest.raises(NotReady, match=re.escape('Call model.compile(loss="...") first.')):
        raw.fit(X, Y)
    with pytest.raises(NotReady, match=re.escape('Call model.compile(loss="...") first.')):
        raw.evaluate(X, Y)
    with pytest.raises(NotReady, match="expected a network whose input shape is known"):
        raw.summary()


def test_numbers_without_a_batch_axis_say_how_to_give_them_one() -> None:
    raw = fw.Sequential([Dense(1)])
    raw.compile(loss="mse")
    with pytest.raises(
        ShapeMismatch, match=r"^layer 1 of 1, dense \(Dense\) .* Put Reshape\(\(1,\)\) before it\."
    ):
        raw.fit(X[:, 0], Y)
