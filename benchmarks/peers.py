"""How a user of each library writes the same training.

Everybody gets the same data, sizes, batch and Adam, shuffles every epoch, keeps the running loss
and accuracy, validates after every epoch and shows progress. A peer is a function of a Row that
returns a Fitter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from rows import EPSILON, LEARNING_RATE, SEED, Array, Data, Epochs, Row


class Fitter(NamedTuple):
    """What a peer offers: `fit(data, epochs)`, which continues, and `predict(x)`."""

    fit: Callable[[Data, int], Epochs]
    predict: Callable[[Array], Any]


def fitwell(row: Row, **options: Any) -> Fitter:
    """`options` go to fit."""
    import fitwell as fw

    fw.settings.progress = "bar"  # as in a terminal, though nobody looks
    return _keras_habits(fw, row, options)


def keras(row: Row, backend: str, steps_per_execution: int) -> Fitter:
    os.environ["KERAS_BACKEND"] = backend  # read when keras is imported
    import keras

    return _keras_habits(keras, row, steps_per_execution=steps_per_execution)


def _keras_habits(
    library: Any, row: Row, options: Mapping[str, Any] | None = None, **more: Any
) -> Fitter:
    """What fitwell and Keras write alike; `options` go to fit, `more` goes to compile."""
    library.utils.set_random_seed(SEED)
    last = library.layers.Activation("sigmoid" if row.binary else "softmax")
    model = library.Sequential([*row.network.fitwell(library.layers), last])
    model.compile(
        optimizer=library.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        loss="binary_crossentropy" if row.binary else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        **more,
    )

    def fit(data: Data, epochs: int) -> Epochs:
        history = model.fit(
            data.x,
            data.y,
            batch_size=row.batch,
            epochs=epochs,
            validation_data=data.validation,
            verbose=1,
            **(options or {}),
        ).history
        return Epochs(**{name: history[name] for name in Epochs._fields})

    return Fitter(fit, partial(model.predict, verbose=0))


def pytorch(row: Row, *, fused: bool = False, compiled: bool = False) -> Fitter:
    import torch

    torch.manual_seed(SEED)
    model = torch.nn.Sequential(*row.network.torch(torch.nn))
    if _images(row):
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, eps=EPSILON, fused=fused)
    criterion = torch.nn.BCEWithLogitsLoss() if row.binary else torch.nn.CrossEntropyLoss()

    def measure(x: Any, y: Any) -> tuple[Any, Any]:
        logits = model(x)
        if row.binary:
            logits = logits.squeeze(-1)
            return criterion(logits, y), ((logits > 0) == (y > 0)).sum()
        return criterion(logits, y), (logits.argmax(-1) == y).sum()

    loss_and_hits = torch.compile(measure) if compiled else measure

    def training_step(x: Any, y: Any) -> tuple[Any, Any]:
        optimizer.zero_grad(set_to_none=True)
        loss, hits = loss_and_hits(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach(), hits

    def means(step: Callable[[Any, Any], tuple[Any, Any]], x: Any, y: Any) -> tuple[float, float]:
        loss_sum, hits_sum = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        # Tensors split: a DataLoader would be many times slower.
        for xs, ys in zip(x.split(row.batch), y.split(row.batch), strict=True):
            loss, hits = step(xs, ys)
            loss_sum += loss * len(xs)
            hits_sum += hits
        return loss_sum.item() / len(x), hits_sum.item() / len(x)

    def fit(data: Data, epochs: int) -> Epochs:
        (x, y), validation = _tensors(row, data.x, data.y), _tensors(row, *data.validation)
        result = Epochs([], [], [], [])
        for number in range(epochs):
            order = torch.randperm(len(x))
            seen = means(training_step, x[order], y[order])
            with torch.no_grad():
                # Not compiled: that would be a second program, and slower to the first result.
                seen = (*seen, *means(measure, *validation))
            _keep(result, number, seen)
        return result

    def predict(x: Array) -> Any:
        with torch.inference_mode():
            logits = model(_tensor(row, x))
            return (logits.sigmoid() if row.binary else logits.softmax(-1)).numpy()

    return Fitter(fit, predict)


def _images(row: Row) -> bool:
    return len(row.network.shape) == 3


def _tensor(row: Row, x: Array) -> Any:
    """Images keep their memory, which is PyTorch's `channels_last`."""
    import torch

    return torch.from_numpy(x).movedim(-1, 1) if _images(row) else torch.from_numpy(x)


def _tensors(row: Row, x: Array, y: Array) -> tuple[Any, Any]:
    import torch

    labels = torch.from_numpy(y)
    return _tensor(row, x), labels if row.binary else labels.long()


def _keep(epochs: Epochs, number: int, seen: tuple[float, ...]) -> None:
    """Adds what one epoch gave, and prints it: progress where a library shows none."""
    for values, value in zip(epochs, seen, strict=True):
        values.append(value)
    print(number + 1, *(f"{n} {v:.4f}" for n, v in zip(Epochs._fields, seen, strict=True)))


def scikit_learn(row: Row) -> Fitter:
    """Epoch by epoch by `partial_fit`: `fit` can neither continue nor tell the validation loss."""
    from sklearn.metrics import accuracy_score, log_loss
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        row.hidden,
        batch_size=row.batch,
        learning_rate_init=LEARNING_RATE,
        epsilon=EPSILON,
        alpha=0.0,
        random_state=SEED,
        verbose=True,
    )
    classes = np.arange(row.network.classes)

    def fit(data: Data, epochs: int) -> Epochs:
        x, y = data.validation
        result = Epochs([], [], [], [])  # it keeps no accuracy
        for _ in range(epochs):
            model.partial_fit(data.x, data.y, classes=classes)
            probabilities = model.predict_proba(x)
            result.loss.append(float(model.loss_))
            result.val_loss.append(log_loss(y, probabilities, labels=classes))
            result.val_accuracy.append(accuracy_score(y, probabilities.argmax(-1)))
            print(f"val_loss {result.val_loss[-1]:.4f} val_accuracy {result.val_accuracy[-1]:.4f}")
        return result

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
