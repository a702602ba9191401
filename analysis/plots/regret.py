"""The regret heat map: true cost against reported cost, coloured by what the lie wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.page import theme
from analysis.regret import RegretMap
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def regret_heat(result: RegretMap, ax: Axes | None = None, *, largest: float | None = None) -> Axes:
    """Draw what every lie wins (vermilion) or loses (blue); on the dashed line the truth is told.

    ``largest``: money at full colour, so that panels can share a scale (default: this map's).
    """
    from matplotlib.colors import LinearSegmentedColormap

    ax = theme.axes(ax, 4.4, 4.0)
    theme.style(ax, grid="", x="reported cost", y="true cost")
    largest = largest or float(np.abs(result.won).max()) or 1.0
    tones = LinearSegmentedColormap.from_list("regret", [theme.GAIN, "#ffffff", theme.LOSS])
    mesh = ax.pcolormesh(
        result.costs, result.costs, result.won, cmap=tones, vmin=-largest, vmax=largest, shading="nearest",
        rasterized=True,
    )  # fmt: skip
    end = float(result.costs[-1])
    ax.plot([0.0, end], [0.0, end], color=theme.INK, linewidth=1.0, linestyle=(0, (4, 3)))
    ax.plot([result.truth], [result.truth], "o", color=theme.INK, markeredgecolor="white", markersize=8, zorder=4)
    bar = theme.figure_of(ax).colorbar(mesh, ax=ax, shrink=0.85, pad=0.02)
    bar.set_label("the lie wins (money)", fontsize=theme.SMALL, color=theme.INK)
    bar.ax.tick_params(labelsize=theme.SMALL - 1, colors=theme.INK)
    bar.outline.set_visible(False)
    ax.set_xlim(0.0, end)
    ax.set_ylim(0.0, end)
    ax.set_box_aspect(1)
    ax.locator_params(nbins=5)
    said = f"a lie wins up to {typeset(result.most)}" if result.most > 0 else "no lie pays, whatever the true cost"
    ax.set_title(theme.plain(result.method, 24), loc="left", fontsize=theme.TITLE, fontweight="bold", pad=20)
    theme.write(
        ax, 0.0, 1.03, said, transform=ax.transAxes, va="bottom",
        color=theme.LOSS_TEXT if result.most > 0 else theme.SOFT,
    )  # fmt: skip
    return ax
