"""Figures of a sweep show its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.frontier import MEASURES, along, draw_along, draw_map, draw_trade_off, figures, numbers, same, table

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
    ax = draw_trade_off(ROWS)
    means = [c.get_offsets()[0].tolist() for c in ax.collections if len(c.get_offsets()) == 1]
    assert means == [[0.0, 1.0], [pytest.approx(1.5), pytest.approx(0.9)]]


def test_rules_that_coincide_are_named_together_and_nobody_is_hidden() -> None:
    rows = [*ROWS, *(row | {"mechanism": "twin"} for row in ROWS if row["mechanism"] == "honest")]
    assert same(rows, "best_lie") == [["honest", "twin"], ["gamed"]]
    ax = draw_along(rows, "lam", "best_lie")
    assert ax.get_legend_handles_labels()[1] == ["honest, twin (both on this line)", "gamed"]
    ax = draw_along(rows, "lam", "lowest_utility")
    assert ax.get_legend_handles_labels()[1] == ["honest, gamed, twin (all 3 on this line)"]
    marks = {c.get_label(): c.get_sizes()[0] for c in draw_trade_off(rows).collections if c.get_label()[0] != "_"}
    assert marks["honest"] > marks["twin (where honest is)"]  # the second is seen inside the first
    assert any("pale" in words for words in marks)


def test_a_figure_whose_lines_are_all_zero_says_so() -> None:
    ax = draw_along([row | {"deficit": 0.0} for row in ROWS], "lam", "deficit")
    assert [text.get_text() for text in ax.texts] == ["0 under every rule"]


def test_money_has_its_unit_and_each_figure_its_numbers() -> None:
    assert all("(money)" in words for key, words in MEASURES.items() if key != "of_optimum")
    found = numbers(ROWS)
    assert set(found) == set(figures(ROWS))
    lines = {(row[1], row[2]): row[3] for row in found["best-lie"].rows if row[0] == "lam"}
    assert lines["gamed", 1.0] == pytest.approx(2.0)
    assert len(found["where-lies-pay"].rows) == 8
    assert len(found["trade-off"].rows) == len(ROWS)


def test_ticks_with_words_keep_them() -> None:
    ticks = [tick.get_text() for tick in draw_map(ROWS, "gamed").get_xticklabels()]
    assert ticks == ["0", "1"]


def test_the_map_writes_each_share() -> None:
    ax = draw_map(ROWS, "gamed")
    assert sorted(text.get_text() for text in ax.texts) == ["0%", "12%", "25%", "38%"]


def test_table_and_figures_are_complete() -> None:
    told = table(ROWS)
    assert [row[0] for row in told.rows] == ["honest", "gamed"]
    assert told.rows[1][2] == -0.5
    assert set(figures(ROWS)) == {"trade-off", "of-optimum", "best-lie", "lowest-utility", "deficit", "where-lies-pay"}
