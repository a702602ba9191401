"""Welfare taken apart adds up, and its bars are the parts."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import figures, metrics, plots
from analysis.decomposition import parts_table, welfare_parts
from analysis.records import Run


def test_welfare_is_gain_less_cost_and_payments_cancel(run: Run):
    parts = welfare_parts(run)
    np.testing.assert_allclose(parts.gain - parts.cost - parts.centre, parts.welfare, atol=1e-9)
    np.testing.assert_allclose(parts.welfare, metrics.welfare(run).values)
    np.testing.assert_allclose(parts.centre, 0.0, atol=1e-9)
    moved = [metrics.money_flow(run, m, s).turnover for m in run.methods for s in run.seeds]
    np.testing.assert_allclose(parts.moved.ravel(), moved)


def test_bars_are_the_parts_and_the_ring_is_welfare(run: Run):
    parts = welfare_parts(run)
    ax = plots.welfare_bars(parts)
    gain, cost, moved = ([bar.get_width() for bar in group] for group in ax.containers[:3])
    assert gain == pytest.approx(list(parts.gain.mean(axis=1)))
    assert cost == pytest.approx(list(-parts.cost.mean(axis=1)))
    assert moved == pytest.approx(list(parts.moved.mean(axis=1)))
    rings = np.asarray(ax.collections[-1].get_offsets())[:, 0]
    assert list(rings) == pytest.approx(list(parts.welfare.mean(axis=1)))
    assert len(ax.containers) == 4  # whiskers, because there are two seeds
    assert "±" in ax.texts[0].get_text()


def test_table_and_words(run: Run):
    rows = parts_table(welfare_parts(run)).rows
    assert rows[0] == ("local", 0.0, 0.0, 0.0, 0.0, 0.0)
    drawn = figures.welfare_taken_apart(run)
    for method in run.methods:
        assert f"{method}: gain" in drawn.alt
