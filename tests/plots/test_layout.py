"""Where boxes and links go: facts that hold for every graph."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell.plots.layout import GAP, Plan, levels, plan

BOX = (2.0, 0.6)


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[int, ...]]:
    count = draw(st.integers(1, 24))
    near = draw(st.integers(1, count))
    found: list[tuple[int, ...]] = []
    for i in range(count):
        before = st.integers(max(0, i - near), i - 1) if i else st.nothing()
        ins = draw(st.lists(before, max_size=3)) if i else []
        found.append(tuple(ins))
    return found


def runs(points: tuple[tuple[float, float], ...]) -> list[tuple[float, float, float]]:
    """The upright parts: x, top, bottom."""
    return [(a[0], a[1], b[1]) for a, b in pairwise(points) if abs(a[0] - b[0]) < 1e-6]


def check(sources: list[tuple[int, ...]], placed: Plan) -> None:
    wide, high = BOX
    for (x, y), (u, v) in combinations(placed.centres, 2):
        assert abs(x - u) >= wide or abs(y - v) >= high + GAP - 1e-6
    for x, y in placed.centres:
        assert wide / 2 < x < placed.width - wide / 2
        assert high / 2 < y < placed.height - high / 2
    pairs = {(s, i) for i, ins in enumerate(sources) for s in ins}
    assert {(link.source, link.target) for link in placed.links} == pairs
    assert len(placed.links) == len(pairs)
    for link in placed.links:
        x, y = placed.centres[link.target]
        assert link.points[-1][1] == pytest.approx(y - high / 2)
        assert abs(link.points[-1][0] - x) <= wide / 4
        for a, b in pairwise(link.points):
            assert b[1] > a[1]  # arrows point down
            # What is not upright stays between two levels, where there are no boxes.
            assert abs(a[0] - b[0]) < 1e-6 or b[1] - a[1] <= GAP + 1e-6
        for x, top, bottom in runs(link.points):
            assert 0 < x < placed.width
            for u, v in placed.centres:
                assert abs(x - u) > wide / 2 or bottom <= v - high / 2 + 1e-6 or (
                    top >= v + high / 2 - 1e-6
                )  # fmt: skip
    for one, other in combinations(placed.links, 2):
        if one.source != other.source:
            for x, top, bottom in runs(one.points):
                for u, start, end in runs(other.points):
                    # Links of two boxes never lie on each other.
                    apart = abs(x - u) > 1e-6 or min(bottom, end) - max(top, start) <= GAP + 1e-6
                    assert apart


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_no_box_is_crossed_and_no_link_hidden(sources: list[tuple[int, ...]]) -> None:
    level = levels(sources)
    assert all(level[s] < level[i] for i, ins in enumerate(sources) for s in ins)
    check(sources, plan(sources, BOX))


def test_a_chain_is_a_straight_line() -> None:
    placed = plan([(), (0,), (1,), (2,)], BOX)
    assert len({x for x, _ in placed.centres}) == 1
    assert [len(link.points) for link in placed.links] == [2, 2, 2]
    assert placed.folds == ()


def test_a_link_that_skips_levels_runs_beside_the_chain() -> None:
    placed = plan([(), (0,), (1,), (2, 0)], BOX)
    assert len({x for x, _ in placed.centres}) == 1
    around = next(link for link in placed.links if (link.source, link.target) == (0, 3))
    ((x, top, bottom),) = runs(around.points)
    centre, first = placed.centres[1]
    assert x > centre + BOX[0] / 2
    assert (top, bottom) == pytest.approx((first - 0.3, placed.centres[2][1] + 0.3))


def test_nested_links_do_not_cross() -> None:
    """As in a U-Net: the inner one is nearer."""
    placed = plan([(), (0,), (1,), (2,), (3, 1), (4, 0)], BOX)
    long = {link.source: runs(link.points)[0][0] for link in placed.links if len(link.points) > 2}
    assert long[1] < long[0]


def residual(blocks: int) -> list[tuple[int, ...]]:
    sources: list[tuple[int, ...]] = [()]
    for _ in range(blocks):
        start = len(sources) - 1
        sources += [(start,), (start + 1,), (start + 2, start)]
    return sources


def test_a_long_graph_is_folded_between_its_blocks() -> None:
    sources = residual(30)
    placed = plan(sources, BOX)
    check(sources, placed)
    assert 0.7 < placed.height / placed.width < 1.4
    columns = sorted({x for x, _ in placed.centres})
    assert len(columns) == len(placed.folds) + 1 >= 5
    # Each column begins after a sum: only there is a single box read below.
    tops = [min((y, i) for i, (u, y) in enumerate(placed.centres) if u == x)[1] for x in columns]
    assert [i for i in sorted(tops)[1:] if i % 3 != 1] == []
    for fold in placed.folds:
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(fold))  # right angles


def test_a_graph_that_cannot_be_cut_stays_tall() -> None:
    sources = [(), *[(i, 0) for i in range(40)]]  # everything reads the first box
    placed = plan(sources, BOX)
    check(sources, placed)
    assert placed.folds == ()
    assert len({x for x, _ in placed.centres}) == 1
