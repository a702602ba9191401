"""Second-price sealed-bid (Vickrey) auction of one item."""

from mechanism.auctions.auction import ONE_ITEM, Auction
from mechanism.auctions.ranking import highest, highest_other, wins
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, TRUTHFUL, VOLUNTARY, CatalogueEntry, truth, truths


def second_price(agents: int = 3) -> Auction:
    """Sell one item to the highest bidder at the highest bid of the others.

    1. The item goes to w = argmax_i b_i, ties to the lowest index.
    2. The winner pays max_{i≠w} b_i (0 if it is alone), nobody else pays.

    The price is the lowest bid with which the winner would still win, so the truth is a dominant strategy.

    >>> second_price(2)([[0.6, 0.8]])
    (array([[0., 1.]]), array([[0. , 0.6]]))

    Source: Vickrey, Counterspeculation, auctions, and competitive sealed tenders, 1961.
    """
    return Auction(_rule, agents, name="second-price", optimum=highest, family=second_price)


def _rule(bids: Floats) -> tuple[Floats, Floats]:
    allocation = wins(bids).astype(float)
    return allocation, allocation * highest_other(bids)


ENTRY = CatalogueEntry(
    "second-price", "second-price (Vickrey) auction", "Vickrey 1961", ONE_ITEM,
    truths(
        **VOLUNTARY, **TRUTHFUL, **SELLING, efficiency="yes", **MONOTONE, anonymity="yes",
        non_bossiness="no (the second bid sets the price)", group_dsic="no (the second bidder helps the winner)",
        revenue_monotonicity="yes",
        split_proof="yes",  # one's other name can only raise one's price
    ),
    second_price, equilibrium=truth("Vickrey 1961; Krishna, Auction Theory, 2.2"),
)  # fmt: skip
