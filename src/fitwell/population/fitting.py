"""`fit_many`: from a model, data and lists of hyper-parameters to trained networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fitwell.arguments import named
from fitwell.compiling import in_words
from fitwell.errors import InvalidArgument
from fitwell.model import Model, require_model
from fitwell.population.jobs import Job
from fitwell.population.lanes import combine, seeds_of
from fitwell.population.results import Population


@named
@in_words
def fit_many(
    model: Model,
    x: Any = None,
    y: Any = None,
    seeds: Any = None,
    learning_rate: Any = None,
    weight_decay: Any = None,
    dropout: Any = None,
    label_smoothing: Any = None,
    init_scale: Any = None,
    width: Any = None,
    depth: Any = None,
    vary: Mapping[str, Any] | None = None,
    grid: bool = False,
    batch_size: int | str | None = None,
    epochs: int = 1,
    validation_split: float = 0.0,
    validation_data: Any = None,
    patience: int | None = None,
    monitor: str | None = None,
    mode: str = "auto",
    class_weight: Any = None,
    sample_weight: Any = None,
    sample_weights: Sequence[Any] | None = None,
    verbose: int | str = "auto",
    time_limit: float | str | None = None,
) -> Population:
    """Trains copies of a model at the same time: one compiled program, one lane for each.

    Lane i is what `fit` makes of a model with lane i's seed and hyper-parameters, which begins with
    fresh weights, also if this one was trained. Only arrays that would be the same with any seed
    are this model's: those of frozen layers, of layers that another model lends, and what layers
    were adapted to by hand. The model itself is left as it is, but for shapes that it learns from
    the data.

    Args:
        model: compiled; a `Sequential` may learn its shapes from x.
        x, y: as in `fit`; arrays, not iterables of batches.
        seeds: how many lanes, counted from `model.seed`, or their seeds.
        learning_rate: numbers or schedules, one per lane; or one for all; or None.
        weight_decay: of the optimizer.
        dropout: the rate of every dropout layer of the model.
        label_smoothing: of the losses. `loss` and `val_loss` of a lane are its own loss, so that
            lanes need a monitor that does not depend on it.
        init_scale: factors of the initial kernels and embeddings; biases and the like are left
            alone.
        width: units of the hidden layers of a dense network: a number for all of them or a tuple,
            at most those of the model. Such a lane is what the truly narrow network becomes,
            except that dropout, which draws for all units, draws other masks.
        depth: how many hidden layers, at most those of the model; those that a lane leaves out
            must be as wide as the last that it keeps.
        vary: other numbers, by `"optimizer.beta_1"`, `"loss.delta"` or `"layer_name.rate"`.
        grid: combine every value with every other, in place of pairing the lists.
        batch_size, epochs, validation_split, validation_data, class_weight, sample_weight,
            time_limit: as in `fit`.
        patience: epochs without a better value after which a lane stops; it keeps its best
            weights. None trains all lanes to the end and keeps the last.
        monitor: what gets better: `"val_loss"`, or `"loss"` without validation. Lanes with numbers
            of the loss that differ must name a metric.
        mode: `"max"` if more of it is better, `"min"` if less is; `"auto"`: known from its name.
        sample_weights: for each lane (n,) factors of the examples' weights.
        verbose: 0 is silent.

    Returns:
        a Population: `.frame()`, `.best`, `.models`, `.mean()`, `.ensemble()`.

    Raises:
        InvalidArgument: lists of unequal length, values the model cannot take.

    >>> from fitwell import Sequential
    >>> from fitwell.layers import Dense
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> model = Sequential([Dense(8, activation="tanh"), Dense(1)], seed=0)
    >>> model.compile(loss="mse")
    >>> found = fit_many(model, x, x**2, learning_rate=[1e-4, 1e-2], epochs=20, verbose=0)
    >>> found.best.learning_rate
    0.01
    """
    subject = "fit_many"
    given = {
        "seeds": seeds_of(subject, seeds, require_model(subject, model).seed),
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "dropout": dropout,
        "label_smoothing": label_smoothing,
        "init_scale": init_scale,
        "width": width,
        "depth": depth,
        "sample_weights": sample_weights,
        **_named_numbers(subject, vary),
    }
    lanes = combine(subject, model.seed, given, grid)
    job = Job(
        subject, model, x, y, batch_size=batch_size, epochs=epochs, patience=patience,
        monitor=monitor, mode=mode, class_weight=class_weight, sample_weight=sample_weight,
        validation_split=validation_split, validation_data=validation_data,
    )  # fmt: skip
    return Population(*job.run(lanes, verbose, time_limit))


def _named_numbers(subject: str, vary: Any) -> dict[str, Any]:
    """`vary` as a dict by name."""
    if vary is None:
        return {}
    if not isinstance(vary, Mapping) or not all(isinstance(name, str) for name in vary):
        cure = 'Write vary={"optimizer.beta_1": [0.8, 0.9]}.'
        raise InvalidArgument(subject, "vary as a dict by name", f"vary={vary!r}", cure)
    return dict(vary)
