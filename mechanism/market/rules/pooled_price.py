"""Pooled prices: found by the market, and nobody's to move."""

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
from mechanism.space import Floats


@dataclass(frozen=True)
class PooledPrice:
    """Importer i is offered its k cheapest others at the cost of the (k+1)-th and takes its best set.

    1. Order the others of i by reported cost, equal ones by client order, without those who bring it nothing (e_ij = 0
       in a market with effective sizes); the first k are the pool.
    2. The price is the cost of the (k+1)-th; without one there is no pool and i buys nothing.
    3. i takes the set of the pool that maximises G_i(S) - |S| · price; the penalty is not subtracted.

    Inside the pool no report moves price or choice, and one's own gain moves neither: truthful in costs and gains.
    With effective sizes, which nobody reports, truthful in sizes too (docs/effective.md).
    ``pool`` is k; None: half of those ordered, rounded down, at least 1.
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
        """Size of an importer's pool among that many clients, itself included."""
        return max(1, (clients - 1) // 2) if self.pool is None else int(self.pool)

    def offers(self, cost: Floats, useful: NDArray[np.bool_] | None = None) -> Floats:
        """Return what each importer is offered ``[..., m, m]`` from costs ``[..., m]``; +inf: not in its pool.

        ``useful`` ``[..., m, m]``: whose models bring i anything (default: everybody's).
        """
        m = cost.shape[-1]
        others = ~np.eye(m, dtype=np.bool_) if useful is None else useful & ~np.eye(m, dtype=np.bool_)
        batch = np.broadcast_shapes(cost.shape[:-1], others.shape[:-2])
        order = np.broadcast_to(np.argsort(cost, axis=-1, kind="stable")[..., None, :], (*batch, m, m))
        others = np.broadcast_to(others, order.shape)
        sizes = np.array([self.k(count + 1) for count in range(m)])
        k = sizes[others.sum(axis=-1, keepdims=True)]
        place = np.empty_like(order)  # in the order of cost, among those who are others of i
        np.put_along_axis(place, order, np.cumsum(np.take_along_axis(others, order, axis=-1), axis=-1) - 1, axis=-1)
        following = others & (place == k)
        price = np.where(following, cost[..., None, :], 0.0).sum(axis=-1, keepdims=True)
        return np.where(others & (place < k) & following.any(axis=-1, keepdims=True), price, np.inf)

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Clear at each importer's pool price; exact, balanced."""
        offers = self.offers(reports.cost, market.counted(reports.size) > 0.0)
        return buy(reports, offers, market, node_limit=self.node_limit)


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
