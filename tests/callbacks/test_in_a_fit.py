"""Callbacks in the fit of a real model."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell import files, tree
from fitwell.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
    in_order,
)
from fitwell.errors import InvalidArgument, InvalidData, InvalidFile, UnknownArgument

X = np.random.default_rng(0).normal(size=(96, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int64)


def model(units=4):
    layers = [fw.layers.Dense(units, activation="relu"), fw.layers.Dense(1, activation="sigmoid")]
    made = fw.Sequential([fw.Input((3,)), *layers], seed=3)
    made.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return made


def fit(made, callbacks, epochs=4, **arguments):
    given = {"batch_size": 16, "verbose": 0, "validation_split": 1 / 3, **arguments}
    return made.fit(X, Y, epochs=epochs, callbacks=callbacks, **given)


def refusal(call, error=InvalidArgument):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


# Hooks


class Record(Callback):
    def __init__(self):
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("train begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"epoch begin {epoch}")

    def on_test_begin(self, logs=None):
        self.calls.append("test begin")

    def on_test_end(self, logs=None):
        self.calls.append(f"test end {sorted(logs)}")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"epoch end {epoch} {sorted(logs)}")

    def on_train_end(self, logs=None):
        self.calls.append(f"train end {sorted(logs)}")


class RecordBatches(Record):
    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(f"batch begin {batch}")

    def on_train_batch_end(self, batch, logs=None):
        assert math.isfinite(logs["loss"])
        self.calls.append(f"batch end {batch}")


NAMES = ["accuracy", "loss", "val_accuracy", "val_loss"]


@pytest.mark.parametrize("kind", [Record, RecordBatches])
def test_hooks_come_in_the_order_of_keras(kind):
    record = kind()
    fit(model(), [record], epochs=2)
    batches = [f"batch {what} {i}" for i in range(4) for what in ("begin", "end")]
    expected = ["train begin"]
    for epoch in range(2):
        expected += [f"epoch begin {epoch}", *(batches if kind is RecordBatches else [])]
        expected += ["test begin", "test end ['accuracy', 'loss']", f"epoch end {epoch} {NAMES}"]
    assert record.calls == [*expected, f"train end {NAMES}"]


def test_only_batch_hooks_ask_for_single_steps():
    class Old(Callback):
        def on_batch_end(self, batch, logs=None):
            pass

    assert Record().every is None
    assert RecordBatches().every == Old().every == 1
    assert LambdaCallback(on_train_batch_end=print).every == 1
    assert LambdaCallback(on_epoch_end=print).every is None


def test_keras_old_names_of_the_batch_hooks_are_called():
    seen = []

    class Old(Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch))

    fit(model(), [Old()], epochs=1)
    assert seen == [(what, i) for i in range(4) for what in ("begin", "end")]


def test_callbacks_that_come_last_are_moved_there_and_the_rest_stay():
    backup, first, second = BackupAndRestore("x"), Record(), Record()
    assert in_order([backup, first, second]) == [first, second, backup]


def test_what_a_callback_adds_to_the_logs_enters_the_history():
    def add(epoch, logs):
        logs["double"] = 2.0 * epoch

    assert fit(model(), [LambdaCallback(on_epoch_end=add)]).history["double"] == [0, 2, 4, 6]


def test_lambda_callback_gives_each_hook_its_arguments():
    seen = []
    hooks = {
        "on_train_begin": lambda logs: seen.append("begin"),
        "on_epoch_begin": lambda epoch, logs: seen.append(epoch),
        "on_train_batch_end": lambda batch, logs: seen.append((batch, sorted(logs))),
        "on_train_end": lambda logs: seen.append(sorted(logs)),
        "on_epoch_end": None,
    }
    fit(model(), [LambdaCallback(**hooks)], epochs=1)
    batches = [(i, ["accuracy", "loss"]) for i in range(4)]
    assert seen == ["begin", 0, *batches, NAMES]


def test_lambda_callback_refuses_what_is_no_hook():
    message = refusal(lambda: LambdaCallback(on_epoch_ends=print), UnknownArgument)
    expected = "LambdaCallback: expected the name of a hook, received on_epoch_ends. "
    assert message == expected + "Did you mean on_epoch_end?"
    assert refusal(lambda: LambdaCallback(on_epoch_end=3)) == (
        "LambdaCallback: expected functions, received on_epoch_end=3. Pass a function."
    )


# Stopping


def test_early_stopping_ends_the_fit_with_the_best_weights():
    made = model()
    stopping = EarlyStopping("val_loss", mode="max", patience=2, restore_best_weights=True)
    weights = LambdaCallback(
        on_epoch_end=lambda epoch, logs: kept.append(made.get_weights()) if not epoch else None
    )
    kept = []
    history = fit(made, [stopping, weights], epochs=50)
    assert len(history.epoch) == 3  # the loss falls, so that the first epoch is the best
    assert history.stopped == "callback EarlyStopping"
    assert tree.host_equal(made.get_weights(), kept[0])


@pytest.mark.parametrize("batches", [4, 4000], ids=["within an epoch", "at its end"])
def test_terminate_on_nan(batches, capsys):
    made = fw.Sequential([fw.Input((1,)), fw.layers.Dense(1)], seed=0)
    made.compile(fw.optimizers.SGD(1e30), "mse")
    x = np.ones((batches, 1), np.float32)
    history = made.fit(x, x, batch_size=1, epochs=9, verbose=0, callbacks=[TerminateOnNaN()])
    assert history.epoch == [0]
    out = capsys.readouterr().out
    assert out.startswith("The loss is ")
    assert out.endswith(": the fit ends.\n")
    assert out.count("\n") == 1


def test_terminate_on_nan_as_an_error():
    made, x = fw.Sequential([fw.layers.Dense(1)], seed=0), np.full((2, 1), 1e30, np.float32)
    made.compile("sgd", "mse")
    call = TerminateOnNaN(raise_error=True)
    text = refusal(lambda: made.fit(x, x, verbose=0, callbacks=[call]), InvalidData)
    assert text == (
        "TerminateOnNaN: expected a finite loss, received inf at the end of epoch 1. "
        "Lower the learning rate, or look for NaN and very large numbers in the data."
    )


def test_a_monitor_that_is_not_measured_gives_one_warning_and_no_lost_fit():
    for callback in (
        EarlyStopping("val_acuracy", mode="max"),
        ReduceLROnPlateau("val_acuracy", mode="max"),
    ):
        with pytest.warns(UserWarning, match="val_acuracy") as caught:
            assert len(fit(model(), [callback]).epoch) == 4
        assert [str(w.message) for w in caught] == [
            f"{type(callback).__name__}: 'val_acuracy' is not measured, so nothing is done. "
            "Did you mean val_accuracy?"
        ]


def test_a_monitor_of_validation_without_validation_is_refused_before_training():
    made, record = model(), Record()
    assert refusal(lambda: fit(made, [EarlyStopping(), record], validation_split=0.0)) == (
        "EarlyStopping: expected validation data to measure val_loss on, received none. "
        "Pass validation_data or validation_split to fit, or watch monitor='loss'."
    )
    assert record.calls == []


def test_a_monitor_that_is_measured_in_some_epochs_gives_no_warning():
    stopping = EarlyStopping(patience=1, mode="max")
    history = fit(model(), [stopping], epochs=9, validation_freq=2)
    assert history.epoch == [0, 1, 2, 3]  # measured in epochs 1 and 3


# Learning rates


def test_schedules_set_the_rate_of_every_epoch():
    seen = []

    def schedule(epoch, rate):
        seen.append((epoch, rate))
        return rate / 2

    history = fit(model(), [LearningRateScheduler(schedule)])
    assert history.history["learning_rate"] == pytest.approx([5e-4, 2.5e-4, 1.25e-4, 6.25e-5])
    assert [epoch for epoch, _ in seen] == [0, 1, 2, 3]
    assert [rate for _, rate in seen] == pytest.approx([1e-3, 5e-4, 2.5e-4, 1.25e-4])


def test_a_rate_of_zero_changes_no_weight():
    made = model()
    before = made.get_weights()
    fit(made, [LearningRateScheduler(lambda epoch: 0.0)], epochs=1)
    assert tree.host_equal(made.get_weights(), before)


def test_learning_rate_scheduler_says_each_rate(capsys):
    fit(model(), [LearningRateScheduler(lambda epoch: 0.5, verbose=1)], epochs=1)
    assert capsys.readouterr().out == "Epoch 1: the learning rate is 0.5.\n"


def test_reduce_on_plateau_acts_on_the_model():
    reduce = ReduceLROnPlateau("val_loss", factor=0.5, patience=1, mode="max")
    history = fit(model(), [reduce])
    assert history.history["learning_rate"] == pytest.approx([1e-3, 1e-3, 5e-4, 2.5e-4])


# Files


def test_model_checkpoint_writes_models_that_load(tmp_path):
    made = model()
    path = str(tmp_path / "new" / "{epoch:02d}-{val_loss:.2f}.safetensors")
    history = fit(made, [ModelCheckpoint(path)], epochs=2)
    names = sorted(p.name for p in (tmp_path / "new").iterdir())
    losses = history.history["val_loss"]
    assert names == [f"{i + 1:02d}-{loss:.2f}.safetensors" for i, loss in enumerate(losses)]
    loaded = fw.load(tmp_path / "new" / names[-1])
    np.testing.assert_array_equal(loaded.predict(X), made.predict(X))


def test_model_checkpoint_keeps_the_best_weights(tmp_path):
    made, kept = model(), []
    best = ModelCheckpoint(
        tmp_path / "w", "val_loss", mode="max", save_best_only=True, save_weights_only=True
    )
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(made.get_weights()))
    fit(made, [best, keep])
    other = model()
    other.load_weights(tmp_path / "w")
    assert tree.host_equal(other.get_weights(), kept[0])  # the loss falls: the first is the most


def test_model_checkpoint_counts_batches_over_epochs(tmp_path):
    path = str(tmp_path / "{epoch}-{batch}")
    fit(model(), [ModelCheckpoint(path, save_freq=3)], epochs=3)  # 4 batches in an epoch
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1-3", "2-2", "3-1", "3-4"]


def test_model_checkpoint_saves_what_it_cannot_compare(tmp_path):
    best = ModelCheckpoint(tmp_path / "m", "val_acuracy", mode="max", save_best_only=True)
    with pytest.warns(UserWarning, match="ModelCheckpoint: 'val_acuracy' is not measured"):
        fit(model(), [best])
    assert (tmp_path / "m").exists()


def test_csv_logger_writes_what_the_history_holds(tmp_path):
    history = fit(model(), [CSVLogger(tmp_path / "log.csv")])
    frame = pl.read_csv(tmp_path / "log.csv")
    assert frame.equals(history.frame())


def test_csv_logger_adds_late_columns_and_continues(tmp_path):
    path, made = tmp_path / "log.csv", model()
    fit(made, [CSVLogger(path, separator=";")], epochs=2, validation_freq=2)
    fit(made, [CSVLogger(path, separator=";", append=True)], 3, initial_epoch=2)
    rows = list(csv.DictReader(path.read_text().splitlines(), delimiter=";"))
    assert list(rows[0]) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert [bool(row["val_loss"]) for row in rows] == [False, True, True]
    fit(made, [CSVLogger(path)], epochs=1)
    assert len(path.read_text().splitlines()) == 2


def test_csv_logger_refuses_other_tables(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("a;b\n1;2\n")
    logger = CSVLogger(path, append=True)
    assert refusal(logger.on_train_begin, InvalidFile) == (
        f"CSVLogger, {str(path)!r}: expected a table with a column 'epoch', received the columns "
        "a;b. Choose another file, or the separator it was written with."
    )
    missing = CSVLogger(tmp_path / "none" / "log.csv")
    assert refusal(missing.on_train_begin, InvalidFile) == (
        "CSVLogger: expected a folder that exists, "
        f"received {str(tmp_path / 'none' / 'log.csv')!r}. Make the folder first."
    )
    (tmp_path / "folder").mkdir()
    logger = CSVLogger(tmp_path / "folder")
    logger.on_train_begin()
    assert refusal(lambda: logger.on_epoch_end(0, {"loss": 1.0}), InvalidFile) == (
        f"CSVLogger: expected a file to write to, received {str(tmp_path / 'folder')!r} "
        "(Is a directory). Choose another place."
    )


def test_tensorboard_writes_the_history(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = fit(model(), [TensorBoard(tmp_path)]).history
    for run, prefix in (("train", ""), ("validation", "val_")):
        events = EventAccumulator(str(tmp_path / run)).Reload()
        assert sorted(events.Tags()["scalars"]) == ["epoch_accuracy", "epoch_loss"]
        for name in ("loss", "accuracy"):
            points = events.Scalars(f"epoch_{name}")
            assert [point.step for point in points] == [0, 1, 2, 3]
            values = [point.value for point in points]
            np.testing.assert_allclose(values, history[prefix + name], rtol=1e-6)


WITHOUT_TENSORBOARD = """
import sys
sys.modules["tensorboard"] = None
from fitwell.callbacks import TensorBoard
from fitwell.errors import MissingPackage
try:
    TensorBoard("logs")
except MissingPackage as error:
    print(error)
"""


def test_tensorboard_that_is_not_installed():
    command = [sys.executable, "-c", WITHOUT_TENSORBOARD]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (
        "TensorBoard: expected the package tensorboard, received none. "
        'Run pip install "fitwell[tensorboard]".\n'
    )


# Backup and restore


def everything(folder, csv_path, *more):
    return [
        BackupAndRestore(folder),
        EarlyStopping(patience=50, restore_best_weights=True),
        ReduceLROnPlateau(patience=1, min_delta=0.05, factor=0.7),
        LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        CSVLogger(csv_path),
        *more,
    ]


class Killed(Exception):
    pass


def kill_after(epoch, batch=None):
    """Raises in the middle of the fit, when some callbacks have seen the epoch and some not."""

    def at_epoch(now, logs):
        if batch is None and now == epoch:
            raise Killed

    def at_batch(now, logs):
        counted.append(now)
        if len(counted) == 4 * epoch + batch + 1:
            raise Killed

    counted = []
    hooks = {"on_epoch_end": at_epoch} if batch is None else {"on_train_batch_end": at_batch}
    return LambdaCallback(**hooks)


@pytest.mark.parametrize("place", [(0,), (3,), (2, 1)], ids=["first epoch", "later", "mid-epoch"])
def test_a_killed_fit_goes_on_bit_for_bit(tmp_path, place):
    whole, log = model(), tmp_path / "log.csv"
    expected = fit(whole, everything(tmp_path / "unused", log)[1:], epochs=6)
    text = log.read_text()

    folder = tmp_path / "backup"
    with pytest.raises(Killed):
        fit(model(), everything(folder, log, kill_after(*place)), epochs=6)
    resumed = model()
    history = fit(resumed, everything(folder, log), epochs=6)
    assert tree.host_equal(resumed.get_weights(), whole.get_weights())
    assert (history.epoch, history.history) == (expected.epoch, expected.history)
    assert log.read_text() == text
    assert not folder.exists()


def test_a_backup_every_few_batches_goes_on_in_the_middle_of_an_epoch(tmp_path):
    whole, epochs = model(), []
    expected = fit(whole, [], epochs=4)
    with pytest.raises(Killed):
        fit(model(), [BackupAndRestore(tmp_path, save_freq=3), kill_after(2, 3)], epochs=4)
    assert files.read(tmp_path / "backup.safetensors")[0]["facts"]["step"] == 1  # 9 = 2 * 4 + 1
    resumed = model()
    note = LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
    history = fit(resumed, [BackupAndRestore(tmp_path, save_freq=3), note], epochs=4)
    assert epochs == [2, 3]
    assert tree.host_equal(resumed.get_weights(), whole.get_weights())
    assert history.history == expected.history


PATHS = [os.path.dirname(__file__), str(Path(__file__).parents[2])]
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[2])
sys.path.insert(0, sys.argv[3])
import conftest  # of the repository: this process compiles as the tests do, and so to the same bits
from test_in_a_fit import *
slow = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, flush=True))
fit(model(), [BackupAndRestore(sys.argv[1]), slow], epochs=100_000)
"""


def test_kill_minus_nine(tmp_path):
    folder = tmp_path / "backup"
    command = [sys.executable, "-c", PROGRAM, str(folder), *PATHS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= 20:
                process.send_signal(signal.SIGKILL)
                break
    header, _ = files.read(folder / "backup.safetensors")
    done = header["facts"]["epoch"]
    assert done >= 20
    whole, resumed = model(), model()
    expected = fit(whole, [], epochs=done + 3)
    history = fit(resumed, [BackupAndRestore(folder)], epochs=done + 3)
    assert history.history == expected.history
    assert tree.host_equal(resumed.get_weights(), whole.get_weights())
    assert not folder.exists()


def test_a_backup_survives_ctrl_c_and_is_exact_then(tmp_path):
    whole = model()
    expected = fit(whole, [EarlyStopping(patience=9)], epochs=5)
    press = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: (
            os.kill(os.getpid(), signal.SIGINT) if epoch == 2 else None
        )
    )
    first = fit(model(), [BackupAndRestore(tmp_path), EarlyStopping(patience=9), press], epochs=5)
    assert first.stopped == "interrupted"
    resumed = model()
    history = fit(resumed, [BackupAndRestore(tmp_path), EarlyStopping(patience=9)], epochs=5)
    assert history.history == expected.history
    assert tree.host_equal(resumed.get_weights(), whole.get_weights())


def test_a_backup_can_be_kept(tmp_path):
    made = model()
    fit(made, [BackupAndRestore(tmp_path, delete_checkpoint=False)], epochs=2)
    again = model()
    history = fit(again, [BackupAndRestore(tmp_path, delete_checkpoint=False)], epochs=2)
    assert history.epoch == [0, 1]
    assert tree.host_equal(again.get_weights(), made.get_weights())


def test_a_decision_to_stop_survives_a_kill(tmp_path):
    def stopping():
        return EarlyStopping(mode="max", patience=2, restore_best_weights=True)

    whole = model()
    fit(whole, [stopping()], epochs=9)

    class KillAtTheEnd(Callback):
        def on_train_end(self, logs=None):
            raise Killed

    with pytest.raises(Killed):
        fit(model(), [BackupAndRestore(tmp_path), KillAtTheEnd(), stopping()], epochs=9)
    resumed = model()
    history = fit(resumed, [BackupAndRestore(tmp_path), Callback(), stopping()], epochs=9)
    assert history.epoch == [0, 1, 2]
    assert tree.host_equal(resumed.get_weights(), whole.get_weights())


def test_backups_that_cannot_be_used_are_refused(tmp_path):
    with pytest.raises(Killed):
        fit(model(), [BackupAndRestore(tmp_path), kill_after(1)])
    path = tmp_path / "backup.safetensors"
    message = refusal(lambda: fit(model(units=5), [BackupAndRestore(tmp_path)]), InvalidFile)
    assert message == (
        "resume: expected a backup of this very model, received one of another model. "
        "Remove the backup folder, or fit the model it was made with."
    )
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    message = refusal(lambda: fit(model(), [BackupAndRestore(tmp_path)]), InvalidFile)
    assert message.startswith(f"model file {str(path)!r}: expected a safetensors file that fitwell")
    files.write(path, {"kind": "Sequential"}, {})
    assert refusal(lambda: fit(model(), [BackupAndRestore(tmp_path)]), InvalidFile) == (
        f"BackupAndRestore, {str(path)!r}: expected a backup of a fit, received a model file. "
        "Choose a folder that nothing else writes to."
    )
    path.write_bytes(content)
    (tmp_path / "file").touch()
    backup = BackupAndRestore(tmp_path / "file" / "folder")
    assert refusal(backup.on_train_begin, InvalidFile) == (
        f"BackupAndRestore: expected a folder to write to, received "
        f"{str(tmp_path / 'file' / 'folder')!r} (Not a directory). Choose another folder."
    )


def test_a_half_written_backup_is_cleared_away_and_other_files_stay(tmp_path):
    (tmp_path / ".backup.safetensors.12ab.partial").touch()
    (tmp_path / "mine.txt").touch()
    fit(model(), [BackupAndRestore(tmp_path)], epochs=1)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


# Messages of the constructors

FREQUENCY = 'Pass "epoch" or a number of batches.'
TABLE = [
    (
        lambda: EarlyStopping(mode="best"),
        'EarlyStopping: expected mode to be "auto", "min" or "max", received mode=\'best\'. '
        'Pass mode="min" if less is better, "max" if more is.',
    ),
    (
        lambda: EarlyStopping("kappa"),
        "EarlyStopping: expected a monitor whose name says which way is better, "
        'received monitor=\'kappa\'. Pass mode="max" if more is better, mode="min" if less is.',
    ),
    (
        lambda: EarlyStopping(patience=-1),
        "EarlyStopping: expected patience to be a whole number >= 0, received patience=-1. "
        "Pass patience=0 or more.",
    ),
    (
        lambda: EarlyStopping(start_from_epoch=1.5),
        "EarlyStopping: expected start_from_epoch to be a whole number >= 0, "
        "received start_from_epoch=1.5. Pass start_from_epoch=0 or more.",
    ),
    (
        lambda: ReduceLROnPlateau(factor=1.0),
        "ReduceLROnPlateau: expected factor in (0, 1), received factor=1.0. "
        "Pass factor=0.5 to halve the rate.",
    ),
    (
        lambda: ReduceLROnPlateau(min_lr=-1.0),
        "ReduceLROnPlateau: expected min_lr in [0, inf), received min_lr=-1.0. "
        "Pass min_lr=0.0 or more.",
    ),
    (
        lambda: LearningRateScheduler(0.1),
        "LearningRateScheduler: expected a function, received 0.1. "
        "Pass a function of the epoch and the rate.",
    ),
    (
        lambda: fit(model(), [LearningRateScheduler(lambda epoch, rate: None)]),
        "LearningRateScheduler: expected schedule(0, 0.001) to return a number in [0, inf), "
        "received None. Return the rate of the epoch.",
    ),
    (
        lambda: fit(model(), [LearningRateScheduler(lambda epoch: -1.0)]),
        "LearningRateScheduler: expected schedule(0, 0.001) to return a number in [0, inf), "
        "received -1.0. Return the rate of the epoch.",
    ),
    (
        lambda: ModelCheckpoint("m", save_freq=0),
        "ModelCheckpoint: expected save_freq to be a whole number >= 1, received save_freq=0. "
        + FREQUENCY,
    ),
    (
        lambda: BackupAndRestore("b", save_freq="batch"),
        "BackupAndRestore: expected save_freq to be a whole number >= 1, "
        f"received save_freq='batch'. {FREQUENCY}",
    ),
    (
        lambda: BackupAndRestore(""),
        "BackupAndRestore: expected a folder's name, received an empty one. "
        'Pass a folder, e.g. "backup".',
    ),
    (
        lambda: ModelCheckpoint("{epoch"),
        "ModelCheckpoint: expected a filepath in format syntax, "
        "received '{epoch' (expected '}' before end of string). "
        'Write names as in "epoch{epoch:02d}.safetensors".',
    ),
    (
        lambda: fit(model(), [ModelCheckpoint("{epoch:.2q}")]),
        "ModelCheckpoint: expected a filepath in format syntax, "
        "received '{epoch:.2q}' (Unknown format code 'q' for object of type 'int'). "
        'Write names as in "epoch{epoch:02d}.safetensors".',
    ),
    (
        lambda: fit(model(), [ModelCheckpoint("{val_los}")]),
        "ModelCheckpoint: expected names in '{val_los}' that were measured, "
        "received 'val_los'. Did you mean val_loss?",
    ),
    (
        lambda: CSVLogger("log.csv", separator=""),
        "CSVLogger: expected separator to be one character, received separator=''. "
        'Pass "," or ";" or "\\t".',
    ),
]


@pytest.mark.parametrize(("call", "message"), TABLE, ids=range(len(TABLE)))
def test_messages(call, message):
    assert refusal(call) == message


def test_the_state_of_every_callback_is_json_and_arrays(tmp_path):
    made = model()
    own = everything(tmp_path / "b", tmp_path / "log.csv", ModelCheckpoint(tmp_path / "m"))[1:]
    fit(made, own, epochs=2)
    for callback in own:
        for value in callback.get_state().values():
            if isinstance(value, list):
                assert all(isinstance(array, np.ndarray) for array in value)
            else:
                json.dumps(value)
