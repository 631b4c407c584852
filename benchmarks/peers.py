"""How a user of each library writes the same training.

Everybody gets the same data, sizes, batch and Adam, shuffles every epoch, keeps the running loss
and accuracy, and prints nothing. A peer is a function of a Row that returns a Fitter.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from rows import EPSILON, LEARNING_RATE, SEED, Array, Row


class Epochs(NamedTuple):
    """Mean training loss and accuracy of each epoch, as the library reports them."""

    loss: list[float]
    accuracy: list[float]


class Fitter(NamedTuple):
    """What a peer offers: `fit(x, y, epochs)`, which continues, and `predict(x)`."""

    fit: Callable[[Array, Array, int], Epochs]
    predict: Callable[[Array], Any]


def fitwell(row: Row) -> Fitter:
    import fitwell as fw

    fw.utils.set_random_seed(SEED)
    layers = [fw.layers.Dense(layer.units, activation=layer.activation) for layer in row.network]
    model = fw.Sequential(layers)
    model.compile(
        optimizer=fw.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        loss="binary_crossentropy" if row.binary else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return _keras_habits(model, row)


def keras(row: Row, backend: str, steps_per_execution: int) -> Fitter:
    os.environ["KERAS_BACKEND"] = backend  # read when keras is imported
    import keras

    keras.utils.set_random_seed(SEED)
    layers = [keras.layers.Dense(layer.units, activation=layer.activation) for layer in row.network]
    model = keras.Sequential(layers)
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        loss="binary_crossentropy" if row.binary else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    return _keras_habits(model, row)


def _keras_habits(model: Any, row: Row) -> Fitter:
    def fit(x: Array, y: Array, epochs: int) -> Epochs:
        history = model.fit(x, y, epochs=epochs, batch_size=row.batch, verbose=0).history
        return Epochs(history["loss"], history["accuracy"])

    return Fitter(fit, partial(model.predict, verbose=0))


def pytorch(row: Row, *, fused: bool = False, compiled: bool = False) -> Fitter:
    import torch

    torch.manual_seed(SEED)
    model = _torch_network(row)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, eps=EPSILON, fused=fused)
    criterion = torch.nn.BCEWithLogitsLoss() if row.binary else torch.nn.CrossEntropyLoss()

    def measure(x: Any, y: Any) -> tuple[Any, Any]:
        logits = model(x)
        if row.binary:
            logits = logits.squeeze(-1)
            return criterion(logits, y), ((logits > 0) == (y > 0)).sum()
        return criterion(logits, y), (logits.argmax(-1) == y).sum()

    loss_and_hits = torch.compile(measure) if compiled else measure

    def epoch(x: Any, y: Any) -> tuple[float, float]:
        order = torch.randperm(len(x))
        loss_sum, hits_sum = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        # Tensors shuffled at once and split: a DataLoader would be many times slower.
        for xs, ys in zip(x[order].split(row.batch), y[order].split(row.batch), strict=True):
            optimizer.zero_grad(set_to_none=True)
            loss, hits = loss_and_hits(xs, ys)
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach() * len(xs)
            hits_sum += hits
        return loss_sum.item() / len(x), hits_sum.item() / len(x)

    def fit(x: Array, y: Array, epochs: int) -> Epochs:
        xs, ys = torch.from_numpy(x), torch.from_numpy(y)
        ys = ys if row.binary else ys.long()
        means = [epoch(xs, ys) for _ in range(epochs)]
        return Epochs([loss for loss, _ in means], [accuracy for _, accuracy in means])

    def predict(x: Array) -> Any:
        with torch.inference_mode():
            logits = model(torch.from_numpy(x))
            return (logits.sigmoid() if row.binary else logits.softmax(-1)).numpy()

    return Fitter(fit, predict)


def _torch_network(row: Row) -> Any:
    from torch import nn

    (width,) = row.shape
    layers: list[Any] = []
    for layer in row.network:
        layers += [nn.Linear(width, layer.units), nn.ReLU()]
        width = layer.units
    return nn.Sequential(*layers[:-1])  # ends with logits


def scikit_learn(row: Row) -> Fitter:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)  # it is told how many epochs to take
    model = MLPClassifier(
        [layer.units for layer in row.network[:-1]],
        batch_size=row.batch,
        learning_rate_init=LEARNING_RATE,
        epsilon=EPSILON,
        alpha=0.0,
        n_iter_no_change=10**9,
        warm_start=True,
        random_state=SEED,
    )

    def fit(x: Array, y: Array, epochs: int) -> Epochs:
        model.set_params(max_iter=epochs).fit(x, y)
        return Epochs(model.loss_curve_[-epochs:], [])  # it keeps no accuracy

    return Fitter(fit, model.predict_proba)


BUILD: dict[str, Callable[[Row], Fitter]] = {
    "fitwell": fitwell,
    "pytorch": pytorch,
    "pytorch-fused": partial(pytorch, fused=True),
    "pytorch-compiled": partial(pytorch, fused=True, compiled=True),
    "keras-jax": partial(keras, backend="jax", steps_per_execution=1),
    "keras-jax-32": partial(keras, backend="jax", steps_per_execution=32),
    "keras-tensorflow": partial(keras, backend="tensorflow", steps_per_execution=1),
    "keras-tensorflow-32": partial(keras, backend="tensorflow", steps_per_execution=32),
    "scikit-learn": scikit_learn,
}
