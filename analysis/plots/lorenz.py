"""Lorenz curves of utility with their Gini coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.metrics import Inequality
from analysis.page import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def lorenz_curves(result: Inequality, ax: Axes | None = None) -> Axes:
    """Draw the share of utility held by the poorest clients, a line per method; the key lists Gini, most even first.

    A method under which nobody has any utility has no curve; the key says so.
    """
    ax = theme.axes(ax, height=3.8)
    theme.style(ax, grid="both", x="share of clients, poorest first (%)", y="share of all |utility| (%)")
    people = 100 * result.population
    ax.plot([0, 100], [0, 100], color=theme.NEUTRAL, linewidth=1.0, linestyle=(0, (4, 3)), label="all equal")
    mean = result.gini.mean(axis=1)
    empty = result.empty
    for k in np.lexsort((mean, empty)):
        name = theme.plain(result.methods[k], 22)
        if empty[k]:
            ax.plot([], [], linestyle="", label=f"{name}: no utility")
            continue
        ax.plot(
            people, 100 * result.curves[k], color=theme.colour(int(k)), linestyle=theme.line(int(k)), linewidth=2.0,
            zorder=3, label=f"{name}: Gini {mean[k]:.2f}",
        )  # fmt: skip
    ax.axhline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    ax.set_xlim(0, 100)
    ax.margins(y=0.04)
    ax.legend(
        loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=theme.SMALL, labelcolor=theme.INK,
        title="most even first", title_fontsize=theme.SMALL, alignment="left",
    )  # fmt: skip
    return ax
