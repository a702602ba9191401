"""Break points: the reports of its own cost at which a client can change the outcome, everybody else's report fixed.

Between two of them nothing changes, so that under a price that does not depend on the seller's own report (marginal,
Clarke) its utility is a step function of its report, and trying the break points, their neighbours and the intervals'
midpoints is an exact best response.

Why these are all of them, importer i and seller j, in terms of j's price w_j = c_j + pen_ij:

* ``threshold`` and ``threshold-skip``. x_j falls in w_j and enters in two ways only. Its place in the list changes
  where x_j meets another's x_k, at w_j = G(x_k) - G(x_k - n_j). Its test N + n_j < x_j flips at
  w_j = G(N + n_j) - G(N), N what i holds when j's turn comes: a total of the run without j, since those before j do
  not see j. Everything after j depends on j's place and on whether j was taken. At w_j <= 0 the threshold is infinite.
* ``exact``. Sets without j do not depend on w_j, those with j lose value at slope one: j is bought below one critical
  price, and then in the same set. The Clarke price of j when it reports zero, W(M) - W(M without j), is that price.
* ``full`` and ``given``: the outcome does not look at reports.
"""

import contextlib
from typing import Any

import numpy as np

from mechanism.errors import UnknownNameError
from mechanism.market.allocation import kernels
from mechanism.market.allocation.selection import rows_at_once, run_kernels, thresholds
from mechanism.market.clients import LARGEST, Market, Reports
from mechanism.market.gains import GainLaw, PowerGain
from mechanism.space import Floats

STEPS = {(rule, "marginal") for rule in ("threshold", "threshold-skip", "exact", "milp", "full")}
STEPS |= {("exact", "clarke"), ("milp", "clarke"), ("exact", "two-sided"), ("full", "none")}
"""(allocation, payment) under which a seller's utility is a step function of its reported cost."""

BESIDE: tuple[float, ...] = (-1e-6, -1e-9, 1e-9, 1e-6)
"""Relative distances at which reports beside a break point are tried."""

MULTIPLES: tuple[float, ...] = (0.0, 0.5, 1 - 1e-3, 1 + 1e-3, 2.0)
LADDER: tuple[float, ...] = (0.1, 0.25, 0.75, 0.9, 0.95, 0.99, 1.01, 1.05, 1.1, 1.25, 1.5, 3.0, 5.0, 10.0)
"""More multiples, for rules without known break points."""

HUGE: float = 1e9
"""A cost at which nobody buys: not to sell at all."""

_NEVER = 1e-12  # share of a seller's own size at which the rule looks for the largest price with a threshold


def cost_breakpoints(allocation_id: str, reports: Reports, market: Market) -> Floats:
    """Return for every client the reports of its own cost at which the outcome can change, the others' fixed.

    ``allocation_id``: ``threshold``, ``threshold-skip``, ``exact`` (or ``milp``), ``full`` or ``given``;
    `UnknownNameError` for a rule of which none are known. Reports ``[..., m]``, differences ``[..., m, m]``. Returns
    ``[..., m, k]``, money, >= 0, each client's sorted and without duplicates, then padded to the longest list of the
    batch by the client's reported cost. k = 0 where no report changes anything.
    """
    batch = np.broadcast_shapes(reports.batch, market.batch)
    m = reports.clients
    if allocation_id in ("full", "given"):
        return np.empty((*batch, m, 0))
    if allocation_id in ("threshold", "threshold-skip"):
        points = _threshold_points(reports, market, skip=allocation_id == "threshold-skip")
    elif allocation_id in ("exact", "milp"):
        points = _exact_points(reports, market, batch)
    else:
        known = "threshold, threshold-skip, exact, milp, full, given"
        raise UnknownNameError(f"no break points are known for the allocation rule {allocation_id!r}; known: {known}")
    points = np.broadcast_to(points, (*batch, *points.shape[-2:]))
    return _pack(points, np.broadcast_to(reports.cost, (*batch, m)))


def cost_reports(
    allocation_id: str, reports: Reports, market: Market, cost: Floats, limit: int | None
) -> tuple[Floats, bool]:
    """Return the costs ``[F, m, q]`` to try, the truth ``[F, m]`` first, and whether every break point is there."""
    truth = cost.reshape(-1, 1)
    points, known = np.empty((len(truth), 0)), False
    with contextlib.suppress(UnknownNameError):
        found = cost_breakpoints(allocation_id, reports, market)
        points, known = np.sort(found.reshape(len(truth), found.shape[-1]), axis=-1), True
    if limit is not None and points.shape[-1] > limit:
        points, known = points[:, np.linspace(0, points.shape[-1] - 1, limit).astype(int)], False
    tried = truth * np.array(MULTIPLES + (() if known else LADDER))
    said = np.concatenate([truth, tried, *around(truth, points), np.full_like(truth, HUGE)], axis=1)
    return np.minimum(said, LARGEST).reshape(*cost.shape, -1), known


def around(truth: Floats, points: Floats) -> list[Floats]:
    """Return break points ``[rows, k]``, reports just beside them, one between each two of them, and one above all."""
    edges = np.sort(np.concatenate([np.zeros_like(truth), points, truth], axis=1), axis=1)
    beside = (points * (1.0 + off) for off in BESIDE)
    return [points, *beside, 0.5 * (edges[:, 1:] + edges[:, :-1]), 1.5 * edges[:, -1:] + 1e-3]


def _is_sqrt(law: GainLaw) -> bool:
    return isinstance(law, PowerGain) and law.exponent == 0.5


def _marginal(law: GainLaw, gain: Any, size: Any, held: Any) -> Floats:
    """G(held + n) - G(held), the constant of the law cancelled (own samples := 1)."""
    return np.asarray(law.value(gain, 1.0, held + size) - law.value(gain, 1.0, held))


def _threshold_points(reports: Reports, market: Market, *, skip: bool) -> Floats:
    """Candidates ``[..., m, q]``, NaN where there is none: crossings and tests of every importer."""
    size, law = reports.size, market.law
    m = reports.clients
    penalty = market.penalties(size)
    own, gain = size[..., :, None], reports.gain[..., :, None]
    price = reports.cost[..., None, :] + penalty
    x = thresholds(reports, market)  # [..., i, k]
    index = np.arange(m)
    x[..., index, index] = -np.inf  # nobody buys from itself: last in the list, never taken
    batch = x.shape[:-2]
    order = np.argsort(-x, axis=-1, kind="stable")
    sizes = np.broadcast_to(market.counted(size), x.shape)
    ranked_x = np.take_along_axis(x, order, axis=-1)
    ranked_size = np.take_along_axis(sizes, order, axis=-1)
    totals = np.empty((*batch, m, m, m + 1))  # [..., i, j, rank]: what i holds before that rank in the run without j
    total = np.broadcast_to(own, (*batch, m, m)).copy()
    running = np.ones((*batch, m, m), dtype=bool)
    for rank in range(m):
        totals[..., rank] = total
        absent = order[..., rank, None] == index
        taken = running & ~absent & (total + ranked_size[..., rank, None] < ranked_x[..., rank, None])
        total = np.where(taken, total + ranked_size[..., rank, None], total)
        if not skip:
            running &= taken | absent
    totals[..., m] = total
    seller = sizes[..., None]
    k = gain[..., None]
    tests = _marginal(law, k, seller, totals)
    others = np.broadcast_to(x[..., :, None, :], (*batch, m, m, m))  # [..., i, j, k]
    meets = np.isfinite(others) & (others > seller) & (index[:, None] != index)  # k != j; k = i is -inf
    crossings = np.where(meets, _marginal(law, k, seller, np.where(meets, others - seller, 1.0)), np.nan)
    same = meets & (sizes[..., :, None, :] == seller)  # equal sizes meet at equal prices: no rounding, so that ties tie
    crossings = np.where(same, price[..., :, None, :], crossings)
    free = np.zeros((*batch, m, m))  # w = 0: the threshold turns infinite
    lost = np.full((*batch, m, m), np.nan)  # above this price there is no root; the square root always has one
    if not _is_sqrt(law):
        some = np.where(sizes > 0.0, sizes, 1.0)  # who brings nothing is never taken, at no price
        lost[...] = _marginal(law, gain, some, _NEVER * some)
    points = np.concatenate([free[..., None], lost[..., None], tests, crossings], axis=-1) - penalty[..., None]
    points[..., index, index, :] = np.nan
    return np.moveaxis(points, -3, -2).reshape(*batch, m, -1)  # seller first, importers side by side


def _exact_points(reports: Reports, market: Market, batch: tuple[int, ...]) -> Floats:
    """Critical costs ``[..., m, m]`` (seller, importer): Clarke prices when the seller reports zero; NaN where none."""
    m = reports.clients
    flat, public = reports.flat(batch), market.flat(batch)
    points = np.empty((len(flat.size) * m, m))
    step = rows_at_once(m)
    for start in range(0, len(points), step):
        task = np.arange(start, min(start + step, len(points)))
        row, seller = task // m, task % m
        here = np.arange(len(task))
        zeroed = flat.cost[row]
        zeroed[here, seller] = 0.0
        outcome = run_kernels(
            flat.at(row).replace(cost=zeroed), public.at(row), allocation=kernels.EXACT, payment=kernels.CLARKE
        )
        points[task] = np.where(outcome.imports[here, :, seller], outcome.prices[here, :, seller], np.nan)
    return points.reshape(*batch, m, m)


def _pack(points: Floats, cost: Floats) -> Floats:
    """Sort, drop duplicates and negative ones, cut to the longest list, pad with the reported cost."""
    points = np.where(points >= 0.0, points, np.nan)  # NaN fails the comparison too
    points = np.sort(points, axis=-1)  # NaN last
    if points.shape[-1] > 1:
        repeated = points[..., 1:] == points[..., :-1]
        points[..., 1:][repeated] = np.nan
        points = np.sort(points, axis=-1)
    longest = int((~np.isnan(points)).sum(axis=-1).max(initial=0))
    points = points[..., :longest]
    return np.where(np.isnan(points), cost[..., None], points)
