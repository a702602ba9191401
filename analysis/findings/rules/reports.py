"""What reports of its cost bring a client, by its true types, in a recorded market where all others are truthful."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analysis.run.records import MarketRecord
from mechanism import Market, Types, account, market_mechanism
from mechanism.market.accounting import MONEY, Accounts, Outcome, scale
from mechanism.market.allocation.selection import PLAIN_WORK
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import clear_and_settle

Real = NDArray[np.float64]

_JUMP = 0.02
"""A change between neighbours above this share of the curve's range is bisected: the jump is located, not sloped."""
_RESOLUTION = 2e-4
"""Width at which bisection stops, as a share of the range of reports."""
_SMALL = 16
"""Most clients of a market that is cleared report by report rather than all reports at once."""


def cleared(rule: Clearing, types: Types, market: Market, client: int, reports: Real) -> tuple[Outcome, Accounts]:
    """Clear once for every reported cost ``[k]`` of a client, all others truthful, and account with the true types.

    Returns the outcome ``[k, m, m]`` and the accounts ``[k, m]``.
    """
    costs = np.tile(types.cost, (reports.size, 1))
    costs[:, client] = reports
    outcome = clear_and_settle(rule, types.report(cost=costs), types, market)
    return outcome, account(types, outcome, market.law)


def accounts_of_reports(record: MarketRecord, mechanism: str, client: int) -> Callable[[Real], tuple[Real, Real]]:
    """Return the function reported costs ``[k]`` -> true utilities ``[k]`` and exports ``[k]`` of ``client``.

    All others report the truth; the market is that of the clients who were there.
    """
    rule = market_mechanism(mechanism)
    types, market = record.types.take(record.present), record.market.take(record.present)
    client = int(record.present[:client].sum())  # its number among those who were there

    # Small markets a few at a time: so they stay below what the clearing compiles for, which takes seconds at first.
    together = max(1, (PLAIN_WORK - 1) // types.clients**2) if types.clients <= _SMALL else 2**62

    def accounts(reports: Real) -> tuple[Real, Real]:
        parts = [part(reports[k : k + together]) for k in range(0, reports.size, together)]
        utility, exports = zip(*parts, strict=True) if parts else ((), ())
        return np.concatenate([np.empty(0), *utility]), np.concatenate([np.empty(0), *exports])

    def part(reports: Real) -> tuple[Real, Real]:
        outcome, accounts = cleared(rule, types, market, client, reports)
        return accounts.utility[:, client], outcome.imports[:, :, client].sum(axis=1).astype(np.float64)

    return accounts


def utility_of_reports(record: MarketRecord, mechanism: str, client: int) -> Callable[[Real], Real]:
    """Return the function reported costs ``[k]`` -> true utilities of ``client`` ``[k]``, others truthful."""
    accounts = accounts_of_reports(record, mechanism, client)
    return lambda reports: accounts(reports)[0]


def refined(utility: Callable[[Real], Real], reports: Real) -> tuple[Real, Real]:
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


def end_of_selling(utility: Callable[[Real], Real], truth: float, report: float) -> float:
    """Return a cost past the truth, ``report`` and all at which the client still sells (found by doubling)."""
    end = 2.0 * max(truth, report, 0.5)
    for _ in range(6):
        beyond = utility(np.array([end, 2.0 * end]))
        if abs(float(beyond[0] - beyond[1])) <= MONEY * scale(beyond):
            break
        end *= 2.0
    return end
