"""What a lie about a cost wins or loses, for every true cost and every report of one client."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.lies import LieCurve, accounts_of_reports
from analysis.run.records import Run
from analysis.tables import Table
from mechanism.tolerance import MONEY, scale

Real = NDArray[np.float64]

_POINTS = 61


@dataclass(frozen=True, eq=False)
class RegretMap:
    """What one client wins by a report over the truth, all others truthful, in one recorded market; money.

    ``costs`` ``[k]`` rising; ``won`` ``[k, k]``: row = true cost, column = reported cost, 0 on the diagonal. Positive:
    the lie pays. ``truth`` its true cost in the record.
    """

    method: str
    mechanism: str
    seed: int
    round: int
    client: int
    truth: float
    costs: Real
    won: Real

    @property
    def most(self) -> float:
        """The most that any lie wins at any true cost, 0 where none pays by more than the tolerance for money."""
        most = float(self.won.max())
        return most if most > MONEY * scale(self.won) else 0.0

    @property
    def paying(self) -> float:
        """Share of the pairs of true and reported cost at which the lie pays."""
        return float((self.won > MONEY * scale(self.won)).mean())


def regret_map(run: Run, curve: LieCurve, points: int = _POINTS) -> RegretMap:
    """Return the regret of the client of a lie curve, in the same market, over the same range of costs.

    What a report brings does not depend on the true cost but for the exports, each of which costs it:
    U(c, r) = V(r) - c E(r), with V the utility at cost 0 and E the number of exports. So one clearing per report is
    enough for all true costs.
    """
    record = run.market_round(curve.method, curve.seed, curve.round)
    costs = np.union1d(np.linspace(0.0, float(curve.reports[-1]), points), [curve.truth])
    utility, exports = accounts_of_reports(record, curve.mechanism, curve.client)(costs)
    free = utility + curve.truth * exports
    every = free[None, :] - costs[:, None] * exports[None, :]
    won = every - np.diagonal(every)[:, None]
    return RegretMap(
        curve.method, curve.mechanism, curve.seed, curve.round, curve.client, curve.truth, costs, won + 0.0
    )


def map_table(maps: tuple[RegretMap, ...]) -> Table:
    """Return the maps point by point: what a report wins over the truth, a row per true and reported cost; money."""
    rows = tuple(
        (m.method, m.client, m.seed, m.round, float(truth), float(report), float(m.won[i, j]))
        for m in maps
        for i, truth in enumerate(m.costs)
        for j, report in enumerate(m.costs)
    )
    heads = ("method", "client", "seed", "round", "true cost", "reported cost", "won")
    return Table("What a report wins over the truth (money)", heads, rows)


def regret_table(maps: tuple[RegretMap, ...]) -> Table:
    """Return the most that a lie wins and how many pairs of truth and report pay, a row per method."""
    rows = tuple((m.method, m.client, m.seed, m.round, m.most, 100.0 * m.paying) for m in maps)
    heads = ("method", "client", "seed", "round", "most that a lie wins", "lies that pay (%)")
    return Table("Regret over true and reported cost (money)", heads, rows)
