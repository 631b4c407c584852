"""What this process may use of the machine: cores and memory."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

import jax

_MEMINFO = Path("/proc/meminfo")
_GROUPS = (  # of control groups, version 2 and 1: the limit and what is used of it
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
_UNKNOWN = 2.0**31  # where the system does not say: what any machine of today has free


_PARTS = ("fitwell", "jax", "jaxlib", "numpy", "polars", "scikit-learn")


def versions() -> dict[str, str]:
    """Of everything that has a part in the numbers."""
    return {
        **{name: metadata.version(name) for name in _PARTS},
        "python": platform.python_version(),
    }


def cores() -> int:
    """Cores that this process may run on: fewer than the machine has, if it is confined to some."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def free_memory() -> float:
    """Bytes that a program may still take: of the accelerator, or of the machine."""
    stats = jax.devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return float(stats["bytes_limit"] - stats["bytes_in_use"])
    return free_host_memory()


def free_host_memory() -> float:
    """Bytes that arrays of the host may still take, whatever computes with them."""
    return min(_available(), limit_left(Path("/sys/fs/cgroup")))


def _available() -> float:
    """Linux' own estimate, which counts caches of files as free; else pages that nobody uses."""
    try:
        return available_in(_MEMINFO.read_text())
    except (OSError, ValueError):
        pass
    try:  # neither macOS nor Windows knows the free pages
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN


def available_in(text: str) -> float:
    """The bytes available by a text like /proc/meminfo.

    >>> available_in("MemFree: 1 kB\\nMemAvailable:   3 kB\\n")
    3072.0
    """
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) * 1024
    raise ValueError("no MemAvailable")


def limit_left(folder: Path) -> float:
    """What the control group of this process may still take; infinite without one."""
    left = float("inf")
    for limit, used in _GROUPS:
        try:
            most = (folder / limit).read_text().strip()
            if most != "max":
                left = min(left, max(float(most) - float((folder / used).read_text()), 0.0))
        except (OSError, ValueError):
            continue
    return left
