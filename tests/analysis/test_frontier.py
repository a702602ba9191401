"""Figures of a sweep show its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.frontier import along, draw_along, draw_map, draw_trade_off, figures, table

ROWS = [
    {
        "mechanism": name, "lam": lam, "cost_spread": spread, "heterogeneity": 1.0, "gain": 1.0, "markets": 3,
        "of_optimum": 1.0 - 0.1 * lie, "best_lie": lie * (1 + lam), "lowest_utility": -lam * spread, "deficit": 0.0,
        "lying_share": 0.25 * lie * (lam + spread),
    }
    for name, lie in (("honest", 0), ("gamed", 1))
    for lam in (0.0, 1.0)
    for spread in (0.0, 0.5)
]  # fmt: skip


def test_means_along_an_axis_and_the_worst_case_of_utility() -> None:
    places, lies = along(ROWS, "lam", "best_lie")["gamed"]
    assert (places.tolist(), lies.tolist()) == ([0.0, 1.0], [1.0, 2.0])
    assert along(ROWS, "lam", "lowest_utility")["honest"][1].tolist() == [0.0, -0.5]


def test_lines_and_dots_are_the_numbers() -> None:
    ax = draw_along(ROWS, "lam", "best_lie")
    lines = {line.get_label(): line.get_ydata() for line in ax.lines if not line.get_label().startswith("_")}
    assert np.allclose(lines["gamed"], [1.0, 2.0])
    assert np.allclose(lines["honest"], [0.0, 0.0])
    means = [c.get_offsets()[0].tolist() for c in draw_trade_off(ROWS).collections if len(c.get_offsets()) == 1]
    assert means == [[0.0, 1.0], [pytest.approx(1.5), pytest.approx(0.9)]]


def test_the_map_writes_each_share() -> None:
    ax = draw_map(ROWS, "gamed")
    assert sorted(text.get_text() for text in ax.texts) == ["0%", "12%", "25%", "38%"]


def test_table_and_figures_are_complete() -> None:
    told = table(ROWS)
    assert [row[0] for row in told.rows] == ["honest", "gamed"]
    assert told.rows[1][2] == -0.5
    assert set(figures(ROWS)) == {"trade-off", "of-optimum", "best-lie", "lowest-utility", "deficit", "where-lies-pay"}
