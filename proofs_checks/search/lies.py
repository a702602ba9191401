"""Each client's best report of one of its own numbers, the others truthful: an exact best response where rules allow.

Under rules whose price does not depend on the seller's own report, a seller's utility is a step function of the cost
that it reports (`cost_breakpoints`). Every break point, its close neighbours and the midpoint of every interval are
tried, so that no report is better than the best one found. For other rules the same reports, and a ladder of round
multiples of the truth, are a search and no more, as is the ladder for gains and sizes: `BestReports.exact` says which
it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import UnknownNameError
from mechanism.market.accounting import TIE, account
from mechanism.market.allocation.breakpoints import cost_breakpoints
from mechanism.market.allocation.selection import rows_at_once
from mechanism.market.clients import LARGEST, SMALLEST_SIZE, Market, Types
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import settled

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

NUMBER_MULTIPLES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.01, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Multiples of the truth that are tried, besides the lowest, the median and the largest report of all."""


@dataclass(frozen=True, eq=False)
class BestReports:
    """Each client's best report of one number, the others telling the truth.

    ``coordinate``: "cost", "gain" or "size". ``gain`` ``[..., m]`` >= 0: what the report adds to the client's true
    utility, money. ``report`` ``[..., m]``: that report (the truth where nothing is gained; of equally good ones the
    nearest to the truth). ``utility_truthful`` and ``utility_lying`` ``[..., m]``. ``deviations``: reports tried, over
    all clients and markets. ``exact``: no report whatever is better (beyond rounding).
    """

    coordinate: str
    gain: Array
    report: Array
    utility_truthful: Array
    utility_lying: Array
    deviations: int
    exact: bool

    def best(self) -> tuple[int, ...]:
        """Return where the largest gain is: batch index and client, the first of equals."""
        return tuple(int(k) for k in np.unravel_index(int(np.argmax(self.gain)), self.gain.shape))


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
    batch = np.broadcast_shapes(types.batch, market.batch)
    flat = types.flat(batch)
    points, known = _break_points(mechanism, types, market, flat.cost.size)
    if limit is not None and points.shape[-1] > limit:
        points, known = points[:, np.linspace(0, points.shape[-1] - 1, limit).astype(int)], False
    truth = flat.cost.reshape(-1, 1)
    tried = truth * np.array(MULTIPLES + (() if known else LADDER))
    reports = np.concatenate([truth, tried, *around(truth, points), np.full_like(truth, HUGE)], axis=1)
    reports = np.minimum(reports, LARGEST).reshape(*flat.cost.shape, -1)
    utility, gap = _utilities(mechanism, flat, market.flat(batch), reports, "cost")
    return _chosen(flat, batch, "cost", reports, utility, exact=known and gap == 0.0 and rules(mechanism) in STEPS)


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


def best_number_lies(
    mechanism: Clearing, types: Types, market: Market, coordinate: str, *, limit: int | None = None
) -> BestReports:
    """Return each client's best report of its "gain" or "size" among a ladder, the others truthful.

    Parameters
    ----------
    mechanism, types, market
        As in `best_cost_lies`, any batch.
    coordinate
        "gain" or "size" (costs have break points: `best_cost_lies`).
    limit
        At most this many reports per client, every so-many-th of the ladder.

    Raises
    ------
    UnknownNameError
        If the coordinate is another.
    """
    if coordinate not in ("gain", "size"):
        raise UnknownNameError(f"lies about {coordinate!r} are not looked for here; expected 'gain' or 'size'")
    batch = np.broadcast_shapes(types.batch, market.batch)
    flat = types.flat(batch)
    truth = getattr(flat, coordinate)
    ladder = truth[..., None] * np.array(NUMBER_MULTIPLES)
    common = np.stack([truth.min(axis=1), np.median(truth, axis=1), truth.max(axis=1)], axis=-1)
    tried = np.concatenate([np.broadcast_to(common[:, None, :], (*truth.shape, 3)), ladder], axis=-1)
    if limit is not None and tried.shape[-1] > limit:
        tried = tried[..., np.linspace(0, tried.shape[-1] - 1, max(1, limit)).astype(int)]
    least = SMALLEST_SIZE if coordinate == "size" else 0.0
    reports = np.concatenate([truth[..., None], np.clip(tried, least, LARGEST)], axis=-1)
    utility, _ = _utilities(mechanism, flat, market.flat(batch), reports, coordinate)
    return _chosen(flat, batch, coordinate, reports, utility, exact=False)


def rules(mechanism: object) -> tuple[str, str]:
    """Return the ids of a mechanism's allocation and payment rule, empty where it does not name them."""
    return str(getattr(mechanism, "allocation", "")), str(getattr(mechanism, "payment", ""))


def _chosen(
    flat: Types, batch: tuple[int, ...], coordinate: str, reports: Array, utility: Array, *, exact: bool
) -> BestReports:
    """Return the best of the reports ``[F, m, q]`` (the truth first) by their utilities ``[F, m, q]``."""
    truth = getattr(flat, coordinate)
    truthful = utility[..., 0]
    most = utility.max(axis=-1)
    slack = TIE * np.maximum(1.0, np.abs(utility).max(axis=-1))
    distance = np.where(utility >= (most - slack)[..., None], np.abs(reports - truth[..., None]), np.inf)
    pick = np.argmin(distance, axis=-1)[..., None]
    lying = np.take_along_axis(utility, pick, axis=-1)[..., 0]
    said = np.take_along_axis(reports, pick, axis=-1)[..., 0]
    shape = (*batch, flat.clients)
    return BestReports(
        coordinate,
        np.maximum(lying - truthful, 0.0).reshape(shape),
        said.reshape(shape),
        truthful.reshape(shape),
        lying.reshape(shape),
        deviations=int(utility[..., 1:].size),
        exact=exact,
    )


def _utilities(
    mechanism: Clearing, flat: Types, public: Market, reports: Array, coordinate: str
) -> tuple[Array, float]:
    """Return true utility ``[F, m, q]`` of client j of market f when it alone reports ``reports[f, j, q]``.

    The second is the largest optimality gap met. A mechanism with two stages (`settle`) is settled on the truth.
    """
    m, q = flat.clients, reports.shape[-1]
    utility = np.empty(reports.size)
    said = reports.reshape(-1)
    worst = 0.0
    step = rows_at_once(m)
    for start in range(0, utility.size, step):
        task = np.arange(start, min(start + step, utility.size))
        row, client = task // (m * q), task // q % m
        here = np.arange(len(task))
        types, market = flat.at(row), public.at(row)
        told = np.array(getattr(types, coordinate))
        told[here, client] = said[task]
        outcome = settled(mechanism, mechanism.clear(types.report(**{coordinate: told}), market), types)
        utility[task] = account(types, outcome, market.law).utility[here, client]
        worst = max(worst, float(outcome.gap.max(initial=0.0)))
    return utility.reshape(reports.shape), worst
