"""Which rows a model was trained on: scores on them do not say how good it is on others."""

from __future__ import annotations

import base64
import binascii

import numpy as np

from fitwell.data.encoding import TableEncoder
from fitwell.data.features import check_types, damaged
from fitwell.data.target_encoding import TargetEncodedColumn
from fitwell.description import Description, check_number
from fitwell.types import HostArray

_MOST = 4096
"""Fingerprints that are kept: 44 kB of a model file, and shares are known to a hundredth."""
_LEAST_SHARE = 0.05
"""Of rows that are known: fewer are not worth a word."""


class SeenRows(Description):
    """Fingerprints of the rows that a model was trained and validated on.

    h = mix(sum_j a_j x_j mod 2^64) over the 32 bits of each feature and of the target, with fixed
    odd numbers a. Of many rows only those with h = 0 mod `step` are kept, and looked for.

    Args:
        step: 1, or a power of two.
        hashes: uint64, ascending, little endian, as base64.
        chance: the part of test rows, which training did not see, that look as if it had.
    """

    step: int
    hashes: str
    chance: float = 0.0

    def validate(self) -> None:
        check_types(self, step=int, hashes=str)
        check_number(self, "chance", 0.0, 1.0)
        if not 1 <= self.step < 2**63 or self.step & (self.step - 1):
            damaged(self, "step", self.step)
        _ = self._known

    @property
    def _known(self) -> HostArray:
        try:
            return np.frombuffer(base64.b64decode(self.hashes, validate=True), "<u8")
        except (binascii.Error, ValueError):
            damaged(self, "hashes", self.hashes[:12])

    def share(self, prints: HostArray) -> float:
        """The part of rows with these fingerprints that are known; 0 of none."""
        looked = prints[prints % np.uint64(self.step) == 0]
        return float(np.isin(looked, self._known).mean()) if looked.size else 0.0

    def note(self, prints: HostArray) -> str:
        """A sentence about rows that training saw; empty where there are no more than by chance."""
        share, looked = self.share(prints), max(len(prints) / self.step, 1.0)
        error = 3 * np.sqrt(self.chance * (1 - self.chance) / looked)  # three standard errors
        if share < self.chance + error + _LEAST_SHARE:
            return ""
        about = "all" if share == 1 else f"about {share:.0%}"
        return (
            f"The model was trained or validated on {about} of these rows: their scores do not say "
            "how good it is on new ones."
        )


def seen_rows(training: list[HostArray], test: HostArray) -> SeenRows:
    """Of fingerprints: what a model keeps of the rows it saw.

    Args:
        training: of the training rows, and of the validation rows.
        test: of rows that it did not see.
    """
    known = np.unique(np.concatenate(training))
    step = 1 << max((len(known) - 1).bit_length() - _MOST.bit_length() + 1, 0)
    kept = known[known % np.uint64(step) == 0].astype("<u8")
    bare = SeenRows(step, base64.b64encode(kept.tobytes()).decode("ascii"))
    return SeenRows(step, bare.hashes, round(bare.share(test), 4))


def fingerprints(encoder: TableEncoder, features: HostArray, target: HostArray) -> HostArray:
    """(n,) uint64 of rows: equal for equal features and targets, else most probably not.

    Args:
        encoder: of the features; those that stand for the target (target encoding) are left out.
        features: (n, features) float32.
        target: (n,) as the network gets it.
    """
    stay = [
        not isinstance(column, TargetEncodedColumn) or number >= len(column.center)
        for column in encoder.columns
        for number, _ in enumerate(column.feature_names)
    ]
    odd = np.random.PCG64(0).random_raw(len(stay) + 1) | np.uint64(1)  # the same in all versions
    total = _bits(target) * odd[-1]
    for place in np.flatnonzero(stay):  # a feature at a time: the matrix may lie in a file
        total += _bits(features[:, place]) * odd[place]
    total ^= total >> np.uint64(33)
    total *= np.uint64(0xFF51AFD7ED558CCD)
    mixed: HostArray = total ^ (total >> np.uint64(33))
    return mixed


def _bits(values: HostArray) -> HostArray:
    plain = np.ascontiguousarray(values, np.float32) + np.float32(0)  # -0 as 0
    return plain.view(np.uint32).astype(np.uint64)


__all__ = ["SeenRows", "fingerprints", "seen_rows"]
