"""The k-double auction."""

from functools import partial

import numpy as np

from mechanism.auctions.ranking import Integers
from mechanism.auctions.two_sides.double_auction import TWO_SIDES, Book, DoubleAuction
from mechanism.direct import Floats
from mechanism.entry import BALANCED, MONOTONE, VOLUNTARY, CatalogueEntry, KnownEquilibrium, truths
from mechanism.errors import InvalidMechanismError


def k_double_auction(agents: int = 4, k: float = 0.5) -> DoubleAuction:
    """Trade all pairs that gain, at a price between the last bid and the last ask that trade.

    1. Rank bids b_(1) >= b_(2) >= … and asks s_(1) <= s_(2) <= …; q = the largest number with b_(q) >= s_(q).
    2. The first q pairs trade at p = k b_(q) + (1-k) s_(q); buyers' money goes to sellers.

    Balanced and efficient at the reports, but the last pair moves the price: not truthful. With one pair and k = 1/2,
    uniform types, the linear equilibrium trades only if the buyer's value exceeds the cost by 1/4.

    >>> import numpy as np
    >>> deal = k_double_auction(2).outcome(np.array([[[0.8, 0], [0.4, 1]]]))
    >>> deal.allocation.tolist(), deal.payment.round(9).tolist()
    ([[1.0, -1.0]], [[0.6, -0.6]])

    Source: Chatterjee, Samuelson, Bargaining under incomplete information, 1983; Wilson, 1985. `InvalidMechanismError`
    if k is outside [0, 1].
    """
    if not 0 <= k <= 1:
        raise InvalidMechanismError(f"k is {k}; expected a weight from 0 (the ask) to 1 (the bid)")
    return DoubleAuction("k-double-auction", partial(_clear, k), agents)


def _clear(k: float, book: Book) -> tuple[Integers, Floats, Floats]:
    q = book.trades
    price = k * book.bid(q - 1) + (1 - k) * book.ask(q - 1)
    return q, price, price


def _linear_pair(types: Floats, agents: int, agent: int) -> Floats:
    if agent == 0:
        return np.where(types >= 0.25, 2 / 3 * types + 1 / 12, np.nan)
    return np.where(types <= 0.75, 2 / 3 * types + 1 / 4, np.nan)


LINEAR_PAIR = KnownEquilibrium(
    _linear_pair,
    lambda n: (
        "the linear one of many: a buyer of value v from 1/4 on reports 2/3 v + 1/12, "
        "a seller of cost c up to 3/4 reports 2/3 c + 1/4, all others do not trade"
    ),
    "Chatterjee, Samuelson 1983",
    only=2,
)
"""One buyer and one seller, k = 1/2. Reports of types that never trade are free: not a number."""


ENTRY = CatalogueEntry(
    "k-double-auction", "k-double auction, k = 1/2", "Chatterjee, Samuelson 1983", TWO_SIDES,
    truths(
        **VOLUNTARY, ir_buyer="yes", ir_seller="yes", dsic="no", bic="no", **BALANCED, efficiency="yes", **MONOTONE,
        anonymity="yes (a side goes with its agent)", group_dsic="no",
        # an agent that trades before and after leaves q and the other traders as they are, and whoever
        # moves the price pays it
        non_bossiness="yes",
    ),
    k_double_auction, agents=4, equilibrium=LINEAR_PAIR,
)  # fmt: skip
