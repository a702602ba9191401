"""A take-it-or-leave-it price for one item."""

from functools import partial

import numpy as np

from mechanism.auctions.auction import ONE_ITEM, Auction
from mechanism.auctions.ranking import highest
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, TRUTHFUL, VOLUNTARY, CatalogueEntry, truths
from mechanism.errors import InvalidMechanismError


def posted_price_single(agents: int = 3, price: float = 0.5) -> Auction:
    """Offer one item at a fixed price to the agents in their order.

    1. Agent 0, 1, … is asked in turn. The first whose report exceeds the price takes the item and pays the price.
    2. An agent that is indifferent leaves it (so no coalition profits from its indifference).

    No report moves the price: truthful, even for coalitions. Not efficient, not anonymous (the order names agents).

    >>> posted_price_single(3)([[0.4, 0.6, 0.9]])
    (array([[0., 1., 0.]]), array([[0. , 0.5, 0. ]]))

    Source: Hagerty, Rogerson, Robust trading mechanisms, 1987; Chawla, Hartline, Malec, Sivan, 2010.
    `InvalidMechanismError` if the price is negative or not finite.
    """
    if not (np.isfinite(price) and price >= 0):
        raise InvalidMechanismError(f"the price is {price}; expected a finite price of at least 0")
    family = partial(posted_price_single, price=price)
    return Auction(partial(_rule, price), agents, name="posted-price-single", optimum=highest, family=family)


def _rule(price: float, bids: Floats) -> tuple[Floats, Floats]:
    accepts = bids > price
    allocation = (accepts & (np.cumsum(accepts, axis=-1) == 1)).astype(float)
    return allocation, allocation * price


ENTRY = CatalogueEntry(
    "posted-price-single", "take it or leave it at 1/2, in the order of agents", "Hagerty, Rogerson 1987",
    ONE_ITEM,
    truths(
        **VOLUNTARY, **TRUTHFUL, **SELLING, efficiency="no", **MONOTONE, anonymity="no (the order)",
        revenue_monotonicity="yes",
        non_bossiness="yes", group_dsic="yes",  # the taker would lose by giving up, those before it by buying
    ),
    posted_price_single,
)  # fmt: skip
