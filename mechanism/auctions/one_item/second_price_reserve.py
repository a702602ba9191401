"""Second-price auction of one item with a reserve price."""

from functools import partial

import numpy as np

from mechanism.auctions.auction import ONE_ITEM, Auction
from mechanism.auctions.ranking import highest, highest_other, wins
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, TRUTHFUL, VOLUNTARY, CatalogueEntry, truths
from mechanism.errors import InvalidMechanismError


def second_price_reserve(agents: int = 3, reserve: float = 0.5) -> Auction:
    """Sell one item to the highest bidder at the higher of the reserve and the best other bid.

    1. If max_i b_i < reserve the item is kept.
    2. Else it goes to w = argmax_i b_i, ties to the lowest index; a bid equal to the reserve buys.
    3. The winner pays max(reserve, max_{i≠w} b_i), nobody else pays.

    Truthful; not efficient, since the item may be kept although somebody values it.

    >>> second_price_reserve(2)([[0.3, 0.8], [0.3, 0.4]])
    (array([[0., 1.],
           [0., 0.]]), array([[0. , 0.5],
           [0. , 0. ]]))

    Source: Krishna, Auction Theory, 2.5; Myerson, Optimal auction design, 1981. `InvalidMechanismError` if the reserve
    is negative or not finite.
    """
    if not (np.isfinite(reserve) and reserve >= 0):
        raise InvalidMechanismError(f"the reserve is {reserve}; expected a finite price of at least 0")
    family = partial(second_price_reserve, reserve=reserve)
    return Auction(partial(_rule, reserve), agents, name="second-price-reserve", optimum=highest, family=family)


def _rule(reserve: float, bids: Floats) -> tuple[Floats, Floats]:
    allocation = (wins(bids) & (bids >= reserve)).astype(float)
    return allocation, allocation * np.maximum(reserve, highest_other(bids))


ENTRY = CatalogueEntry(
    "second-price-reserve", "second-price auction with reserve 1/2", "Myerson 1981", ONE_ITEM,
    truths(
        **VOLUNTARY, **TRUTHFUL, **SELLING, efficiency="no (the item may be kept)", **MONOTONE, anonymity="yes",
        non_bossiness="no", group_dsic="no", split_proof="yes", revenue_monotonicity="yes",
    ),
    second_price_reserve,
)  # fmt: skip
