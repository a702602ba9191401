"""First-price sealed-bid auction of one item."""

from __future__ import annotations

from mechanism.auctions.auction import Auction
from mechanism.auctions.ranking import highest, wins
from mechanism.direct import Floats


def first_price(agents: int = 3) -> Auction:
    """Sell one item to the highest bidder at its own bid.

    1. The item goes to w = argmax_i b_i, ties to the lowest index.
    2. The winner pays b_w, nobody else pays.

    Not truthful: with n values uniform on [0, 1] the equilibrium bid is (n-1)/n of the value.

    >>> first_price(2)([[0.6, 0.8]])
    (array([[0., 1.]]), array([[0. , 0.8]]))

    Source: Vickrey, Counterspeculation, auctions, and competitive sealed tenders, 1961; Krishna, Auction Theory, 2.3.
    """
    return Auction(_rule, agents, name="first-price", optimum=highest, family=first_price)


def _rule(bids: Floats) -> tuple[Floats, Floats]:
    allocation = wins(bids).astype(float)
    return allocation, allocation * bids
