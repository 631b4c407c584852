"""What `fitwell train` does, from its options to the files of a run."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import typer

from fitwell import tabular
from fitwell.cli import checking, patients, runs, showing
from fitwell.cli.on_images import OnImages
from fitwell.cli.on_tables import OnTable, OnTargets
from fitwell.cli.order import Order
from fitwell.data.images import image_files, is_images
from fitwell.doctor.wording import Words, speaking
from fitwell.errors import FitwellError, InvalidData
from fitwell.machine import versions
from fitwell.model import Model

Work: TypeAlias = OnImages | OnTable | OnTargets


def train(run: runs.Run, order: Order, *, words: list[str], as_json: bool) -> dict[str, Any]:
    """Trains, measures, and fills the folder of the run; returns what is in `metrics.json`."""
    diary = runs.Diary(stderr=as_json)
    tabular.check_length(order.epochs, order.time_limit)
    work = _work(order)
    work.show(diary)
    begun = _begun(run, order, words)
    try:
        run.begin({"order": order.to_json(), **begun}, begun["command"])
        with speaking(_words(run, work, resumed=begun["command"] != words)):
            origin = {**begun, **_repeat(order)}
            return _trained(run, work, diary, origin, 0 if as_json else "auto")
    except KeyboardInterrupt as stop:  # outside the fit of the network, which ends by itself
        if not (run.folder / runs.ORDER).exists():
            raise
        print(f"Interrupted: {showing.goes_on(str(run.folder))}", file=sys.stderr)
        raise typer.Exit(1) from stop


def _trained(
    run: runs.Run, work: Work, diary: runs.Diary, origin: dict[str, Any], verbose: int | str
) -> dict[str, Any]:
    try:
        model: Any = work.fit(run, verbose)
        model = dataclasses.replace(model, facts={**model.facts, "origin": origin})
        model.save(run.model)
        facts = dict(model.facts)
        _note(run, facts, model.network)
        showing.result(diary, facts)
        written = work.order.report and _report(work, run, model, diary)
        unfinished = _state(facts) != "complete"
        showing.saved(diary, str(run.folder), report=written, unfinished=unfinished)
    finally:
        run.log(diary.text() + _epochs(work.network))
    run.end(_state(facts))
    return {"run": str(run.folder), "model": str(run.model), **facts}


def _words(run: runs.Run, work: Work, *, resumed: bool) -> Words:
    """What is said beside findings: commands, for there is no Python prompt."""
    order = work.order
    treatable = isinstance(work, OnTable) and not (order.folds or order.tune or resumed)
    prove = "the same command with --treat measures cures and keeps those that help"
    rest = f"fitwell doctor {shlex.quote(str(run.folder))}"
    return Words(prove if treatable else "", rest, checking.LONGER)


def _work(order: Order) -> Work:
    if is_images(order.data):
        return OnImages(order)
    order.check_table()
    return OnTargets(order) if len(order.target) > 1 else OnTable(order)


def _report(work: Work, run: runs.Run, model: Any, diary: runs.Diary) -> bool:
    """The page; where there can be none, why. The model is saved already."""
    try:
        work.report(run, model)
    except FitwellError as error:
        showing.notes(diary, [f"No report: {error}"])
        return False
    return True


def _note(run: runs.Run, facts: Mapping[str, Any], network: Model) -> None:
    """The numbers of a run beside its model."""
    run.note(runs.METRICS, dict(facts))
    history = network.history
    if history is not None:
        findings = [checking.plain(one) for one in history.findings]
        run.note(runs.HISTORY, {**history.to_json(), "findings": findings})


def _epochs(network: Model) -> str:
    """A line of the log per epoch, and what the doctor said."""
    if network.history is None:
        return ""
    lines = [
        "  ".join(f"{name} {value:.5g}" for name, value in row.items() if value is not None)
        for row in network.history.frame().iter_rows(named=True)
    ]
    return "\n".join([*lines, *map(str, network.history.findings)]) + "\n"


def _state(facts: Mapping[str, Any]) -> str:
    stopped = facts.get("stopped")
    return stopped if stopped in ("interrupted", "time_limit") else "complete"


def _repeat(order: Order) -> dict[str, Any]:
    """What it takes to get the same numbers."""
    return {"options": order.to_json(), "versions": versions()}


def _begun(run: runs.Run, order: Order, words: list[str]) -> dict[str, Any]:
    """What is trained on what, and the command; a run that goes on must find the same."""
    found: dict[str, Any] = {"command": words, "data": identity(order.data)}
    program = None if order.model is None else patients.program(order.model)
    if program is not None:
        found["program"] = program
    if not (run.folder / runs.ORDER).exists():
        return found
    kept: Mapping[str, Any] = run.read(runs.ORDER)
    for what, path, same in (
        ("data", kept["data"]["path"], kept["data"]["sha256"] == found["data"]["sha256"]),
        ("program", order.model, kept.get("program", program) == program),
    ):
        if not same:
            expected, received = f"the {what} it began with ({path})", "another version"
            raise InvalidData(f"run {run.folder}", expected, received, "Start a new run.")
    return {**found, "command": kept.get("command", words)}


def identity(data: str) -> dict[str, Any]:
    """Path and hash of a data file or a folder of images; no hash for what is neither.

    The hash of a folder is that of the lines which sha256sum prints for its images, in the order
    of their paths.
    """
    path = Path(data)
    if path.is_file():
        return {"path": data, "sha256": _digest(path)}
    if not path.is_dir():
        return {"path": data, "sha256": None}
    paths = sorted(each.relative_to(path).as_posix() for each in image_files(path))
    lines = "".join(f"{_digest(path / each)}  {each}\n" for each in paths)
    return {"path": data, "sha256": hashlib.sha256(os.fsencode(lines)).hexdigest()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
