"""The one place that compiles: compiler options, donation, the cache on disk, the cache in memory.

Nothing here runs at import. PERFORMANCE facts that hold for XLA's CPU back end:

- jaxlib 0.10 fuses with YNNPACK by default, which is slow and computes wrong sums
  (jax issue 39103); `options` turns it off where the option exists.
- A program is looked up by the *value* of the descriptions it is built from, so a second model
  that is equal to the first compiles nothing.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import stat
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from fitwell import waiting
from fitwell.errors import FitwellError, InvalidArgument, OutOfMemory
from fitwell.settings import settings

P = ParamSpec("P")
R = TypeVar("R")


@contextlib.contextmanager
def operations_of_jax(subject: str) -> Iterator[None]:
    """Around a user's formula: numpy in it, which no program can contain, is answered in words.

    Raises:
        InvalidArgument: in place of JAX' TracerArrayConversionError, and of the AttributeError for
            what other libraries' arrays have (`x.numpy()`).
    """
    try:
        yield
    except AttributeError as error:
        if not isinstance(error.obj, jax.core.Tracer):
            raise
        raise InvalidArgument(
            subject,
            "operations of JAX",
            f"x.{error.name}, which arrays of JAX do not have",
            "See jax.numpy for what there is.",
        ) from None
    except jax.errors.TracerArrayConversionError:
        raise InvalidArgument(
            subject,
            "operations of JAX",
            "a function of numpy, which cannot be compiled",
            "Use jax.numpy (jnp.mean for np.mean).",
        ) from None


def in_words(function: Callable[P, R]) -> Callable[P, R]:
    """Around fit, evaluate and predict: errors without JAX' own words.

    Raises:
        OutOfMemory: in place of JAX' error, where an array is larger than the memory.
        FitwellError: one that was raised while JAX traced, without the remark that JAX adds.
    """

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except FitwellError as error:
            if not getattr(error, "__notes__", None):
                raise
            parts = error.subject, error.expected, error.received, error.cure
            raise type(error)(*parts) from None
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            size = re.search(r"(\d+) bytes", str(error))
            raise OutOfMemory(
                function.__name__,
                "arrays that fit into the memory",
                f"one of {int(size[1]) / 1e9:,.1f} GB" if size else "larger ones",
                "Lower batch_size, or make the layers smaller: model.summary() shows their sizes.",
            ) from error

    return checked


_CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": ""}
_ONCE = {"xla_backend_optimization_level": 1, "xla_cpu_use_fusion_emitters": False}
_MOST_BYTES, _DAY = 2 * 2**30, 86_400.0  # of compiled programs on disk; seconds
_SMALL = {"xla_cpu_prefer_vector_width": 512}
_KNOWN_TO_HAVE_THEM = {"0.10.2"}  # jaxlib; for others it is tried out, which takes a compilation


@functools.cache
def options(*, once: bool = False, small: bool = False) -> dict[str, Any] | None:
    """Compiler options for the default back end; None where it knows none of ours.

    Args:
        once: for a program that runs once. Random weights: half the time to compile, and nearly
            the same to run.
        small: for a program of short loops: vectors as wide as the machine has them.
    """
    if jax.default_backend() != "cpu" or "ynn_fusion_type" in os.environ.get("XLA_FLAGS", ""):
        return None  # a user's own flag is not overwritten
    ours = _CPU_OPTIONS | (_ONCE if once else {}) | (_SMALL if small else {})
    if version("jaxlib") in _KNOWN_TO_HAVE_THEM:
        return ours
    try:
        jax.jit(lambda x: x, compiler_options=ours).lower(0.0).compile()
    except Exception:  # a jaxlib that does not know an option says so with its own error
        return None
    return ours


def compile(
    function: Callable[P, R],
    *,
    donate: tuple[int, ...] = (),
    static: tuple[int, ...] = (),
    once: bool = False,
    small: bool = False,
) -> Any:
    """`jax.jit` with the options above; compiled programs are kept on disk.

    Args:
        function: a pure function of arrays.
        donate: positions of arguments whose memory the result may take over.
        static: positions of arguments that are compile-time values.
        once: the program runs once, so that compiling it takes longer than running it.
        small: its arrays have a few hundred numbers.
    """
    use_disk_cache()
    return jax.jit(
        function,
        donate_argnums=donate,
        static_argnums=static,
        compiler_options=options(once=once, small=small),
    )


def prepared(
    program: Any,
    key: Hashable,
    arguments: Callable[[], tuple[Any, ...]],
    stop: Callable[[], bool],
) -> bool:
    """Compiles a program before its first call; False as soon as `stop` says True before.

    A compilation that was left goes on, and who asks for it again waits for the same one.

    Args:
        program: what `compile` returned.
        key: what of the arguments decides about the program, beside what it was built from.
        arguments: makes some like those of the call.

    Raises:
        what tracing or compiling raises.
    """
    with _LOCK:
        works = _WORKS.setdefault(program, {})
        if key not in works:
            works[key] = waiting.begun(lambda: _compile_for(program, arguments()))
        work = works[key]
    if not waiting.ended(work, stop):
        return False
    error = work.exception()
    if error is not None:
        works.pop(key, None)
        raise error
    return True


def _compile_for(program: Any, arguments: tuple[Any, ...]) -> None:
    program.lower(*arguments).compile()  # a call with such arguments finds it


def form(arrays: Any) -> Hashable:
    """Structure, shapes and types of arrays: what decides about the program that reads them."""
    leaves, structure = jax.tree.flatten(arrays)
    return structure, tuple((np.shape(leaf), str(getattr(leaf, "dtype", ""))) for leaf in leaves)


_WORKS: weakref.WeakKeyDictionary[Any, dict[Hashable, Future[None]]] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def unit(function: Callable[P, R]) -> Callable[P, R]:
    """The function as a unit of the compiled program: its result is an array, computed once.

    XLA's CPU back end computes a chain of cheap operations anew in the loop of everything that
    reads its result: a sum of nine products, read by nine others, becomes 81. In a unit it does
    not.
    """

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        with set_xla_metadata(inlineable="false"):
            result: R = jax.jit(function)(*args, **kwargs)
        return result

    return called


def program(maxsize: int = 16) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Remembers what a builder of compiled functions returned, by the value of its arguments.

    The oldest of `maxsize` programs is let go, so that a long search does not grow: a program takes
    megabytes. It is on disk all the same, if it is wanted again.
    """
    return functools.lru_cache(maxsize=maxsize)  # type: ignore[return-value]


@functools.cache
def use_disk_cache() -> Path | None:
    """Points JAX's compile cache to the user's own folder, once; returns it, or None if off.

    A cache that the user configured (`jax_compilation_cache_dir`) is left as it is. The folder is
    not used unless it belongs to this user and nobody else may write to it: it holds code. It keeps
    at most 2 GiB, by what was used last.
    """
    if not settings.compile_cache or jax.config.values["jax_compilation_cache_dir"]:
        return None
    try:
        root = settings.cache_folder or _user_cache() / "fitwell"
        folder = root / f"xla-{jax.__version__}-{version('jaxlib')}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
        others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if hasattr(os, "getuid") and (found.st_uid != os.getuid() or others_write):
            return None
        folder.chmod(0o700)
        with contextlib.suppress(OSError):  # another process takes files away or writes some
            _prune(root)
    except (OSError, RuntimeError):  # a folder nobody may make; a user without a home
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def _prune(root: Path) -> None:
    """Once a day: what has not been used for longest goes, if programs fill more than the limit."""
    looked = root / "pruned"
    if looked.exists() and time.time() - looked.stat().st_mtime < _DAY:
        return
    looked.touch(mode=0o600)
    found = [(file, file.stat()) for file in root.glob("xla-*/*")]
    size = sum(stats.st_size for _, stats in found)
    for file, stats in sorted(found, key=lambda each: max(each[1].st_atime, each[1].st_mtime)):
        if size <= _MOST_BYTES:
            break
        file.unlink(missing_ok=True)  # another process may do the same
        size -= stats.st_size


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def shard(batches: Any) -> Any:
    """Spreads stacked batches over all devices along the batch axis; one device takes all.

    The weights stay whole on each device; XLA adds up the gradients.
    """
    devices = jax.devices()
    rows = jax.tree.leaves(batches)[0].shape[1]
    if len(devices) == 1 or rows % len(devices):
        return batches
    mesh = jax.sharding.Mesh(np.array(devices), ("batch",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(None, "batch"))
    return jax.device_put(batches, sharding)
