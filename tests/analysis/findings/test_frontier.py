"""Figures of a sweep show its numbers."""

import numpy as np
import pytest

from analysis.findings.several.frontier import LIES, MAPS, MEASURES, along, half, judged, numbers, same, table, wilson
from analysis.findings.several.trade_offs import draw_along, draw_map, draw_trade_off, figures

ROWS = [
    {
        "mechanism": name, "lam": lam, "cost_spread": spread, "heterogeneity": 1.0, "gain": 1.0, "markets": 3,
        "of_optimum": 1.0 - 0.1 * lie, "best_lie": lie * (1 + lam), "lowest_utility": -lam * spread, "deficit": 0.0,
        "lying_share": 0.25 * lie * (lam + spread), "gain_lying_share": 0.5 * lam, "size_lying_share": 1.0,
        "gain_best_lie": 3.0 - lie, "size_best_lie": 4.0, "welfare": 20.0 + lie,
        "welfare_se": 2.0 + spread, "of_optimum_se": 0.01, "best_lie_se": 0.5 * lie, "gain_best_lie_se": 0.0,
        "size_best_lie_se": 0.0, "deficit_se": 0.0,
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
    assert set(figures(ROWS)) == {
        "trade-off", "of-optimum", "welfare", "best-lie", "gain-best-lie", "size-best-lie", "lowest-utility", "deficit",
        "where-lies-pay", "where-gain-lies-pay", "where-size-lies-pay",
    }  # fmt: skip
    found = dict(zip(told.columns, told.rows[0], strict=True))
    assert (found["markets with a lie"], found["markets with a gain lie"], found["best gain lie"]) == (0.0, 0.25, 3.0)
    assert found["welfare"] == 20.0
    assert "welfare ±" not in found


T = 4.302652729911275
"""Student's t of 3 markets, 95 %."""


def test_intervals_are_those_of_the_markets_drawn() -> None:
    found = table(ROWS, intervals=True)
    honest = dict(zip(found.columns, found.rows[0], strict=True))
    assert honest["welfare ±"] == pytest.approx(T * 2.25)  # points share their markets: no error averages out
    assert honest["best lie ±"] == 0.0
    assert "lowest utility ±" not in honest  # a minimum has none
    assert half([row | {"welfare_se": None, "markets": 1} for row in ROWS], "welfare") is None
    lines = {(row[0], row[1], row[2]): row[3:] for row in numbers(ROWS)["welfare"].rows}
    assert lines["cost_spread", "gamed", 0.5] == (21.0, pytest.approx(T * 2.5))
    ax = draw_along(ROWS, "cost_spread", "welfare")
    bars = [segment for bar in ax.collections for segment in bar.get_segments()]
    assert any(np.allclose(bar, [[0.5, 21.0 - T * 2.5], [0.5, 21.0 + T * 2.5]]) for bar in bars)
    low, high = wilson(0.0, 40)
    assert (low, high) == (0.0, pytest.approx(0.0876, abs=1e-4))
    assert wilson(1.0, 40) == (pytest.approx(1.0 - high), 1.0)


def test_no_rule_is_praised_for_costs_alone() -> None:
    assert judged(ROWS) == [
        "honest: truthful in cost only: no lie about a cost was found to pay, but lies about the gain parameter in 25% "
        "and about a size in 100% of its markets pay"
    ]
    true = [row | {"gain_lying_share": 0.0} for row in ROWS]
    assert judged(true)[0].startswith("honest: no lie about a cost or the gain parameter was found to pay, but lies")
    panels = figures(ROWS)["trade-off"].axes
    assert [ax.get_title(loc="left") for ax in panels] == [f"Lies about {about}" for _, about in LIES.values()]
    means = [c.get_offsets()[0].tolist() for c in panels[1].collections if len(c.get_offsets()) == 1]
    assert means[:2] == [[3.0, 1.0], [2.0, pytest.approx(0.9)]]


def test_each_map_shows_its_own_share() -> None:
    shares = {file: {row[:3]: row[3] for row in numbers(ROWS)[file].rows} for file in MAPS}
    assert [shares[file]["honest", 1.0, 0.5] for file in MAPS] == [0.0, 0.5, 1.0]
    texts = {t.get_text() for t in figures(ROWS)["where-gain-lies-pay"].axes[0].texts}
    assert texts == {"0%", "50%"}
