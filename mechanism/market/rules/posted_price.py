"""Posted prices: fixed before anyone speaks, taken or left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mechanism.entry import BALANCED, truths
from mechanism.errors import InvalidMarketError, InvalidMechanismError
from mechanism.market.accounting import Outcome
from mechanism.market.allocation.offers import buy
from mechanism.market.allocation.selection import NODE_LIMIT
from mechanism.market.clients import Market, Reports
from mechanism.market.direct import GIVEN, RATIONAL, SHAPED, honest, market_entry
from mechanism.space import Floats

PriceRule = Callable[[Floats, Market], ArrayLike]
"""Prices from verified data: (sizes ``[..., m]``, public market) -> anything that fits ``[..., m, m]``, money."""


@dataclass(frozen=True, eq=False)
class PostedPrice:
    """Importer i may have j's model for p_ij, if p_ij covers what j asks; it takes its best set at those prices.

    S_i maximises G_i(S) - sum_{j in S} p_ij over sets of sellers with c_j <= p_ij. The penalty is not subtracted: with
    it a buyer would be steered away from its own best set, and lies about its gain would pay. Ties as in
    `mechanism.market.allocation.offers.buy`: never by reported cost.

    ``price``: one number (default 1, the paper's cost), a table ``[m, m]`` (row importer, column exporter), or a
    `PriceRule` that computes it from verified data. A rule that reads sizes which nobody verified is a rule that
    clients can move.
    """

    price: Any = 1.0
    id: str = "posted-price"
    allocation: str = field(default="posted", init=False)
    payment: str = field(default="posted", init=False)
    node_limit: int = field(default=NODE_LIMIT, kw_only=True)

    def __post_init__(self) -> None:
        if callable(self.price):
            return
        try:
            price = np.array(self.price, dtype=np.float64)
        except (TypeError, ValueError):
            raise InvalidMechanismError("the posted price is not a number, a table or a function of sizes") from None
        if price.ndim != 0 and (price.ndim < 2 or price.shape[-1] != price.shape[-2]):
            raise InvalidMechanismError(
                f"the posted prices have shape {list(price.shape)}; expected one number or a table [m, m]"
            )
        _check(price)
        price.setflags(write=False)
        object.__setattr__(self, "price", price)

    def prices(self, reports: Reports, market: Market) -> Floats:
        """Return the posted prices, broadcastable to ``[..., m, m]``; costs and gains are not looked at."""
        m = reports.clients
        if not callable(self.price):
            if self.price.ndim and self.price.shape[-1] != m:
                raise InvalidMarketError(
                    f"the price table is for {self.price.shape[-1]} clients, the reports for {m}; give one row and "
                    "column per client"
                )
            return np.asarray(self.price)
        price = np.asarray(self.price(reports.size, market), dtype=np.float64)
        if price.ndim and price.shape[-1] not in (1, m):
            raise InvalidMechanismError(f"the price rule returned shape {list(price.shape)}; expected [..., {m}, {m}]")
        _check(price)
        return price

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Sell at the posted prices to all who want to buy from all who want to sell; exact, balanced."""
        price = self.prices(reports, market)
        return buy(
            reports, np.where(reports.cost[..., None, :] <= price, price, np.inf), market, node_limit=self.node_limit
        )


def _check(price: Floats) -> None:
    if not (np.isfinite(price).all() and (price >= 0.0).all()):
        raise InvalidMechanismError("posted prices must be finite and at least 0")


RULE = PostedPrice()

ENTRY = market_entry(
    RULE,
    "prices fixed beforehand, taken or left (catalogue: price 1)",
    "Hagerty and Rogerson: Robust Trading Mechanisms, 1987",
    truths(
        **RATIONAL, **honest("yes", GIVEN, "no (sellers)"), **BALANCED, **SHAPED,
        bic="no (size; yes in cost and gain)", efficiency="no", non_bossiness="no (size)", group_dsic="no",
        split_proof="no", merge_proof="no", core="no",
    ),
)  # fmt: skip
