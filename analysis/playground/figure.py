"""The curve of one client's report: truth and report marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.page import theme
from analysis.playground.view import Cleared, ReportCurve
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def report_curve(curve: ReportCurve, report: float, seen: Cleared, ax: Axes | None = None) -> Axes:
    """Draw utility against the reported cost: a black dot at the truth, a vermilion diamond at the report."""
    ax = theme.axes(ax, 6.0, 3.2)
    theme.style(ax, grid="both", x=f"cost that {theme.plain(curve.name)} reports (money)", y="its true utility (money)")
    ax.axhline(seen.truthful, color=theme.SOFT, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1.5)
    ax.plot(curve.reports, curve.utilities, color=theme.GAIN, linewidth=2.0, zorder=2)
    ax.plot(
        [report], [seen.utility], "D", color=theme.LOSS, markeredgecolor="white", markersize=10,
        label=f"report {typeset(report, 4)}: utility {typeset(seen.utility)}", zorder=4, clip_on=False,
    )  # fmt: skip
    ax.plot(
        [curve.truth], [seen.truthful], "o", color=theme.INK, markeredgecolor="white", markersize=8,
        label=f"truth {typeset(curve.truth, 4)}: utility {typeset(seen.truthful)}", zorder=5,
    )  # fmt: skip
    ax.set_xlim(0.0, max(float(curve.reports[-1]), report))
    ax.margins(y=0.12)
    theme.never_flat(ax, "y", 0.04 * max(float(np.abs(curve.utilities).max()), 1.0))
    theme.legend_above(ax, 2)
    return ax


def alt(curve: ReportCurve, report: float, seen: Cleared) -> str:
    """Say in words what the figure shows."""
    return (
        f"True utility of {curve.name} against the cost that it reports. Truth {typeset(curve.truth, 4)}: utility "
        f"{typeset(seen.truthful)}. Report {typeset(report, 4)}: utility {typeset(seen.utility)}. "
        f"Highest on the curve: {typeset(float(curve.utilities.max()))}."
    )
