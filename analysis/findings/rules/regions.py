"""What would be bought at other costs: one buyer and two sellers of a recorded market, on a grid of their costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.findings.base import MEASURED, Drawing, Evidence, Finding, always, label_once, note, panels
from analysis.findings.scores import on_effective_data
from analysis.page import theme
from analysis.page.export import Cell, Table
from analysis.run.records import MarketRecord, Run
from mechanism import Reports, market_mechanism
from mechanism.market.allocation.selection import PLAIN_WORK
from mechanism.market.clients import LARGEST
from mechanism.space import Floats
from mechanism.wording import count, listed, typeset_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch


NEITHER, FIRST, SECOND, BOTH = range(4)
_POINTS = 61
_NEAR = 3.0
"""The grid reaches to so many times the larger true cost: what is far from it no report will be near."""


@dataclass(frozen=True, eq=False)
class AllocationRegions:
    """Which of two sellers a rule lets a buyer import from, alone with them; costs in money.

    ``costs`` ``[k]`` rising, of either seller; ``bought`` ``[k, k]``: 0 neither, 1 the first, 2 the second,
    3 both; row = the second seller's cost, column = the first's. ``truth``: their true costs. ``where``: of which
    market, in words, where that is known; ``names`` of buyer and sellers, where they have some.
    """

    rule: str
    buyer: int
    sellers: tuple[int, int]
    costs: Floats
    bought: NDArray[np.int64]
    truth: tuple[float, float]
    where: str = ""
    names: tuple[str, str, str] | None = None

    @property
    def who(self) -> tuple[str, str, str]:
        """What buyer and sellers are called: by name, or as "client 3" and "seller 1"."""
        one, two = self.sellers
        return self.names or (f"client {self.buyer}", f"seller {one}", f"seller {two}")

    def share(self, what: int) -> float:
        """Return the share of the grid where this is bought."""
        return float((self.bought == what).mean())


def _brought(record: MarketRecord) -> Floats:
    """Return the samples that each model brings each client ``[m, m]``: those measured, else the seller's."""
    e = record.market.effective
    return np.broadcast_to(record.size, record.differences.shape) if e is None else e


def trio(record: MarketRecord) -> tuple[int, int, int] | None:
    """Return a buyer and two sellers to look at: where the second-best model is worth most to its buyer.

    Worth: what one model adds to the buyer's own data, less its difference penalty (true types). None if fewer than
    three clients took part or no buyer has two models of positive worth.
    """
    there = np.flatnonzero(record.present)
    if there.size < 3:
        return None
    n, gain = record.size, record.gain
    own, brought = n[:, None] + np.zeros_like(record.differences), _brought(record)
    worth = record.law.value(gain[:, None] + np.zeros_like(own), own, own + brought)
    worth = worth - record.lam * record.differences * brought / n[:, None]
    np.fill_diagonal(worth, -np.inf)
    worth[:, ~record.present] = -np.inf
    order = np.argsort(-worth, axis=1, kind="stable")
    second = worth[np.arange(n.size), order[:, 1]]
    second[~record.present] = -np.inf
    buyer = int(np.argmax(second))
    if not second[buyer] > 0.0:
        return None
    return buyer, int(order[buyer, 0]), int(order[buyer, 1])


def reaches(record: MarketRecord, places: tuple[int, int, int]) -> tuple[float, float]:
    """Return two costs to draw up to: near the true ones, and past the most that either model is worth; money."""
    at = np.array(places)
    own, gain, costs = np.float64(record.size[at[0]]), np.float64(record.gain[at[0]]), record.cost[at[1:]]
    worth = [float(record.law.value(gain, own, own + n)) for n in _brought(record)[at[0], at[1:]]]
    far = min(1.15 * max(*worth, *map(float, costs)), LARGEST)
    near = _NEAR * float(costs.max())
    return (min(near, far) if near > 0.0 else far), far


def allocation_regions(
    record: MarketRecord, rule: str, places: tuple[int, int, int], points: int = _POINTS, end: float | None = None
) -> AllocationRegions:
    """Clear the market of a buyer and two sellers on a grid of the sellers' reported costs.

    The grid reaches from 0 to ``end`` (default: to about three times the larger true cost, `reaches`).
    `UnknownNameError` if the rule is not in the catalogue.
    """
    mechanism = market_mechanism(rule)
    at = np.array(places)
    size, gain = record.size[at], np.array([record.gain[at[0]], 0.0, 0.0])
    market = record.market.take(at)
    grid = np.linspace(0.0, reaches(record, places)[0] if end is None else end, points)
    first, second = (g.ravel() for g in np.meshgrid(grid, grid))
    bought = np.empty(first.size, dtype=np.int64)
    # A few at a time: below what the clearing compiles for, which takes seconds at first.
    step = (PLAIN_WORK - 1) // 9
    for k in range(0, first.size, step):
        costs = np.stack([np.zeros(first[k : k + step].size), first[k : k + step], second[k : k + step]], axis=1)
        imports = mechanism.clear(Reports(*np.broadcast_arrays(size, costs, gain)), market).imports[:, 0]
        bought[k : k + step] = imports[:, 1] + 2 * imports[:, 2]
    truth = (float(record.cost[at[1]]), float(record.cost[at[2]]))
    return AllocationRegions(rule, places[0], (places[1], places[2]), grid, bought.reshape(points, points), truth)


def all_regions(run: Run) -> tuple[AllocationRegions, ...] | None:
    """Return the regions of every rule of the run, in one and the same recorded market; None where none fits.

    All reach to one cost: near the true ones, or as much further as it takes until every rule buys differently
    somewhere, if there is such a cost.
    """
    if not run.markets:
        return None
    number = run.rounds if run.markets[0] in on_effective_data(run) else 1  # nothing is measured in the first
    record = run.market_round(run.markets[0], run.seeds[0], number)
    places = trio(record)
    if places is None:
        return None
    rules = dict.fromkeys(str(run.mechanisms[name]) for name in run.markets)
    where = f"{run.markets[0]}, round {number}, seed {run.seeds[0]}"
    end, far = reaches(record, places)
    while end < far and any(np.ptp(allocation_regions(record, rule, places, 9, end).bought) == 0 for rule in rules):
        end = min(2.0 * end, far)
    called = [run.summary.names[k] for k in places] if run.summary.names else None
    names = None if called is None else (called[0], called[1], called[2])
    return tuple(replace(allocation_regions(record, rule, places, end=end), where=where, names=names) for rule in rules)


TONES = {NEITHER: "#f1f3f5", FIRST: "#56b4e9", SECOND: "#e69f00", BOTH: "#0072b2"}
"""Light grey, sky blue, orange and blue (Okabe and Ito): told apart by lightness as well."""
_ROOM = (0.24, 0.07)
"""Shares of the width and the height that a region's name takes."""


def draw_regions(regions: AllocationRegions, ax: Axes | None = None, *, key: bool = True) -> Axes:
    """Draw what is bought at each pair of reported costs; a dot marks the true costs.

    The key above (left out without ``key``) names every colour that occurs; a region with room for it has its name in
    it as well.
    """
    from matplotlib.colors import ListedColormap

    ax = theme.axes(ax, 4.2, 4.0)
    words = _names(regions)
    theme.style(
        ax, grid="", title=theme.plain(regions.rule), x=f"cost that {words[FIRST]} reports (money)",
        y=f"cost that {words[SECOND]} reports (money)",
    )  # fmt: skip
    ax.pcolormesh(
        regions.costs, regions.costs, regions.bought, cmap=ListedColormap(list(TONES.values())), vmin=-0.5, vmax=3.5,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    for what in words:
        if regions.share(what) == 0.0:
            continue
        at = regions.bought == what
        rows, columns = at.nonzero()
        # The cell of the region nearest to its centre of mass: in the region even where that is not.
        away = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
        k = int(away.argmin())
        if at[rows[k]].mean() < _ROOM[0] or at[:, columns[k]].mean() < _ROOM[1]:
            continue
        x, y = float(regions.costs[columns[k]]), float(regions.costs[rows[k]])
        tone = "white" if what == BOTH else theme.INK
        theme.write(ax, x, y, words[what], ha="center", va="center", color=tone, fontweight="bold")
    ax.plot(
        [regions.truth[0]], [regions.truth[1]], "o", color=theme.INK, markeredgecolor="white", markersize=8, zorder=4,
        clip_on=False,
    )  # fmt: skip
    ax.set_xlim(0.0, float(regions.costs[-1]))
    ax.set_ylim(0.0, float(regions.costs[-1]))
    ax.set_box_aspect(1)
    ax.locator_params(nbins=5)
    if key:
        patches, names = _key([regions])
        theme.legend_above(ax, 4, handles=patches, labels=names, handlelength=1.1, columnspacing=1.0)
        ax.set_title(theme.plain(regions.rule), loc="left", fontsize=theme.TITLE, fontweight="bold", pad=24)
    return ax


def _names(regions: AllocationRegions, longest: int = 16) -> dict[int, str]:
    """Return what is bought in words, as drawings have it."""
    one, two = (theme.plain(who, longest) for who in regions.who[1:])
    return {NEITHER: "neither", FIRST: one, SECOND: two, BOTH: "both"}


def _key(regions: Sequence[AllocationRegions]) -> tuple[list[Patch], list[str]]:
    """Return a patch and a name for each colour that occurs."""
    from matplotlib.patches import Patch

    names = _names(regions[0])
    there = [what for what in names if any(one.share(what) > 0.0 for one in regions)]
    patches = [Patch(facecolor=TONES[what], edgecolor=theme.NEUTRAL, linewidth=0.6) for what in there]
    return patches, [names[what] for what in there]


def grid_table(regions: tuple[AllocationRegions, ...]) -> Table:
    """Return what is bought at every pair of costs drawn, a row per pair and rule; costs in money."""
    buyer, one, two = regions[0].who
    words = {NEITHER: "neither", FIRST: one, SECOND: two, BOTH: "both"}
    rows = tuple(
        (r.rule, float(x), float(y), words[int(r.bought[i, j])])
        for r in regions
        for i, y in enumerate(r.costs)
        for j, x in enumerate(r.costs)
    )
    heads = ("rule", f"cost that {one} reports", f"cost that {two} reports", "bought")
    return Table(f"What {buyer} buys", heads, rows)


def regions_table(regions: tuple[AllocationRegions, ...]) -> Table:
    """Return the shares of the grid, a row per rule."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (r.rule, *(100.0 * r.share(what) for what in (NEITHER, FIRST, SECOND, BOTH))) for r in regions
    )
    heads = ("rule", "neither (%)", "first only (%)", "second only (%)", "both (%)")
    return Table("What is bought, shares of the costs drawn", heads, rows)


def answer(_: Run, found: tuple[AllocationRegions, ...]) -> str:
    """Answer: whom a buyer would import from as the costs of two sellers change."""
    first = found[0]
    buyer, one, two = first.who
    said = [
        f"{r.rule} buys from {one} on {typeset_percent(r.share(FIRST) + r.share(BOTH))} of all pairs of costs "
        f"shown and from {two} on {typeset_percent(r.share(SECOND) + r.share(BOTH))}"
        for r in found
    ]
    return f"Alone with {buyer} as their buyer: {listed(said)}."


def drawing(_: Run, found: tuple[AllocationRegions, ...]) -> Drawing:
    """Allocation regions, one panel per rule."""
    # Low enough that its height bounds the square panels: where the width did, the layout would let labels overlap.
    whole, axes = panels(len(found), 2, 4.1)
    for one, panel in zip(found, axes, strict=True):
        draw_regions(one, panel, key=False)
    label_once(axes, 2)
    patches, names = _key(found)
    whole.legend(
        handles=patches, labels=names, loc="outside upper left", ncols=4, frameon=False, fontsize=theme.SMALL,
        labelcolor=theme.INK, handlelength=1.1,
    )  # fmt: skip
    first = found[0]
    buyer, left, right = first.who
    if first.where:
        note(whole, f"{theme.plain(buyer)} buys; types and models of {first.where}")
    parts = [
        f"{r.rule}: neither on {typeset_percent(r.share(NEITHER))} of the square, {left} alone on "
        f"{typeset_percent(r.share(FIRST))}, {right} alone on {typeset_percent(r.share(SECOND))}, both on "
        f"{typeset_percent(r.share(BOTH))}"
        for r in found
    ]
    return Drawing(
        f"What {buyer} imports from {left} and {right}, alone with them. " + "; ".join(parts) + ".",
        f"Light blue: bought from {left}; orange: from {right}; dark blue: from both; grey: neither. "
        "The dot is at the true costs. Go from it along one axis, which is one seller changing its report: a truthful "
        "rule pays that seller the cost at which the colour changes, and its own report cannot move that border. Where "
        "one seller takes the other's place the border should run at 45°, a coin more here for a coin more there; "
        "where it does not, the rule gives up some of the objective: it takes the model that is worth less after its "
        "cost. The axes reach to a few times the true costs.",
        whole,
        regions_table(found),
        grid_table(found),
    )


def evidence(_: Run, found: tuple[AllocationRegions, ...]) -> tuple[Evidence, ...]:
    """Return on how many clearings the drawn regions rest."""
    return tuple(
        Evidence(MEASURED, r.rule, f"{count(r.bought.size)} clearings of one recorded buyer and two sellers")
        for r in found
    )


REGIONS = Finding(
    "regions", "What would be bought at other costs?", all_regions, answer, always("regions", drawing), evidence
)
