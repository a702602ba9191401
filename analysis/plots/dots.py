"""One number per method, with its spread over seeds: accuracy, utility, seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.metrics import MethodScores
from analysis.page import theme
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def method_dots(scores: MethodScores, ax: Axes | None = None, *, from_zero: bool = False, labels: bool = True) -> Axes:
    """Draw a dot per method, first method on top, numbers in a column at the right.

    Whiskers are one standard deviation over seeds (none with one seed). ``from_zero`` draws stems from a zero line, for
    quantities whose sign matters. ``labels`` writes the methods' names.
    """
    count = len(scores.methods)
    ax = theme.axes(ax, height=0.9 + 0.36 * count)
    theme.style(ax, grid="x", title=scores.name, x=scores.unit)
    rows, mean, spread = np.arange(count), scores.mean, scores.spread
    if from_zero:
        ax.axvline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    for k in rows:
        tone = theme.colour(int(k))
        if from_zero:
            ax.plot(
                [0.0, mean[k]],
                [k, k],
                color=tone,
                linestyle=theme.line(int(k)),
                linewidth=2.5,
                solid_capstyle="butt",
                zorder=2,
            )
        if spread is not None:
            ax.errorbar(mean[k], k, xerr=spread[k], color=theme.INK, linewidth=1.2, capsize=3.5, zorder=3)
        ax.plot([mean[k]], [k], marker=theme.mark(int(k)), markersize=8, color=tone, markeredgecolor="white", zorder=4)
        text = typeset(float(mean[k]))
        if spread is not None:
            text += f" ± {typeset(float(spread[k]), 2)}"
        theme.write(ax, 1.02, float(k), text, transform=ax.get_yaxis_transform(), va="center", ha="left")
    ax.set_yticks(rows, theme.names(scores.methods) if labels else [""] * count, fontsize=theme.BODY)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(count - 0.5, -0.5)
    ax.margins(x=0.08)
    theme.never_flat(ax, "x")
    ax.locator_params(axis="x", nbins=5)
    return ax
