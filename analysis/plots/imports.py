"""Who learns from whom: the share of rounds in which one client imports another's model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.page import theme
from analysis.people import ImportShares

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def import_matrix(shares: ImportShares, ax: Axes | None = None) -> Axes:
    """Draw row i, column j in blue, the darker the more rounds i imports j's model; white is never."""
    from matplotlib.colors import LinearSegmentedColormap

    m = shares.share.shape[0]
    ax = theme.axes(ax, 3.6, 3.8)
    theme.style(ax, grid="", title=theme.plain(shares.method, 19), x="exporter", y="importer")
    tones = LinearSegmentedColormap.from_list("share", ["#ffffff", theme.GAIN])
    edges = np.arange(m + 1) - 0.5
    ax.pcolormesh(edges, edges, shares.share, cmap=tones, vmin=0.0, vmax=1.0, rasterized=True)
    shown = theme.thinned(m, 8)
    ax.set_xticks(shown, [str(k) for k in shown])
    ax.set_yticks(shown, [str(k) for k in shown])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(True)
    ax.set_ylim(m - 0.5, -0.5)
    ax.set_box_aspect(1)
    return ax
