"""The best lie about one's own cost, client by client: an exact best response where the rules allow one.

Under rules whose price does not depend on the seller's own report, a seller's utility is a step function of that
report (`cost_breakpoints`). Every break point, its close neighbours and the midpoint of every interval are
tried, so that no report is better than the best one found. For other rules the same reports, and a ladder of round
multiples of the truth, are a search and no more: `BestReports.exact` says which it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mechanism import Market, Types, UnknownNameError
from mechanism.market.allocation.breakpoints import cost_breakpoints
from mechanism.market.clients import LARGEST
from mechanism.market.rules.rule import Clearing
from proofs_checks.search.flat_markets import flatten, rules
from proofs_checks.search.reports import BestReports, chosen, utilities_of_reports

Array = NDArray[np.float64]

BESIDE: tuple[float, ...] = (-1e-6, -1e-9, 1e-9, 1e-6)
"""Relative distances at which reports beside a break point are tried."""

MULTIPLES: tuple[float, ...] = (0.0, 0.5, 1 - 1e-3, 1 + 1e-3, 2.0)
LADDER: tuple[float, ...] = (0.1, 0.25, 0.75, 0.9, 0.95, 0.99, 1.01, 1.05, 1.1, 1.25, 1.5, 3.0, 5.0, 10.0)
"""More multiples, for rules without known break points."""

HUGE: float = 1e9

STEPS = {(rule, "marginal") for rule in ("threshold", "threshold-skip", "exact", "milp", "full")} | {
    ("exact", "clarke"),
    ("milp", "clarke"),
    ("exact", "two-sided"),
    ("full", "none"),
}
"""(allocation, payment) under which a seller's utility is a step function of its reported cost."""


def best_cost_lies(mechanism: Clearing, types: Types, market: Market, *, limit: int | None = None) -> BestReports:
    """Find for every client the report of its cost that serves it best while the others tell the truth.

    Parameters
    ----------
    mechanism
        What clears; its rule ids ``allocation`` and ``payment``, if it has them, decide on break points and
        exactness.
    types, market
        ``[..., m]`` clients and ``[..., m, m]`` differences; memory stays below a fixed budget for any batch.
    limit
        At most this many break points per client (every so-many-th is kept, and the result is not exact).
    """
    flat = flatten(types, market)
    points, known = _break_points(mechanism, types, market, flat.count * flat.clients)
    if limit is not None and points.shape[-1] > limit:
        points, known = points[:, np.linspace(0, points.shape[-1] - 1, limit).astype(int)], False
    truth = flat.cost.reshape(-1, 1)
    tried = truth * np.array(MULTIPLES + (() if known else LADDER))
    reports = np.concatenate([truth, tried, *around(truth, points), np.full_like(truth, HUGE)], axis=1)
    reports = np.minimum(reports, LARGEST).reshape(flat.count, flat.clients, -1)
    utility, gap = utilities_of_reports(mechanism, flat, reports, "cost")
    return chosen(flat, "cost", reports, utility, exact=known and gap == 0.0 and rules(mechanism) in STEPS)


def _break_points(mechanism: Clearing, types: Types, market: Market, rows: int) -> tuple[Array, bool]:
    """Break points ``[rows, k]``, rows = F·m, each row sorted; and whether they are known for this rule."""
    try:
        points = cost_breakpoints(rules(mechanism)[0], types.truthful(), market)
    except UnknownNameError:
        return np.empty((rows, 0)), False
    return np.sort(points.reshape(rows, points.shape[-1]), axis=-1), True


def around(truth: Array, points: Array) -> list[Array]:
    """Return break points ``[rows, k]``, reports just beside them, one between each two of them, and one above all."""
    edges = np.sort(np.concatenate([np.zeros_like(truth), points, truth], axis=1), axis=1)
    beside = (points * (1.0 + off) for off in BESIDE)
    return [points, *beside, 0.5 * (edges[:, 1:] + edges[:, :-1]), 1.5 * edges[:, -1:] + 1e-3]
