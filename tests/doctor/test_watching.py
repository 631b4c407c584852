"""The doctor at real fits: modes, what is printed, and networks of every family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.doctor.probing import sharpness
from fitwell.examples import Examples
from fitwell.layers import LSTM, Conv2D, Dense, Embedding, Flatten, Input, MaxPooling2D

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(256, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.float32)


def one_unit_softmax() -> fw.Sequential:
    model = fw.Sequential([Dense(8, "relu"), Dense(1, "softmax")])
    model.compile(loss="binary_crossentropy")
    return model


def healthy() -> fw.Sequential:
    model = fw.Sequential([Dense(16, "relu"), Dense(1, "sigmoid")])
    model.compile(fw.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    return model


def test_findings_are_part_of_the_history() -> None:
    found = one_unit_softmax().fit(X, Y, verbose=0).findings
    assert found[0].code == "softmax_single_unit"
    assert found[0].severity == fw.doctor.Severity.CRITICAL
    assert found[0].layer == "dense_1"
    assert 'Dense(1, activation="sigmoid")' in found[0].cure


def test_off_looks_at_nothing() -> None:
    assert list(one_unit_softmax().fit(X, Y, verbose=0, doctor="off").findings) == []


def test_strict_refuses_before_any_step() -> None:
    model = one_unit_softmax()
    with pytest.raises(fw.errors.Unhealthy, match="softmax_single_unit") as caught:
        model.fit(X, Y, doctor="strict")
    assert "expected no critical finding before training" in str(caught.value)
    assert model.epochs_trained == 0


def test_an_unknown_mode() -> None:
    text = 'fit, doctor: expected one of "warn", "off", "strict", "treat", received \'loud\'.'
    with pytest.raises(fw.errors.InvalidArgument) as caught:
        healthy().fit(X, Y, doctor="loud")
    assert str(caught.value) == f'{text} Leave it out for "warn".'


def test_a_few_lines_are_printed_and_none_by_a_silent_fit(capsys: Any) -> None:
    one_unit_softmax().fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
    fw.settings.progress = "plain"
    one_unit_softmax().fit(X, Y)
    lines = [line for line in capsys.readouterr().out.splitlines() if "Epoch" not in line]
    assert any("softmax_single_unit" in line and "gradient 0" in line for line in lines)
    assert len(lines) <= 4


def test_assert_healthy() -> None:
    fw.doctor.assert_healthy(healthy().fit(X, Y, epochs=20, verbose=0))
    history = one_unit_softmax().fit(X, Y, verbose=0)
    with pytest.raises(AssertionError, match="softmax_single_unit"):
        fw.doctor.assert_healthy(history)
    fw.doctor.assert_healthy(history, allow=["softmax_single_unit"])


def test_a_checkup_trains_nothing_and_changes_nothing() -> None:
    model = healthy()
    model.fit(X, Y, verbose=0)
    before = model.get_weights()
    assert not model.checkup(X, Y).above()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_checkup_names_what_fit_refuses() -> None:
    model = fw.Sequential([Dense(1, "sigmoid")])
    model.compile(loss="binary_crossentropy")
    codes = model.checkup(X, np.arange(256) % 3).above().codes
    assert codes == ["labels_out_of_range", "wrong_output_units"]


def test_a_checkup_without_data() -> None:
    with pytest.raises(fw.errors.InvalidArgument) as caught:
        healthy().checkup()
    cure = "Call checkup(x, y) with arrays; some thousand examples are enough."
    assert str(caught.value) == f"checkup: expected arrays, received None. {cure}"


def test_labels_of_one_axis_are_aligned_and_do_no_harm() -> None:
    """(n,) against outputs (n, 1): elsewhere they broadcast to (n, n), and nothing is learned."""
    model = fw.Sequential([Dense(1)])
    model.compile(fw.optimizers.Adam(0.05), "mse")
    history = model.fit(X, X @ np.array([1.0, -2.0, 0.5, 0.0]), epochs=60, verbose=0)
    assert history.history["loss"][-1] < 1e-3
    assert not history.findings.above()


# Every family: one that learns is left alone, one that cannot is named.


def images() -> tuple[fw.Sequential, Any, Any]:
    x = RANDOM.normal(size=(256, 8, 8, 1)).astype(np.float32)
    y = (x[:, :4].mean((1, 2, 3)) > x[:, 4:].mean((1, 2, 3))).astype(np.int32)
    layers = [Conv2D(8, 3, activation="relu"), MaxPooling2D(2), Flatten(), Dense(2, "softmax")]
    return fw.Sequential(layers), x, y


def sequences() -> tuple[fw.Sequential, Any, Any]:
    x = RANDOM.integers(1, 20, size=(256, 6))
    y = (x[:, 0] > 10).astype(np.int32)
    return fw.Sequential([Embedding(20, 8), LSTM(16), Dense(2, "softmax")]), x, y


def several_labels() -> tuple[fw.Sequential, Any, Any]:
    return fw.Sequential([Dense(16, "relu"), Dense(3, "sigmoid")]), X, (X[:, :3] > 0) * 1.0


def steps() -> tuple[fw.Sequential, Any, Any]:
    x = RANDOM.normal(size=(128, 5, 3)).astype(np.float32)
    model = fw.Sequential([LSTM(16, return_sequences=True), Dense(1)])
    return model, x, -np.cumsum(x[..., :1], axis=1) / 2


@pytest.mark.parametrize("make", [images, sequences, several_labels, steps])
def test_networks_of_every_family(make: Callable[[], tuple[fw.Sequential, Any, Any]]) -> None:
    model, x, y = make()
    model.compile(fw.optimizers.Adam(0.02))
    assert not model.fit(x, y, epochs=25, verbose=0).findings.above()
    again = make()[0]
    again.compile(fw.optimizers.Adam(1e-7))
    found = again.fit(x, y, epochs=4, verbose=0).findings
    assert "lr_too_low" in found.above().codes, found


@pytest.mark.parametrize(("intercept", "slope"), [(-2.3, 0.9), (0.0, 0.5)])
def test_a_weak_signal_is_one_though_a_constant_is_as_accurate(
    intercept: float, slope: float
) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(1000, 6)).astype(np.float32)
    y = (random.random(1000) < 1 / (1 + np.exp(-intercept - slope * x[:, 0]))).astype(np.float32)
    model = fw.Sequential([Dense(1, "sigmoid")])
    model.compile(fw.optimizers.Adam(0.02), "binary_crossentropy")
    history = model.fit(x[:700], y[:700], epochs=20, validation_data=(x[700:], y[700:]), verbose=0)
    assert history.findings.above().codes == []


def test_several_outputs() -> None:
    inputs = Input((4,))
    hidden = Dense(16, "relu")(inputs)
    model = fw.Model(
        inputs, [Dense(1, name="number")(hidden), Dense(1, "softmax", name="dead")(hidden)]
    )
    model.compile(fw.optimizers.Adam(0.02), loss=["mse", "binary_crossentropy"])
    found = model.fit(X, [X[:, 1], Y], epochs=10, verbose=0).findings
    assert found.above().codes == ["softmax_single_unit"]
    assert found[0].layer == "dead"


def test_batches_of_a_generator_are_watched_by_what_can_be_seen() -> None:
    def batches() -> Any:
        while True:
            for i in range(0, 256, 32):
                yield X[i : i + 32], Y[i : i + 32]

    history = healthy().fit(batches(), steps_per_epoch=8, epochs=10, verbose=0)
    assert not history.findings.above()


def test_a_doctor_that_fails_does_not_lose_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr("fitwell.doctor.watching.verdict", lambda record: fw.doctor.Findings())
    monkeypatch.setattr("fitwell.doctor.watching.Doctor.examined", broken)
    model = healthy()
    with pytest.warns(UserWarning, match="ValueError: no such thing. The fit is not affected"):
        history = model.fit(X, Y, epochs=2, verbose=0)
    assert len(history.epoch) == 2


def test_the_largest_curvature_is_that_of_the_whole_spectrum() -> None:
    model = fw.Sequential([Input((4,)), Dense(5, "tanh"), Dense(1)], seed=3)
    model.compile(loss="mse")
    exact = np.abs(model.curvature(X, Y).eigenvalues).max()
    examples = Examples(model, "checkup")
    batch = examples.batch(X, Y)._replace(mask=np.ones(len(X), np.float32))
    found = sharpness(model.network, examples.objective, model.train_state, batch)
    assert 0.95 * exact < found < 1.001 * exact  # from below, as power iteration comes


def test_a_checkup_knows_the_largest_stable_rate() -> None:
    """Least squares: the curvature is 2 mean(x x^T)'s largest eigenvalue, the limit 2 over it."""
    model = fw.Sequential([Input((4,)), Dense(1, use_bias=False)])
    limit = 1 / np.linalg.eigvalsh(X.T @ X / len(X)).max()
    for factor, codes in ((0.5, []), (20, ["lr_too_high"])):
        model.compile(fw.optimizers.SGD(factor * limit), "mse")
        found = model.checkup(X, X[:, 0], epochs=50)
        assert found.above().codes == codes
    shown = {one.what: one.value for one in found[0].evidence}
    assert shown["largest stable rate"] == pytest.approx(limit, rel=0.02)


def test_a_rate_far_beyond_what_gradient_descent_bears_is_named_before_the_first_step() -> None:
    """Least squares on large inputs: the limit is 1 over mean(x x^T)'s largest eigenvalue."""
    large = 100 * X
    limit = 1 / np.linalg.eigvalsh(large.T @ large / len(X)).max()
    model = fw.Sequential([Input((4,)), Dense(1, use_bias=False)])
    model.compile(fw.optimizers.SGD(0.01), "mse")
    seen: list[Any] = []
    note = fw.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(model.history.findings)
    )
    model.fit(large, X[:, 0], verbose=0, callbacks=[note])
    (found,) = [one for one in seen[0].above() if one.code == "lr_too_high"]
    shown = {one.what: one.value for one in found.evidence}
    assert shown["largest stable rate"] == pytest.approx(limit, rel=0.05)
