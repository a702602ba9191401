"""First-price sealed-bid auction of one item."""

import numpy as np

from mechanism.auctions.auction import ONE_ITEM, Auction
from mechanism.auctions.ranking import highest, wins
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, VOLUNTARY, CatalogueEntry, KnownEquilibrium, truths


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


def _shaded(types: Floats, agents: int, agent: int) -> Floats:
    return np.asarray((agents - 1) / agents * types)


FIRST_PRICE = KnownEquilibrium(
    _shaded,
    lambda n: f"every bidder reports (n-1)/n of its value, {n - 1}/{n} of it with n = {n}",
    "Vickrey 1961; Krishna, Auction Theory, 2.3",
)
"""The bid is the expected highest value of the others, given that it is lower: (n-1)/n v."""


ENTRY = CatalogueEntry(
    "first-price", "first-price sealed-bid auction", "Vickrey 1961", ONE_ITEM,
    truths(
        **VOLUNTARY, dsic="no (bidding less)", bic="no (bidding less)", **SELLING, efficiency="yes", **MONOTONE,
        anonymity="yes", group_dsic="no", revenue_monotonicity="yes",
        non_bossiness="yes",  # a loser never picks the winner, and only the winner moves its price
    ),
    first_price, equilibrium=FIRST_PRICE,
)  # fmt: skip
