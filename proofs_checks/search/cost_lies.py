"""The best lie about one's own cost, client by client: an exact best response where the rules allow one.

Under rules whose price does not depend on the seller's own report, a seller's utility is a step function of that
report (`cost_breakpoints`). Every break point, its close neighbours and the midpoint of every interval are
tried, so that no report is better than the best one found. For other rules the same reports, and a ladder of round
multiples of the truth, are a search and no more: `BestReports.exact` says which it was.
"""

from __future__ import annotations

from collections.abc import Sequence

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

_STEPS = {(rule, "marginal") for rule in ("threshold", "threshold-skip", "exact", "milp", "full")} | {
    ("exact", "clarke"),
    ("milp", "clarke"),
    ("exact", "two-sided"),
    ("full", "none"),
}
"""(allocation, payment) under which a seller's utility is a step function of its reported cost."""


def best_cost_lies(
    mechanism: Clearing, types: Types, market: Market, *, extra: Sequence[float] = (), limit: int | None = None
) -> BestReports:
    """Find for every client the report of its cost that serves it best while the others tell the truth.

    Parameters
    ----------
    mechanism
        What clears; its rule ids ``allocation`` and ``payment``, if it has them, decide on break points and
        exactness.
    types, market
        ``[..., m]`` clients and ``[..., m, m]`` differences; memory stays below a fixed budget for any batch.
    extra
        Further reports to try for every client, money.
    limit
        At most this many break points per client (every so-many-th is kept, and the result is not exact).

    Raises
    ------
    InvalidMarketError
        If an extra report is no cost.
    """
    flat = flatten(types, market)
    points, known = _break_points(mechanism, types, market, flat.count * flat.clients)
    if limit is not None and points.shape[-1] > limit:
        points, known = points[:, np.linspace(0, points.shape[-1] - 1, limit).astype(int)], False
    reports = _reports(flat.cost.reshape(-1, 1), points, tuple(extra), ladder=not known)
    reports = reports.reshape(flat.count, flat.clients, -1)
    utility, gap = utilities_of_reports(mechanism, flat, reports, "cost")
    return chosen(flat, "cost", reports, utility, exact=known and gap == 0.0 and rules(mechanism) in _STEPS)


def _break_points(mechanism: Clearing, types: Types, market: Market, rows: int) -> tuple[Array, bool]:
    """Break points ``[rows, k]``, rows = F·m, each row sorted; and whether they are known for this rule."""
    try:
        points = cost_breakpoints(rules(mechanism)[0], types.truthful(), market)
    except UnknownNameError:
        return np.empty((rows, 0)), False
    return np.sort(points.reshape(rows, points.shape[-1]), axis=-1), True


def _reports(truth: Array, points: Array, extra: tuple[float, ...], *, ladder: bool) -> Array:
    """Reports to try ``[rows, q]``, the truth first; ``truth`` ``[rows, 1]``, ``points`` ``[rows, k]`` sorted."""
    multiples = np.array(MULTIPLES + (LADDER if ladder else ()))
    edges = np.sort(np.concatenate([np.zeros_like(truth), points, truth], axis=1), axis=1)
    top = edges[:, -1:]
    parts = [truth, truth * multiples, points]
    parts += [points * (1.0 + off) for off in BESIDE]
    parts += [0.5 * (edges[:, 1:] + edges[:, :-1]), 1.5 * top + 1e-3, np.full_like(truth, HUGE)]
    if extra:
        parts.append(np.broadcast_to(np.asarray(extra, dtype=np.float64), (len(truth), len(extra))))
    reports = np.concatenate(parts, axis=1)
    return np.minimum(reports, LARGEST)
