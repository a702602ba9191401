"""One number per method in several groups (runs, roles): a band per method, a mark per group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.page import theme
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.scores import ComparedScores

MARKS = "osD^vP*X"


def compared_dots(
    scores: ComparedScores, ax: Axes | None = None, *, zero: bool = False, labels: bool = True, numbers: bool = False
) -> Axes:
    """Draw a mark per group in the band of each method, from the top down; whiskers over seeds where there are any.

    ``zero`` draws the zero line; ``labels`` writes the methods' names, and the key of the groups above; ``numbers`` the
    numbers in a column at the right. Where one number would hide all others the scale is symmetric logarithmic, and
    says so.
    """
    methods, runs = len(scores.methods), len(scores.groups)
    ax = theme.axes(ax, height=1.3 + methods * (0.5 + 0.18 * runs))
    theme.style(ax, grid="x", x=f"{scores.name} ({scores.unit})")
    offsets = (np.arange(runs) - (runs - 1) / 2) * (0.7 / max(runs, 1))
    logarithmic = theme.symmetric_log(ax, scores.mean)
    if logarithmic:
        ax.set_xlabel(f"{scores.name} ({scores.unit})\nsymmetric log scale", fontsize=theme.BODY)
    if zero:
        ax.axvline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    for j in range(0, methods, 2):
        ax.axhspan(j - 0.5, j + 0.5, color="#f5f7f9", linewidth=0, zorder=0)
    for k in range(runs):
        there = ~np.isnan(scores.mean[k])
        y = np.arange(methods)[there] + offsets[k]
        known = [(j, spread) for j, spread in enumerate(scores.deviations(k)) if spread is not None and there[j]]
        if known:
            at = [j for j, _ in known]
            ax.errorbar(
                scores.mean[k, at], np.array(at) + offsets[k], xerr=[spread for _, spread in known], fmt="none",
                ecolor=theme.INK, elinewidth=1.2, capsize=3.0, zorder=3,
            )  # fmt: skip
        ax.plot(
            scores.mean[k, there], y, linestyle="", marker=MARKS[k % len(MARKS)], markersize=7, color=theme.colour(k),
            markeredgecolor="white", zorder=4, label=theme.plain(scores.groups[k], 40),
        )  # fmt: skip
        for j in np.flatnonzero(there).tolist() if numbers else ():
            theme.write(
                ax, 1.02, j + offsets[k], typeset(float(scores.mean[k, j])), transform=ax.get_yaxis_transform(),
                va="center", fontsize=theme.SMALL - 1,
            )  # fmt: skip
    ax.set_yticks(np.arange(methods), theme.names(scores.methods) if labels else [""] * methods, fontsize=theme.BODY)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(methods - 0.5, -0.5)
    ax.margins(x=0.08)
    if not logarithmic:
        theme.never_flat(ax, "x")
        ax.locator_params(axis="x", nbins=5)
    if labels:
        ax.legend(
            loc="lower left", bbox_to_anchor=(0.0, 1.01), frameon=False, fontsize=theme.SMALL, labelcolor=theme.INK,
            handletextpad=0.3, borderaxespad=0.0,
        )  # fmt: skip
    return ax


def scale_words(ax: Axes) -> str:
    """Return the sentence that a caption needs where the horizontal scale is logarithmic, else nothing."""
    if ax.get_xscale() != "symlog":
        return ""
    return (
        " The scale of money is logarithmic on both sides of zero, because one number would hide all others: read the "
        "numbers at the right."
    )
