"""Writes callbacks.json: what Keras' own callbacks decide on sequences of logs.

Run in an environment with keras==3.15.1 (not needed by the tests):
    python tests/golden/make_callbacks.py
"""

import itertools
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np
from keras import callbacks, optimizers

EPOCHS = 14


class Model:
    """What the callbacks use of a model; its weights are the number of the epoch."""

    def __init__(self, rate=0.1):
        self.optimizer = optimizers.SGD(rate)
        self.stop_training, self.epoch, self.saved, self.metrics = False, 0, [], []

    def get_weights(self):
        return [np.array(self.epoch)]

    def set_weights(self, weights):
        self.epoch = int(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(path)


def sequences():
    generator = np.random.default_rng(0)
    falling = 1.0 / np.arange(1, EPOCHS + 1)
    yield falling
    yield falling[::-1]
    yield np.abs(np.arange(EPOCHS) - 5.0)
    yield np.ones(EPOCHS)
    yield np.where(np.arange(EPOCHS) % 3 == 2, np.nan, falling)
    for _ in range(6):
        yield np.round(generator.normal(0.5, 0.3, EPOCHS), 2)


def drive(callback, values, model):
    """The epochs that are run, and what is noted after each."""
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"val_loss": float(value)})
        yield epoch
        if model.stop_training:
            break
    callback.on_train_end()


def early_stopping():
    table = itertools.product(
        ["min", "max", "auto"], [0, 0.0517], [0, 1, 3], [None, 0.3], [False, True], [0, 4]
    )
    names = [
        "mode",
        "min_delta",
        "patience",
        "baseline",
        "restore_best_weights",
        "start_from_epoch",
    ]
    for row in table:
        arguments = dict(zip(names, row, strict=True))
        found = []
        for values in sequences():
            model, callback = Model(), callbacks.EarlyStopping(**arguments)
            epochs = list(drive(callback, values, model))
            found.append([len(epochs), model.epoch, callback.stopped_epoch])
        yield {"arguments": arguments, "epochs, weights, stopped": found}


def reduce_on_plateau():
    table = itertools.product(["min", "max"], [0.5], [0, 2], [1e-4, 0.1013], [0, 2], [0.0, 0.03])
    names = ["mode", "factor", "patience", "min_delta", "cooldown", "min_lr"]
    for row in table:
        arguments = dict(zip(names, row, strict=True))
        found = []
        for values in sequences():
            model, callback = Model(), callbacks.ReduceLROnPlateau(**arguments)
            rates = [float(model.optimizer.learning_rate) for _ in drive(callback, values, model)]
            found.append(rates)
        yield {"arguments": arguments, "rates": found}


def model_checkpoint():
    for mode, best_only, threshold in itertools.product(
        ["min", "max", "auto"], [False, True], [None, 0.4]
    ):
        arguments = {
            "mode": mode,
            "save_best_only": best_only,
            "initial_value_threshold": threshold,
        }
        found = []
        for values in sequences():
            model = Model()
            name = "epoch{epoch:02d}-{val_loss:.2f}.keras"
            list(drive(callbacks.ModelCheckpoint(name, **arguments), values, model))
            found.append(model.saved)
        yield {"arguments": arguments, "saved": found}


def save_frequency():
    """Files of an integer save_freq over 4 epochs of 7 batches."""
    for frequency in (1, 3, 7, 10):
        model = Model()
        callback = callbacks.ModelCheckpoint(
            "{epoch}-{batch}-{loss:.0f}.keras", monitor="loss", save_freq=frequency
        )
        callback.set_model(model)
        callback.on_train_begin()
        for epoch in range(4):
            callback.on_epoch_begin(epoch)
            for batch in range(7):
                callback.on_train_batch_end(batch, {"loss": float(10 * epoch + batch)})
            callback.on_epoch_end(epoch, {"loss": 0.0})
        yield {"save_freq": frequency, "saved": model.saved}


def main():
    golden = {
        "sequences": [values.tolist() for values in sequences()],
        "EarlyStopping": list(early_stopping()),
        "ReduceLROnPlateau": list(reduce_on_plateau()),
        "ModelCheckpoint": list(model_checkpoint()),
        "save_freq": list(save_frequency()),
    }
    Path(__file__).with_name("callbacks.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
