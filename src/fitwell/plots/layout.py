"""Where the boxes of a graph go: levels from top to bottom, tracks from left to right, columns.

The longest way through the graph is the first track, a straight line. Branches and links that skip
levels run beside it, each straight on a track of its own, the shorter the nearer. A long graph is
folded into columns where a single output goes on. Pure: lengths in inches, y downwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Sources: TypeAlias = Sequence[Sequence[int]]
"""Of each box, the boxes it reads; all of them come before it."""

GAP = 0.34  # between levels, and between boxes beside each other
LANE = 0.26  # the width of a track that holds links alone
MARGIN = 0.25
_SHORT = 14  # levels that are never folded
_SHAPE = 2.4  # of a folded picture, levels per (columns squared): a little wider than high


@dataclass(frozen=True)
class Link:
    """An arrow through `points`: straight where x stays, otherwise bent with upright ends."""

    source: int
    target: int
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Plan:
    """The picture before it is drawn.

    Attributes:
        centres: of the boxes.
        links: one per pair of boxes.
        folds: from the end of each column to the top of the next, through right angles.
    """

    width: float
    height: float
    centres: tuple[Point, ...]
    links: tuple[Link, ...]
    folds: tuple[tuple[Point, ...], ...]


@dataclass
class _Run:
    """What holds a track over some levels: a chain of boxes (with its links), or a link alone."""

    start: int
    end: int
    boxes: tuple[int, ...] = ()
    track: int = 0


def plan(sources: Sources, box: Point, top: float = 0.0) -> Plan:
    """Places boxes of one size.

    Args:
        sources: of each box, the boxes it reads.
        box: width and height.
        top: room for a title.
    """
    level = levels(sources)
    chains = _chains(sources, level)
    runs, way = _runs(sources, level, chains)
    _assign_tracks(runs)
    columns = _columns(sources, level, chains[0])
    return _Placed(sources, level, runs, way, columns, box, top).plan()


def levels(sources: Sources) -> list[int]:
    """The level of each box: the longest way from an input, but no earlier than needed.

    >>> levels([(), (0,), (1,), (), (2, 3)])  # a chain of three; an input that joins it late
    [0, 1, 2, 2, 3]
    """
    found, readers = _earliest(sources), _readers(sources)
    for i in reversed(range(len(sources))):
        found[i] = min((found[r] for r in readers[i]), default=found[i] + 1) - 1
    return found


def _earliest(sources: Sources) -> list[int]:
    found: list[int] = []
    for ins in sources:
        found.append(1 + max((found[i] for i in ins), default=-1))
    return found


def _readers(sources: Sources) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in sources]
    for i, ins in enumerate(sources):
        for source in dict.fromkeys(ins):
            found[source].append(i)
    return found


def _links(sources: Sources) -> list[tuple[int, int]]:
    return [(source, i) for i, ins in enumerate(sources) for source in dict.fromkeys(ins)]


def _chains(sources: Sources, level: list[int]) -> list[list[int]]:
    """The boxes as chains, each of which stays on one track; the longest way is the first."""
    last = max(range(len(sources)), key=lambda i: (level[i], -i))
    spine = [last]
    earliest = _earliest(sources)
    while ins := [s for s in sources[spine[0]] if earliest[s] == earliest[spine[0]] - 1]:
        spine.insert(0, ins[0])
    chains, free = [spine], set(range(len(sources))) - set(spine)
    readers = _readers(sources)
    for i in range(len(sources)):
        if i not in free:
            continue
        chain = [i]
        while more := [r for r in readers[chain[-1]] if r in free]:
            chain.append(more[0])
        free -= set(chain)
        chains.append(chain)
    return chains


def _runs(
    sources: Sources, level: list[int], chains: list[list[int]]
) -> tuple[list[_Run], dict[tuple[int, int], _Run]]:
    """Who needs a track over which levels, and the run along which each long link goes."""
    runs = [_Run(level[c[0]], level[c[-1]], tuple(c)) for c in chains]
    first, last = ({c[k]: r for c, r in zip(chains, runs, strict=True)} for k in (0, -1))
    following = {pair: r for c, r in zip(chains, runs, strict=True) for pair in pairwise(c)}
    way: dict[tuple[int, int], _Run] = {}
    lanes: dict[int, _Run] = {}
    entered: set[int] = set()
    for link in _links(sources):
        source, target = link
        above, below = level[source] + 1, level[target] - 1
        if above > below:
            continue
        if link in following:
            way[link] = following[link]
        elif source in last:
            way[link] = last[source]
        elif target in first and target not in entered:
            entered.add(target)
            way[link] = first[target]
        else:
            way[link] = lanes.setdefault(source, _Run(above, below))
        way[link].start = min(way[link].start, above)
        way[link].end = max(way[link].end, below)
    return runs + list(lanes.values()), way


def _assign_tracks(runs: list[_Run]) -> None:
    """The shortest runs next to the first; each takes the first track that is free."""
    taken: dict[int, list[_Run]] = {}
    for run in sorted(runs[1:], key=lambda r: (r.end - r.start, r.start)):
        run.track = 1
        while any(r.start <= run.end and run.start <= r.end for r in taken.get(run.track, [])):
            run.track += 1
        taken.setdefault(run.track, []).append(run)


def _columns(sources: Sources, level: list[int], spine: list[int]) -> list[range]:
    """The levels of each column; one ends only where a single box of the spine is read below.

    A column that could not end near the place that makes all of one length is not ended.
    """
    count = max(level) + 1
    crossing: list[set[int]] = [set() for _ in range(count)]
    for source, target in _links(sources):
        for here in range(level[source], level[target]):
            crossing[here].add(source)
    ends = [here for here in range(count - 1) if crossing[here] == {spine[here]}]
    wanted = math.ceil(count / max(_SHORT, math.sqrt(_SHAPE * count)))
    cuts = {0, count}
    for k in range(1, wanted):
        ideal = k * count / wanted
        near = min((e + 1 for e in ends), key=lambda cut: abs(cut - ideal), default=0)
        if abs(near - ideal) < count / wanted / 3:
            cuts.add(near)
    return [range(*pair) for pair in pairwise(sorted(cuts))]


class _Placed:
    """Coordinates of everything; each column has tracks of its own widths."""

    def __init__(
        self,
        sources: Sources,
        level: list[int],
        runs: list[_Run],
        way: dict[tuple[int, int], _Run],
        columns: list[range],
        box: Point,
        top: float,
    ) -> None:
        self.sources, self.level, self.way = sources, level, way
        self.columns, (self.wide, self.high) = columns, box
        self.run_of = {b: run for run in runs for b in run.boxes}
        self.column_of = {here: c for c, column in enumerate(columns) for here in column}
        # Above the first box of a column, the link from the column before arrives.
        self.top = top + MARGIN + (1.5 * GAP if len(columns) > 1 else 0)
        self.x: dict[tuple[int, int], float] = {}  # of a run in a column
        left = MARGIN
        self.gutters: list[float] = []
        for c, column in enumerate(columns):
            self.gutters.append(left - GAP)
            left = self._place_tracks(c, column, runs, left) + 2 * GAP
        self.width = left - 2 * GAP + MARGIN

    def _place_tracks(self, c: int, column: range, runs: list[_Run], left: float) -> float:
        here = [r for r in runs if r.start <= column[-1] and r.end >= column[0]]
        right = left
        for track in range(max(r.track for r in here) + 1):
            own = [r for r in here if r.track == track]
            holds = [r for r in own if any(self.level[b] in column for b in r.boxes)]
            left = right + (GAP if track and holds else 0)
            for run in own:
                self.x[id(run), c] = left + (self.wide if run in holds else LANE) / 2
            right = left + (self.wide if holds else LANE)
        return right

    def _y(self, level: int) -> float:
        """The top of a level."""
        column = self.columns[self.column_of[level]]
        return self.top + (level - column[0]) * (self.high + GAP)

    def _at(self, box: int) -> float:
        return self.x[id(self.run_of[box]), self.column_of[self.level[box]]]

    def plan(self) -> Plan:
        centres = [
            (self._at(i), self._y(here) + self.high / 2) for i, here in enumerate(self.level)
        ]
        links = [Link(*link, self._points(*link)) for link in _links(self.sources)]
        rows = max(map(len, self.columns))
        folds = tuple(self._fold(c) for c in range(1, len(self.columns)))
        end = 2 * MARGIN if folds else MARGIN
        height = self.top + rows * (self.high + GAP) - GAP + end
        return Plan(self.width, height, tuple(centres), tuple(links), folds)

    def _arrival(self, c: int) -> Point:
        """The point above a column that stands for the box at the end of the one before."""
        spine = next(b for b, run in self.run_of.items() if self._is_first(b, run, c))
        return self._at(spine), self.top - GAP

    def _is_first(self, box: int, run: _Run, c: int) -> bool:
        return run.track == 0 and self.level[box] == self.columns[c][0]

    def _points(self, source: int, target: int) -> tuple[Point, ...]:
        c = self.column_of[self.level[target]]
        here = self._at(target)
        run = self.way.get((source, target))
        through = here if run is None else self.x[id(run), c]
        if self.column_of[self.level[source]] != c:
            start = self._arrival(c)
            above = self.columns[c][0]
        else:
            x = self._at(source)
            start = (x + self._aside(through - x), self._y(self.level[source]) + self.high)
            above = self.level[source] + 1
        points = [start]
        if run is not None:
            points.append((through, self._y(above)))
            points.append((through, self._y(self.level[target] - 1) + self.high))
        before = points[-1][0]
        points.append((here + self._aside(before - here), self._y(self.level[target])))
        return tuple(points)

    def _aside(self, difference: float) -> float:
        """Where on its box a link begins or ends: in the middle, or towards the other end."""
        return 0.0 if abs(difference) < 1e-6 else math.copysign(self.wide / 4, difference)

    def _fold(self, c: int) -> tuple[Point, ...]:
        before = self.columns[c - 1]
        source = next(b for b, r in self.run_of.items() if self._is_last(b, r, before))
        x, bottom = self._at(source), self._y(before[-1]) + self.high
        arrival = self._arrival(c)
        gutter, over = self.gutters[c], arrival[1] - GAP / 2
        below = bottom + GAP / 2
        return (x, bottom), (x, below), (gutter, below), (gutter, over), (arrival[0], over), arrival

    def _is_last(self, box: int, run: _Run, column: range) -> bool:
        return run.track == 0 and self.level[box] == column[-1]
