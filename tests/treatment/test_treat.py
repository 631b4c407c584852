"""`treat` on data whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.doctor.cures import EVIDENT
from fitwell.errors import FitwellError
from fitwell.treatment.examining import as_told
from fitwell.treatment.scoring import Data, Rows
from fitwell.treatment.treated import UNTRIED, Row, Score, Treated
from fitwell.treatment.trials import Trial, better

RNG = np.random.default_rng(0)
RAW = RNG.uniform(0, 2000, (80, 3)).astype(np.float32)
LINE = (RAW @ [0.5, -2.0, 0.1] + 4000).astype(np.float32)  # R2 of a linear model is 1


def test_a_linear_regression_on_raw_data() -> None:
    model = fw.Sequential([L.Dense(1)], seed=0)
    model.compile(fw.optimizers.SGD(0.01), loss="mse")
    treated = fw.treat(model, RAW, LINE, budget="60s", epochs=20, batch_size=16)
    predicted = treated.model.predict(RAW, verbose=0)[:, 0]
    assert 1 - ((predicted - LINE) ** 2).mean() / LINE.var() > 0.99  # raw in, raw out
    assert (treated.score.name, treated.reason) == ("R2", "")
    assert treated.score.before is not None
    assert treated.score.before < 0.1
    assert "scale the inputs inside the model" in treated.cures
    kept = treated.table.filter(treated.table["kept"])
    assert kept["cure"].to_list() == treated.cures
    inputs = treated.table.row(by_predicate=pl.col("cure") == "scale the inputs inside the model")
    assert inputs[2] < inputs[3]  # without it, with it
    assert "R2" in repr(treated)
    assert treated.seconds < 60 + 20  # a trial that compiles is not interrupted
    assert model.history is None  # as it was
    assert len(model.layers) == 1

    names: dict[str, Any] = {"X": RAW, "y": LINE}
    exec(treated.code, names)  # the program gives that network
    assert [v.name for v in names["model"].layers] == [v.name for v in treated.model.layers]


def test_that_there_was_no_time_is_said_once() -> None:
    """Two cures that were never left out alone, one that was."""
    model = fw.Sequential([L.Input((2,)), L.Dense(1)], seed=0)
    model.compile("adam", loss="mse")
    whole = Data(rows := Rows((("x",), ("y",)), (RAW[:, :2],), (LINE,), (None,)), None, rows, False)
    rows_of = [
        Row(EVIDENT[0], 0.25, 0.5, 0.1, True, "better"),
        *(Row(cure, None, 0.5, 0.0, True, UNTRIED) for cure in EVIDENT[1:3]),
    ]
    score = Score("R2", 0.25, 0.5, "all rows")
    found = Treated(model, as_told("treat", model, whole), rows_of, score, "", 20.0)
    _, first, *rest, last = repr(found).splitlines()
    assert first.endswith("0.250 -> 0.500  better")
    assert rest == [f"  + {cure.name}" for cure in EVIDENT[1:3]]
    assert last == (
        "  without numbers: kept with the others, there was no time to leave each out alone"
    )
    assert found._repr_html_().count("no time") == 1
    assert found.table["why"].to_list()[1:] == [UNTRIED] * 2


def test_labels_that_fit_refuses() -> None:
    x = RNG.normal(size=(90, 2)).astype(np.float32)
    y = np.digitize(x[:, 0], [-0.5, 0.5])  # 0, 1, 2
    model = fw.Sequential([L.Dense(16, activation="relu"), L.Dense(1, activation="sigmoid")])
    model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
    treated = fw.treat(model, x, y, (x, y), budget="30s", epochs=40)
    assert treated.score.before is None
    assert treated.score.after > 0.9
    assert treated.model.output_shape == (None, 3)
    assert treated.table["why"][0] == "without it fit refuses"


def test_labels_without_signal_get_no_proposal() -> None:
    x, y = RNG.normal(size=(200, 5)), RNG.integers(0, 2, 200)
    model = fw.Sequential([L.Dense(16, activation="relu"), L.Dense(1, activation="softmax")])
    model.compile("adam", loss="binary_crossentropy")
    treated = fw.treat(model, x, y, budget="15s", epochs=10)
    assert treated.cures == []
    assert "constant" in treated.reason


def test_a_healthy_model_is_left_as_it_is() -> None:
    x = RNG.normal(size=(200, 2)).astype(np.float32)
    model = fw.Sequential([L.Dense(1, activation="sigmoid")], seed=0)
    model.compile(fw.optimizers.Adam(0.01), loss="binary_crossentropy")
    treated = fw.treat(model, x, x.sum(1) > 0, budget="10s", epochs=200)
    assert treated.cures == []
    assert "as it is" in treated.reason
    assert treated.model.predict(x, verbose=0).shape == (200, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RAW, None), "treat: expected y as an array, received None. Pass arrays."),
        ((RAW, LINE, None, "soon"), "treat: expected a positive budget, received budget='soon'"),
        ((RAW, LINE[:5]), "treat"),
    ],
)
def test_errors_have_four_parts(arguments: Any, message: str) -> None:
    model = fw.Sequential([L.Dense(1)])
    model.compile("sgd", loss="mse")
    with pytest.raises(FitwellError) as caught:
        fw.treat(model, *arguments)
    assert str(caught.value).startswith(message)
    assert all((caught.value.expected, caught.value.received, caught.value.cure))


def test_a_model_that_was_not_compiled() -> None:
    with pytest.raises(FitwellError, match="compile"):
        fw.treat(fw.Sequential([L.Dense(1)]), RAW, LINE)


def trial(*skills: float) -> Trial:
    setup: Any = None
    return Trial(setup, skills, 0.0, (), 1.0, 1.0)


@pytest.mark.parametrize(
    ("new", "old", "helps"),
    [
        ((0.9, 0.92, 0.91), (0.5, 0.52, 0.51), True),  # far beyond the standard error
        ((0.9, 0.5, 0.7), (0.6, 0.8, 0.5), False),  # 0.07 +- 0.15
        ((0.9, 0.3, 0.6, 0.5), (0.8, 0.2, 0.5, 0.4), True),  # 0.1 +- 0.25, from every start
        ((0.9, 0.3, 0.6), (0.8, 0.2, 0.5), False),  # three starts agree by chance
        ((0.98, 0.97), (0.88, 0.1), True),  # the worst is better than the best was
        ((0.505,) * 4, (0.5,) * 4, False),  # less than one of 100 examples
    ],
)
def test_what_counts_as_better(new: Any, old: Any, helps: bool) -> None:
    assert bool(better(trial(*new), trial(*old), 100)) is helps
