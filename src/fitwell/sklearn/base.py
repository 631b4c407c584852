"""What the estimators share: parameters, reading, training, pickling."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import jax.numpy as jnp
import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from fitwell.arguments import whole_number
from fitwell.callbacks import EarlyStopping
from fitwell.data.splits import split
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.model import Model
from fitwell.sklearn.building import Job, Learning, build, hold_rate
from fitwell.sklearn.packing import pack, unpack
from fitwell.sklearn.rows import Scaling, check_share, dense, full_batch, mean_one, merged
from fitwell.tabular.recipe import Plan, plan
from fitwell.tabular.refitting import ENDED, MOST_ROWS, epochs_enough, refit
from fitwell.types import HostArray

_FEW = 100  # rows: of fewer a tenth measures nothing, and equal ones can be summed in no time
_ROWS = 32  # of the smallest prediction
_SPARSE_ROWS = 2**14
"""Sparse rows that are written out at a time for a prediction."""
_COPIES = 2.5
"""Of rows that a fit needs at once: themselves, the parts of a split, the features in float32."""
_OPTION = "network__"


class Rows(NamedTuple):
    """Examples: inputs, targets, and a weight per row."""

    x: HostArray
    y: HostArray
    weight: HostArray

    def part(self, rows: HostArray) -> Rows:
        """Some of the rows."""
        return Rows(*(array[rows] for array in self))

    def counted(self) -> Rows:
        """Those with a weight: the others would still decide scales and classes."""
        kept = self.weight > 0
        return self if kept.all() else self.part(kept)


@contextmanager
def _told_of_text(owner: str) -> Iterator[None]:
    """Columns of text are answered with what takes them."""
    try:
        yield
    except ValueError as error:
        said, _, value = str(error).partition("could not convert string to float: ")
        if said or not value:
            raise
        cure = (
            "Put OneHotEncoder() or TargetEncoder() before it in a pipeline (ColumnTransformer "
            "names the columns), or take fitwell.tabular.train(frame, target), which reads text."
        )
        raise InvalidData(owner, "numbers in every column of X", f"text: {value}", cure) from error


class Net(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A network as an estimator of scikit-learn; the base of those that there are."""

    def __init__(
        self,
        network: Any = None,
        *,
        network_args: Mapping[str, Any] | None = None,
        loss: Any = None,
        optimizer: Any = None,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | str | None = None,
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.1,
        patience: int | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.network = network
        self.network_args = network_args
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # Parameters of the builder look like parameters of the estimator: network__units=32

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name; those in `network_args` as `network__NAME`, too."""
        params: dict[str, Any] = super().get_params(deep=deep)
        given = params["network_args"]
        options = given if deep and isinstance(given, Mapping) else {}
        return params | {f"{_OPTION}{name}": value for name, value in options.items()}

    def set_params(self, **params: Any) -> Self:
        """Sets parameters; `network__NAME=value` is an entry of `network_args`."""
        inner = {k: v for k, v in params.items() if k.startswith(_OPTION)}
        super().set_params(**{k: v for k, v in params.items() if k not in inner})
        if inner:
            options = {k.removeprefix(_OPTION): v for k, v in inner.items()}
            self.network_args = {**(self.network_args or {}), **options}
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.network is None
        return tags

    # Pickles

    def __getstate__(self) -> dict[str, Any]:
        return {name: pack(value) for name, value in super().__getstate__().items()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__({name: unpack(value) for name, value in state.items()})

    # Reading

    @property
    def _owner(self) -> str:
        return type(self).__name__

    def _read(self, X: Any, *, reset: bool) -> HostArray:
        """Checked rows to learn from, dense."""
        with _told_of_text(self._owner):
            read = validate_data(self, X, reset=reset, **self._checks())
        return dense(self._owner, read, _COPIES)

    def _read_pair(self, X: Any, y: Any, *, reset: bool, numbers: bool) -> tuple[Any, Any]:
        """Checked rows, dense, and their labels; `numbers` has labels be numbers."""
        checks = self._checks() | {"multi_output": True, "y_numeric": numbers}
        with _told_of_text(self._owner):
            x, y = validate_data(self, X, y, reset=reset, **checks)
        return dense(self._owner, x, _COPIES), y

    def _checks(self) -> dict[str, Any]:
        """What rows may be: NaN only where the default network fills it."""
        scaled = self.network is None
        return {
            "accept_sparse": ["csr", "csc"],
            "ensure_all_finite": "allow-nan" if scaled else True,
            "dtype": [np.float64, np.float32] if scaled else np.float32,
        }

    def _inputs(self, x: HostArray) -> HostArray:
        """What the network gets for rows that were read."""
        return x if self._scaling is None else self._scaling(x)

    def _predict(self, model: Model, X: Any) -> HostArray:
        """(n, ...) what a model gives for rows of the user; of sparse ones some at a time."""
        with _told_of_text(self._owner):
            read = validate_data(self, X, reset=False, **self._checks())
        rows = read.shape[0]
        step = _SPARSE_ROWS if issparse(read) else max(rows, 1)
        blocks = [read[start : start + step] for start in range(0, rows, step)]
        return np.concatenate([self._answer(model, dense(self._owner, each)) for each in blocks])

    def _answer(self, model: Model, read: HostArray) -> HostArray:
        x = self._inputs(read)
        # A row alone is multiplied by another routine, and rounded otherwise, than one of many.
        padded = np.concatenate([x, np.repeat(x[-1:], max(_ROWS - len(x), 0), axis=0)])
        return np.asarray(model.predict(padded))[: len(x)]

    # Training

    def _goes_on(self, partial: bool) -> bool:
        """Whether a fit begins with the weights of the last."""
        return (partial or self.warm_start) and hasattr(self, "model_")

    def _gathered(self, rows: Rows, *, partial: bool) -> Rows:
        """Equal rows summed to one where a fit depends neither on how often a row is written nor
        on its place: a full batch, and the default network on few rows."""
        few = self.network is None and self.batch_size is None and len(rows.x) < _FEW
        full = self.batch_size == "full" or (few and not partial)
        return Rows(*merged(*rows)) if full else rows

    def _learn(
        self, rows: Rows, task: str, told: int, *, partial: bool = False, classes: Any = None
    ) -> None:
        """Trains `model_`, which is made now unless the fit goes on.

        Args:
            rows: read, with the targets as the network's numbers.
            told: how many outputs; for the task "features" how many numbers the code has.
            partial: one pass, and nothing is put aside for validation.
            classes: a class per row, for a validation part with a share of each.
        """
        go_on = self._goes_on(partial)
        epochs = self._epochs(partial)
        every, held = rows, None
        seed = self.model_.seed if go_on else check_random_state(self.random_state).randint(2**31)
        if not partial and self._stops_early(len(rows.x)):
            share = check_share(self._owner, self.validation_fraction)
            labels = len(rows.x) if classes is None else classes
            parts = split(labels, (1 - share, share, 0.0), seed=int(seed))
            rows, held = rows.part(parts.train), rows.part(parts.validation)
        chosen = plan(len(rows.x), epochs)
        if not go_on:
            self._make(rows.x, task, told, chosen, int(seed))
        elif not partial:  # a fit of its own, from the weights of the last
            state = self.model_.train_state
            fresh = state._replace(optimizer=(), step=jnp.zeros((), jnp.int32))
            self.model_.train_state = fresh
        if partial:
            hold_rate(self.model_, chosen.steps(len(rows.x)))
        again = self.network is None and self.batch_size != "full" and len(every.x) < MOST_ROWS
        twin = copy.deepcopy(self.model_) if again and held is not None else None
        enough = self._run(rows, held, chosen) if epochs != 0 else 0
        if held is not None:
            self._look_at(held)
        if twin is not None and enough:
            x, y, weight = self._examples(every)
            size = self._batch_size(chosen, len(x))
            options: Any = {"batch_size": size, "sample_weight": mean_one(weight)}
            refit(self.model_, twin, x, y, steps=enough * -(-len(rows.x) // size), **options)
        self.n_iter_ = len(self.history_.get("loss", ()))

    def _make(self, x: HostArray, task: str, told: int, chosen: Plan, seed: int) -> None:
        """A new model for these rows."""
        self._scaling = Scaling.of(x) if self.network is None else None
        features = self._inputs(x[:1]).shape[1]
        outputs = features if task == "features" else told
        job = Job(self._owner, task, features, outputs, told, len(x), chosen, seed)
        self._task = task
        self.model_: Model = build(*self._network(), job, self._learning())
        self.history_: dict[str, list[float]] = {}

    def _network(self) -> tuple[Any, Mapping[str, Any] | None]:
        """What to build, and the options of what builds it."""
        return self.network, self.network_args

    def _learning(self) -> Learning:
        """How the network is trained, where the parameters say so."""
        return Learning(self.optimizer, self.learning_rate, self.loss)

    def _run(self, rows: Rows, held: Rows | None, chosen: Plan) -> int:
        """The fit of the model, whose history is appended to that of the fits before.

        Returns:
            after how many epochs a fit of all rows ought to end; 0 if there should be none.
        """
        x, y, weight = self._examples(rows)
        validation, stopper, every = None, None, 1
        if held is not None:
            x_held, y_held, weight_held = self._examples(held)
            validation = x_held, y_held, mean_one(weight_held)
            patience = max(chosen.epochs // 4, 4) if self.patience is None else self.patience
            if self.network is None and self.patience is None:
                every, patience = chosen.validation_freq, chosen.patience
            stopper = EarlyStopping(patience=patience, restore_best_weights=True)
        history = self.model_.fit(
            x,
            y,
            batch_size=self._batch_size(chosen, len(x)),
            epochs=chosen.epochs,
            verbose=self.verbose,
            callbacks=[] if stopper is None else [stopper],
            validation_data=validation,
            validation_freq=every,
            sample_weight=mean_one(weight),
            doctor="warn" if self.verbose else "off",
        )
        self._check_weights()
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        if held is None or stopper is None or history.stopped not in ENDED:
            return 0
        return epochs_enough(history, stopper.best_epoch + 1, len(held.x))

    def _look_at(self, held: Rows) -> None:
        """What rows that were put aside still tell after the training."""

    def _examples(self, rows: Rows) -> Rows:
        """What the network gets and ought to give; an autoencoder ought to give what it gets."""
        x = self._inputs(rows.x)
        return Rows(x, x if self._task == "features" else rows.y, rows.weight)

    def _check_weights(self) -> None:
        if not all(np.isfinite(weight).all() for weight in self.model_.get_weights()):
            raise InvalidData(
                f"{self._owner}.fit",
                "weights that stay finite",
                "NaN or infinity",
                "Put StandardScaler() before the network, or lower learning_rate.",
            )

    def _epochs(self, partial: bool) -> int | None:
        if partial:
            return 1
        return None if self.epochs is None else whole_number(self._owner, "epochs", self.epochs, 0)

    def _batch_size(self, chosen: Plan, rows: int) -> int:
        if self.batch_size == "full":
            return full_batch(rows)
        if self.batch_size is None:
            return chosen.batch_size
        cure = 'Pass a number of rows, or "full" for all of them.'
        return whole_number(self._owner, "batch_size", self.batch_size, 1, cure)

    def _stops_early(self, rows: int) -> bool:
        if isinstance(self.early_stopping, bool | np.bool_):
            return bool(self.early_stopping)
        if self.early_stopping == "auto":
            return self.network is None and rows >= _FEW
        raise InvalidArgument(
            self._owner,
            'early_stopping to be True, False or "auto"',
            f"early_stopping={self.early_stopping!r}",
            "Choose one.",
        )
