"""The welfare waterline: every client's utility against zero. Nobody under water is individual rationality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.metrics import Waterline
from analysis.page import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WATER = "#e8f1f8"


def waterline_summary(line: Waterline) -> str:
    """Return the panel's line of words: how many clients are at or above zero."""
    count = line.utilities.size
    if line.below == 0:
        return f"all {count} at or above zero" if count > 1 else "at or above zero"
    return f"{line.below} of {count} below zero"


def waterline_bars(line: Waterline, ax: Axes | None = None, *, limits: tuple[float, float] | None = None) -> Axes:
    """Draw one bar per client (and seed), poorest first; blue above the waterline, vermilion below.

    ``limits``: lowest and highest utility to make room for, so that panels can share a scale (default: this line's).
    """
    ax = theme.axes(ax)
    theme.style(ax, grid="y", x="clients, poorest first", y="utility over the run (money)")
    sunk = line.utilities < -line.tolerance
    tones = np.where(sunk, theme.LOSS, theme.GAIN)
    ax.bar(
        np.arange(line.utilities.size),
        line.utilities,
        width=0.82 if line.utilities.size <= 40 else 1.0,
        color=list(tones),
        linewidth=0,
        zorder=2,
    )
    ax.axhline(0.0, color=theme.ZERO, linewidth=1.4, zorder=3)
    ax.set_xlim(-0.8, line.utilities.size - 0.2)
    low, high = limits or (float(line.utilities.min()), float(line.utilities.max()))
    low, high = min(0.0, low), max(0.0, high)
    room = 0.08 * (high - low)
    if high - low == 0.0:
        low, high = -1.0, 1.0
    ax.axhspan(low - room, 0.0, color=WATER, linewidth=0, zorder=0)
    ax.set_ylim(low - room, high + room)
    ax.set_xticks([])
    ax.locator_params(axis="y", nbins=6)
    ax.set_title(theme.plain(line.method, 19), loc="left", fontsize=theme.BODY, fontweight="bold", pad=20)
    tone = theme.LOSS_TEXT if line.below else theme.SOFT
    theme.write(ax, 0.0, 1.03, waterline_summary(line), transform=ax.transAxes, va="bottom", color=tone)
    return ax
