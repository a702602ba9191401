"""All-pay auction of one item."""

import numpy as np

from mechanism.auctions.auction import ONE_ITEM, Auction
from mechanism.auctions.ranking import highest, wins
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, CatalogueEntry, KnownEquilibrium, truths


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


def _all_paid(types: Floats, agents: int, agent: int) -> Floats:
    return np.asarray((agents - 1) / agents * types**agents)


ALL_PAY = KnownEquilibrium(
    _all_paid,
    lambda n: f"every bidder reports (n-1)/n times its value to the power n, {n - 1}/{n} v^{n} with n = {n}",
    "Krishna, Auction Theory, 3.2",
)
"""The bid is what a second-price auction would cost in expectation: ∫_0^v y dy^(n-1) = (n-1)/n vⁿ."""


ENTRY = CatalogueEntry(
    "all-pay", "all-pay auction", "Baye, Kovenock, de Vries 1996", ONE_ITEM,
    truths(
        ir="no (losers pay)", interim_ir="no", dsic="no", bic="no", **SELLING, efficiency="yes", **MONOTONE,
        anonymity="yes", non_bossiness="yes", group_dsic="no", revenue_monotonicity="yes",
    ),
    all_pay, equilibrium=ALL_PAY,
)  # fmt: skip
