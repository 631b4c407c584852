"""EarlyStopping, ReduceLROnPlateau and ModelCheckpoint decide as Keras' own classes did."""

import json
from pathlib import Path

import numpy as np
import pytest

from fitwell import metrics
from fitwell.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from fitwell.callbacks.monitor import Monitor
from fitwell.errors import InvalidArgument

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "callbacks.json").read_text())


class Epochs:
    """A model whose weights are the number of its epoch, as in the script that asked Keras."""

    def __init__(self):
        self.stop_training, self.learning_rate, self.epoch, self.saved = False, 0.1, 0, []

    def get_weights(self):
        return [np.array(self.epoch)]

    def set_weights(self, weights):
        self.epoch = int(weights[0])

    def save(self, path):
        self.saved.append(str(path))


def drive(callback, values, model):
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"val_loss": value})
        yield epoch
        if model.stop_training:
            break
    callback.on_train_end()


def test_early_stopping():
    assert len(GOLDEN["EarlyStopping"]) == 144
    for case in GOLDEN["EarlyStopping"]:
        found = []
        for values in GOLDEN["sequences"]:
            model, callback = Epochs(), EarlyStopping(**case["arguments"])
            epochs = list(drive(callback, values, model))
            found.append([len(epochs), model.epoch, callback.stopped_epoch])
        assert found == case["epochs, weights, stopped"], case["arguments"]


def test_reduce_on_plateau():
    assert len(GOLDEN["ReduceLROnPlateau"]) == 32
    for case in GOLDEN["ReduceLROnPlateau"]:
        for values, rates in zip(GOLDEN["sequences"], case["rates"], strict=True):
            model, callback = Epochs(), ReduceLROnPlateau(**case["arguments"])
            found = [model.learning_rate for _ in drive(callback, values, model)]
            np.testing.assert_allclose(found, rates, rtol=1e-6, err_msg=str(case["arguments"]))


def named(saved):
    """The golden files' names with the suffix of the format that is written here."""
    return [name.replace(".keras", ".safetensors") for name in saved]


def test_model_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for case in GOLDEN["ModelCheckpoint"]:
        for values, saved in zip(GOLDEN["sequences"], case["saved"], strict=True):
            model = Epochs()
            name = "epoch{epoch:02d}-{val_loss:.2f}.safetensors"
            list(drive(ModelCheckpoint(name, **case["arguments"]), values, model))
            assert model.saved == named(saved), case["arguments"]


def test_model_checkpoint_every_few_batches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for case in GOLDEN["save_freq"]:
        frequency, model = case["save_freq"], Epochs()
        callback = ModelCheckpoint("{epoch}-{batch}-{loss:.0f}.safetensors", save_freq=frequency)
        assert callback.every == frequency
        callback.set_model(model)
        for epoch in range(4):
            callback.on_epoch_begin(epoch)
            for batch in range(7):
                if (7 * epoch + batch + 1) % callback.every == 0:
                    callback.on_train_batch_end(batch, {"loss": float(10 * epoch + batch)})
            callback.on_epoch_end(epoch, {"loss": 0.0})
        assert model.saved == named(case["saved"])


def test_nan_is_never_the_best():
    """Here Keras takes a NaN of the first epoch for the best value, and never gets over it."""
    model, callback = Epochs(), EarlyStopping(patience=2, restore_best_weights=True)
    values = [float("nan"), 3.0, 2.0, float("nan"), 1.0, 4.0, 5.0, 6.0]
    assert len(list(drive(callback, values, model))) == 7
    assert (callback.best, model.epoch) == (1.0, 4)


DIRECTIONS = {
    "min": [
        metrics.BrierScore(), metrics.LogLoss(), metrics.Hinge(), metrics.KLDivergence(),
        metrics.BinaryCrossentropy(), metrics.CategoricalCrossentropy(), metrics.Poisson(),
        metrics.SparseCategoricalCrossentropy(), metrics.LogCoshError(), metrics.SquaredHinge(),
        metrics.MeanSquaredError(), metrics.MeanAbsoluteError(), metrics.CategoricalHinge(),
        metrics.RootMeanSquaredError(), metrics.MeanAbsolutePercentageError(),
        metrics.MeanSquaredLogarithmicError(),
    ],
    "max": [
        metrics.Accuracy(), metrics.BinaryAccuracy(), metrics.SparseTopKCategoricalAccuracy(),
        metrics.CategoricalAccuracy(), metrics.SparseCategoricalAccuracy(), metrics.AUC(),
        metrics.TopKCategoricalAccuracy(), metrics.BalancedAccuracy(), metrics.F1Score(),
        metrics.FBetaScore(), metrics.MatthewsCorrelation(), metrics.Precision(),
        metrics.Recall(), metrics.CosineSimilarity(), metrics.R2Score(),
    ],
    None: [
        metrics.FalsePositives(), metrics.TrueNegatives(), metrics.FalseNegatives(),
        metrics.TruePositives(), metrics.ConfusionMatrix(num_classes=2),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "name"),
    [(mode, metric.label) for mode, group in DIRECTIONS.items() for metric in group]
    + [("min", "loss"), ("min", "out_loss"), ("max", "out_auc_1"), ("min", "mse"), ("max", "acc")]
    + [(None, "learning_rate"), (None, "lossy"), (None, "count")],
)
def test_the_name_of_a_metric_says_which_way_is_better(mode, name):
    for full in (name, f"val_{name}"):
        if mode is None:
            with pytest.raises(InvalidArgument, match="whose name says which way is better"):
                Monitor("EarlyStopping", full, "auto")
        else:
            watched = Monitor("EarlyStopping", full, "auto")
            assert watched.improves(1.0, 2.0) == (mode == "min")
            assert watched.improves(2.0, 1.0) == (mode == "max")


def test_every_metric_is_in_the_table():
    public = {name for name in metrics.__all__ if name[0].isupper()}
    bases = {"Metric", "MeanMetric", "FunctionMetric", "MatthewsCorrcoef"}
    assert public - bases == {type(m).__name__ for group in DIRECTIONS.values() for m in group}


def test_the_weights_are_the_best_ones_also_if_the_fit_is_not_stopped():
    model, callback = Epochs(), EarlyStopping(patience=99, restore_best_weights=True)
    assert len(list(drive(callback, [3.0, 1.0, 2.0], model))) == 3
    assert model.epoch == 1


def test_verbose_says_what_was_done(capsys):
    stopping = EarlyStopping(patience=1, verbose=1, restore_best_weights=True)
    list(drive(stopping, [1.0, 0.5, 0.75], Epochs()))
    list(drive(ReduceLROnPlateau(patience=1, verbose=1), [1.0, 1.0], Epochs()))
    list(drive(ModelCheckpoint("m", verbose=1, save_best_only=True), [2.0, 1.0, 3.0], Epochs()))
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 3: early stopping. Best: epoch 2, val_loss 0.5.",
        "Weights are those of epoch 2.",
        "Epoch 2: the learning rate is now 0.01.",
        "Epoch 1: saved m, val_loss 2.",
        "Epoch 2: saved m, val_loss 2 -> 1.",
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: EarlyStopping(patience=2, restore_best_weights=True),
        lambda: ReduceLROnPlateau(patience=1, cooldown=1),
        lambda: ModelCheckpoint("{epoch}", save_best_only=True),
    ],
    ids=["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"],
)
@pytest.mark.parametrize("cut", [1, 4, 7])
def test_a_state_carries_every_decision_over(make, cut, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for values in GOLDEN["sequences"]:
        whole = Epochs()
        list(drive(make(), values, whole))
        first, model, second = make(), Epochs(), make()
        for epoch in drive(first, values, model):
            if epoch == cut:
                break
        state = first.get_state()
        arrays = {k: v for k, v in state.items() if isinstance(v, list)}
        state = json.loads(json.dumps({k: v for k, v in state.items() if k not in arrays}))
        model.stop_training = False
        second.set_model(model)
        second.on_train_begin()
        second.set_state({**state, **arrays})
        for epoch in range(cut + 1, len(values)):
            if model.stop_training:
                break
            model.epoch = epoch
            second.on_epoch_end(epoch, {"val_loss": values[epoch]})
        second.on_train_end()
        expected = (whole.epoch, whole.learning_rate, whole.saved)
        assert (model.epoch, model.learning_rate, model.saved) == expected
