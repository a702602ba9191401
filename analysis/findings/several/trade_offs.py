"""Trade-offs between rules, drawn: what one gives up to keep another promise, and where a promise begins to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.several.frontier import (
    AXES,
    LIES,
    MAPS,
    MEASURES,
    Rows,
    along,
    by_mechanism,
    half,
    lied_about,
    mean,
    points_at,
    same,
)  # fmt: skip
from analysis.page import theme
from mechanism.wording import percent, typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = "osD^vP*X"


def draw_along(rows: Rows, axis: str, measure: str, ax: Axes | None = None) -> Axes:
    """Draw one measure along one axis, a line for each mechanism; those that coincide are one line, named together."""
    ax = theme.axes(ax)
    found, each = along(rows, axis, measure), by_mechanism(rows)
    order = list(each)
    for group in same(rows, measure):
        (places, values), k = found[group[0]], order.index(group[0])
        names = ", ".join(theme.plain(name) for name in group)
        names += f" ({'both' if len(group) == 2 else f'all {len(group)}'} on this line)" if group[1:] else ""
        ax.plot(
            places, values, color=theme.colour(k), marker=MARKS[k % len(MARKS)], linewidth=1.6, clip_on=False, zorder=3,
            label=names,
        )  # fmt: skip
        reach = [half(points_at(each[group[0]], **{axis: x}), measure) for x in places]
        if any(reach):
            ax.errorbar(
                places, values, [error or 0.0 for error in reach], fmt="none", ecolor=theme.colour(k), elinewidth=0.8,
                alpha=0.6, capsize=2.5, zorder=2,
            )  # fmt: skip
    if measure in ("lowest_utility", "deficit", *LIES):
        ax.axhline(0.0, color=theme.ZERO, linewidth=0.8)
    theme.never_flat(ax, "y", 0.05)
    theme.style(ax, x=AXES[axis], y=MEASURES[measure])
    every = np.concatenate([values for _, values in found.values()])
    if np.ptp(every) == 0.0:  # one line in an empty picture: say so
        ax.annotate(
            f"{typeset(float(every[0]))} under every rule", (0.5, float(every[0])),
            xycoords=ax.get_yaxis_transform(), xytext=(0, 6), textcoords="offset points", ha="center",
            fontsize=theme.BODY, color=theme.INK,
        )  # fmt: skip
    theme.legend_above(ax, 3)
    return ax


def draw_trade_off(rows: Rows, ax: Axes | None = None, measure: str = "best_lie") -> Axes:
    """Draw efficiency against the best lie about a cost, or another measure of `LIES`.

    A rule on the upper left is efficient and truthful in that one number only: what lies about the other two win is in
    the pictures of those. A large mark is a mechanism's mean with its 95 % intervals over the markets drawn, a pale dot
    one point of the sweep. Of means that fall together the first is the largest mark, so that the others are seen
    inside it.
    """
    ax = theme.axes(ax, height=4.2)
    means: dict[str, tuple[float, float]] = {}
    for k, (name, own) in enumerate(by_mechanism(rows).items()):
        lie, share = ([float(row[key]) for row in own] for key in (measure, "of_optimum"))
        ax.scatter(lie, share, s=14, color=theme.faded(theme.colour(k), 0.45), linewidths=0)
        means[name] = float(np.mean(lie)), float(np.mean(share))
        (x, y), (across, up) = means[name], (half(own, key) or 0.0 for key in (measure, "of_optimum"))
        if across or up:
            tone = theme.colour(k)
            ax.plot([x - across, x + across, x, x, x], [y, y, y, y - up, y + up], color=tone, linewidth=1.0, zorder=2)
    span = np.ptp(np.array(list(means.values())), axis=0)
    near = np.maximum(span * 0.04, 1e-9)
    for k, (name, at) in enumerate(means.items()):
        before, after = (
            [other for other in names if (np.abs(np.subtract(means[other], at)) <= near).all()]
            for names in (list(means)[:k], list(means)[k + 1 :])
        )
        words = f" (where {theme.plain(before[0])} is)" if before else ""
        ax.scatter(
            *at, s=60 + 130 * len(after), color=theme.colour(k), marker=MARKS[k % len(MARKS)], zorder=3 + 0.1 * k,
            edgecolors="white", linewidths=0.8, label=f"{theme.plain(name)}{words}",
        )  # fmt: skip
    ax.scatter([], [], s=14, color=theme.NEUTRAL, linewidths=0, label="pale: one point of the sweep each")
    theme.style(ax, grid="both", x=MEASURES[measure], y=MEASURES["of_optimum"])
    for handle in theme.legend_above(ax, 3).legend_handles[:-1]:
        handle.set_sizes([50.0])
    return ax


def trade_offs(rows: Rows) -> Figure:
    """Return efficiency against lies, a panel for each number that is lied about: no rule is judged by one of them."""
    whole = theme.figure(theme.WIDTH * 1.6, 4.2)
    panels = np.atleast_1d(whole.subplots(1, len(LIES), sharey=True))
    for (measure, (_, about)), ax in zip(LIES.items(), panels, strict=True):
        draw_trade_off(rows, ax, measure)
        theme.style(ax, grid="both", title=f"Lies about {about}", x="mean gain of the best lie (money)")
        ax.set_ylabel(MEASURES["of_optimum"] if ax is panels[0] else "", fontsize=theme.BODY, color=theme.INK)
        ax.get_legend().remove()
    handles, _ = panels[0].get_legend_handles_labels()
    pale = "pale: one point of the sweep; lines: 95 % over the markets drawn; a mark in another: the two coincide"
    key = whole.legend(
        handles, [*(theme.plain(name) for name in by_mechanism(rows)), pale],
        loc="outside upper left", ncols=4, frameon=False, fontsize=theme.SMALL, labelcolor=theme.INK,
    )  # fmt: skip
    for handle in key.legend_handles[:-1]:
        handle.set_sizes([50.0])  # type: ignore[union-attr]
    return whole


def draw_map(rows: Rows, mechanism: str, ax: Axes | None = None, measure: str = "lying_share") -> Axes:
    """Draw where truthfulness begins to fail: the share of markets with a paying lie over λ and the spread of costs.

    ``measure``: whose share, one of `MAPS`.
    """
    ax = theme.axes(ax)
    own = by_mechanism(rows)[mechanism]
    xs, ys = (sorted({float(row[key]) for row in own}) for key in ("lam", "cost_spread"))
    share = np.array([[mean(points_at(own, lam=x, cost_spread=y), measure) for x in xs] for y in ys])
    ax.imshow(share, origin="lower", cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for (y, x), value in np.ndenumerate(share):
        ax.text(x, y, percent(value, 0), ha="center", va="center", color="white" if value > 0.55 else theme.INK,
                fontsize=theme.SMALL)  # fmt: skip
    ax.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
    ax.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
    theme.style(ax, grid="", title=theme.plain(mechanism), x=AXES["lam"], y=AXES["cost_spread"])
    return ax


def figures(rows: Rows) -> dict[str, Figure]:
    """Return one figure for each trade-off, by the name of its file."""
    found = {"trade-off": trade_offs(rows)}
    for measure in MEASURES:
        groups = same(rows, measure)
        whole = theme.figure(theme.WIDTH * 1.6, 3.2 + 0.2 * (len(groups) + 1))
        panels = np.atleast_1d(whole.subplots(1, len(AXES), sharey=True))
        for axis, ax in zip(AXES, panels, strict=True):
            draw_along(rows, axis, measure, ax)
            ax.set_ylabel(ax.get_ylabel() if ax is panels[0] else "")
            if (legend := ax.get_legend()) is not None:
                legend.remove()
        handles, words = panels[0].get_legend_handles_labels()
        if any(half(own, measure) for own in by_mechanism(rows).values()):
            from matplotlib.lines import Line2D

            handles.append(Line2D([], [], color=theme.NEUTRAL, marker="|", markersize=9, linewidth=0))
            words.append("bars: 95 % over the markets drawn, the same markets for every rule")
        whole.legend(
            handles, words, loc="outside upper left", frameon=False, fontsize=theme.SMALL, labelcolor=theme.INK
        )
        found[measure.replace("_", "-")] = whole
    names = list(by_mechanism(rows))
    for file, measure in MAPS.items():
        whole = theme.figure(theme.WIDTH * 1.4, 2.8 * -(-len(names) // 3))
        for k, name in enumerate(names):
            draw_map(rows, name, whole.add_subplot(-(-len(names) // 3), min(3, len(names)), k + 1), measure)
        whole.suptitle(
            f"Share of markets in which a lie about {lied_about(measure)} pays", x=0.01, ha="left", color=theme.INK,
            fontsize=theme.TITLE,
        )  # fmt: skip
        found[file] = whole
    return found
