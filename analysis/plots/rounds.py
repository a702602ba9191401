"""A quantity over the rounds, one line per method, named at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.metrics import RoundCurves
from analysis.page import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def round_curves(curves: RoundCurves, ax: Axes | None = None, *, zero: bool = False) -> Axes:
    """Draw the mean over seeds per round, a band of one standard deviation, names at the right, never overlapping.

    ``zero`` draws the zero line.
    """
    ax = theme.axes(ax, height=max(3.0, 0.24 * len(curves.methods) + 0.9))
    theme.style(ax, grid="y", title=f"{curves.name} ({curves.unit})", x="round")
    mean, spread = curves.mean, curves.spread
    rounds = np.arange(1, mean.shape[1] + 1)
    if zero:
        ax.axhline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    for k in range(len(curves.methods)):
        tone = theme.colour(k)
        if spread is not None:
            ax.fill_between(rounds, mean[k] - spread[k], mean[k] + spread[k], color=tone, alpha=0.15, linewidth=0)
        marker = theme.mark(k) if mean.shape[1] <= 12 else ""
        ax.plot(
            rounds, mean[k], color=tone, linestyle=theme.line(k), linewidth=2.0, marker=marker, markersize=4, zorder=3,
            clip_on=False,
        )  # fmt: skip
    ax.margins(x=0.02, y=0.08)
    ax.set_xlim(rounds[0] - (0.5 if rounds.size == 1 else 0.02 * rounds.size), rounds[-1])
    ax.set_xticks(rounds[theme.thinned(rounds.size, 13)])
    theme.never_flat(ax, "y", 0.02 * max(1.0, float(np.abs(mean).max())))
    low, high = ax.get_ylim()
    # Height in inches before the layout takes its part for titles and labels: about a fifth.
    height = float(theme.figure_of(ax).get_size_inches()[1] * ax.get_position().height)
    gap = (high - low) * (theme.SMALL * 1.3 / 72.0) / (0.8 * height)
    places = -theme.apart(-mean[:, -1], gap, -high, -low)  # ties from the top down
    for k, name in enumerate(theme.names(curves.methods)):
        ax.annotate(
            name, xy=(1.0, mean[k, -1]), xycoords=ax.get_yaxis_transform(), xytext=(1.05, places[k]),
            textcoords=ax.get_yaxis_transform(), va="center", fontsize=theme.SMALL, color=theme.INK,
            arrowprops={"arrowstyle": "-", "color": theme.colour(k), "linestyle": theme.line(k), "linewidth": 1.6}
            | {"shrinkA": 2, "shrinkB": 0, "relpos": (0.0, 0.5)},
        )  # fmt: skip
    ax.set_ylim(low, high)
    return ax
