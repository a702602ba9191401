"""Numbers of several groups (runs, roles) by method, with their spread: a band per method, a mark per group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.page import theme
from analysis.page.export import Cell, Table
from mechanism.space import Floats
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class ComparedScores:
    """One number per group and method: ``mean`` ``[groups, methods]``, NaN where a group has no such method.

    ``spread`` ``[groups, methods]``: over seeds, NaN where it is not known, None where it is known nowhere
    (`deviations` hands it out without NaN). ``groups`` their labels, ``methods`` all that any group has, in order of
    appearance; ``seeds`` ``[groups]`` on how many each rests.
    """

    name: str
    unit: str
    groups: tuple[str, ...]
    methods: tuple[str, ...]
    mean: Floats
    spread: Floats | None
    seeds: tuple[int, ...]

    def deviations(self, group: int) -> list[float | None]:
        """Return a group's sample standard deviations over seeds, one per method, None where none is known."""
        if self.spread is None or self.seeds[group] < 2:
            return [None] * len(self.methods)
        return [None if np.isnan(value) else float(value) for value in self.spread[group]]

    def told(self, other: ComparedScores, words: str) -> str:
        """Return this and another score of every group and method in words, such as for an alternative text."""
        parts = []
        for k, group in enumerate(self.groups):
            said = [
                f"{method} {typeset(float(self.mean[k, j]))} {self.unit} and {typeset(float(other.mean[k, j]))}"
                for j, method in enumerate(self.methods)
                if not np.isnan(self.mean[k, j])
            ]
            parts.append(f"{words}{group}: {', '.join(said)}")
        return "; ".join(parts)


def side_by_side(name: str, unit: str, groups: Mapping[str, Mapping[str, Sequence[float | None]]]) -> ComparedScores:
    """Return one number per seed of each group (a mark) and method (a band); None, or a method left out, is not drawn.

    ``groups``: by group, by method, a number per seed.
    """
    methods = tuple(dict.fromkeys(method for one in groups.values() for method in one))
    mean, spread = (np.full((len(groups), len(methods)), np.nan) for _ in range(2))
    seeds = []
    for k, one in enumerate(groups.values()):
        for j, method in enumerate(methods):
            there = np.array([v for v in one.get(method, ()) if v is not None], dtype=np.float64)
            if there.size:
                mean[k, j] = there.mean()
                spread[k, j] = there.std(ddof=1) if there.size > 1 else np.nan
        seeds.append(max((len(values) for values in one.values()), default=0))
    return ComparedScores(name, unit, tuple(groups), methods, mean, spread, tuple(seeds))


def scores_rows(first: str, *scores: ComparedScores) -> Table:
    """Return scores as a table, a row per group (head: ``first``) and method, with their spreads over seeds."""
    heads = [first, "method", "seeds"]
    for score in scores:
        heads += [f"{score.name} ({score.unit})", f"± ({score.unit})"]
    rows: list[tuple[Cell, ...]] = []
    for k, group in enumerate(scores[0].groups):
        for j, method in enumerate(scores[0].methods):
            if not np.isnan(scores[0].mean[k, j]):
                cells: list[Cell] = [group, method, scores[0].seeds[k]]
                for score in scores:
                    cells += [float(score.mean[k, j]), score.deviations(k)[j]]
                rows.append(tuple(cells))
    return Table("Means and standard deviations over seeds", tuple(heads), tuple(rows))


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
    if theme.symmetric_log(ax, scores.mean):
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
            theme.beside_row(ax, j + offsets[k], typeset(float(scores.mean[k, j])), fontsize=theme.SMALL - 1)
    theme.method_rows(ax, scores.methods, labels=labels)
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


def beside_by_group(left: ComparedScores, right: ComparedScores) -> tuple[Figure, str]:
    """Draw two scores side by side, such as accuracy and utility; returns with it what is to say of its scale."""
    groups = len(left.groups)
    whole = theme.figure(theme.WIDTH, 1.3 + 0.16 * groups + len(left.methods) * (0.5 + 0.18 * groups))
    first, second = whole.subplots(1, 2)
    compared_dots(left, first, numbers=True)
    compared_dots(right, second, zero=True, labels=False, numbers=True)
    return whole, scale_words(second)
