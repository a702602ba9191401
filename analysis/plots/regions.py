"""Allocation regions over two sellers' costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.page import theme
from analysis.regions import BOTH, FIRST, NEITHER, SECOND, AllocationRegions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

TONES = {NEITHER: "#f1f3f5", FIRST: "#56b4e9", SECOND: "#e69f00", BOTH: "#0072b2"}
"""Light grey, sky blue, orange and blue (Okabe and Ito): told apart by lightness as well."""


_ROOM = (0.24, 0.07)
"""Shares of the width and the height that a region's name takes."""


def allocation_regions(regions: AllocationRegions, ax: Axes | None = None, *, key: bool = True) -> Axes:
    """Draw what is bought at each pair of reported costs; a dot marks the true costs.

    The key above (left out without ``key``) names every colour that occurs; a region with room for it has its name in
    it as well.
    """
    from matplotlib.colors import ListedColormap

    ax = theme.axes(ax, 4.2, 4.0)
    words = _names(regions)
    theme.style(
        ax, grid="", title=theme.plain(regions.rule), x=f"cost that {words[FIRST]} reports (money)",
        y=f"cost that {words[SECOND]} reports (money)",
    )  # fmt: skip
    ax.pcolormesh(
        regions.first, regions.second, regions.bought, cmap=ListedColormap(list(TONES.values())), vmin=-0.5, vmax=3.5,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    for what in words:
        if regions.share(what) == 0.0:
            continue
        at = regions.bought == what
        rows, columns = at.nonzero()
        # The cell of the region nearest to its centre of mass: in the region even where that is not.
        away = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
        k = int(away.argmin())
        if at[rows[k]].mean() < _ROOM[0] or at[:, columns[k]].mean() < _ROOM[1]:
            continue
        x, y = float(regions.first[columns[k]]), float(regions.second[rows[k]])
        tone = "white" if what == BOTH else theme.INK
        theme.write(ax, x, y, words[what], ha="center", va="center", color=tone, fontweight="bold")
    ax.plot(
        [regions.truth[0]], [regions.truth[1]], "o", color=theme.INK, markeredgecolor="white", markersize=8, zorder=4,
        clip_on=False,
    )  # fmt: skip
    ax.set_xlim(0.0, float(regions.first[-1]))
    ax.set_ylim(0.0, float(regions.second[-1]))
    ax.set_box_aspect(1)
    ax.locator_params(nbins=5)
    if key:
        patches, names = _key([regions])
        theme.legend_above(ax, 4, handles=patches, labels=names, handlelength=1.1, columnspacing=1.0)
        ax.set_title(theme.plain(regions.rule), loc="left", fontsize=theme.TITLE, fontweight="bold", pad=24)
    return ax


def regions_key(whole: Figure, regions: Sequence[AllocationRegions]) -> None:
    """Put one key of all colours that occur above the panels of a figure."""
    patches, names = _key(regions)
    whole.legend(
        handles=patches, labels=names, loc="outside upper left", ncols=4, frameon=False, fontsize=theme.SMALL,
        labelcolor=theme.INK, handlelength=1.1,
    )  # fmt: skip


def _names(regions: AllocationRegions) -> dict[int, str]:
    one, two = (f"seller {k}" for k in regions.sellers)
    return {NEITHER: "neither", FIRST: one, SECOND: two, BOTH: "both"}


def _key(regions: Sequence[AllocationRegions]) -> tuple[list[Patch], list[str]]:
    """Return a patch and a name for each colour that occurs."""
    from matplotlib.patches import Patch

    names = _names(regions[0])
    there = [what for what in names if any(one.share(what) > 0.0 for one in regions)]
    patches = [Patch(facecolor=TONES[what], edgecolor=theme.NEUTRAL, linewidth=0.6) for what in there]
    return patches, [names[what] for what in there]
