"""finding.prove(): measured from the same starts; a cure that does not help is said to be none."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.doctor.clinic import ties, with_cures
from fitwell.examples import Examples
from fitwell.layers import Dense
from fitwell.treatment.scoring import Rows

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(256, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.float32)
FAR = X * np.array([1e4, 1.0, 1.0], np.float32) + 1e5


def fitted(x: Any, epochs: int = 10, rate: float = 0.01) -> tuple[fw.Sequential, fw.History]:
    model = fw.Sequential([Dense(8, "tanh"), Dense(1, "sigmoid")], seed=0)
    model.compile(fw.optimizers.Adam(rate), "binary_crossentropy")
    return model, model.fit(x, Y, epochs=epochs, verbose=0)


def test_scaled_inputs_help_from_every_start_and_all_fail_without() -> None:
    model, history = fitted(FAR, epochs=20)
    finding = history.findings[0]
    assert finding.code == "unscaled_inputs"
    assert finding.proof is None
    weights = model.get_weights()
    proof = finding.prove(budget="20s")
    assert proof.helps
    assert proof.cure == "scale the inputs inside the model"
    assert len(proof.before) == len(proof.after) == 5
    assert max(proof.before) < 0.7 < 0.85 < min(proof.after)
    assert proof.failing == 5
    assert "5 of 5 starts fail as it is: not bad luck" in repr(proof)
    accuracy = ((proof.model.predict(FAR, verbose=0)[:, 0] > 0.5) == Y).mean()
    assert accuracy > 0.85  # raw data go in
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    # From now on it is shown with the finding, in a log and in a notebook.
    assert finding.proof is proof
    assert proof.words in str(history.findings)
    assert "5 of 5 starts fail as it is" in history._repr_html_()
    assert "start 5" in proof._repr_html_()


def test_a_cure_that_does_not_help_is_said_to_be_none() -> None:
    """A network that learns, accused of what it has not."""
    model, _ = fitted(X, epochs=40, rate=0.02)
    data = Examples(model, "test").batch(X, Y)
    accused = fw.doctor.Finding("high_dropout", fw.doctor.Severity.WARNING, "cause", "cure")
    slow = fw.doctor.Finding("underfitting", fw.doctor.Severity.WARNING, "cause", "cure")
    none, found = with_cures(fw.doctor.Findings([accused, slow]), ties(model, data, None))
    with pytest.raises(fw.errors.NotReady, match="received one that is up to you"):
        none.prove()  # it has no dropout that could be less
    proof = found.prove("6s")
    assert not proof.helps
    assert proof.model is None
    assert "no clear gain" in proof.words
    assert f"as it is, none of {len(proof.before)} starts fails" in proof.words


def test_a_budget_that_is_no_time() -> None:
    finding = fitted(FAR, epochs=2)[1].findings[0]
    with pytest.raises(fw.errors.InvalidArgument) as caught:
        finding.prove("soon")
    assert str(caught.value) == (
        "finding.prove: expected a positive budget, received budget='soon'. "
        'Pass seconds, or "90s", "10m", "2h".'
    )


def test_findings_let_go_of_data_and_model() -> None:
    model, history = fitted(FAR, epochs=2)
    finding, gone = history.findings[0], weakref.ref(model)
    text = str(history.findings)
    history.clear()
    del model
    gc.collect()
    assert gone() is None
    assert str(history.findings) == text
    with pytest.raises(fw.errors.NotReady, match="model and data were let go"):
        finding.apply()


def test_of_large_data_a_sample_is_held() -> None:
    model, _ = fitted(X, epochs=1)
    big = np.zeros((6_000_000, 3), np.float32)  # 72 MB
    big[:, 0] = np.arange(len(big))
    data = Examples(model, "test").batch(big, np.zeros(len(big), np.float32))
    held = ties(model, data, None).data
    assert held is not None
    assert held.x[0].nbytes + held.y[0].nbytes <= 2**24
    assert (held.x[0][0, 0], held.x[0][-1, 0]) == (0, len(big) - 1)  # of all of it


def test_weights_of_examples_act_in_the_trainings_of_a_proof() -> None:
    """Two thirds of the rows have the wrong label, and no weight."""
    wrong = np.arange(len(Y)) % 3 > 0
    model = fw.Sequential([Dense(8, "tanh"), Dense(1, "sigmoid")], seed=0)
    model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
    history = model.fit(
        FAR, np.where(wrong, 1 - Y, Y), epochs=40, verbose=0, validation_data=(FAR, Y),
        sample_weight=(~wrong).astype(np.float32),
    )  # fmt: skip
    finding = next(one for one in history.findings if one.code == "unscaled_inputs")
    proof = finding.prove(budget="10s")
    assert min(proof.after) > 0.8  # without the weights it would be below 0.2


def test_rows_keep_their_weights() -> None:
    names = (("x",), ("y",))
    x, y = np.arange(4.0)[:, None], np.arange(4.0)
    weighted = Rows(names, (x,), (y,), (np.array([0.5, 1.0, 2.0, 3.0]),))
    plain = Rows(names, (x,), (y,), (None,))
    assert weighted.at([3, 0]).sample_weight(["out"])["out"].tolist() == [3.0, 0.5]
    both = plain.with_rows(weighted).sample_weight(["out"])["out"]
    assert both.tolist() == [1, 1, 1, 1, 0.5, 1, 2, 3]
    assert plain.with_rows(plain).sample_weight(["out"]) is None


def test_a_model_of_text_is_proved_from_the_text() -> None:
    """One word of five tells the label; a rate of 1e-6 does not get there."""
    filler = RANDOM.choice(["plot", "film", "actor", "scene"], size=(len(Y), 4))
    texts = np.array(
        [" ".join([*line, "good" if y else "bad"]) for line, y in zip(filler, Y, strict=True)]
    )
    known = ["plot", "film", "actor", "scene", "good", "bad"]
    reader = fw.layers.TextVectorization(vocabulary=known, output_mode="multi_hot")
    model = fw.Sequential([reader, Dense(1, "sigmoid")], seed=0)
    model.compile(fw.optimizers.Adam(1e-6), "binary_crossentropy")
    history = model.fit(texts, Y, epochs=80, validation_split=0.25, verbose=0)
    finding = history.findings[0]
    assert finding.code == "lr_too_low"
    proof = finding.prove(budget="10s")
    assert proof.on == "64 validation rows"
    assert min(proof.after) > 0.95
    predicted = proof.model.predict(texts[192:], verbose=0)[:, 0] > 0.5
    assert (predicted == Y[192:]).mean() > 0.95
    assert finding.apply().predict(texts[:2], verbose=0).shape == (2, 1)
