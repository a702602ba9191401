"""The lie curve: a client's utility against the cost it reports, with the truth marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.lies import LieCurve
from analysis.page import theme
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def lie_curve(curve: LieCurve, ax: Axes | None = None) -> Axes:
    """Draw utility against reported cost; a black dot marks the truth, a vermilion diamond the best lie if one pays.

    Written above it is whose curve it is: client, round and seed.
    """
    ax = theme.axes(ax, 4.6, 3.4)
    theme.style(ax, grid="both", x="reported cost (money per model sold)", y="own utility in the round (money)")
    ax.axvline(curve.truth, color=theme.SOFT, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1.5)
    ax.axhline(curve.truthful_utility, color=theme.SOFT, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1.5)
    ax.plot(curve.reports, curve.utilities, color=theme.GAIN, linewidth=2.0, solid_joinstyle="miter", zorder=2)
    ax.plot(
        [curve.truth], [curve.truthful_utility], "o", color=theme.INK, markeredgecolor="white", markersize=8.5,
        label=f"truth: {typeset(curve.truth)}", zorder=4,
    )  # fmt: skip
    if curve.gain > 0:
        ax.plot(
            [curve.best_report], [curve.best_utility], "D", color=theme.LOSS, markeredgecolor="white", markersize=8,
            label=f"best lie: {typeset(curve.best_report)}", zorder=5,
        )  # fmt: skip
    ax.set_xlim(left=0.0)
    ax.margins(x=0.02, y=0.12)
    theme.never_flat(ax, "y", 0.04 * max(abs(curve.truthful_utility), 1.0))
    ax.locator_params(axis="both", nbins=6)
    ax.set_title(theme.plain(curve.method, 24), loc="left", fontsize=theme.TITLE, fontweight="bold", pad=38)
    where = f"client {curve.client}, round {curve.round}, seed {curve.seed}: "
    said = f"the best lie wins {typeset(curve.gain)}" if curve.gain > 0 else "no report beats the truth"
    ax.annotate(
        where + said, (0.0, 1.0), xycoords="axes fraction", xytext=(0, 22), textcoords="offset points",
        fontsize=theme.SMALL, color=theme.LOSS_TEXT if curve.gain > 0 else theme.SOFT,
    )  # fmt: skip
    ax.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, fontsize=theme.SMALL,
        labelcolor=theme.INK, handletextpad=0.2, columnspacing=1.2, borderaxespad=0.2, borderpad=0.2,
    )  # fmt: skip
    return ax
