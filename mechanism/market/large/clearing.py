"""Clearing a market too large for matrices, importer by importer, in blocks that need nothing of each other.

>>> from mechanism import Types
>>> from mechanism.market.large.sparse import LargeMarket
>>> types = Types(size=[100, 300, 300], cost=[0, 1.1, 1.0], gain=[3600, 0, 0])
>>> outcome = clear_large(types.truthful(), LargeMarket())
>>> outcome.indptr.tolist(), outcome.sellers.tolist(), outcome.prices.round(9).tolist()
([0, 1, 1, 1], [2], [1.1])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mechanism.errors import InvalidMarketError
from mechanism.market.allocation.selection import NODE_LIMIT
from mechanism.market.clients import Reports
from mechanism.market.large.books import SparseOutcome
from mechanism.market.large.sparse import LargeMarket
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import MarketMechanism

BLOCK: int = 10_000
"""Importers cleared at once: what they buy is held in memory."""

RULES: tuple[str, ...] = ("ipfl-exact", "ipfl", "exact-marginal")
"""Ids of the mechanisms that clear large markets."""


@dataclass(frozen=True, eq=False)
class LargeClearing:
    """A large market made ready to be cleared, block by block: in any order, on any thread or machine (it pickles).

    ``reports`` ``[m]``. ``rule``: one of `RULES`, or a `MarketMechanism` that selects exactly or by thresholds.
    ``node_limit``: nodes of one importer's searches, altogether, before they stop and tell the gap.
    `InvalidMarketError` if there is a batch of markets, the parts are for different numbers of clients, or the rule is
    none for large markets.
    """

    reports: Reports
    market: LargeMarket
    rule: MarketMechanism
    node_limit: int = NODE_LIMIT

    def __post_init__(self) -> None:
        m = self.reports.clients
        if self.reports.batch:
            raise InvalidMarketError(f"a large market is one market [m]; got a batch {list(self.reports.batch)}")
        if self.market.told - {m}:
            raise InvalidMarketError(f"what is public is for {self.market.told} clients, the reports for {m}")
        if self.rule.allocation not in ("exact", "threshold", "threshold-skip"):
            raise InvalidMarketError(f"{self.rule.id} does not clear large markets; expected {', '.join(RULES)}")

    @property
    def clients(self) -> int:
        """Number of clients m."""
        return self.reports.clients

    def block(self, first: int, stop: int) -> SparseOutcome:
        """Clear importers first .. stop-1; the same bits however they are cut into blocks."""
        dense = self.rule.clear(self.reports, self.market.dense(self.clients))
        market = self.market.dense(self.clients)
        place, sellers = np.nonzero(dense.imports[first:stop])
        pick = (place + first, sellers)
        samples = np.broadcast_to(market.counted(self.reports.size), dense.imports.shape)[pick]
        return SparseOutcome(
            first, self.clients, np.append(0, np.cumsum(dense.imports[first:stop].sum(axis=1))), sellers,
            dense.prices[pick], samples, market.penalties(self.reports.size)[pick], dense.gap[first:stop],
        )  # fmt: skip

    def blocks(self, size: int = BLOCK, first: int = 0) -> Iterator[SparseOutcome]:
        """Clear all importers from ``first`` on, ``size`` at a time."""
        for start in range(first, self.clients, size):
            yield self.block(start, min(start + size, self.clients))


def clear_large(reports: Reports, market: LargeMarket, rule: str | MarketMechanism = "ipfl-exact") -> SparseOutcome:
    """Clear the whole market; errors as of `LargeClearing`, and `UnknownNameError` for a rule that nobody knows."""
    known = market_mechanism(rule) if isinstance(rule, str) else rule
    if not isinstance(known, MarketMechanism):
        raise InvalidMarketError(f"{known.id} does not clear large markets; expected {', '.join(RULES)}")
    return SparseOutcome.joined(list(LargeClearing(reports, market, known).blocks()))
