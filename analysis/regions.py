"""What a rule buys as two sellers' costs change: one buyer and two sellers of a recorded market, on a grid of costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.run.records import MarketRound, Run
from analysis.tables import Cell, Table
from mechanism import Market, Reports, market_mechanism
from mechanism.market.compiled import PLAIN_WORK

Real = NDArray[np.float64]

NEITHER, FIRST, SECOND, BOTH = range(4)
_POINTS = 61


@dataclass(frozen=True, eq=False)
class AllocationRegions:
    """Which of two sellers a rule lets a buyer import from, alone with them; costs in money.

    ``first`` ``[k]`` and ``second`` ``[k]`` rising costs; ``bought`` ``[k, k]``: 0 neither, 1 the first, 2 the second,
    3 both; row = the second seller's cost, column = the first's. ``truth``: their true costs. ``where``: of which
    market, in words, where that is known.
    """

    rule: str
    buyer: int
    sellers: tuple[int, int]
    first: Real
    second: Real
    bought: NDArray[np.int64]
    truth: tuple[float, float]
    where: str = ""

    def share(self, what: int) -> float:
        """Return the share of the grid where this is bought."""
        return float((self.bought == what).mean())


def trio(record: MarketRound) -> tuple[int, int, int] | None:
    """Return a buyer and two sellers to look at: where the second-best model is worth most to its buyer.

    Worth: what one model adds to the buyer's own data, less its difference penalty (true types). None if fewer than
    three clients took part or no buyer has two models of positive worth.
    """
    there = np.flatnonzero(record.present)
    if there.size < 3:
        return None
    n, gain = record.size, record.gain
    own = n[:, None] + np.zeros_like(record.differences)
    worth = record.law.value(gain[:, None] + np.zeros_like(own), own, own + n[None, :])
    worth = worth - record.lam * record.differences * n[None, :] / n[:, None]
    np.fill_diagonal(worth, -np.inf)
    worth[:, ~record.present] = -np.inf
    order = np.argsort(-worth, axis=1, kind="stable")
    second = worth[np.arange(n.size), order[:, 1]]
    second[~record.present] = -np.inf
    buyer = int(np.argmax(second))
    if not second[buyer] > 0.0:
        return None
    return buyer, int(order[buyer, 0]), int(order[buyer, 1])


_NEAR = 3.0
"""The grid reaches to so many times the larger true cost: what is far from it no report will be near."""


def reaches(record: MarketRound, places: tuple[int, int, int]) -> tuple[float, float]:
    """Return two costs to draw up to: near the true ones, and past the most that either model is worth; money."""
    at = np.array(places)
    size, costs = record.size[at], record.cost[at[1:]]
    own, gain = np.float64(size[0]), np.float64(record.gain[at[0]])
    worth = [float(record.law.value(gain, own, own + n)) for n in size[1:]]
    far = 1.15 * max(*worth, *map(float, costs))
    near = _NEAR * float(costs.max())
    return (min(near, far) if near > 0.0 else far), far


def allocation_regions(
    record: MarketRound, rule: str, places: tuple[int, int, int], points: int = _POINTS, end: float | None = None
) -> AllocationRegions:
    """Clear the market of a buyer and two sellers on a grid of the sellers' reported costs.

    The grid reaches from 0 to ``end`` (default: to about three times the larger true cost, `reaches`).

    Raises
    ------
    UnknownNameError
        If the rule is not in the catalogue.
    """
    mechanism = market_mechanism(rule)
    at = np.array(places)
    size, gain = record.size[at], np.array([record.gain[at[0]], 0.0, 0.0])
    market = Market(record.differences[np.ix_(at, at)], record.lam, record.law)
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
    return AllocationRegions(rule, places[0], (places[1], places[2]), grid, grid, bought.reshape(points, points), truth)


def all_regions(run: Run) -> tuple[AllocationRegions, ...]:
    """Return the regions of every rule of the run, in one and the same recorded market; empty where none fits.

    All reach to one cost: near the true ones, or as much further as it takes until every rule buys differently
    somewhere, if there is such a cost.
    """
    if not run.markets:
        return ()
    record = run.market_round(run.markets[0], run.seeds[0], 1)
    places = trio(record)
    if places is None:
        return ()
    rules = dict.fromkeys(str(run.mechanisms[name]) for name in run.markets)
    where = f"{run.markets[0]}, round 1, seed {run.seeds[0]}"
    end, far = reaches(record, places)
    while end < far and not all(_has_border(allocation_regions(record, rule, places, 9, end)) for rule in rules):
        end = min(2.0 * end, far)
    return tuple(replace(allocation_regions(record, rule, places, end=end), where=where) for rule in rules)


def _has_border(regions: AllocationRegions) -> bool:
    return bool((regions.bought != regions.bought[0, 0]).any())


def grid_table(regions: tuple[AllocationRegions, ...]) -> Table:
    """Return what is bought at every pair of costs drawn, a row per pair and rule; costs in money."""
    one, two = regions[0].sellers
    words = {NEITHER: "neither", FIRST: f"seller {one}", SECOND: f"seller {two}", BOTH: "both"}
    rows = tuple(
        (r.rule, float(x), float(y), words[int(r.bought[i, j])])
        for r in regions
        for i, y in enumerate(r.second)
        for j, x in enumerate(r.first)
    )
    heads = ("rule", f"cost that seller {one} reports", f"cost that seller {two} reports", "bought")
    return Table(f"What client {regions[0].buyer} buys", heads, rows)


def regions_table(regions: tuple[AllocationRegions, ...]) -> Table:
    """Return the shares of the grid, a row per rule."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (r.rule, *(100.0 * r.share(what) for what in (NEITHER, FIRST, SECOND, BOTH))) for r in regions
    )
    heads = ("rule", "neither (%)", "first only (%)", "second only (%)", "both (%)")
    return Table("What is bought, shares of the costs drawn", heads, rows)
