"""What tests and doctests share: how they compile, and how little of it they keep."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import pytest

from fitwell import compiling, settings

PROGRAMS = 500  # in memory at once, two megabytes each
LEVEL, EMITTERS = "xla_backend_optimization_level", "xla_cpu_use_fusion_emitters"
PIECES = "xla_cpu_parallel_codegen_split_count"  # of a program, compiled side by side
QUICK: dict[str, Any] = {LEVEL: 0, EMITTERS: False, PIECES: 1}
FULL: dict[str, Any] = {LEVEL: 3, EMITTERS: True, PIECES: 32}
OURS = dict(compiling._CPU_OPTIONS)
KNOWN = "XLA_FLAGS" not in os.environ and version("jaxlib") in compiling._KNOWN_TO_HAVE_THEM


def compile_little() -> None:
    """All but the tests marked `optimized` compile without the optimizations of machine code.

    It takes a ninth of the time. What XLA rewrites before, the programs themselves, stays.
    """
    if not KNOWN:
        return
    os.environ["XLA_FLAGS"] = f"--{LEVEL}=0 --{EMITTERS}=false --{PIECES}=1"
    jax.devices()  # reads the flags; processes that tests start do not see them
    del os.environ["XLA_FLAGS"]
    compiling._ONCE |= QUICK
    compiling._CPU_OPTIONS |= QUICK


def compile_programs(optimized: bool) -> None:
    """The library's programs from now on as for its users, or quickly; those there are let go."""
    wanted = OURS | (FULL if optimized else QUICK)
    if not KNOWN or wanted == compiling._CPU_OPTIONS:
        return
    compiling._CPU_OPTIONS |= wanted
    compiling.options.cache_clear()
    for module in [m for name, m in sys.modules.items() if name.startswith("fitwell")]:
        for value in vars(module).values():
            if hasattr(value, "cache_clear") and value.cache_parameters()["maxsize"] is not None:
                value.cache_clear()


# Workers of one run share compiled programs, in a folder of the repository that git ignores.
settings.cache_folder = Path(__file__).parent / "build" / "compile-cache"
compile_little()
compiling.use_disk_cache()


def pytest_configure(config: pytest.Config) -> None:
    about = "optimized: programs of the library are compiled as in a user's process"
    config.addinivalue_line("markers", about)


def pytest_collection_finish() -> None:
    """What is imported by now stays: whoever looks for garbage need not look at it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: those of a module are made before those of its first test."""
    compile_programs(item.get_closest_marker("optimized") is not None)


@pytest.fixture(autouse=True)
def _few_programs() -> Iterator[None]:
    """JAX keeps all it has compiled. What is needed again comes from the disk."""
    yield
    if len(jax.devices()[0].client.live_executables()) > PROGRAMS:
        jax.clear_caches()
