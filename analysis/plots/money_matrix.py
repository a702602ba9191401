"""Who pays whom as an antisymmetric heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.metrics import MoneyFlow
from analysis.page import theme
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NUMBERS = 12
"""Most clients for which the amounts are written into the cells."""


MOST_VECTOR = 30
"""Most clients for which each cell is a vector rectangle; above, the cells are one picture inside the figure."""


def money_matrix(flow: MoneyFlow, ax: Axes | None = None) -> Axes:
    """Draw net payments: row i, column j is what i pays j after netting (vermilion: pays, blue: receives).

    Where money passes the centre, that is the last row and column.
    """
    from matplotlib.colors import LinearSegmentedColormap

    net = flow.net
    m = net.shape[0]
    ax = theme.axes(ax, 4.6, 4.6)
    theme.style(ax, grid="", x="receiver", y="payer")
    largest = float(np.abs(net).max()) or 1.0
    tones = LinearSegmentedColormap.from_list("money", [theme.GAIN, "#ffffff", theme.LOSS])
    edges = np.arange(m + 1) - 0.5
    mesh = ax.pcolormesh(
        edges, edges, net, cmap=tones, vmin=-largest, vmax=largest, rasterized=m > MOST_VECTOR, edgecolors="none"
    )
    mesh.set_edgecolor("face" if m <= MOST_VECTOR else "none")
    if m <= MOST_NUMBERS:
        for i, j in zip(*np.nonzero(net), strict=True):
            tone = "white" if abs(net[i, j]) > 0.6 * largest else theme.INK
            text = typeset(float(net[i, j]), 2)
            theme.write(ax, float(j), float(i), text, ha="center", va="center", fontsize=7.0, color=tone)
    clients = flow.gross.shape[0]
    shown = [*theme.thinned(clients, 12).tolist(), *range(clients, m)]
    if m > clients > 12:  # a number beside the centre would run into its name
        shown = [k for k in shown if k >= clients or clients - k > clients / 12]
    ax.set_xticks(shown, [flow.labels[k] for k in shown])
    ax.set_yticks(shown, [flow.labels[k] for k in shown])
    if m > clients:
        ax.axhline(clients - 0.5, color=theme.INK, linewidth=1.0)
        ax.axvline(clients - 0.5, color=theme.INK, linewidth=1.0)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(True)
    ax.set_xlim(-0.5, m - 0.5)
    ax.set_ylim(m - 0.5, -0.5)
    ax.set_aspect("equal")
    ax.set_title("Net payments over the run (money)", loc="left", fontsize=theme.BODY, color=theme.INK, pad=8)
    return ax
