"""Trade-offs between rules: what one gives up to keep another promise, and where a promise begins to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.page import theme
from mechanism.wording import percent, typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]

AXES: Mapping[str, str] = {
    "lam": "weight of differences λ",
    "cost_spread": "spread of costs",
    "heterogeneity": "heterogeneity of models",
}
"""What a sweep moves, by its key, in words."""

MEASURES: Mapping[str, str] = {
    "of_optimum": "share of the\nbest objective",
    "welfare": "mean welfare: gains\nless costs (money)",
    "best_lie": "mean gain of the best lie\nabout a cost (money)",
    "gain_best_lie": "mean gain of the best lie\nabout the gain parameter (money)",
    "size_best_lie": "mean gain of the best lie\nabout a size (money)",
    "lowest_utility": "lowest utility of a\ntruthful client (money)",
    "deficit": "mean deficit of\nthe centre (money)",
}
"""What is drawn along one axis, by its key, in words. Money of a centre is no part of welfare: deficit is beside it."""

LIES: Mapping[str, tuple[str, str]] = {
    "best_lie": ("lying_share", "a cost"),
    "gain_best_lie": ("gain_lying_share", "the gain parameter"),
    "size_best_lie": ("size_lying_share", "a size"),
}
"""What is lied about, by the measure of the best lie: the measure of the share of markets, and words."""

MAPS: Mapping[str, str] = {
    "where-lies-pay": "lying_share",
    "where-gain-lies-pay": "gain_lying_share",
    "where-size-lies-pay": "size_lying_share",
}
"""Parameter maps, by the names of their files: the share that each draws."""

MARKS = "osD^vP*X"


def mechanisms(rows: Rows) -> list[str]:
    """Return the mechanisms of a sweep in their order."""
    return list(dict.fromkeys(str(row["mechanism"]) for row in rows))


def along(rows: Rows, axis: str, measure: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return per mechanism the values of an axis and the mean of a measure over all other axes there.

    For ``lowest_utility`` the lowest of them is taken: a promise is as good as its worst case.
    """
    found = {}
    for name in mechanisms(rows):
        own = [row for row in rows if row["mechanism"] == name]
        places = sorted({float(row[axis]) for row in own})
        fold = np.min if measure == "lowest_utility" else np.mean
        values = [fold([float(row[measure]) for row in own if float(row[axis]) == x]) for x in places]
        found[name] = (np.array(places), np.array(values))
    return found


def half(rows: Rows, measure: str) -> float | None:
    """Return half of the 95 % interval of a measure's mean over rows of a mechanism; None where none is known.

    By Student's t over the markets drawn. Every point has the same markets, so that the error of a mean over points is
    at most the mean of their errors, which is taken. A minimum has no such interval.
    """
    from scipy.special import stdtrit

    found = [row.get(f"{measure}_se") for row in rows]
    if not found or any(error is None for error in found):
        return None
    return float(stdtrit(min(int(row["markets"]) for row in rows) - 1, 0.975) * np.mean(np.array(found, dtype=float)))


def wilson(share: float, markets: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of that many markets (Wilson 1927): 0 of 40 leaves up to 8.8 %."""
    z = 1.959963984540054
    middle = (share + z * z / (2 * markets)) / (1 + z * z / markets)
    reach = z / (1 + z * z / markets) * float(np.sqrt(share * (1 - share) / markets + z * z / (4 * markets**2)))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def same(rows: Rows, measure: str) -> list[list[str]]:
    """Return the mechanisms in groups whose lines coincide along every axis, which would hide one another.

    They coincide if they are nowhere further apart than a two-hundredth of what all mechanisms span.
    """
    lines = [along(rows, axis, measure) for axis in AXES]
    every = np.concatenate([values for found in lines for _, values in found.values()])
    near = max(float(np.ptp(every)) / 200.0, 1e-9)
    groups: list[list[str]] = []
    for name in mechanisms(rows):
        for group in groups:
            pairs = [(found[name], found[group[0]]) for found in lines]
            if all(
                a.shape == b.shape and np.abs(own - other).max() <= near and (a == b).all()
                for (a, own), (b, other) in pairs
            ):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def draw_along(rows: Rows, axis: str, measure: str, ax: Axes | None = None) -> Axes:
    """Draw one measure along one axis, a line for each mechanism; those that coincide are one line, named together."""
    ax = theme.axes(ax)
    found, order = along(rows, axis, measure), mechanisms(rows)
    for group in same(rows, measure):
        (places, values), k = found[group[0]], order.index(group[0])
        names = ", ".join(theme.plain(name) for name in group)
        names += f" ({'both' if len(group) == 2 else f'all {len(group)}'} on this line)" if group[1:] else ""
        ax.plot(
            places, values, color=theme.colour(k), marker=MARKS[k % len(MARKS)], linewidth=1.6, clip_on=False, zorder=3,
            label=names,
        )  # fmt: skip
        own = [row for row in rows if row["mechanism"] == group[0]]
        reach = [half([row for row in own if float(row[axis]) == x], measure) for x in places]
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
    for k, name in enumerate(mechanisms(rows)):
        own = [row for row in rows if row["mechanism"] == name]
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
        handles, [*(theme.plain(name) for name in mechanisms(rows)), pale],
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
    own = [row for row in rows if row["mechanism"] == mechanism]
    xs, ys = (sorted({float(row[key]) for row in own}) for key in ("lam", "cost_spread"))
    share = np.array(
        [
            [
                np.mean([float(r[measure]) for r in own if (float(r["lam"]), float(r["cost_spread"])) == (x, y)])
                for x in xs
            ]
            for y in ys
        ]
    )
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
        if any(half([row for row in rows if row["mechanism"] == name], measure) for name in mechanisms(rows)):
            from matplotlib.lines import Line2D

            handles.append(Line2D([], [], color=theme.NEUTRAL, marker="|", markersize=9, linewidth=0))
            words.append("bars: 95 % over the markets drawn, the same markets for every rule")
        whole.legend(
            handles, words, loc="outside upper left", frameon=False, fontsize=theme.SMALL, labelcolor=theme.INK
        )
        found[measure.replace("_", "-")] = whole
    names = mechanisms(rows)
    for file, measure in MAPS.items():
        whole = theme.figure(theme.WIDTH * 1.4, 2.8 * -(-len(names) // 3))
        for k, name in enumerate(names):
            draw_map(rows, name, whole.add_subplot(-(-len(names) // 3), min(3, len(names)), k + 1), measure)
        about = next(words for share, words in LIES.values() if share == measure)
        whole.suptitle(
            f"Share of markets in which a lie about {about} pays", x=0.01, ha="left", fontsize=theme.TITLE,
            color=theme.INK,
        )  # fmt: skip
        found[file] = whole
    return found
