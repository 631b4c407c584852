"""The plain record of the targets of one output."""

from __future__ import annotations

from dataclasses import dataclass

_RARE, _MAJORITY = 0.1, 0.8  # shares of the examples: of a rare class, of one that is all too usual
_USUAL = 0.7  # of one that a weak but true signal seldom outvotes


@dataclass(frozen=True)
class Labels:
    """The targets of one output, (n, width).

    Attributes:
        kind: "binary", "classes" (whole numbers), "one_hot", "multi_hot", "shares" (in [0, 1]) or
            "numbers".
        counts: examples of each class, or of the ones of each column of "multi_hot".
        outside: the share of values that the output's activation cannot reach.
        whole: all are whole numbers.
        zeros: the share of values that are 0, or nothing against the others.
        ordered: numbers that never fall, or never rise, from row to row.
    """

    kind: str
    rows: int
    width: int
    low: float
    high: float
    mean: float
    std: float
    counts: tuple[int, ...] = ()
    outside: float = 0.0
    whole: bool = True
    zeros: float = 0.0
    ordered: bool = False

    @property
    def classes(self) -> int:
        return len(self.counts) if self.kind != "binary" else 2

    @property
    def majority(self) -> float:
        """The share of the most frequent class."""
        if not self.counts or self.kind == "multi_hot":
            return 0.0
        return max(self.counts) / max(sum(self.counts), 1)

    @property
    def rare(self) -> bool:
        """Whether a class is so rare that the share of wrong labels says little."""
        if self.kind == "multi_hot":
            live = [min(n, self.rows - n) for n in self.counts if 0 < n < self.rows]
            return sum(live) < _RARE * self.rows * len(live)
        present = [count for count in self.counts if count]
        few = len(present) > 1 and min(present) < _RARE * self.rows
        return few and self.majority > _MAJORITY

    @property
    def ranked(self) -> bool:
        """Whether the order of the predictions is judged, and not the share of wrong labels.

        Of 13 % buyers, all of whom are less than even likely to buy, a good network says that
        nobody buys: it is as accurate as a constant, and knows much more.
        """
        several = sum(count > 0 for count in self.counts) > 1
        return self.rare or (several and self.majority > _USUAL)

    @property
    def signs(self) -> bool:
        """Whether all are -1 or 1."""
        ends = self.whole and (self.low, self.high) == (-1, 1)
        return ends and abs(self.mean**2 + self.std**2 - 1) < 1e-6

    @property
    def discrete(self) -> bool:
        return self.kind in ("binary", "classes", "one_hot", "multi_hot")
