"""One figure per file. Each takes a result object, draws on ``ax`` or on a new figure, and returns the Axes."""

from __future__ import annotations

from analysis.plots.compared import compared_dots, scale_words
from analysis.plots.dots import method_dots
from analysis.plots.imports import import_matrix
from analysis.plots.lie_curve import lie_curve
from analysis.plots.lorenz import lorenz_curves
from analysis.plots.money_graph import MOST_ARROWS, money_graph
from analysis.plots.money_matrix import money_matrix
from analysis.plots.optimum import optimum_bars
from analysis.plots.regions import allocation_regions, regions_key
from analysis.plots.regret import regret_heat
from analysis.plots.rounds import round_curves
from analysis.plots.waterline import waterline_bars, waterline_summary
from analysis.plots.welfare import welfare_bars

__all__ = [
    "MOST_ARROWS",
    "allocation_regions",
    "compared_dots",
    "import_matrix",
    "lie_curve",
    "lorenz_curves",
    "method_dots",
    "money_graph",
    "money_matrix",
    "optimum_bars",
    "regions_key",
    "regret_heat",
    "round_curves",
    "scale_words",
    "waterline_bars",
    "waterline_summary",
    "welfare_bars",
]
