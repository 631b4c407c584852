"""The models of `make bench-tables`: fitwell's default for tables, and what people try first."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

import fitwell as fw
from fitwell import tabular
from fitwell.data.columns import infer_columns
from fitwell.data.encoding import fit_encoder
from fitwell.data.labels import fit_target
from fitwell.data.roles import Roles

Rows = np.ndarray[Any, Any]
Answer = tuple[Rows, dict[str, float]]
"""Predicted numbers or class numbers of the test rows, and facts about the fit."""

TARGET = "target"
_COURSE = ("epochs", "refit_epochs")
BUDGET = "120s"  # of a search


def fitwell_train(
    frame: pl.DataFrame, task: str, train: Rows, validation: Rows, test: Rows, seed: int
) -> Answer:
    """What `fitwell train` does, with its default network."""
    prepared = _prepared(frame, task, train, validation, test)
    model = tabular.fit(prepared, tabular.build(prepared, seed=seed), verbose=0)
    outputs = model.outputs(prepared.test.x)
    found = {name: float(model.facts[name]) for name in _COURSE if name in model.facts}
    if task == "regression":
        found["inside the 90 % interval"] = model.facts["interval"]["measured"]
        return outputs, found
    found["temperature"] = model.facts["calibration"]["temperature"]
    for when in ("before", "after"):
        for name, value in model.facts["calibration"][when].items():
            found[f"{name} {when} calibration"] = value
    return outputs.argmax(axis=1), found


def fitwell_tuned(
    frame: pl.DataFrame, task: str, train: Rows, validation: Rows, test: Rows, seed: int
) -> Answer:
    """What `fitwell train --tune` does: the better of the default network and a search."""
    prepared = _prepared(frame, task, train, validation, test)
    found = tabular.tuned(prepared, BUDGET, seed=seed, verbose=0)
    facts = {
        "trials": len(found.trials),
        "default kept": float(tabular.DEFAULT in found.best_values),
    }
    return _answer(prepared, found.best, task), facts


def fitwell_search(
    frame: pl.DataFrame, task: str, train: Rows, validation: Rows, test: Rows, seed: int
) -> Answer:
    """`fitwell.search` alone: dense networks on the encoded table."""
    prepared = _prepared(frame, task, train, validation, test)
    part, held = prepared.train, (prepared.validation.x, prepared.validation.encoded)
    found = fw.search(
        None, part.x, part.encoded, budget=BUDGET, validation_data=held, seed=seed, verbose=0
    )
    return _answer(prepared, found.best, task), {"trials": len(found.trials)}


def _answer(prepared: tabular.Prepared, network: fw.Model, task: str) -> Rows:
    model = tabular.TableModel(network, prepared.encoder, prepared.target)
    outputs = model.outputs(prepared.test.x)
    return outputs if task == "regression" else outputs.argmax(axis=1)


def _prepared(
    frame: pl.DataFrame, task: str, train: Rows, validation: Rows, test: Rows
) -> tabular.Prepared:
    columns = infer_columns(frame, TARGET)
    encoder = fit_encoder(frame, columns, train)
    target = fit_target(frame[TARGET][train], task)

    def part(rows: Rows) -> tabular.Part:
        y = frame[TARGET][rows]
        x = encoder.transform(frame[rows])
        return tabular.Part(x, target.encode(y), target.true_values(y), rows)

    three = part(train), part(validation), part(test)
    return tabular.Prepared(
        columns, encoder, target, *three, (), frame,
        roles=Roles(), forms={}, groups=None, places=np.arange(len(frame)),
    )  # fmt: skip


def peer(make: Callable[[str, int], Any]) -> Callable[..., Answer]:
    """A model of scikit-learn's kind, on training and validation rows together.

    Numbers have the median in place of missing values and are standardised; words are one-hot.
    """

    def answer(
        frame: pl.DataFrame, task: str, train: Rows, validation: Rows, test: Rows, seed: int
    ) -> Answer:
        from sklearn.pipeline import make_pipeline

        model = make_pipeline(_preparation(frame), make(task, seed))
        x, y = frame.drop(TARGET), frame[TARGET].to_numpy()
        every = np.concatenate([train, validation])
        model.fit(x[every], y[every])
        return model.predict(x[test]), {}

    return answer


def _preparation(frame: pl.DataFrame) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = frame.drop(TARGET)
    words = [name for name, kind in columns.schema.items() if kind == pl.String]
    numbers = [name for name in columns.columns if name not in words]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
    )


def _linear(task: str, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression, RidgeCV

    if task == "regression":
        return RidgeCV(np.logspace(-2, 3, 11))
    return LogisticRegression(max_iter=2000)


def _kernel(task: str, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, SVR

    if task == "regression":  # its defaults are meant for targets of size 1
        return TransformedTargetRegressor(SVR(), transformer=StandardScaler())
    return SVC()


def _forest(task: str, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    return kind(random_state=seed, n_jobs=1)


def _boosting(task: str, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    regression = task == "regression"
    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return kind(random_state=seed)


def _perceptron(task: str, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    if task == "regression":
        network = MLPRegressor(
            hidden_layer_sizes=(256, 256, 256), early_stopping=True, random_state=seed
        )
        return TransformedTargetRegressor(network, transformer=StandardScaler())
    return MLPClassifier(hidden_layer_sizes=(256, 256, 256), early_stopping=True, random_state=seed)


def _xgboost(task: str, seed: int) -> Any:
    import xgboost

    kind = xgboost.XGBRegressor if task == "regression" else xgboost.XGBClassifier
    return kind(random_state=seed)


def _catboost(task: str, seed: int) -> Any:
    import catboost

    regression = task == "regression"
    kind = catboost.CatBoostRegressor if regression else catboost.CatBoostClassifier
    return kind(random_seed=seed, verbose=0, allow_writing_files=False)


OWN = {"fitwell train": fitwell_train}
PEERS = {
    "linear": peer(_linear),
    "SVM (RBF)": peer(_kernel),
    "random forest": peer(_forest),
    "HistGradientBoosting": peer(_boosting),
    "scikit-learn MLP": peer(_perceptron),
}
OPTIONAL = {"xgboost": ("XGBoost", peer(_xgboost)), "catboost": ("CatBoost", peer(_catboost))}
SLOW = {"fitwell train --tune 120s": fitwell_tuned, "fitwell.search 120s": fitwell_search}
"""Two minutes for each fit: measured if they are named."""


def models() -> dict[str, Callable[..., Answer]]:
    """By the name in the tables: all there are; other libraries where they are installed."""
    extra = [pair for module, pair in OPTIONAL.items() if importlib.util.find_spec(module)]
    return {**OWN, **PEERS, **dict(extra), **SLOW}
