"""Arrays that lie in a file: their pages need not stay in the memory of the process."""

from __future__ import annotations

import mmap
from typing import Any

from fitwell.types import HostArray


def mapping(array: HostArray) -> mmap.mmap | None:
    """The file behind an array or a view of one, None for arrays in memory."""
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    return base


def let_go(array: HostArray) -> None:
    """Gives the pages of an array's file back to the system, which reads them again when asked.

    What was written to them is kept. Arrays in memory stay as they are.
    """
    file = mapping(array)
    if file is not None and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)
