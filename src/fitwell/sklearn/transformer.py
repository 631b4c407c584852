"""NetTransformer: features that a network has learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from fitwell.architectures import autoencoder
from fitwell.arguments import whole_number
from fitwell.errors import InvalidArgument
from fitwell.model import Model
from fitwell.optimizers import Adam
from fitwell.sklearn.base import Net, Rows
from fitwell.sklearn.building import Learning
from fitwell.types import HostArray
from fitwell.views import LayerView

_DEFAULT = {"units": (64,)}
_RATE = 0.01  # of the default autoencoder, which has few steps


class NetTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Net):  # type: ignore[misc] # scikit-learn has no types
    """code = encoder(x) where decoder(encoder(x)) ~ x: (n, features) -> (n, n_components).

    An autoencoder as a transformer of scikit-learn: what its narrow layer says of a row. Labels
    are ignored.

    Args:
        n_components: numbers of the code; what a builder gets as its second argument.
        network: None: `architectures.autoencoder` with a hidden layer of 64, on features that are
            scaled robustly, with NaN filled and marked. Or layers, a function
            `(features, n_components, **network_args)` or a Model whose output is its input again.
            With `epochs=0` a Model is used as it is.
        network_args: further arguments of the function, also of the autoencoder:
            `{"units": (128, 32)}`.
        layer: the name or place of the layer whose output is the code. None: the one called
            "code".
        loss, optimizer, learning_rate, epochs, batch_size, early_stopping, validation_fraction,
            patience, warm_start, random_state, verbose: as in NetRegressor.

    Attributes:
        model_: the fitted autoencoder.
        encoder_: the part of it from the input to the code.
        history_, n_iter_, n_features_in_, feature_names_in_: as in NetClassifier.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> codes = NetTransformer(2, epochs=2, random_state=0).fit(X)
    >>> codes.transform(X).shape, codes.get_feature_names_out().tolist()
    ((60, 2), ['nettransformer0', 'nettransformer1'])

    Source: Hinton & Salakhutdinov 2006, doi:10.1126/science.1127647.
    """

    def __init__(
        self,
        n_components: int = 2,
        network: Any = None,
        *,
        network_args: Mapping[str, Any] | None = None,
        layer: str | int | None = None,
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
        self.n_components = n_components
        self.layer = layer

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Trains the autoencoder on rows (n, features), dense or sparse."""
        return self._fit(X, partial=False)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """One pass over these rows, from the weights there are."""
        return self._fit(X, partial=True)

    def transform(self, X: Any) -> HostArray:
        """(n, n_components) float32: the code of each row."""
        check_is_fitted(self)
        codes = self._predict(self.encoder_, X)
        return codes.reshape(len(codes), -1)

    @property
    def _n_features_out(self) -> int:
        """How many names `get_feature_names_out` gives."""
        return int(np.prod(self.encoder_.output_shape[1:]))

    def _network(self) -> tuple[Any, Mapping[str, Any] | None]:
        if self.network is not None:
            return self.network, self.network_args
        return autoencoder, {**_DEFAULT, **(self.network_args or {})}

    def _learning(self) -> Learning:
        told = super()._learning()
        if self.network is None and self.optimizer is None:
            return replace(told, optimizer=Adam(_RATE))
        return told

    def _make(self, *what: Any) -> None:
        super()._make(*what)
        self._code()  # a layer that is not there is said before the training

    def _fit(self, X: Any, *, partial: bool) -> Self:
        x = self._read(X, reset=not self._goes_on(partial))
        told = whole_number(self._owner, "n_components", self.n_components, 1)
        rows = self._gathered(Rows(x, x, np.ones(len(x))), partial=partial)
        self._learn(rows, "features", told, partial=partial)
        self.encoder_ = Model(self.model_.inputs, self._code().output)
        return self

    def _code(self) -> LayerView:
        """The layer whose output is the code."""
        names = [view.name for view in self.model_.layers]
        if self.layer is None and "code" not in names:
            raise InvalidArgument(
                self._owner,
                'layer, or a layer with name="code"',
                f"layers {', '.join(names)}",
                f"Pass the layer with the features, such as layer={names[0]!r}.",
            )
        if isinstance(self.layer, int):
            return self.model_.get_layer(index=self.layer)
        return self.model_.get_layer(self.layer or "code")
