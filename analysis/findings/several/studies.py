"""Figures of studies: numbers of several runs side by side, and how many clients are left in a market."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.findings.grouped import ComparedScores, compared_dots
from analysis.findings.rounds import RoundCurves, round_curves
from analysis.findings.scores import MethodScores
from analysis.page import theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = Mapping[str, Sequence[float]]
"""One number per seed, by method (all methods have as many seeds)."""


def scores(name: str, unit: str, numbers: Numbers) -> MethodScores:
    """Return numbers per method and seed as the plots take them."""
    return MethodScores(name, unit, tuple(numbers), np.array([list(values) for values in numbers.values()]))


def marks(panels: Mapping[str, ComparedScores], *, zero: bool = True) -> Figure:
    """Draw one panel of `compared_dots` per entry, titled by its key; the key of the groups stands above the first."""
    first = next(iter(panels.values()))
    height = max(len(one.methods) * (0.3 + 0.13 * len(one.groups)) + 0.9 + 0.2 * len(one.groups)
                 for one in panels.values())  # fmt: skip
    whole = theme.figure(theme.WIDTH * (1.0 if len(panels) == 1 else 1.4), max(2.6, height))
    for k, (title, panel) in enumerate(panels.items()):
        ax = whole.add_subplot(1, len(panels), k + 1)
        compared_dots(panel, ax, zero=zero, labels=k == 0 or panel.methods != first.methods)
        if k and (legend := ax.get_legend()) is not None:
            legend.remove()
        if title:
            ax.set_xlabel(f"{theme.plain(title)}: {ax.get_xlabel()}", fontsize=theme.SMALL, color=theme.INK)
    return whole


def over_rounds(panels: Mapping[str, Mapping[str, NDArray[np.float64]]], what: str) -> Figure:
    """Draw a number in each round, a panel per entry, a line per method; by method, [seeds, R]."""
    lines = max(len(curves) for curves in panels.values())
    whole = theme.figure(theme.WIDTH * max(1.4, 0.7 * len(panels)), max(3.0, 0.26 * lines + 1.0))
    for k, (title, curves) in enumerate(panels.items()):
        ax = whole.add_subplot(1, len(panels), k + 1)
        numbers = np.stack(list(curves.values()))
        round_curves(RoundCurves(title, what, tuple(curves), numbers), ax, zero=True)
    return whole


def clouds(panels: Mapping[str, Mapping[str, NDArray[np.float64]]], x: str, y: str) -> Figure:
    """Draw pairs of numbers as points, a panel per entry, a mark per method; by method, [2, points]."""
    count = len(panels)
    across = min(4, count)
    down = -(-count // across)
    whole = theme.figure(theme.WIDTH * max(1.0, 0.55 * across), 3.2 * down)
    order = list(dict.fromkeys(method for own in panels.values() for method in own))
    for k, (title, own) in enumerate(panels.items()):
        ax = whole.add_subplot(down, across, k + 1)
        for j, method in enumerate(order):  # one look in all panels, and all names in the first
            points = own.get(method, np.empty((2, 0)))
            ax.scatter(
                points[0], points[1], s=22, color=theme.colour(j), marker="osD^vP*X"[j % 8], alpha=0.75,
                linewidths=0.0, label=theme.plain(method),
            )  # fmt: skip
        ax.axhline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
        theme.style(ax, x=f"{theme.plain(title)}: {x}", y=y if k % across == 0 else "")
        if k == 0:
            theme.legend_above(ax, 2)
    return whole


def along(ticks: Sequence[str], x: str, panels: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Figure:
    """Draw a line per method over named settings, a panel per measure: by method, [seeds, ticks]."""
    whole = theme.figure(theme.WIDTH * 1.4, 3.6)
    for k, (title, lines) in enumerate(panels.items()):
        ax = whole.add_subplot(1, len(panels), k + 1)
        for j, (method, values) in enumerate(lines.items()):
            spread = values.std(axis=0, ddof=1) if len(values) > 1 else None
            ax.errorbar(
                np.arange(len(ticks)), values.mean(axis=0), yerr=spread, color=theme.colour(j), capsize=3.0,
                marker="osD^vP*X"[j % 8], linewidth=1.6, label=theme.plain(method),
            )  # fmt: skip
        ax.set_xticks(np.arange(len(ticks)), list(ticks))
        theme.never_flat(ax, "y", 0.05)
        theme.style(ax, x=x, y=title)
    ax.legend(fontsize=theme.SMALL, frameon=False)
    return whole
