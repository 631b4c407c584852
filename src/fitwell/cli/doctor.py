"""`fitwell doctor`: what the doctor saw in a run, or whether this installation computes rightly."""

from __future__ import annotations

import importlib.metadata
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from fitwell import compiling, machine
from fitwell.cli import checking, runs
from fitwell.cli.app import app
from fitwell.layers import Dense
from fitwell.optimizers import SGD
from fitwell.sequential import Sequential
from fitwell.settings import settings

_EXTRAS = ("onnx", "onnxruntime", "optuna", "tensorboard", "pandas", "pyarrow")
_GIGABYTE = 2**30


@app.command()
def doctor(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """Show what the doctor saw in a run; without RUN, check this installation.

    Exit code 1: a WARNING or a CRITICAL finding, or a check of the installation that fails.
    """
    if run is not None:
        _findings(run, as_json)
        return
    checks = {name: _checked(check) for name, check in _CHECKS.items()}
    if as_json:
        print(json.dumps(checks))
    else:
        console = Console(highlight=False)
        for name, (good, said) in checks.items():
            mark = "[green]ok[/]   " if good else "[bold red]wrong[/]"
            console.print(f"{mark} {name:14} {escape(said)}", soft_wrap=True)
    if not all(good for good, _ in checks.values()):
        raise typer.Exit(1)


def _findings(folder: Path, as_json: bool) -> None:
    found = checking.from_plain(runs.Run(folder).read(runs.HISTORY).get("findings", []))
    if as_json:
        print(checking.as_json(found))
    else:
        checking.show(Console(highlight=False), found, f"of the run {folder}")
    if found.above():
        raise typer.Exit(1)


def _checked(check: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
    try:
        return check()
    except Exception as error:  # the answer is which check fails, whatever it raises
        return False, f"{type(error).__name__}: {error}"


def _versions() -> tuple[bool, str]:
    return True, ", ".join(f"{name} {version}" for name, version in machine.versions().items())


def _devices() -> tuple[bool, str]:
    memory = machine.free_memory() / _GIGABYTE
    devices = ", ".join(str(device) for device in jax.devices())
    return True, f"{devices}; {machine.cores()} cores, {memory:.1f} GB of memory free"


def _cache() -> tuple[bool, str]:
    folder = compiling.use_disk_cache()
    if folder is None:
        off = not settings.compile_cache
        return off, "off" if off else "no folder that is yours alone: every start compiles anew"
    size = sum(each.stat().st_size for each in folder.iterdir()) / 2**20
    writable = os.access(folder, os.W_OK)
    return writable, f"{folder}, {size:.0f} MB{'' if writable else ', not writable'}"


def _sums() -> tuple[bool, str]:
    """jax issue 39103: the default options of jaxlib 0.10.2 give 1065369600."""
    rows = np.zeros((32769, 3), np.float32)
    rows[:, 0] = np.arange(32769)
    lengths = jax.vmap(lambda row: jnp.sum((jnp.eye(3) @ row) ** 2))
    got = float(np.asarray(compiling.compile(lengths)(rows))[-1])
    return got == 32768.0**2, f"the square of 32,768 comes out as {got:,.0f}"


def _learning() -> tuple[bool, str]:
    """A line through exact points has one solution, which one unit finds."""
    began = time.perf_counter()
    x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    model = Sequential([Dense(1)], seed=0)
    model.compile(SGD(0.5), loss="mse")
    model.fit(x, 3 * x + 2, epochs=60, batch_size=64, verbose=0, doctor="off")
    slope, offset = float(model.layers[0].kernel[0, 0]), float(model.layers[0].bias[0])
    good = abs(slope - 3) < 1e-3 and abs(offset - 2) < 1e-3
    seconds = time.perf_counter() - began
    return good, f"3 x + 2 is learned as {slope:.3f} x + {offset:.3f} in {seconds:.1f} s"


def _extras() -> tuple[bool, str]:
    there, missing = [], []
    for name in _EXTRAS:
        try:
            there.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    return True, f"{', '.join(there) or 'none'}; not installed: {', '.join(missing) or 'none'}"


_CHECKS: dict[str, Callable[[], tuple[bool, str]]] = {
    "versions": _versions,
    "devices": _devices,
    "compile cache": _cache,
    "sums": _sums,
    "learning": _learning,
    "optional": _extras,
}
