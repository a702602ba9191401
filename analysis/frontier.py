"""Trade-offs between rules: what one gives up to keep another promise, and where a promise begins to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import theme
from analysis.tables import Table

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
    "of_optimum": "share of the best objective",
    "best_lie": "mean gain of the best lie about a cost",
    "lowest_utility": "lowest utility of a truthful client",
    "deficit": "mean deficit of the centre",
}
"""What is drawn along one axis, by its key, in words."""


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


def draw_along(rows: Rows, axis: str, measure: str, ax: Axes | None = None) -> Axes:
    """Draw one measure along one axis, a line for each mechanism."""
    ax = theme.axes(ax)
    for k, (name, (places, values)) in enumerate(along(rows, axis, measure).items()):
        ax.plot(places, values, color=theme.colour(k), marker="osD^vP*X"[k % 8], linewidth=1.6, label=theme.plain(name))
    if measure in ("lowest_utility", "deficit", "best_lie"):
        ax.axhline(0.0, color=theme.ZERO, linewidth=0.8)
    theme.never_flat(ax, "y", 0.05)
    theme.style(ax, x=AXES[axis], y=MEASURES[measure])
    ax.legend(fontsize=theme.SMALL, frameon=False)
    return ax


def draw_trade_off(rows: Rows, ax: Axes | None = None) -> Axes:
    """Draw efficiency against the best lie: the corner on the upper left is what everybody wants."""
    ax = theme.axes(ax)
    for k, name in enumerate(mechanisms(rows)):
        own = [row for row in rows if row["mechanism"] == name]
        lie, share = ([float(row[key]) for row in own] for key in ("best_lie", "of_optimum"))
        ax.scatter(lie, share, s=14, color=theme.faded(theme.colour(k), 0.45), linewidths=0)
        ax.scatter(
            np.mean(lie), np.mean(share), s=70, color=theme.colour(k), marker="osD^vP*X"[k % 8], label=theme.plain(name)
        )
    theme.style(ax, grid="both", x=MEASURES["best_lie"], y=MEASURES["of_optimum"])
    ax.legend(fontsize=theme.SMALL, frameon=False)
    return ax


def draw_map(rows: Rows, mechanism: str, ax: Axes | None = None, measure: str = "lying_share") -> Axes:
    """Draw where truthfulness begins to fail: the share of markets with a paying lie over λ and the spread of costs."""
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
        ax.text(x, y, f"{value:.0%}", ha="center", va="center", color="white" if value > 0.55 else theme.INK,
                fontsize=theme.SMALL)  # fmt: skip
    ax.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
    ax.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
    theme.style(ax, grid="", title=theme.plain(mechanism), x=AXES["lam"], y=AXES["cost_spread"])
    return ax


def figures(rows: Rows) -> dict[str, Figure]:
    """Return one figure for each trade-off, by the name of its file."""
    found = {"trade-off": theme.figure_of(draw_trade_off(rows))}
    for measure in MEASURES:
        whole = theme.figure(theme.WIDTH * 1.6, 3.4)
        for axis, ax in zip(AXES, np.atleast_1d(whole.subplots(1, len(AXES))), strict=True):
            draw_along(rows, axis, measure, ax)
            if axis != "lam" and (legend := ax.get_legend()) is not None:
                legend.remove()
        found[measure.replace("_", "-")] = whole
    names = mechanisms(rows)
    whole = theme.figure(theme.WIDTH * 1.4, 2.8 * -(-len(names) // 3))
    for k, name in enumerate(names):
        draw_map(rows, name, whole.add_subplot(-(-len(names) // 3), min(3, len(names)), k + 1))
    found["where-lies-pay"] = whole
    return found


def table(rows: Rows) -> Table:
    """Return the sweep per mechanism: means over all points, the worst case of utility."""
    head = ("mechanism", "of optimum", "lowest utility", "markets with a lie", "best lie", "deficit")
    lines = []
    for name in mechanisms(rows):
        own = [row for row in rows if row["mechanism"] == name]
        mean = {key: float(np.mean([float(row[key]) for row in own])) for key in own[0] if key != "mechanism"}
        lowest = min(float(row["lowest_utility"]) for row in own)
        lines.append((name, mean["of_optimum"], lowest, mean["lying_share"], mean["best_lie"], mean["deficit"]))
    return Table("frontier", head, tuple(lines))
