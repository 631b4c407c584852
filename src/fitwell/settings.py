"""The one settings object, `fitwell.settings`: everything that is global, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fitwell.errors import InvalidArgument, UnknownAttribute, did_you_mean


@dataclass
class Settings:
    """What holds for the whole process.

    Attributes:
        compile_cache: keep compiled programs on disk, so that the next process starts faster.
            The programs are code: the folder belongs to the user alone (mode 0700).
        cache_folder: where they lie; None means `$XDG_CACHE_HOME/fitwell` or `~/.cache/fitwell`.
        progress: `"auto"` draws a bar in a terminal and prints plain lines elsewhere;
            `"bar"`, `"plain"` and `"off"` force one.
        chunk_seconds: how long one dispatch of training steps is meant to last. Callbacks,
            Ctrl-C and time limits are answered between dispatches.
    """

    compile_cache: bool = True
    cache_folder: Path | None = None
    progress: str = "auto"
    chunk_seconds: float = 0.12
    _seeds: np.random.Generator = field(default_factory=np.random.default_rng, repr=False)

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets what there is; a name that there is not would change nothing."""
        if name not in self.__dataclass_fields__:
            known = [each for each in self.__dataclass_fields__ if not each.startswith("_")]
            cure = did_you_mean(name, known)
            raise UnknownAttribute("settings", "a setting there is", name, cure)
        super().__setattr__(name, value)

    def set_seed(self, seed: int) -> None:
        """Makes every seed drawn from now on (one per model) a function of `seed`."""
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InvalidArgument(
                "set_random_seed", "a whole number >= 0", f"seed={seed!r}", "Pass 0, 1, 2, ..."
            )
        self._seeds = np.random.default_rng(int(seed))

    def next_seed(self) -> int:
        """A fresh seed in [0, 2**31): random, or the next of the sequence `set_seed` began."""
        return int(self._seeds.integers(2**31))


settings = Settings()
