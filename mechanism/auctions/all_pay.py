"""All-pay auction of one item."""

from __future__ import annotations

from mechanism.auctions.auction import Auction
from mechanism.auctions.ranking import highest, wins
from mechanism.direct import Floats


def all_pay(agents: int = 3) -> Auction:
    """Sell one item to the highest bidder; everybody pays its own bid.

    1. The item goes to w = argmax_i b_i, ties to the lowest index.
    2. Each agent i pays b_i, also when it loses.

    >>> all_pay(2)([[0.6, 0.8]])
    (array([[0., 1.]]), array([[0.6, 0.8]]))

    Source: Baye, Kovenock, de Vries, The all-pay auction with complete information, 1996; Krishna, 3.2.
    """
    return Auction(_rule, agents, name="all-pay", optimum=highest, family=all_pay)


def _rule(bids: Floats) -> tuple[Floats, Floats]:
    return wins(bids).astype(float), bids
