"""One figure per file. Each takes a result object, draws on ``ax`` or on a new figure, and returns the Axes."""

from __future__ import annotations

from analysis.plots.dots import method_dots
from analysis.plots.lie_curve import lie_curve
from analysis.plots.lorenz import lorenz_curves
from analysis.plots.money_graph import MOST_ARROWS, money_graph
from analysis.plots.money_matrix import money_matrix
from analysis.plots.optimum import optimum_bars
from analysis.plots.rounds import round_curves
from analysis.plots.waterline import waterline_bars, waterline_summary

__all__ = [
    "MOST_ARROWS",
    "lie_curve",
    "lorenz_curves",
    "method_dots",
    "money_graph",
    "money_matrix",
    "optimum_bars",
    "round_curves",
    "waterline_bars",
    "waterline_summary",
]
