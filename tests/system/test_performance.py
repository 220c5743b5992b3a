"""Ratios to other programs do not become worse: small cases of the rows of `docs/performance.md`, all sides in turn in one run."""

from __future__ import annotations

import json

import pytest
from benchmarks import bench
from benchmarks.measure import Figure, Row, interleaved, table


@pytest.mark.slow
def test_no_ratio_is_a_third_worse_than_it_was():
    """CPU seconds, the least of three; what is worse is measured twice more, because the machine may have been busy."""
    before = json.loads(bench.RATIOS.read_text(encoding="utf-8"))
    worse = dict.fromkeys(before)
    for _ in range(3):
        now = bench.quick_ratios(tuple(worse))
        assert {name: set(rows) for name, rows in now.items()} == {name: set(before[name]) for name in now}
        worse = {
            name: found
            for name, rows in now.items()
            if (found := {row: (was, rows[row]) for row, was in before[name].items() if rows[row] < was / bench.WORSE})
        }
        if not worse:
            return
    pytest.fail(f"Peer / ours, before and now: {worse}")


def test_the_page_is_what_was_measured():
    """Nobody has written figures into it by hand, and every row that is missing says why."""
    measured = json.loads(bench.MEASURED.read_text(encoding="utf-8"))
    assert bench.PAGE.read_text(encoding="utf-8") == bench.page(measured)


def test_a_row_that_fails_is_named_on_the_page():
    measured = json.loads(bench.MEASURED.read_text(encoding="utf-8"))
    measured["rows"] = {"bader": {"failed": "not finished within 5 s"}}
    page = bench.page(measured)
    assert "- `bader`: not finished within 5 s" in page
    assert "- `slabs`: not measured" in page


def test_ratios_and_goals():
    faster = Row("x", Figure(1.0, 2.0), Figure(8.0, 6.0), "peer 1", goal=4.0)
    assert (faster.ratio, faster.met) == (8.0, True)
    by_wall = Row("x", Figure(1.0, 2.0), Figure(8.0, 6.0), "peer 1", goal=4.0, by="wall")
    assert (by_wall.ratio, by_wall.met) == (3.0, False)
    alone = Row("x", Figure(1.6, 2.0), most=1.5)
    assert (alone.ratio, alone.met) == (None, False)
    assert "| 8 | 4 x: met |" in table([faster])[2]
    assert "at most 1.5 CPU s: missed" in table([alone])[2]


def test_sides_take_turns_and_the_least_counts():
    order = []
    figures, results = interleaved({"a": lambda: order.append("a") or 1, "b": lambda: order.append("b") or 2}, 3)
    assert order == ["a", "b"] * 3
    assert results == {"a": 1, "b": 2}
    assert all(figure.cpu is not None and figure.wall is not None for figure in figures.values())
