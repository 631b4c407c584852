"""NaN with an address: fits that break in a place known by arithmetic, and what is left of them."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import callbacks as C  # noqa: N812 - read in many lines
from fitwell.doctor.address import Address
from fitwell.doctor.finding import Finding
from fitwell.doctor.record import Record, Run
from fitwell.doctor.rules.breaking import rules, sentence
from fitwell.layers import BatchNormalization, Dense, Lambda

X = np.random.default_rng(0).uniform(1, 2, size=(50, 3)).astype(np.float32)
Y = X.sum(1)
ROW, SIZE = 37, 8
ONE, ZERO = np.ones((8, 1), np.float32), np.zeros((8, 1), np.float32)


def chain(*layers: Any, rate: float = 1e-3, loss: Any = "mse") -> fw.Sequential:
    model = fw.Sequential([*layers], seed=0)
    model.compile(fw.optimizers.SGD(rate), loss)
    return model


def fit(model: fw.Sequential, x: Any, y: Any = Y, **more: Any) -> fw.History:
    return model.fit(x, y, **{"batch_size": SIZE, "epochs": 2, "verbose": 0} | more)


def with_row(values: Any) -> Any:
    x = X.copy()
    x[ROW] = values
    return x


def finding(history: fw.History, code: str = "nan") -> Finding:
    return next(one for one in history.findings if one.code == code)


def evidence(history: fw.History, code: str = "nan") -> dict[str, Any]:
    return {one.what: one.value for one in finding(history, code).evidence}


def assert_finite(model: fw.Sequential, x: Any) -> None:
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert np.isfinite(model.predict(x)).all()


# Where it was made


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_logarithm_of_a_negative_number(shuffle: bool) -> None:
    model = chain(Lambda(jnp.log, name="logs"), Dense(1))
    history = fit(model, with_row([1.0, -1.25, 1.0]), shuffle=shuffle)
    found = finding(history)
    assert (found.layer, found.severity.name) == ("logs", "CRITICAL")
    assert found.cure == "jnp.log(jnp.maximum(x, 1e-6))"
    known = evidence(history)
    assert known["row of the data"] == ROW
    assert known["where"] == "forward"
    assert known["operation"] == "log(-1.25) = NaN"
    if not shuffle:
        assert (known["epoch"], known["step of the epoch"]) == (1, ROW // SIZE + 1)
    assert history.stopped == "the loss became NaN in epoch 1"
    assert len(history.epoch) == 1
    assert_finite(model, X)


def test_a_division_of_zero_by_zero_behind_another_layer() -> None:
    same = Dense(3, kernel_initializer="identity", trainable=False)
    shares = Lambda(lambda x: x / x.sum(-1, keepdims=True), name="shares")
    history = fit(chain(same, shares, Dense(1)), with_row(0.0), shuffle=False)
    assert finding(history).layer == "shares"
    assert evidence(history)["operation"] == "0 / 0 = NaN"
    assert evidence(history)["row of the data"] == ROW


def test_a_batch_normalization_spreads_it_but_is_not_blamed() -> None:
    model = chain(Lambda(jnp.log, name="logs"), BatchNormalization(), Dense(1))
    history = fit(model, with_row(-2.0), shuffle=False)
    assert finding(history).layer == "logs"
    assert evidence(history)["row of the data"] == ROW


def test_the_slope_of_a_root_at_zero() -> None:
    """The loss is finite: d sqrt(x) / dx = 0.5 / sqrt(x)."""
    same = Dense(3, kernel_initializer="identity", use_bias=False)
    model = chain(same, Lambda(jnp.sqrt, name="root"), Dense(1))
    history = fit(model, with_row(0.0), shuffle=False)
    assert finding(history).layer == "root"
    assert evidence(history)["operation"] == "0.5 / 0 = infinity"
    assert evidence(history)["where"] == "backward"
    assert evidence(history)["step of the epoch"] == ROW // SIZE + 1
    assert_finite(model, X)


def test_a_loss_of_ones_own() -> None:
    y = Y.copy()
    y[ROW] = -3.0
    model = chain(Dense(1), loss=lambda t, p: ((jnp.log(t) - p) ** 2)[..., 0])
    history = fit(model, X, y, shuffle=False)
    assert "log(-3) = NaN in the loss, row 37 of the data" in finding(history).cause


def test_the_data() -> None:
    x = X.copy()
    x[ROW, 2] = np.nan
    with pytest.warns(UserWarning, match="NaN"):
        history = fit(chain(Dense(4, "relu"), Dense(1)), x, shuffle=False)
    assert finding(history, "nan_in_data").cause == (
        "Row 37 of the data holds NaN in feature 2: it made the loss NaN in epoch 1, step 5."
    )


def test_a_rate_that_explodes() -> None:
    """w <- (1 - 2 rate) w = -1999 w: 1999^5 squared is below 3.4e38, 1999^6 squared above."""
    model = chain(Dense(1, kernel_initializer="ones", use_bias=False), rate=1000.0)
    history = fit(model, ONE, ZERO, epochs=20)
    assert evidence(history)["epoch"] == 7
    assert evidence(history)["operation"] == f"{1999.0**6:.4g} ** 2 = infinity"
    assert history.stopped == "the loss became infinite in epoch 7"
    assert_finite(model, ONE)


def test_the_update_of_a_weight_in_the_last_step() -> None:
    """The only loss is 4; its slope 4 times the rate is beyond float32."""
    twos = fw.initializers.Constant(2.0)
    model = chain(Dense(1, kernel_initializer=twos, use_bias=False, name="out"), rate=1e38)
    history = fit(model, ONE, ZERO, epochs=1)
    assert history.history["loss"] == [4.0]
    assert history.stopped == "the weights became NaN in epoch 1"
    assert finding(history).layer == "out"
    assert evidence(history)["where"] == "update"
    assert model.get_weights()[0].tolist() == [[2.0]]
    assert model.epochs_trained == 0


# The replay is the fit


def test_rates_that_callbacks_assign_hold_in_the_replay() -> None:
    """Three epochs of rate 0, and a step of 1e30: its loss is the next step's."""
    model = chain(Dense(1, kernel_initializer="ones"))
    rates = C.LearningRateScheduler(lambda epoch, rate: 1e30 if epoch == 3 else 0.0)
    history = fit(model, ONE, ZERO, epochs=9, batch_size=4, callbacks=[rates])
    known = evidence(history)
    assert (known["epoch"], known["step of the epoch"]) == (4, 2)


def test_what_a_callback_did_is_not_found_in_the_steps() -> None:
    class Spoil(C.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])

    model = chain(Dense(1))
    history = fit(model, X, epochs=9, callbacks=[Spoil()])
    assert finding(history).cause.startswith(
        "The loss became NaN in epoch 3; where is not known: a replay of the steps met none: "
        "something beside them changed the weights. The weights are those "
    )
    assert_finite(model, X)


def test_batches_that_come_once() -> None:
    batches = ((with_row(-1.0), Y) for _ in range(4))
    model = chain(Lambda(jnp.log), Dense(1))
    history = model.fit(batches, epochs=2, steps_per_epoch=2, verbose=0)
    assert finding(history).cause == (
        "The loss became NaN in epoch 1; where is not known: the batches came from an iterable, "
        "which gives them once. The weights are those before the fit."
    )
    assert finding(history).severity.name == "WARNING"
    assert_finite(model, X)


# Beside the others


def test_without_the_doctor_it_goes_on() -> None:
    model = chain(Lambda(jnp.log), Dense(1))
    history = fit(model, with_row(-1.0), epochs=3, doctor="off")
    assert np.isnan(history.history["loss"]).tolist() == [True] * 3
    assert history.stopped is None
    assert np.isnan(model.get_weights()[0]).all()


def test_early_stopping_gives_back_its_best_weights() -> None:
    model = chain(Dense(1, kernel_initializer="ones", use_bias=False), rate=1000.0)
    stop = C.EarlyStopping("loss", patience=9, restore_best_weights=True)
    history = fit(model, ONE, ZERO, epochs=20, callbacks=[stop])
    assert history.stopped == "the loss became infinite in epoch 7"
    assert model.get_weights()[0].tolist() == [[-1999.0]]  # at the end of the first epoch


def test_terminate_on_nan_raises_as_before() -> None:
    model = chain(Lambda(jnp.log), Dense(1))
    with pytest.raises(fw.errors.InvalidData, match="TerminateOnNaN: expected a finite loss"):
        fit(model, with_row(-1.0), callbacks=[C.TerminateOnNaN(raise_error=True)])


def test_a_resumed_fit_breaks_where_the_whole_one_does(tmp_path: Any) -> None:
    class Kill(C.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                raise KeyboardInterrupt

    x = with_row(-1.0)

    def model() -> fw.Sequential:
        return chain(Lambda(jnp.log, name="logs"), Dense(1))

    def backup() -> C.BackupAndRestore:
        return C.BackupAndRestore(tmp_path / "backup", save_freq=2)

    with pytest.raises(KeyboardInterrupt):
        fit(model(), x, shuffle=False, callbacks=[backup(), Kill()])
    resumed = model()
    found = finding(fit(resumed, x, shuffle=False, callbacks=[backup()]))
    assert "epoch 1, step 5: log(-1) = NaN in layer logs, row 37" in found.cause
    assert resumed.train_state.step == 2  # of the backup, which was made before the fourth step
    assert_finite(resumed, X)


def test_no_backup_and_no_checkpoint_holds_nan(tmp_path: Any) -> None:
    model = chain(Lambda(jnp.log), Dense(1))
    save = C.ModelCheckpoint(tmp_path / "last.weights.safetensors", save_weights_only=True)
    backup = C.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
    fit(model, with_row(-1.0), callbacks=[save, backup])
    assert not (tmp_path / "backup" / "backup.safetensors").exists()
    other = chain(Lambda(jnp.log), Dense(1))
    fit(other, X, epochs=0)
    other.load_weights(tmp_path / "last.weights.safetensors")
    assert_finite(other, X)


def test_it_is_printed_first(capsys: Any) -> None:
    fw.settings.progress = "plain"
    fit(chain(Lambda(jnp.log, name="logs"), Dense(1)), with_row(-1.0), shuffle=False, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    told = [one for one in lines if one.startswith("x nan")]
    assert told == [
        "x nan in logs: The loss became NaN in epoch 1, step 5: log(-1) = NaN in layer logs, row "
        "37 of the data. The weights are those before the fit."
    ]
    assert lines[lines.index(told[0]) + 1] == "    cure: jnp.log(jnp.maximum(x, 1e-6))"


# Words

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("loss", INF, 3), "The loss became infinite in epoch 3."),
        (
            Address("weights", NAN, 3, 5, 2, "update", "d", None, (), "mul", (1e38, 40.0), INF),
            "The weights became NaN in epoch 3, step 5: 1e+38 * 40 = infinity in the update of"
            " layer d. The weights are those after epoch 2.",
        ),
        (
            Address("loss", NAN, 1, 1, 0, "forward", "d", 4, (), "dot_general", (-1e20, 3e25), INF),
            "The loss became NaN in epoch 1, step 1: a matrix product of numbers up to 3e+25 ="
            " infinity in layer d, row 4 of the data. The weights are those before the fit.",
        ),
        (
            Address("loss", NAN, 1, 1, 0, "before", "d", None, (), "", (), NAN),
            "The loss became NaN in epoch 1, step 1: layer d held NaN before. The weights are"
            " those before the fit.",
        ),
    ],
)  # fmt: skip
def test_the_sentence(address: Address, text: str) -> None:
    assert sentence(address) == text


@pytest.mark.parametrize(
    ("operation", "operands", "severity"),
    [
        ("log", (-3.0,), "CRITICAL"),
        ("log", (3.0,), "INFO"),
        ("log", (-3e9,), "INFO"),  # of a fit that diverged
        ("div", (1.0, 0.0), "CRITICAL"),
        ("div", (1e30, 1e-30), "INFO"),
        ("integer_pow", (1e30, 2.0), "INFO"),
        ("integer_pow", (0.0, -2.0), "CRITICAL"),
        ("exp", (120.0,), "INFO"),
    ],
)
def test_only_an_operation_without_a_value_is_a_cause(
    operation: str, operands: tuple[float, ...], severity: str
) -> None:
    address = Address("loss", NAN, 2, 1, 1, "forward", "d", 0, (), operation, operands, NAN)
    run = Run({"loss": [1.0, NAN]}, 0.0, address=address)
    (found,) = rules(Record((), (), (), None, run))
    assert found.finding.severity.name == severity


def test_a_fit_that_is_well_has_no_such_finding() -> None:
    assert list(rules(Record((), (), (), None, Run({"loss": [1.0, 0.5]}, 0.0)))) == []
