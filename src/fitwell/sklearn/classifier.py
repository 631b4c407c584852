"""NetClassifier: classes, and several labels per row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from scipy import sparse, special
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from fitwell.data.targets import ONE_HOT, to_categorical
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.sklearn.base import Net, Rows
from fitwell.sklearn.building import last_activation
from fitwell.sklearn.rows import weights_of
from fitwell.tabular.calibration import fit_temperature, tempered
from fitwell.types import HostArray


class NetClassifier(ClassifierMixin, Net):  # type: ignore[misc] # scikit-learn has no types
    """p(class | x) = softmax(network(x)), or sigmoid: (n, features) -> (n, classes).

    Any network of fitwell as a classifier of scikit-learn: in a Pipeline, GridSearchCV,
    cross_val_score, clone, pickle. With rows of several labels (an indicator matrix of 0 and 1)
    each label has a probability of its own.

    Args:
        network: what to train. None: the default of `fitwell.tabular`, on features that are
            scaled robustly, with NaN filled and marked. A list of layers, the output last. A
            function `(features, outputs, **network_args)` that returns layers or a model; outputs
            is 1 for two classes, else the number of classes or labels. A Model: a copy of it
            begins with the weights it has.
        network_args: further arguments of that function; as `network__units=32` in `set_params`
            and in the grid of a search.
        loss: a name or Loss. None: cross-entropy; outputs without sigmoid or softmax are logits.
        optimizer: a name or Optimizer. None: the network's own, else Adam.
        learning_rate: a constant rate in place of the optimizer's, > 0.
        epochs: passes over the rows, >= 0. None: by their number, as for tables.
        batch_size: rows per step. None: by their number, from about 64 to 1024. "full": all rows,
            equal rows summed to one, so that the fit depends on no order; the default network sums
            equal rows, too, where there are fewer than 100.
        early_stopping: put rows aside and end with the best epoch on them. "auto": for the default
            network from 100 rows on, which then, of less than 10,000, learns from all of them, as
            long unless a part of that was clearly better.
        validation_fraction: the share that is put aside, in (0, 1), of each class.
        patience: epochs without improvement to wait, >= 0. None: a quarter of the epochs; all of
            them for the default network on less than 10,000 rows.
        class_weight: {class: weight}, "balanced" or None; a list of dicts for several labels.
        warm_start: another `fit` begins with the weights of the last.
        random_state: of the weights, the order of the rows, dropout and the rows put aside: a
            number, a RandomState or None.
        verbose: as in `Model.fit`; 0 is silent and without the doctor.

    Attributes:
        model_: the fitted fitwell.Model; `model_.save(path)` writes it, without the scaling.
        classes_: the classes, sorted; 0, 1, ... for several labels.
        history_: name -> values: "loss" of each epoch and, with early stopping, "val_loss" of each
            (of every few, where the default network stops by itself).
        n_iter_: epochs so far.
        temperature_: by which logits are divided, so that probabilities mean what they say: fitted
            on rows put aside for the default network, else 1.
        n_features_in_, feature_names_in_: as in scikit-learn.

    Raises:
        InvalidData, InvalidArgument, ShapeMismatch: from `fit`, all of them ValueErrors.

    >>> from sklearn.datasets import load_iris
    >>> from fitwell.layers import Dense
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NetClassifier([Dense(3, activation="softmax")], epochs=60, random_state=0)
    >>> net.set_params(learning_rate=0.1).fit(X, y).score(X, y) > 0.95
    True

    Source: Bishop 2006, Pattern Recognition and Machine Learning, section 5.2.
    """

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
        class_weight: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            network,
            network_args=network_args,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains on rows and their classes.

        Args:
            X: (n, features), dense or sparse, or a frame of numbers.
            y: (n,) classes, or (n, labels) of 0 and 1.
            sample_weight: (n,) weights >= 0; a weight of 2 is a row written twice, one of 0
                leaves a row out.
        """
        known = self.classes_ if self._goes_on(partial=False) else None
        return self._fit(X, y, sample_weight, known, partial=False)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One pass over these rows, from the weights there are: for data that come in parts.

        The learning rate is constant, and the scaling of the default network that of the first
        rows.

        Args:
            X, y, sample_weight: as in `fit`.
            classes: all classes that will come; needed in the first call, but for several labels.
        """
        if isinstance(self.class_weight, str):
            raise InvalidArgument(
                f"{self._owner}.partial_fit",
                "class_weight as a dict, for the shares of classes to come are unknown",
                f"class_weight={self.class_weight!r}",
                "Pass class_weight={class: weight}.",
            )
        going = self._goes_on(partial=True)
        given = None if classes is None else np.unique(classes)
        if going and given is not None and not np.array_equal(given, self.classes_):
            raise InvalidData(
                f"{self._owner}.partial_fit",
                f"the classes of the first call, {self.classes_.tolist()}",
                f"{given.tolist()}",
                "Leave classes out after the first call.",
            )
        several = _labels_per_row(y)
        if not going and given is None and not several:
            raise InvalidArgument(
                f"{self._owner}.partial_fit",
                "classes in the first call: all that will come",
                "none",
                "Pass classes=np.unique(all_labels).",
            )
        return self._fit(X, y, sample_weight, self.classes_ if going else given, partial=True)

    def predict_proba(self, X: Any) -> HostArray:
        """(n, classes) probabilities in the order of `classes_`, or one for each label."""
        check_is_fitted(self)
        shares = self._shares(self._predict(self.model_, X))
        return shares if self._task == "multilabel" else tempered(shares, self.temperature_)

    def predict(self, X: Any) -> HostArray:
        """(n,) the most probable class of each row, or (n, labels) of 0 and 1."""
        shares = self.predict_proba(X)
        if self._task == "multilabel":
            return (shares > 0.5).astype(np.int64)
        found: HostArray = self.classes_[shares.argmax(axis=1)]
        return found

    def _fit(self, X: Any, y: Any, sample_weight: Any, classes: Any, *, partial: bool) -> Self:
        x, y = self._read_pair(X, y, reset=not self._goes_on(partial), numbers=False)
        check_classification_targets(y)
        weight = weights_of(self._owner, sample_weight, len(x))
        several = _labels_per_row(y)
        y = (y.toarray() if sparse.issparse(y) else y) if several else column_or_1d(y, warn=True)
        x, y, weight = Rows(x, y, weight).counted()
        if self.class_weight is not None:
            both = weight * compute_sample_weight(self.class_weight, y)
            weight = weights_of(self._owner, both, len(y))
        codes = self._encode(y, classes, several)
        task = "multilabel" if several else "binary" if len(self.classes_) == 2 else "multiclass"
        outputs = 1 if task == "binary" else len(self.classes_)
        rows = self._gathered(Rows(x, codes, weight), partial=partial)
        stratify = None if several else rows.y
        if not self._goes_on(partial):
            self.temperature_ = 1.0
        self._learn(rows, task, outputs, partial=partial, classes=stratify)
        return self

    def _shares(self, outputs: HostArray) -> HostArray:
        """Probabilities for what the network gives: probabilities or logits, float32."""
        raw, activation = outputs.astype(np.float64), last_activation(self.model_)
        if self._task == "multilabel" or raw.shape[1] == 1:
            positive = raw if activation == "sigmoid" else special.expit(raw)
            if self._task == "multilabel":
                return positive
            return np.concatenate([1 - positive, positive], axis=1)
        shares = raw if activation == "softmax" else special.softmax(raw, axis=1)
        normal: HostArray = shares / shares.sum(axis=1, keepdims=True)  # in float64: exactly 1
        return normal

    def _look_at(self, held: Rows) -> None:
        """Calibrates the default network, as `fitwell.tabular` does."""
        if self.network is None and self._task != "multilabel":
            shares = self._shares(self.model_.predict(self._inputs(held.x)))
            self.temperature_ = fit_temperature(shares, held.y, held.weight)

    def _examples(self, rows: Rows) -> Rows:
        examples = super()._examples(rows)
        if self._task != "multilabel" and isinstance(self.model_.compiled().losses[0], ONE_HOT):
            return examples._replace(y=to_categorical(examples.y, len(self.classes_)))
        return examples

    def _encode(self, y: HostArray, classes: Any, several: bool) -> HostArray:
        """Class numbers, or the indicator matrix; sets `classes_`."""
        known = classes
        if known is None:
            known = np.arange(y.shape[1]) if several else np.unique(y)
        if several:
            if len(known) != y.shape[1]:
                cure = "Each label needs a column."
                received = f"{y.shape[1]}"
                raise InvalidData(self._owner, f"{len(known)} labels per row", received, cure)
            self.classes_ = known
            return y.astype(np.float32)
        if len(known) < 2:
            received = f"1 class: {known.tolist()}"
            cure = "A classifier learns differences: add rows of another class."
            raise InvalidData(f"{self._owner}.fit", "rows of two classes or more", received, cure)
        strange = np.setdiff1d(y, known)
        if strange.size:
            raise InvalidData(
                f"{self._owner}.fit",
                f"the classes of the first call, {known.tolist()}",
                f"{strange.tolist()} as well",
                "Name all classes in the first partial_fit, or fit anew without warm_start.",
            )
        self.classes_ = known
        return np.searchsorted(known, y).astype(np.int32)


def _labels_per_row(y: Any) -> bool:
    """Whether y is an indicator matrix."""
    return bool(type_of_target(y) == "multilabel-indicator")
