"""What a client's reports of its cost win, by its true types, where all others are truthful: curves and regret."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.findings.scores import known
from analysis.run.records import MarketRecord, Run
from mechanism import Market, Types, account, market_mechanism
from mechanism.market.accounting import MONEY, Accounts, Outcome, scale
from mechanism.market.allocation.selection import PLAIN_WORK
from mechanism.market.clients import LARGEST
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import clear_and_settle
from mechanism.space import Floats

_JUMP = 0.02
"""A change between neighbours above this share of the curve's range is bisected: the jump is located, not sloped."""
_RESOLUTION = 2e-4
"""Width at which bisection stops, as a share of the range of reports."""
_SMALL = 16
"""Most clients of a market that is cleared report by report rather than all reports at once."""


def cleared(rule: Clearing, types: Types, market: Market, client: int, reports: Floats) -> tuple[Outcome, Accounts]:
    """Clear once for every reported cost ``[k]`` of a client, all others truthful, and account with the true types.

    Returns the outcome ``[k, m, m]`` and the accounts ``[k, m]``.
    """
    costs = np.tile(types.cost, (reports.size, 1))
    costs[:, client] = reports
    outcome = clear_and_settle(rule, types.report(cost=costs), types, market)
    return outcome, account(types, outcome, market)


def accounts_of_reports(record: MarketRecord, mechanism: str, client: int) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return the function reported costs ``[k]`` -> true utilities ``[k]`` and exports ``[k]`` of ``client``.

    All others report the truth; the market is that of the clients who were there.
    """
    rule = market_mechanism(mechanism)
    types, market = record.types.take(record.present), record.market.take(record.present)
    client = int(record.present[:client].sum())  # its number among those who were there

    # Small markets a few at a time: so they stay below what the clearing compiles for, which takes seconds at first.
    # Large ones all at once: they are compiled for anyway.
    together = max(1, (PLAIN_WORK - 1) // types.clients**2) if types.clients <= _SMALL else 2**62

    def accounts(reports: Floats) -> tuple[Floats, Floats]:
        parts = [part(reports[k : k + together]) for k in range(0, reports.size, together)]
        utility, exports = zip(*parts, strict=True) if parts else ((), ())
        return np.concatenate([np.empty(0), *utility]), np.concatenate([np.empty(0), *exports])

    def part(reports: Floats) -> tuple[Floats, Floats]:
        outcome, accounts = cleared(rule, types, market, client, reports)
        return accounts.utility[:, client], outcome.imports[:, :, client].sum(axis=1).astype(np.float64)

    return accounts


def utility_of_reports(record: MarketRecord, mechanism: str, client: int) -> Callable[[Floats], Floats]:
    """Return the function reported costs ``[k]`` -> true utilities of ``client`` ``[k]``, others truthful."""
    accounts = accounts_of_reports(record, mechanism, client)
    return lambda reports: accounts(reports)[0]


def refined(utility: Callable[[Floats], Floats], reports: Floats) -> tuple[Floats, Floats]:
    """Evaluate on ``reports`` and bisect wherever the utility jumps between neighbours."""
    values = utility(reports)
    for _ in range(12):
        jump = np.abs(np.diff(values)) > _JUMP * max(float(np.ptp(values)), MONEY)
        wide = np.diff(reports) > _RESOLUTION * float(np.ptp(reports))
        where = np.flatnonzero(jump & wide)
        if where.size == 0:
            break
        middle = (reports[where] + reports[where + 1]) / 2.0
        reports = np.insert(reports, where + 1, middle)
        values = np.insert(values, where + 1, utility(middle))
    return reports, values


def end_of_selling(utility: Callable[[Floats], Floats], truth: float, report: float) -> float:
    """Return a cost past the truth, ``report`` and all at which the client still sells (found by doubling).

    At most the largest that a market accepts.
    """
    end = min(2.0 * max(truth, report, 0.5), LARGEST)
    for _ in range(6):
        further = min(2.0 * end, LARGEST)
        beyond = utility(np.array([end, further]))
        if abs(float(beyond[0] - beyond[1])) <= MONEY * scale(beyond):
            break
        end = further
    return end


@dataclass(frozen=True, eq=False)
class LieCurve:
    """Utility of one client against its own reported cost, in one recorded market; all in money.

    ``reports`` rising ``[k]``, ``utilities`` ``[k]`` accounted with the true types. ``best_report`` is where the
    largest utility was found, by the audit's search or on this curve; ``gain`` is what it wins over the truth, 0 when
    no report beats the truth by more than the tolerance for money. ``name`` of the client, where it has one.
    """

    method: str
    mechanism: str
    seed: int
    round: int
    client: int
    truth: float
    reports: Floats
    utilities: Floats
    truthful_utility: float
    best_report: float
    best_utility: float
    gain: float
    name: str = ""

    @property
    def who(self) -> str:
        """What the client is called."""
        return self.name or f"client {self.client}"


def lie_curve(
    run: Run,
    method: str,
    *,
    seed: int,
    round_number: int,
    client: int,
    report: float,
    points: int = 161,
    reach: float = 0.0,
) -> LieCurve:
    """Compute the lie curve of a client in a recorded round, on a grid that holds the truth and ``report``.

    The grid reaches from 0 to past the truth, ``report`` and the largest marginal worth at which the client still sells
    (found by doubling), so that the whole shape is seen, and at least to ``reach`` (money). `UnknownNameError` if the
    run has no such method, or it has no market mechanism or one that is not in the catalogue.
    """
    mechanism = run.mechanisms[known(run, method)]
    record = run.market_round(method, seed, round_number)
    utility = utility_of_reports(record, str(mechanism), client)
    truth = float(record.cost[client])
    end = max(end_of_selling(utility, truth, report), reach)
    grid = np.union1d(np.linspace(0.0, end, points), [truth, max(report, 0.0)])
    reports, utilities = refined(utility, grid)
    truthful = float(utilities[np.searchsorted(reports, truth)])
    told = int(np.searchsorted(reports, max(report, 0.0)))
    best = told if utilities[told] >= utilities.max() - MONEY * scale(utilities) else int(np.argmax(utilities))
    gain = float(utilities[best]) - truthful
    if gain <= MONEY * scale(utilities):
        best, gain = int(np.searchsorted(reports, truth)), 0.0
    return LieCurve(
        method, str(mechanism), seed, round_number, client, truth, reports, utilities, truthful, float(reports[best]),
        float(utilities[best]), gain, run.called(client) if run.summary.names else "",
    )  # fmt: skip


def lie_curves(run: Run) -> tuple[LieCurve, ...]:
    """Return one lie curve per method with a market, at the best lie that the audit found.

    A method under which no lie pays is shown where the worst lie of the other methods was found (the same seed, round
    and client), so that the curves can be compared; with no lie at all, at the client that sells most. All reach as far
    as the furthest, unless that presses one of them into a corner (`one_reach`).
    """
    found = {m: run.audit.methods[m].lies.get("cost") for m in run.markets}
    lies = {m: lie for m, lie in found.items() if lie is not None}
    if not lies:
        return ()
    worst = max(lies.values(), key=lambda lie: lie.gain)
    places: dict[str, dict[str, Any]] = {}
    for method, lie in lies.items():
        place = lie if lie.pays else worst
        client = place.client
        if not worst.pays:
            sold = run.traces[method].exports[run.seeds.index(place.seed), place.round - 1]
            client = int(np.argmax(sold))
        record = run.market_round(method, place.seed, place.round)
        if not record.present[client]:  # it takes part under the other method only
            client = int(np.argmax(record.imports.sum(axis=0)))
        report = lie.report if lie.pays else float(record.cost[client])
        places[method] = {"seed": place.seed, "round_number": place.round, "client": client, "report": report}
    curves = tuple(lie_curve(run, method, **places[method]) for method in places)
    if not one_reach(curves):
        return curves
    furthest = max(float(curve.reports[-1]) for curve in curves)
    return tuple(
        curve if curve.reports[-1] == furthest else lie_curve(run, curve.method, **places[curve.method], reach=furthest)
        for curve in curves
    )


_APART = 8.0
"""How much further one curve may reach than another before each keeps a range of its own."""


def one_reach(curves: Sequence[LieCurve]) -> bool:
    """Return whether curves can be drawn over one range of reports without pressing any of them into a corner."""
    ends = [float(curve.reports[-1]) for curve in curves]
    return max(ends) <= _APART * min(ends)


def regret(run: Run) -> dict[str, float]:
    """Return the largest gain found by lying about a cost, money, for each method where somebody reports one."""
    found = {m: run.audit.methods[m].lies.get("cost") for m in run.methods}
    return {m: lie.gain for m, lie in found.items() if lie is not None}


_POINTS = 61


@dataclass(frozen=True, eq=False)
class RegretMap:
    """What one client wins by a report over the truth, all others truthful, in one recorded market; money.

    ``curve``: its lie curve there. ``costs`` ``[k]`` rising; ``won`` ``[k, k]``: row = true cost, column = reported
    cost, 0 on the diagonal. Positive: the lie pays.
    """

    curve: LieCurve
    costs: Floats
    won: Floats

    @property
    def most(self) -> float:
        """The most that any lie wins at any true cost, 0 where none pays by more than the tolerance for money."""
        most = float(self.won.max())
        return most if most > MONEY * scale(self.won) else 0.0

    @property
    def paying(self) -> float:
        """Share of the pairs of true and reported cost at which the lie pays."""
        return float((self.won > MONEY * scale(self.won)).mean())


def regret_map(run: Run, curve: LieCurve) -> RegretMap:
    """Return the regret of the client of a lie curve, in the same market, over the same range of costs.

    What a report brings does not depend on the true cost but for the exports, each of which costs it:
    U(c, r) = V(r) - c E(r), with V the utility at cost 0 and E the number of exports. So one clearing per report is
    enough for all true costs.
    """
    record = run.market_round(curve.method, curve.seed, curve.round)
    costs = np.union1d(np.linspace(0.0, float(curve.reports[-1]), _POINTS), [curve.truth])
    utility, exports = accounts_of_reports(record, curve.mechanism, curve.client)(costs)
    free = utility + curve.truth * exports
    every = free[None, :] - costs[:, None] * exports[None, :]
    return RegretMap(curve, costs, every - np.diagonal(every)[:, None] + 0.0)
