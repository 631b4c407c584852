"""What `fitwell train` does, from its options to the files of a run."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fitwell import report, tabular
from fitwell.callbacks import BackupAndRestore, Callback
from fitwell.cli import checking, patients, runs, showing
from fitwell.cli.order import Order
from fitwell.data.tables import write_table
from fitwell.errors import InvalidData
from fitwell.hooks import MutableLogs
from fitwell.model import Model
from fitwell.population import cross_validate
from fitwell.tabular import Prepared, TableModel
from fitwell.tabular.recipe import described, plan
from fitwell.tabular.scores import scores

_SECONDS_BETWEEN_BACKUPS = 5.0


class Backup(BackupAndRestore):
    """One that spares the disk: short epochs are kept in memory until the fit is stopped."""

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        super().on_train_begin(logs)
        self._written = time.monotonic()
        self._waiting: tuple[dict[str, Any], dict[str, Any]] | None = None

    def _save(self, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        self._waiting = (arrays, facts)
        if time.monotonic() - self._written >= _SECONDS_BETWEEN_BACKUPS:
            self._write()

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        if self.model.history.stopped in ("interrupted", "time_limit"):
            self._write()
        super().on_train_end(logs)

    def _write(self) -> None:
        if self._waiting is not None:
            super()._save(*self._waiting)
        self._written, self._waiting = time.monotonic(), None


def train(run: runs.Run, order: Order, *, words: list[str], as_json: bool) -> dict[str, Any]:
    """Trains, measures, and fills the folder of the run; returns what is in `metrics.json`."""
    diary = runs.Diary(stderr=as_json)
    tabular.check_length(order.epochs, order.time_limit)
    prepared = prepare(order)
    network = _network(order, prepared)
    name = Path(order.data).name
    how = f"searched for {order.tune}" if order.tune else described(network)
    showing.table(diary, name, prepared, how, inferred=order.task is None)
    data = _checked(run, order)
    run.begin({"order": order.to_json(), "data": data}, words)
    try:
        verbose = 0 if as_json else "auto"
        folds = _folds(run, order, prepared, network, verbose)
        model = _fitted(run, order, prepared, network, verbose)
        origin = {"command": words, "data": data, **_repeat(order)}
        model = dataclasses.replace(model, facts={**model.facts, **folds, "origin": origin})
        model.save(run.model)
        _keep(run, model, prepared)
        showing.result(diary, model, str(run.folder))
    finally:
        run.log(diary.text() + _epochs(network))
    run.end(_state(model))
    return {"run": str(run.folder), "model": str(run.model), **dict(model.facts)}


def prepare(order: Order) -> Prepared:
    """The table of an order, ready for training: the same for the same file and options."""
    return tabular.prepare(
        order.data,
        order.target[0] if order.target else None,
        task=order.task,
        kinds=order.kinds,
        weights=order.weights,
        group=order.group,
        time=order.time,
        skip_bad_rows=order.skip_bad_rows,
        seed=order.seed,
    )


def _network(order: Order, prepared: Prepared) -> Model:
    """What is trained, or what the search will replace."""
    if order.layers:
        return tabular.plain(prepared, order.layers, order.seed)
    if order.model is not None:
        model = patients.read_model(order.model).model
        if not model.built:
            model.build_for(prepared.train.x.shape[1:])
        return model
    return tabular.build(prepared, epochs=order.epochs, seed=order.seed)


def _fitted(
    run: runs.Run, order: Order, prepared: Prepared, network: Model, verbose: int | str
) -> TableModel:
    if order.tune is not None:
        began = time.perf_counter()
        found = tabular.tuned(
            prepared, order.tune, seed=order.seed, path=run.folder / "trials.json", verbose=verbose
        )
        return tabular.measured(
            prepared,
            found.best,
            network=", ".join(f"{name} {value}" for name, value in found.best_values.items()),
            trials=len(found.trials),
            seconds=time.perf_counter() - began,
        )
    callbacks: list[Callback] = [] if order.treat else [Backup(run.backup)]
    model = tabular.fit(
        prepared,
        network,
        epochs=order.epochs,
        time_limit=order.time_limit,
        verbose=verbose,
        callbacks=callbacks,
        doctor="treat" if order.treat else "warn",
    )
    history = model.network.history
    treated = None if history is None else history.treated
    if treated is None:
        return model
    course = {k: v for k, v in model.facts.items() if k not in ("scores", "baselines")}
    return tabular.measured(prepared, treated.model, **{**course, "treated": str(treated)})


def _folds(
    run: runs.Run, order: Order, prepared: Prepared, network: Model, verbose: int | str
) -> dict[str, Any]:
    """Scores of rows that were held out in turn, of all but the test rows; with a file of them."""
    if order.folds is None:
        return {}
    parts = (prepared.train, prepared.validation)
    x, y, true, rows = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("x", "encoded", "true", "rows")
    )
    chosen = plan(len(x), order.epochs)
    groups = None if order.group is None else prepared.frame[order.group].to_numpy()[rows]
    weights = None if order.weights is None else np.concatenate([part.weights for part in parts])
    found = cross_validate(
        network,
        x,
        y,
        groups=groups,
        sample_weight=weights,
        folds=order.folds,
        seed=order.seed,
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        verbose=verbose,
    )
    model = TableModel(network, prepared.encoder, prepared.target)
    outputs = model.decoded(np.asarray(found.predictions, np.float64))
    write_table(model.framed(outputs).with_columns(row=rows + 1), run.folder / "out_of_fold.csv")
    each = [
        scores(
            prepared.target, true[held], outputs[held], None if weights is None else weights[held]
        )
        for held in found.held_out
    ]
    measures = {
        name: {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))}
        for name in each[0]
        for values in [[one[name] for one in each]]
    }
    return {"folds": {"folds": order.folds, "scores": measures}}


def _keep(run: runs.Run, model: TableModel, prepared: Prepared) -> None:
    """The numbers of a run beside its model, and the page about it."""
    run.note(runs.METRICS, dict(model.facts))
    history = model.network.history
    if history is not None:
        findings = [checking.plain(one) for one in history.findings]
        run.note(runs.HISTORY, {**history.to_json(), "findings": findings})
    report.write(run.folder / runs.REPORT, model, prepared, history, saved=str(run.model))


def _epochs(network: Model) -> str:
    """A line of the log per epoch, and what the doctor said."""
    if network.history is None:
        return ""
    lines = [
        "  ".join(f"{name} {value:.5g}" for name, value in row.items() if value is not None)
        for row in network.history.frame().iter_rows(named=True)
    ]
    return "\n".join([*lines, *map(str, network.history.findings)]) + "\n"


def _state(model: TableModel) -> str:
    stopped = model.facts.get("stopped")
    return stopped if stopped in ("interrupted", "time_limit") else "complete"


def _repeat(order: Order) -> dict[str, Any]:
    """What it takes to get the same numbers."""
    return {"options": order.to_json(), "versions": runs.versions()}


def _checked(run: runs.Run, order: Order) -> dict[str, Any]:
    """The data file and its hash; a run that goes on must find the same."""
    data = identity(order.data)
    if (run.folder / runs.ORDER).exists():
        known: Mapping[str, Any] = run.read(runs.ORDER)["data"]
        if known["sha256"] != data["sha256"]:
            raise InvalidData(
                f"run {run.folder}",
                f"the data it began with ({known['path']})",
                "data that have changed since",
                "Start a new run.",
            )
    return data


def identity(data: str) -> dict[str, Any]:
    """Path and hash of a data file; no hash for what is no file."""
    path = Path(data)
    if not path.is_file():
        return {"path": data, "sha256": None}
    with path.open("rb") as file:
        return {"path": data, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
