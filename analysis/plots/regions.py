"""Allocation regions over two sellers' costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import theme
from analysis.regions import BOTH, FIRST, NEITHER, SECOND, AllocationRegions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TONES = {NEITHER: "#f1f3f5", FIRST: "#56b4e9", SECOND: "#e69f00", BOTH: "#0072b2"}
"""Light grey, sky blue, orange and blue (Okabe and Ito): told apart by lightness as well."""


def allocation_regions(regions: AllocationRegions, ax: Axes | None = None) -> Axes:
    """Draw what is bought at each pair of reported costs, each region named in it; a dot marks the true costs."""
    from matplotlib.colors import ListedColormap

    ax = theme.axes(ax, 4.2, 4.0)
    one, two = (f"seller {k}" for k in regions.sellers)
    theme.style(
        ax, grid="", title=theme.plain(regions.rule), x=f"cost that {one} reports", y=f"cost that {two} reports"
    )
    ax.pcolormesh(
        regions.first, regions.second, regions.bought, cmap=ListedColormap(list(TONES.values())), vmin=-0.5, vmax=3.5,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    words = {NEITHER: "neither", FIRST: one, SECOND: two, BOTH: "both"}
    for what, text in words.items():
        at = regions.bought == what
        if regions.share(what) < 0.01:
            continue
        rows, columns = at.nonzero()
        # The cell of the region nearest to its centre of mass: in the region even where that is not.
        away = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
        k = int(away.argmin())
        x, y = float(regions.first[columns[k]]), float(regions.second[rows[k]])
        tone = "white" if what == BOTH else theme.INK
        theme.write(ax, x, y, text, ha="center", va="center", color=tone, fontweight="bold")
    ax.plot(
        [regions.truth[0]], [regions.truth[1]], "o", color=theme.INK, markeredgecolor="white", markersize=8, zorder=4,
        clip_on=False,
    )  # fmt: skip
    ax.set_xlim(0.0, float(regions.first[-1]))
    ax.set_ylim(0.0, float(regions.second[-1]))
    ax.set_box_aspect(1)
    ax.locator_params(nbins=5)
    return ax
