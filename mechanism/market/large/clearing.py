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
from functools import cached_property

import numpy as np

from mechanism.errors import InvalidMarketError
from mechanism.market.accounting import SEARCH, TIE
from mechanism.market.allocation.selection import in_pieces, kernel
from mechanism.market.allocation.sellers import Sellers
from mechanism.market.clients import Reports
from mechanism.market.large.books import SparseOutcome
from mechanism.market.large.sparse import LargeMarket
from mechanism.market.large.table import sellers_of
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import PAYMENTS, MarketMechanism

BLOCK: int = 10_000
"""Importers cleared at once: what they buy is held in memory."""

_LOOKED_AT = 64  # sellers that an importer looks at, about
_ROOM = 32  # imports that an importer makes, at first

NODES: int = 20_000
"""Nodes of one importer's searches, altogether, before they stop and tell the gap; some hundreds are usual."""

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
    node_limit: int = NODES
    mode: str = "auto"

    def __post_init__(self) -> None:
        m = self.reports.clients
        if self.reports.batch:
            raise InvalidMarketError(f"a large market is one market [m]; got a batch {list(self.reports.batch)}")
        if self.market.told - {m}:
            raise InvalidMarketError(f"what is public is for {self.market.told} clients, the reports for {m}")
        if self.rule.allocation not in ("exact", "threshold"):
            raise InvalidMarketError(f"{self.rule.id} does not clear large markets; expected {', '.join(RULES)}")

    @cached_property
    def table(self) -> Sellers:
        """The sellers, sorted."""
        return sellers_of(self.reports, self.market)

    @property
    def clients(self) -> int:
        """Number of clients m."""
        return self.reports.clients

    def block(self, first: int, stop: int) -> SparseOutcome:
        """Clear importers first .. stop-1; the same bits however they are cut into blocks, on any number of threads."""
        m = self.clients
        if not 0 <= first <= stop <= m:
            raise InvalidMarketError(f"a block of importers {first} to {stop} is none of {m} clients")
        importers = stop - first
        work = importers * _LOOKED_AT
        table, run = self.table, kernel("clear_sellers", work, self.mode)
        exact, payment = self.rule.allocation == "exact", PAYMENTS[self.rule.payment]

        def piece(begin: int, end: int) -> list[SparseOutcome]:
            found = []
            at, room = first + begin, _ROOM * (end - begin)
            while True:  # until all fit: the kernel stops at the first importer whose imports do not
                counts, gap = np.zeros(first + end - at, dtype=np.int64), np.zeros(first + end - at)
                sellers, prices, samples, penalties = np.empty(room, dtype=np.int64), *np.empty((3, room))
                told = np.zeros(2, dtype=np.int64)
                reached = run(
                    at, first + end, table, self.market.law.kernel_form(), exact, payment, self.node_limit, TIE,
                    SEARCH, counts, sellers, prices, samples, penalties, gap, told,
                )  # fmt: skip
                indptr = np.append(0, np.cumsum(counts[: reached - at]))
                used = slice(0, indptr[-1])
                found.append(
                    SparseOutcome(
                        at, m, indptr, sellers[used].copy(), prices[used].copy(), samples[used].copy(),
                        penalties[used].copy(), gap[: reached - at], int(told[0]), int(told[1]),
                    )
                )  # fmt: skip
                if reached == first + end:
                    return found
                at, room = reached, 2 * room

        done = in_pieces(piece, importers, work, self.mode)
        return SparseOutcome.joined([block for blocks in done for block in blocks])

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
