"""McAfee's dominant-strategy double auction."""

import numpy as np

from mechanism.auctions.ranking import Integers
from mechanism.auctions.two_sides.double_auction import TWO_SIDES, Book, DoubleAuction
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, TRUTHFUL, VOLUNTARY, CatalogueEntry, truths


def mcafee(agents: int = 4) -> DoubleAuction:
    """Trade at the price of the first pair that does not trade if that suits all; else give up the last pair.

    1. Rank bids b_(1) >= b_(2) >= … and asks s_(1) <= s_(2) <= …; q = the largest number with b_(q) >= s_(q).
    2. p = (b_(q+1) + s_(q+1))/2; a bid that is missing counts as 0, an ask that is missing as 1 (the bounds).
    3. If s_(q) <= p <= b_(q), the first q pairs trade at p.
    4. Else the first q-1 pairs trade: buyers pay b_(q), sellers receive s_(q), and the centre keeps the difference.

    Nobody that trades moves its own price: truthful. Never a deficit; the worst pair may be lost, so not efficient.

    >>> import numpy as np
    >>> deal = mcafee(4).outcome(np.array([[[0.9, 0], [0.6, 0], [0.2, 1], [0.4, 1]]]))
    >>> deal.allocation.tolist(), deal.payment.tolist()  # q = 2, p = (0 + 1)/2 lies between 0.4 and 0.6
    ([[1.0, 1.0, -1.0, -1.0]], [[0.5, 0.5, -0.5, -0.5]])

    Source: McAfee, A dominant strategy double auction, 1992.
    """
    return DoubleAuction("mcafee", _clear, agents)


def _clear(book: Book) -> tuple[Integers, Floats, Floats]:
    q = book.trades
    price = (book.bid(q) + book.ask(q)) / 2
    last_bid, last_ask = book.bid(q - 1), book.ask(q - 1)
    suits = (last_ask <= price) & (price <= last_bid)
    return np.where(suits, q, q - 1), np.where(suits, price, last_bid), np.where(suits, price, last_ask)


ENTRY = CatalogueEntry(
    "mcafee", "McAfee's double auction", "McAfee 1992", TWO_SIDES,
    truths(
        **VOLUNTARY, ir_buyer="yes", ir_seller="yes", **TRUTHFUL,
        budget_balance="no (surplus)",  # below two pairs there never is one: hence at least four agents
        weak_budget_balance="yes", efficiency="no (the last pair may be lost)", **MONOTONE,
        anonymity="yes (a side goes with its agent)",
        non_bossiness="no (the first pair that does not trade sets the price)", group_dsic="no",
    ),
    mcafee, agents=4, fewest=4,
)  # fmt: skip
