"""Pooled prices: found by the market, and nobody's to move."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mechanism.entry import BALANCED, truths
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import Outcome
from mechanism.market.allocation.offers import buy
from mechanism.market.allocation.selection import NODE_LIMIT
from mechanism.market.clients import Market, Reports
from mechanism.market.direct import GIVEN, RATIONAL, SHAPED, honest, market_entry

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PooledPrice:
    """Importer i is offered its k cheapest others at the cost of the (k+1)-th and takes its best set.

    1. Order the others of i by reported cost, equal ones by client order; the first k are the pool.
    2. The price is the cost of the (k+1)-th; without one there is no pool and i buys nothing.
    3. i takes the set of the pool that maximises G_i(S) - |S| · price; the penalty is not subtracted.

    Inside the pool no report moves price or choice, and one's own gain moves neither: truthful in costs and gains.
    ``pool`` is k; None: half of the others, rounded down, at least 1.
    """

    pool: int | None = None
    id: str = "pooled-price"
    allocation: str = field(default="pooled", init=False)
    payment: str = field(default="pooled", init=False)
    node_limit: int = field(default=NODE_LIMIT, kw_only=True)

    def __post_init__(self) -> None:
        if self.pool is not None and not (isinstance(self.pool, int | np.integer) and self.pool >= 1):
            raise InvalidMechanismError(f"the pool is {self.pool!r}; expected a whole number of at least 1")

    def k(self, clients: int) -> int:
        """Size of each importer's pool among that many clients."""
        return max(1, (clients - 1) // 2) if self.pool is None else int(self.pool)

    def offers(self, cost: Floats) -> Floats:
        """Return what each importer is offered ``[..., m, m]`` from costs ``[..., m]``; +inf: not in its pool."""
        m = cost.shape[-1]
        k = self.k(m)
        if k + 1 > m - 1:
            return np.full((*cost.shape, m), np.inf)
        order = np.argsort(cost, axis=-1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.broadcast_to(np.arange(m), order.shape), axis=-1)
        # among the others of i everyone behind i moves up by one place
        place = rank[..., None, :] - (rank[..., None, :] > rank[..., :, None])
        ordered = np.take_along_axis(cost, order, axis=-1)
        price = np.where(rank <= k, ordered[..., k + 1, None], ordered[..., k, None])
        return np.where((place < k) & ~np.eye(m, dtype=np.bool_), price[..., :, None], np.inf)

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Clear at each importer's pool price; exact, balanced."""
        return buy(reports, self.offers(reports.cost), market, node_limit=self.node_limit)


RULE = PooledPrice()

ENTRY = market_entry(
    RULE,
    "the k cheapest at the cost of the next (default: half of the others)",
    "after McAfee: A Dominant Strategy Double Auction, 1992 (a price set by who does not trade)",
    truths(
        **RATIONAL, **honest("yes", GIVEN, "no"), **BALANCED, **SHAPED, bic="no (size; yes in cost and gain)",
        efficiency="no", non_bossiness="no", group_dsic="no", split_proof="no (from four clients on)",
        merge_proof="no (from four clients on)", core="no",
    ),
    fewest=3,
)  # fmt: skip
