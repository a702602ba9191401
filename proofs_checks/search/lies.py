"""Each client's best report of one of its own numbers, the others truthful: an exact best response where rules allow.

Under rules whose price does not depend on the seller's own report, a seller's utility is a step function of the cost
that it reports (`cost_breakpoints`). Every break point, its close neighbours and the midpoint of every interval are
tried, so that no report is better than the best one found. For other rules the same reports, and a ladder of round
multiples of the truth, are a search and no more, as is the ladder for gains and sizes: `BestReports.exact` says which
it was.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import UnknownNameError
from mechanism.market.accounting import MONEY, TIE, account, scale
from mechanism.market.allocation.breakpoints import HUGE, STEPS, cost_reports
from mechanism.market.allocation.selection import rows_at_once
from mechanism.market.clients import LARGEST, SMALLEST_SIZE, Market, Types
from mechanism.market.gains import CONCAVE
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import FEWEST, Flags, clear_and_settle, gatherings, settled
from mechanism.space import Floats
from mechanism.wording import apart, near, number

COORDINATES: tuple[Literal["cost", "gain", "size"], ...] = ("cost", "gain", "size")
"""What a client can lie about."""

MOST_CLIENTS = 100
"""Clients of a market in repeated play: the search for a lie clears it many times per client."""

MOST_PAIRS = 2e7
"""Pairs of importer and exporter settled per clearing audited (about a second): decides how many reports are tried."""

EVERYBODY = 50
"""Clients in a market up to which everybody's lies are searched for; above, those of a sample."""

MOST_SAMPLED = 2_000
"""Clients in a market above which no lie is searched for."""

CLEARINGS, FEWEST_DRAWN = 2, 5
"""Clearings that are drawn for the sample, and clients in each: more where `_SAMPLED_PAIRS` allow."""

_SAMPLED_PAIRS = 5e4  # of importer and exporter, cleared for each report that is tried
REPORTS_PER_POINT = 6
"""Reports that the search of a cost tries for each break point and client, about."""
_TOLD = ("gain", "client", "truth", "report", "utility_truthful", "utility_lying", "deviations", "exact")

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
        reports, known = cost_reports(rules(mechanism)[0], types.truthful(), market, flat.cost, limit)
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


@dataclass(frozen=True)
class Lie:
    """The lie about one of its own numbers that pays a client most, everyone else truthful.

    ``gain`` >= 0 money (0: none found), ``where`` the index of the clearing in the batch, ``client`` who lies,
    ``truth`` and ``report`` its ``coordinate`` ("cost", "gain" or "size"), ``utility_truthful`` and ``utility_lying``
    its utility, ``deviations`` how many reports were tried (0: none, ``unsearched`` says why), ``exact`` whether no
    report whatever is better, by break points. ``sampled``: whose lies were searched
    for, in a market too large to search everybody's.
    """

    gain: float
    where: tuple[int, ...]
    client: int
    truth: float
    report: float
    utility_truthful: float
    utility_lying: float
    deviations: int
    exact: bool
    tolerance: float
    coordinate: str = "cost"
    unsearched: str = ""
    sampled: str = ""

    @property
    def pays(self) -> bool:
        """Whether the lie gains more than rounding."""
        return self.gain > self.tolerance

    def sentence(self, names: tuple[str, ...] | None = None, tried: int | None = None) -> str:
        """Say what was found; ``names`` of the clients, else their numbers; ``tried`` where more was searched."""
        tried = self.deviations if tried is None else tried
        if self.deviations == 0:
            return f"No lie was searched for: {self.unsearched}."
        if not self.pays:
            sure = "no other report could do better" if self.exact else "a search, no proof"
            return f"No lie about a {self.coordinate} was found to pay ({tried} reports tried{self.sampled}; {sure})."
        who = f"client {self.client}" if names is None else names[self.client]
        what = {"cost": "cost", "gain": "gain parameter", "size": "number of samples"}[self.coordinate]
        truth, said = apart(self.truth, self.report)
        said = near(self.report, said)
        before, after = apart(self.utility_truthful, self.utility_lying)
        return (
            f"A lie pays: {who}, whose {what} is {truth}, gains {number(self.gain)} by saying {said} "
            f"(utility {after} instead of {before}; {tried} reports tried{self.sampled})."
        )

    def among(self, types: Types, market: Market, present: Flags | None = None) -> tuple[Types, Market, int]:
        """Return the market ``[m]`` that it was told in, of those ``present`` [..., m], and the place of who told it.

        ``types``, ``market``: the batch that was searched.
        """
        batch = np.broadcast_shapes(types.batch, market.batch)
        row = int(np.ravel_multi_index(self.where, batch)) if batch else 0
        one, single = types.flat(batch).at(row), market.flat(batch).at(row)
        if present is None:
            return one, single, self.client
        here = present[self.where]
        return one.take(here), single.take(here), int(here[: self.client].sum())

    def as_json(self, names: tuple[str, ...]) -> dict[str, Any] | None:
        """Return the lie for a file; None where none was searched for."""
        if self.deviations == 0:
            return None
        told = {name: getattr(self, name) for name in _TOLD} | {"client": names[self.client]}
        return told | {"sentence": self.sentence(names)}


def best_lie(
    mechanism: Clearing, types: Types, market: Market, coordinate: str = "cost", present: Flags | None = None
) -> Lie:
    """Search every client of every clearing of the batch for the report of this number that pays it most.

    For costs every break point is tried; for gains and sizes a ladder of reports. Where not all are ``present``
    [..., m], in the market of those who are. Of more than `EVERYBODY` a sample is searched, on the ladder.

    The utilities told are computed again from the report found, by clearing with it and accounting with the truth.
    """
    batch = np.broadcast_shapes(types.batch, market.batch)
    there = np.broadcast_to(True if present is None else present, (*batch, types.clients))
    most = int(there.sum(axis=-1).max(initial=0))
    if most > MOST_SAMPLED or most < FEWEST:
        many = f"the market has {most} clients, more than {MOST_SAMPLED}"
        why = many if most > MOST_SAMPLED else "no two clients ever met"
        return Lie(0.0, (0,) * len(batch), 0, 0.0, 0.0, 0.0, 0.0, 0, False, 0.0, coordinate, why)
    gain, report = np.full(there.shape, -np.inf), np.zeros(there.shape)
    deviations, exact, sampled = 0, True, ""
    rng = np.random.default_rng(0)
    large = np.flatnonzero(there.reshape(-1, types.clients).sum(axis=-1) > EVERYBODY)
    audited = rng.permutation(large)[:CLEARINGS]
    drawn = max(FEWEST_DRAWN, int(_SAMPLED_PAIRS / (most * most)))
    if len(large):
        clearings = f" in {len(audited)} of {len(large)} clearings" if len(large) > len(audited) else ""
        sampled = f", those of {drawn} of up to {most} clients drawn{clearings}"
    for group in gatherings(there, batch):
        k, who = len(group.there), None
        limit = max(1, int(MOST_PAIRS / (REPORTS_PER_POINT * k**3)))
        if k > EVERYBODY:
            group = replace(group, rows=np.intersect1d(group.rows, audited))
            who = np.sort(rng.permutation(k)[:drawn])
            limit = max(2, int(MOST_PAIRS / (drawn * k * k)))
        elif coordinate != "cost":
            limit *= REPORTS_PER_POINT
        if not len(group.rows):
            continue
        searched = group.there if who is None else group.there[who]
        found = best_reports(
            mechanism, group.clients(types), group.market(market), coordinate, limit=limit, clients=who
        )  # fmt: skip
        for whole, part in ((gain, found.gain), (report, found.report)):
            whole.reshape(-1, types.clients)[np.ix_(group.rows, searched)] = part
        deviations, exact = deviations + found.deviations, exact and found.exact and who is None
    at = np.unravel_index(int(np.argmax(gain)), gain.shape)
    where, client = tuple(int(k) for k in at[:-1]), int(at[-1])
    truth, said = float(getattr(types, coordinate)[at]), float(report[at])
    best = Lie(0.0, where, client, truth, said, 0.0, 0.0, deviations, exact, 0.0, coordinate, sampled=sampled)
    one, single, me = best.among(types, market, there)
    reports = one.truthful()
    lies = np.array(getattr(reports, coordinate))
    lies[me] = said
    honest = account(one, clear_and_settle(mechanism, reports, one, single), single)
    lying = account(one, clear_and_settle(mechanism, reports.replace(**{coordinate: lies}), one, single), single)
    before, after = float(honest.utility[me]), float(lying.utility[me])
    return replace(
        best,
        gain=max(0.0, after - before),
        utility_truthful=before + 0.0,
        utility_lying=after + 0.0,
        tolerance=MONEY * scale(np.concatenate([honest.gain, honest.cost, honest.paid, lying.paid])),
    )
