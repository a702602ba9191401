"""Each client's best report of one of its own numbers, the others truthful: an exact best response where rules allow.

Under rules whose price does not depend on the seller's own report, a seller's utility is a step function of the cost
that it reports (`cost_breakpoints`). Every break point, its close neighbours and the midpoint of every interval are
tried, so that no report is better than the best one found. For other rules the same reports, and a ladder of round
multiples of the truth, are a search and no more, as is the ladder for gains and sizes: `BestReports.exact` says which
it was.
"""

import contextlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import UnknownNameError
from mechanism.market.accounting import TIE, account
from mechanism.market.allocation.breakpoints import cost_breakpoints
from mechanism.market.allocation.selection import rows_at_once
from mechanism.market.clients import LARGEST, SMALLEST_SIZE, Market, Types
from mechanism.market.gains import CONCAVE
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import settled
from mechanism.space import Floats

COORDINATES: tuple[Literal["cost", "gain", "size"], ...] = ("cost", "gain", "size")
"""What a client can lie about."""

MOST_CLIENTS = 100
"""Clients of a market in repeated play: the search for a lie clears it many times per client."""

MOST_PAIRS = 2e7
"""Pairs of importer and exporter settled per clearing audited (about a second): decides how many reports are tried."""


BESIDE: tuple[float, ...] = (-1e-6, -1e-9, 1e-9, 1e-6)
"""Relative distances at which reports beside a break point are tried."""

MULTIPLES: tuple[float, ...] = (0.0, 0.5, 1 - 1e-3, 1 + 1e-3, 2.0)
LADDER: tuple[float, ...] = (0.1, 0.25, 0.75, 0.9, 0.95, 0.99, 1.01, 1.05, 1.1, 1.25, 1.5, 3.0, 5.0, 10.0)
"""More multiples, for rules without known break points."""

HUGE: float = 1e9

STEPS = {(rule, "marginal") for rule in ("threshold", "threshold-skip", "exact", "milp", "full")}
STEPS |= {("exact", "clarke"), ("milp", "clarke"), ("exact", "two-sided"), ("full", "none")}
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
    gain: Floats
    report: Floats
    utility_truthful: Floats
    utility_lying: Floats
    deviations: int
    exact: bool

    def best(self) -> tuple[int, ...]:
        """Return where the largest gain is: batch index and client, the first of equals."""
        return tuple(int(k) for k in np.unravel_index(int(np.argmax(self.gain)), self.gain.shape))


def best_reports(
    mechanism: Clearing,
    types: Types,
    market: Market,
    coordinate: str = "cost",
    *,
    limit: int | None = None,
    clients: NDArray[np.intp] | None = None,
) -> BestReports:
    """Find for every client the report of its cost, gain or size that serves it best while the others tell the truth.

    Costs are tried at break points, gains and sizes on a ladder of multiples of the truth. ``mechanism``: what clears;
    its rule ids ``allocation`` and ``payment``, if it has them, decide on break points and exactness. ``types``,
    ``market``: ``[..., m]`` clients and ``[..., m, m]`` differences; memory stays below a fixed budget for any batch.
    ``limit``: at most this many break points per client, or steps of the ladder (every so-many-th is kept, and the
    result is not exact). ``clients`` [k]: only these are searched, costs on the ladder, too, and the arrays are
    ``[..., k]``. `UnknownNameError` if the coordinate is another.
    """
    if coordinate not in COORDINATES:
        raise UnknownNameError(f"lies about {coordinate!r} are not looked for; expected {', '.join(COORDINATES)}")
    batch = np.broadcast_shapes(types.batch, market.batch)
    flat = types.flat(batch)
    if coordinate == "cost" and clients is None:
        reports, known = _cost_reports(mechanism, types, market, flat.cost, limit)
    else:
        least = SMALLEST_SIZE if coordinate == "size" else 0.0
        reports, known = _ladder(getattr(flat, coordinate), least, limit), False
        if coordinate == "cost":  # and not to sell at all
            reports = np.concatenate([reports, np.full_like(reports[..., :1], HUGE)], axis=-1)
    who = np.arange(flat.clients) if clients is None else clients
    reports = reports[:, who]
    utility, gap = _utilities(mechanism, flat, market.flat(batch), reports, coordinate, who)
    truthful = utility[..., 0]
    slack = TIE * np.maximum(1.0, np.abs(utility).max(axis=-1))
    good = utility >= (utility.max(axis=-1) - slack)[..., None]
    pick = np.argmin(np.where(good, np.abs(reports - reports[..., :1]), np.inf), axis=-1)[..., None]
    said, lying = (np.take_along_axis(array, pick, axis=-1)[..., 0] for array in (reports, utility))
    told = (np.maximum(lying - truthful, 0.0), said, truthful, lying)
    exact = known and gap == 0.0 and rules(mechanism) in STEPS and type(market.law) in CONCAVE
    gain, report, before, after = (part.reshape(*batch, len(who)) for part in told)
    return BestReports(coordinate, gain, report, before, after, int(utility[..., 1:].size), exact)


def _cost_reports(
    mechanism: Clearing, types: Types, market: Market, cost: Floats, limit: int | None
) -> tuple[Floats, bool]:
    """Return the costs ``[F, m, q]`` to try, the truth ``[F, m]`` first, and whether every break point is there."""
    truth = cost.reshape(-1, 1)
    points, known = np.empty((len(truth), 0)), False
    with contextlib.suppress(UnknownNameError):
        found = cost_breakpoints(rules(mechanism)[0], types.truthful(), market)
        points, known = np.sort(found.reshape(len(truth), found.shape[-1]), axis=-1), True
    if limit is not None and points.shape[-1] > limit:
        points, known = points[:, np.linspace(0, points.shape[-1] - 1, limit).astype(int)], False
    tried = truth * np.array(MULTIPLES + (() if known else LADDER))
    reports = np.concatenate([truth, tried, *around(truth, points), np.full_like(truth, HUGE)], axis=1)
    return np.minimum(reports, LARGEST).reshape(*cost.shape, -1), known


def around(truth: Floats, points: Floats) -> list[Floats]:
    """Return break points ``[rows, k]``, reports just beside them, one between each two of them, and one above all."""
    edges = np.sort(np.concatenate([np.zeros_like(truth), points, truth], axis=1), axis=1)
    beside = (points * (1.0 + off) for off in BESIDE)
    return [points, *beside, 0.5 * (edges[:, 1:] + edges[:, :-1]), 1.5 * edges[:, -1:] + 1e-3]


def _ladder(truth: Floats, least: float, limit: int | None) -> Floats:
    """Return the reports ``[F, m, q]`` to try: the truth ``[F, m]``, three numbers of the market, and multiples."""
    common = np.stack([truth.min(axis=1), np.median(truth, axis=1), truth.max(axis=1)], axis=-1)[:, None, :]
    steps = truth[..., None] * np.array(NUMBER_MULTIPLES)
    tried = np.concatenate([np.broadcast_to(common, (*truth.shape, 3)), steps], axis=-1)
    if limit is not None and tried.shape[-1] > limit:
        tried = tried[..., np.linspace(0, tried.shape[-1] - 1, max(1, limit)).astype(int)]
    return np.concatenate([truth[..., None], np.clip(tried, least, LARGEST)], axis=-1)


def rules(mechanism: object) -> tuple[str, str]:
    """Return the ids of a mechanism's allocation and payment rule, empty where it does not name them."""
    return str(getattr(mechanism, "allocation", "")), str(getattr(mechanism, "payment", ""))


def _utilities(
    mechanism: Clearing, flat: Types, public: Market, reports: Floats, coordinate: str, who: NDArray[np.intp]
) -> tuple[Floats, float]:
    """Return true utility ``[F, k, q]`` of client who[j] of market f when it alone reports ``reports[f, j, q]``.

    The second is the largest optimality gap met. A mechanism with two stages (`settle`) is settled on the truth.
    """
    k, q = reports.shape[-2:]
    utility = np.empty(reports.size)
    said = reports.reshape(-1)
    worst = 0.0
    step = rows_at_once(flat.clients)
    for start in range(0, utility.size, step):
        task = np.arange(start, min(start + step, utility.size))
        row, client = task // (k * q), who[task // q % k]
        here = np.arange(len(task))
        types, market = flat.at(row), public.at(row)
        told = np.array(getattr(types, coordinate))
        told[here, client] = said[task]
        outcome = settled(mechanism, mechanism.clear(types.report(**{coordinate: told}), market), types)
        utility[task] = account(types, outcome, market).utility[here, client]
        worst = max(worst, float(outcome.gap.max(initial=0.0)))
    return utility.reshape(reports.shape), worst
