"""NetRegressor: one number per row, or several."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from fitwell.errors import InvalidData
from fitwell.sklearn.base import Net, Rows
from fitwell.sklearn.rows import Units, weights_of
from fitwell.types import HostArray


class NetRegressor(RegressorMixin, Net):  # type: ignore[misc] # scikit-learn has no types
    """y = network(x): (n, features) -> (n,), or (n, targets) for several.

    Any network of fitwell as a regressor of scikit-learn. The default network learns targets in
    units of their standard deviation; a network of your own gets them as they are
    (`sklearn.compose.TransformedTargetRegressor` scales them).

    Args:
        network, network_args, optimizer, learning_rate, epochs, batch_size, early_stopping,
            validation_fraction, patience, warm_start, random_state, verbose: as in NetClassifier;
            outputs is the number of targets.
        loss: a name or Loss; None is the mean squared error.

    Attributes:
        model_, history_, n_iter_, n_features_in_, feature_names_in_: as in NetClassifier.

    >>> import numpy as np
    >>> from fitwell.layers import Dense
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> line = NetRegressor([Dense(1)], epochs=200, learning_rate=0.1, random_state=0)
    >>> line.fit(X, 3 * X[:, 0] + 2).predict([[2.0]]).round(2)
    array([8.])

    Source: Bishop 2006, Pattern Recognition and Machine Learning, section 5.2.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains on rows and their targets.

        Args:
            X: (n, features), dense or sparse, or a frame of numbers.
            y: (n,) or (n, targets) numbers.
            sample_weight: (n,) weights >= 0; a weight of 2 is a row written twice, one of 0
                leaves a row out.
        """
        return self._fit(X, y, sample_weight, partial=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One pass over these rows, from the weights there are: for data that come in parts.

        The learning rate is constant, and the scales of the default network are those of the first
        rows.
        """
        return self._fit(X, y, sample_weight, partial=True)

    def predict(self, X: Any) -> HostArray:
        """(n,) or (n, targets), as in training, in the unit of the targets."""
        check_is_fitted(self)
        raw = self._predict(self.model_, X).astype(np.float64)
        values = raw if self._units is None else self._units.decode(raw)
        return values[:, 0] if self._flat else values

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, partial: bool) -> Self:
        go_on = self._goes_on(partial)
        x, y = self._read_pair(X, y, reset=not go_on, numbers=True)
        weight = weights_of(self._owner, sample_weight, len(x))
        columns = y.reshape(len(y), -1).astype(np.float64)
        x, columns, weight = self._gathered(Rows(x, columns, weight).counted(), partial=partial)
        if not go_on:
            self._flat = y.ndim == 1
            self._units = Units.of(columns, weight) if self.network is None else None
        elif columns.shape[1] != self.model_.output_shape[1]:
            received = f"{columns.shape[1]}"
            expected = f"{self.model_.output_shape[1]} targets, as in the first call"
            raise InvalidData(f"{self._owner}.fit", expected, received, "Fit anew.")
        targets = columns if self._units is None else self._units.encode(columns)
        self._learn(Rows(x, targets, weight), "regression", columns.shape[1], partial=partial)
        return self
