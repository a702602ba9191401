"""What a lie about a cost wins or loses, for every true cost and every report of one client: a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.findings.base import Drawing, Drawings, Finding, Remarks, panels
from analysis.findings.rules import lies
from analysis.findings.rules.lies import LieCurve
from analysis.findings.rules.reports import accounts_of_reports
from analysis.page import theme
from analysis.page.tables import Table
from analysis.run.records import Run
from mechanism.market.accounting import MONEY, scale
from mechanism.wording import typeset, typeset_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Real = NDArray[np.float64]

_POINTS = 61


@dataclass(frozen=True, eq=False)
class RegretMap:
    """What one client wins by a report over the truth, all others truthful, in one recorded market; money.

    ``costs`` ``[k]`` rising; ``won`` ``[k, k]``: row = true cost, column = reported cost, 0 on the diagonal. Positive:
    the lie pays. ``truth`` its true cost in the record.
    """

    method: str
    mechanism: str
    seed: int
    round: int
    client: int
    truth: float
    costs: Real
    won: Real

    @property
    def most(self) -> float:
        """The most that any lie wins at any true cost, 0 where none pays by more than the tolerance for money."""
        most = float(self.won.max())
        return most if most > MONEY * scale(self.won) else 0.0

    @property
    def paying(self) -> float:
        """Share of the pairs of true and reported cost at which the lie pays."""
        return float((self.won > MONEY * scale(self.won)).mean())


def regret_map(run: Run, curve: LieCurve, points: int = _POINTS) -> RegretMap:
    """Return the regret of the client of a lie curve, in the same market, over the same range of costs.

    What a report brings does not depend on the true cost but for the exports, each of which costs it:
    U(c, r) = V(r) - c E(r), with V the utility at cost 0 and E the number of exports. So one clearing per report is
    enough for all true costs.
    """
    record = run.market_round(curve.method, curve.seed, curve.round)
    costs = np.union1d(np.linspace(0.0, float(curve.reports[-1]), points), [curve.truth])
    utility, exports = accounts_of_reports(record, curve.mechanism, curve.client)(costs)
    free = utility + curve.truth * exports
    every = free[None, :] - costs[:, None] * exports[None, :]
    won = every - np.diagonal(every)[:, None]
    return RegretMap(
        curve.method, curve.mechanism, curve.seed, curve.round, curve.client, curve.truth, costs, won + 0.0
    )


def regret_heat(result: RegretMap, ax: Axes | None = None, *, largest: float | None = None) -> Axes:
    """Draw what every lie wins (vermilion) or loses (blue); on the dashed line the truth is told.

    ``largest``: money at full colour, so that panels can share a scale (default: this map's).
    """
    from matplotlib.colors import LinearSegmentedColormap

    ax = theme.axes(ax, 4.4, 4.0)
    theme.style(ax, grid="", x="reported cost", y="true cost")
    largest = largest or float(np.abs(result.won).max()) or 1.0
    tones = LinearSegmentedColormap.from_list("regret", [theme.GAIN, "#ffffff", theme.LOSS])
    mesh = ax.pcolormesh(
        result.costs, result.costs, result.won, cmap=tones, vmin=-largest, vmax=largest, shading="nearest",
        rasterized=True,
    )  # fmt: skip
    end = float(result.costs[-1])
    ax.plot([0.0, end], [0.0, end], color=theme.INK, linewidth=1.0, linestyle=(0, (4, 3)))
    ax.plot([result.truth], [result.truth], "o", color=theme.INK, markeredgecolor="white", markersize=8, zorder=4)
    bar = theme.figure_of(ax).colorbar(mesh, ax=ax, shrink=0.85, pad=0.02)
    bar.set_label("the lie wins (money)", fontsize=theme.SMALL, color=theme.INK)
    bar.ax.tick_params(labelsize=theme.SMALL - 1, colors=theme.INK)
    bar.outline.set_visible(False)
    ax.set_xlim(0.0, end)
    ax.set_ylim(0.0, end)
    ax.set_box_aspect(1)
    ax.locator_params(nbins=5)
    said = f"a lie wins up to {typeset(result.most)}" if result.most > 0 else "no lie pays, whatever the true cost"
    ax.set_title(theme.plain(result.method, 24), loc="left", fontsize=theme.TITLE, fontweight="bold", pad=20)
    theme.write(
        ax, 0.0, 1.03, said, transform=ax.transAxes, va="bottom",
        color=theme.LOSS_TEXT if result.most > 0 else theme.SOFT,
    )  # fmt: skip
    return ax


def map_table(maps: tuple[RegretMap, ...]) -> Table:
    """Return the maps point by point: what a report wins over the truth, a row per true and reported cost; money."""
    rows = tuple(
        (m.method, m.client, m.seed, m.round, float(truth), float(report), float(m.won[i, j]))
        for m in maps
        for i, truth in enumerate(m.costs)
        for j, report in enumerate(m.costs)
    )
    heads = ("method", "client", "seed", "round", "true cost", "reported cost", "won")
    return Table("What a report wins over the truth (money)", heads, rows)


def regret_table(maps: tuple[RegretMap, ...]) -> Table:
    """Return the most that a lie wins and how many pairs of truth and report pay, a row per method."""
    rows = tuple((m.method, m.client, m.seed, m.round, m.most, 100.0 * m.paying) for m in maps)
    heads = ("method", "client", "seed", "round", "most that a lie wins", "lies that pay (%)")
    return Table("Regret over true and reported cost (money)", heads, rows)


def draw_maps(run: Run, curves: Sequence[LieCurve]) -> Drawing:
    """Regret heat maps of the clients of lie curves, one panel per method with a market, on one scale."""
    maps = tuple(regret_map(run, curve) for curve in curves)
    whole, axes = panels(len(maps), 2, 3.7)
    largest = max(float(np.abs(one.won).max()) for one in maps) or 1.0
    for one, panel in zip(maps, axes, strict=True):
        regret_heat(one, panel, largest=largest)
    parts = [
        f"{m.method}, client {m.client}: "
        + (
            f"{typeset_percent(m.paying)} of all pairs of true and reported cost pay, the best {typeset(m.most)}"
            if m.most > 0
            else "no pair pays"
        )
        for m in maps
    ]
    return Drawing(
        "What a client wins by reporting one cost when another is true. " + "; ".join(parts) + ".",
        "The lie curve for every true cost at once. On the dashed line the client tells the truth; vermilion to its "
        "left is an understated cost that pays, to its right an overstated one. Under a truthful rule nothing is "
        "vermilion, whatever the true cost.",
        whole,
        regret_table(maps),
        map_table(maps),
    )


def drawings(run: Run, curves: tuple[LieCurve, ...]) -> Drawings:
    """Return the lie curves, and the regret of their clients, where anybody reports a cost."""
    if not curves:
        return {}
    return {"lie-curve": partial(lies.drawing, curves), "regret": partial(draw_maps, run, curves)}


def _scope(run: Run, curves: tuple[LieCurve, ...]) -> Remarks:
    return (("Scope", (run.audit.scope,)),) if curves else ()


LIES = Finding(
    "lies", "Does lying about one’s cost pay?", lies.lie_curves, lies.answer, drawings, lies.evidence, remarks=_scope
)
