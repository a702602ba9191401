"""Whether what a proof says does not depend on a report really does not: tested by moving that report alone.

The formulas leave ties open. A rule may compute them to the last bit and still let a report decide between sets that
are worth the same; then a lie can pay, and only these tests see it.
"""

import numpy as np
from numpy.typing import NDArray

from mechanism import MONEY, Market, Outcome, Reports
from mechanism.market.accounting import scale
from mechanism.market.rules.rule import Clearing
from mechanism.space import Floats


def clarke_independence(mechanism: Clearing, reports: Reports, market: Market) -> list[str]:
    """Move each client's cost: what it buys, and at what prices, must stay (axiom `lie-total` of `clarke-truth`)."""
    for said, public in ((reports, market), _equal_prices(reports, market)):
        outcome = mechanism.clear(said, public)
        for i in range(said.clients):
            for cost in (np.zeros_like(said.cost[:, i]), 2.0 * said.cost[:, i] + 1.0):
                moved = mechanism.clear(said.replace(cost=_put(said.cost, i, cost)), public)
                if not _same(outcome, moved, np.arange(said.clients) == i):
                    return [f"client {i} buys otherwise if it reports another cost of its own"]
    return []


def posted_independence(mechanism: Clearing, reports: Reports, market: Market) -> list[str]:
    """Move costs and gains: the posted prices must stay, and so must what others buy among the same willing sellers.

    Costs are moved as far as every seller stays on offer to the same importers; a client's gain may move its own
    purchases only. ``mechanism`` has ``prices(reports, market)``.
    """
    everyone = np.full(reports.clients, True)
    for said in (reports, _equal_sizes(mechanism, reports, market)):
        outcome = mechanism.clear(said, market)
        posted = _posted(mechanism, said, market, outcome)
        for factor in (0.5, 1.7):
            cost = factor * np.roll(said.cost, 1, axis=0)[:, ::-1] ** 2 + 1.0
            other = said.replace(cost=cost, gain=factor * said.gain[:, ::-1] + 1.0)
            if not np.array_equal(posted, _posted(mechanism, other, market, outcome)):
                return ["a report of cost or gain moves the posted prices"]
        for cost in _equally_willing(said.cost, posted):
            if not _same(outcome, mechanism.clear(said.replace(cost=cost), market), everyone):
                return ["a report of cost decides who sells among sellers who are all willing"]
        for i in range(said.clients):
            gain = _put(said.gain, i, 2.0 * said.gain[:, i] + 100.0)
            moved = mechanism.clear(said.replace(gain=gain), market)
            if not _same(outcome, moved, np.arange(said.clients) != i):
                return [f"the gain that client {i} reports moves what others buy"]
    return []


def _posted(mechanism: Clearing, reports: Reports, market: Market, outcome: Outcome) -> Floats:
    prices = mechanism.prices(reports, market)  # type: ignore[attr-defined]
    return np.broadcast_to(prices, outcome.prices.shape)


def _equal_prices(reports: Reports, market: Market) -> tuple[Reports, Market]:
    """Return markets in which client 0 finds all sellers equally good, at costs that differ: cost + penalty is 2."""
    clients = np.arange(reports.clients)
    differences = np.asarray(0.25 * ((3 * clients[:, None] + 5 * clients) % 8), dtype=np.float64)
    differences[clients, clients] = 0.0
    tied = reports.replace(size=_first(reports.size), cost=np.broadcast_to(2.0 - differences[0], reports.cost.shape))
    return tied, Market(differences, 1.0, market.law)


def _equal_sizes(mechanism: Clearing, reports: Reports, market: Market) -> Reports:
    """Return markets in which all sellers are of one size and willing, at costs that differ."""
    tied = reports.replace(size=_first(reports.size))
    posted = _posted(mechanism, tied, market, mechanism.clear(tied, market))
    least = np.where(np.eye(reports.clients, dtype=bool), np.inf, posted).min(axis=1)
    return tied.replace(cost=least * np.linspace(0.1, 0.9, reports.clients))


def _first(values: Floats) -> Floats:
    """Return ``values`` with everybody's set to those of client 0."""
    return np.array(np.broadcast_to(values[:, :1], values.shape))


def _equally_willing(cost: Floats, posted: Floats) -> tuple[Floats, ...]:
    """Return other costs ``[B, m]`` at which every seller is willing towards the same importers."""
    m = cost.shape[1]
    prices = np.where(np.eye(m, dtype=bool), np.nan, posted)
    above = np.where(prices >= cost[:, None, :], prices, np.inf).min(axis=1)  # the next price that it still takes
    below = np.where(prices < cost[:, None, :], prices, -np.inf).max(axis=1)  # the next one that it refuses
    high = np.where(np.isfinite(above), above, cost + 1.0)
    low = np.where(np.isfinite(below), 0.5 * (below + cost), 0.0)
    mixed = np.where(np.arange(m) % 2 == 0, low, high)
    return low, high, mixed, np.where(np.arange(m) % 2 == 0, high, low)


def _put(values: Floats, i: int, column: Floats) -> Floats:
    """Return ``values`` with another column i."""
    changed = values.copy()
    changed[:, i] = column
    return changed


def _same(before: Outcome, after: Outcome, rows: NDArray[np.bool_]) -> bool:
    """Tell whether imports are equal, and prices equal up to rounding, in the rows of some importers ``[m]``."""
    old, new = before.prices[:, rows], after.prices[:, rows]
    return np.array_equal(before.imports[:, rows], after.imports[:, rows]) and bool(
        (np.abs(old - new) <= MONEY * scale(old)).all()
    )
