"""Welfare taken apart: gain to the right, cost to the left, what is left as a ring, payments as a line below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.decomposition import WelfareParts
from analysis.page import theme
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


CENTRE = "#cc79a7"
"""What no client has: money that stays with the centre (reddish purple)."""


def welfare_bars(parts: WelfareParts, ax: Axes | None = None) -> Axes:
    """Draw per method gain (blue), cost (vermilion), welfare (ring) and the money that changed hands (hatched).

    What goes to the centre (purple), where any does, prolongs the cost; what the centre adds prolongs the gain: so the
    ring, the sum of the clients' utilities, is always the length to the right less the length to the left. Welfare
    stands at the right as a number; its whisker is one standard deviation over seeds (none with one seed).
    """
    count = len(parts.methods)
    ax = theme.axes(ax, height=1.3 + 0.5 * count)
    theme.style(ax, grid="x", x="money, all clients over the run")
    gain, cost, moved, centre, welfare = (
        v.mean(axis=1) for v in (parts.gain, parts.cost, parts.moved, parts.centre, parts.welfare)
    )
    rows = np.arange(count)
    ax.barh(rows - 0.08, gain, height=0.4, color=theme.GAIN, zorder=2, label="gain of importers")
    ax.barh(rows - 0.08, -cost, height=0.4, color=theme.LOSS, zorder=2, label="cost of exporters")
    ax.barh(
        rows + 0.24, moved, height=0.16, color="white", edgecolor=theme.SOFT, hatch="/////", linewidth=0.8, zorder=2,
        label="payments",
    )  # fmt: skip
    if parts.centred:
        at = np.flatnonzero(centre)
        start = np.where(centre > 0, -cost, gain)
        ax.barh(rows[at] - 0.08, -centre[at], left=start[at], height=0.4, color=CENTRE, zorder=2, label="to the centre")
    spread = parts.spread
    if spread is not None:
        ax.errorbar(welfare, rows - 0.08, xerr=spread, fmt="none", ecolor=theme.INK, capsize=3.5, zorder=3)
    ax.scatter(
        welfare, rows - 0.08, s=46, facecolors="white", edgecolors=theme.INK, linewidths=1.4, zorder=4,
        label="welfare: gain − cost − to the centre" if parts.centred else "welfare: gain − cost",
    )  # fmt: skip
    ax.axvline(0.0, color=theme.ZERO, linewidth=1.0, zorder=3)
    for k in rows:
        text = typeset(float(welfare[k]))
        if spread is not None:
            text += f" ± {typeset(float(spread[k]), 2)}"
        theme.write(ax, 1.02, float(k) - 0.08, text, transform=ax.get_yaxis_transform(), va="center")
    theme.write(ax, 1.02, -0.62, "welfare", transform=ax.get_yaxis_transform(), va="bottom", color=theme.SOFT)
    ax.set_yticks(rows, theme.names(parts.methods), fontsize=theme.BODY)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(count - 0.5, -0.5)
    ax.margins(x=0.06)
    theme.never_flat(ax, "x")
    ax.locator_params(axis="x", nbins=6)
    # Two columns: four reach as far as the head of the numbers at the right.
    theme.legend_above(ax, 2, bbox_to_anchor=(0.0, 1.02), markerscale=0.8)
    return ax
