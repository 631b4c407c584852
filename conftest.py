"""What tests and doctests share: how they compile, and how little of it they keep."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import jax
import pytest

from fitwell import compiling, settings

PROGRAMS = 300  # in memory at once, one to two megabytes each


def compile_little() -> None:
    """What runs once is compiled without XLA's optimizations, in a third of the time.

    That is single operations, functions of the tests, and the first weights of models. All other
    programs of the library (`compiling.compile`) get every optimization, as in a user's process.
    """
    if "XLA_FLAGS" in os.environ or version("jaxlib") not in compiling._KNOWN_TO_HAVE_THEM:
        return
    level, emitters = "xla_backend_optimization_level", "xla_cpu_use_fusion_emitters"
    compiling._CPU_OPTIONS |= {level: 3, emitters: True}
    compiling._ONCE |= {level: 0, emitters: False}
    os.environ["XLA_FLAGS"] = f"--{level}=0 --{emitters}=false"
    jax.devices()  # reads the flags; processes that tests start do not see them
    del os.environ["XLA_FLAGS"]


# Workers of one run share compiled programs, in a folder of the repository that git ignores.
settings.cache_folder = Path(__file__).parent / "build" / "compile-cache"
compile_little()
compiling.use_disk_cache()


@pytest.fixture(autouse=True)
def _few_programs() -> Iterator[None]:
    """JAX keeps all it has compiled. What is needed again comes from the disk."""
    yield
    if len(jax.devices()[0].client.live_executables()) > PROGRAMS:
        jax.clear_caches()
