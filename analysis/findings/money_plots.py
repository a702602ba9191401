"""Who pays whom, drawn: as a directed graph on a circle, and as an antisymmetric heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.money import MoneyFlow
from analysis.page import theme
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ARROWS = 60
"""Most arrows drawn; the largest net payments are."""
THICKEST = 5.0
"""Width in points of the arrow of the largest payment."""


def money_graph(flow: MoneyFlow, ax: Axes | None = None) -> Axes:
    """Draw an arrow from payer to receiver per net payment, its width proportional to the money.

    Blue clients received more than they paid, vermilion ones paid more; the number beside each is the difference.
    Clients stand clockwise from the top in their order; where money passes the centre, that is a square in the middle.
    """
    from matplotlib.patches import FancyArrowPatch

    m = flow.gross.shape[0]
    ax = theme.axes(ax, 4.6, 4.6)
    angle = np.pi / 2 - 2 * np.pi * np.arange(m) / m
    x, y = np.cos(angle), np.sin(angle)
    if flow.centred:
        x, y = np.append(x, 0.0), np.append(y, 0.0)
    crowded = m > 20
    node = max(60.0, 330.0 - 14.0 * max(0, m - 8)) if not crowded else max(10.0, 900.0 / m)
    size = 0.6 if crowded else 1.0
    radius = float(np.sqrt(node) / 2)
    arrows = flow.arrows(MOST_ARROWS)
    largest = arrows[0][2] if arrows else 1.0
    for payer, receiver, amount in reversed(arrows):  # the largest on top
        share = amount / largest
        bend = 0.0 if m in (payer, receiver) else 0.13  # to and from the centre: straight
        ax.add_patch(
            FancyArrowPatch(
                (x[payer], y[payer]),
                (x[receiver], y[receiver]),
                connectionstyle=f"arc3,rad={bend}",
                arrowstyle="-|>,head_length=0.42,head_width=0.2",
                mutation_scale=size * (9.0 + 13.0 * share),
                linewidth=max(0.5, size * THICKEST * share),
                color=theme.faded(theme.SOFT, 0.3 + 0.6 * share),
                shrinkA=radius,
                shrinkB=radius + 1.5,
                capstyle="butt",
                joinstyle="miter",
                zorder=2,
            )
        )
    earned = flow.earned
    slack = 1e-9 * max(1.0, flow.turnover, flow.collected, flow.handed_out)
    tones = [theme.GAIN if e > slack else theme.LOSS if e < -slack else theme.NEUTRAL for e in earned]
    ax.scatter(x[:m], y[:m], s=node, c=tones[:m], edgecolors="white", linewidths=1.2, zorder=3)
    named = theme.thinned(m, 25)
    for k in named:
        away = 1.0 + (0.30 if not crowded else 0.10)
        sign = "+" if earned[k] > slack else ""
        if crowded:
            theme.write(ax, away * x[k], away * y[k], str(k), ha="center", va="center", fontsize=8.0)
        else:
            theme.write(ax, x[k], y[k], str(k), ha="center", va="center", color="white", fontweight="bold", zorder=4)
            text = f"{sign}{typeset(float(earned[k]) if abs(earned[k]) > slack else 0.0)}"
            theme.write(ax, away * x[k], (away - 0.08) * y[k], text, ha="center", va="center", fontsize=8.0)
    if flow.centred:
        ax.scatter(
            x[m:], y[m:], s=max(node, 60.0), marker="s", c=theme.INK, edgecolors="white", linewidths=1.2, zorder=4
        )
        kept = typeset(flow.kept if abs(flow.kept) > slack else 0.0)
        text = f"centre: {'+' if flow.kept > slack else ''}{kept}"
        theme.write(ax, 0.03, 0.02, text, transform=ax.transAxes, va="center", fontsize=8.0)
        ax.plot([0.0], [0.02], marker="s", markersize=6, color=theme.INK, transform=ax.transAxes, clip_on=False)
    reach = 1.22 if crowded else 1.45
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-reach, reach)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title("Money flow, and who gained by it", loc="left", fontsize=theme.BODY, color=theme.INK, pad=8)
    return ax


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
    theme.squares(ax, m, shown, [flow.labels[k] for k in shown])
    if m > clients:
        ax.axhline(clients - 0.5, color=theme.INK, linewidth=1.0)
        ax.axvline(clients - 0.5, color=theme.INK, linewidth=1.0)
    ax.set_title("Net payments over the run (money)", loc="left", fontsize=theme.BODY, color=theme.INK, pad=8)
    return ax
