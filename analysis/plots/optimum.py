"""The objective reached by each method, its optimum, and welfare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.metrics import Optimum
from analysis.page import theme
from mechanism.wording import typeset_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def optimum_bars(result: Optimum, ax: Axes | None = None) -> Axes:
    """Draw per method a bar (objective reached), a black tick (optimum) and a ring (welfare); share at the right."""
    count = len(result.methods)
    ax = theme.axes(ax, height=1.3 + 0.42 * count)
    theme.style(ax, grid="x", x="money, all clients over the run")
    objective, best, welfare = (v.mean(axis=1) for v in (result.objective, result.optimal, result.welfare))
    rows = np.arange(count)
    tones = [theme.colour(int(k)) for k in rows]
    ax.barh(
        rows, objective, height=0.5, color=tones, alpha=0.85, zorder=2, label="objective reached (bar)",
        hatch=[theme.hatch(int(k)) for k in rows], edgecolor="white", linewidth=0.0,
    )  # fmt: skip
    ax.scatter(welfare, rows, s=46, facecolors="white", edgecolors=theme.INK, linewidths=1.4, zorder=4, label="welfare")
    ax.scatter(
        best, rows, s=420, marker="|", color=theme.INK, linewidths=2.4, zorder=3, label="optimum of the objective"
    )
    ax.axvline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    for k, share in enumerate(result.share):
        text = "below 0" if share < 0 else typeset_percent(float(share))
        theme.write(ax, 1.02, float(k), text, transform=ax.get_yaxis_transform(), va="center", fontweight="bold")
    theme.write(ax, 1.02, -0.62, "of optimum", transform=ax.get_yaxis_transform(), va="bottom", color=theme.SOFT)
    ax.set_yticks(rows, theme.names(result.methods), fontsize=theme.BODY)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(count - 0.5, -0.5)
    ax.margins(x=0.06)
    theme.never_flat(ax, "x")
    ax.locator_params(axis="x", nbins=6)
    handles, words = ax.get_legend_handles_labels()
    order = sorted(range(len(words)), key=words.__getitem__)  # objective, optimum, welfare
    ax.legend(
        [handles[k] for k in order], [words[k] for k in order], loc="lower left", bbox_to_anchor=(0.0, 1.02),
        ncols=3, frameon=False, fontsize=theme.SMALL,
        labelcolor=theme.INK, handletextpad=0.5, columnspacing=1.6, borderaxespad=0.0, markerscale=0.6,
    )  # fmt: skip
    return ax
