"""Discriminatory (pay-as-bid) auction of equal units."""

import numpy as np

from mechanism.auctions.units.multi_unit import TWO_UNITS, MultiUnitAuction
from mechanism.direct import Floats
from mechanism.entry import SELLING, VOLUNTARY, CatalogueEntry, truths


def discriminatory(agents: int = 3, units: int = 2) -> MultiUnitAuction:
    """Sell equal units to the highest marginal bids, each unit at its own bid.

    Each agent wants up to two units (see `MultiUnitAuction`).

    1. The highest ``units`` of the 2n marginal bids win, ties by the lowest agent.
    2. A winning bid is paid as it was made: p_i = Σ of i's winning bids.

    The first-price auction of many units: not truthful.

    >>> import numpy as np
    >>> deal = discriminatory(2).outcome(np.array([[[0.9, 0.6], [0.8, 0.1]]]))
    >>> deal.allocation.tolist(), deal.payment.tolist()
    ([[1.0, 1.0]], [[0.9, 0.8]])

    Source: Vickrey, 1961; Krishna, Auction Theory, 12.1 and 13.5.
    """
    return MultiUnitAuction("discriminatory", _price, agents, units)


def _price(bids: Floats, won: Floats, losing: Floats) -> Floats:
    return np.asarray((bids * won).sum(axis=-1))


ENTRY = CatalogueEntry(
    "discriminatory", "discriminatory (pay-as-bid) auction", "Vickrey 1961", TWO_UNITS,
    truths(
        **VOLUNTARY, dsic="no (bidding less)", bic="no (bidding less)", **SELLING, efficiency="yes",
        cyclic_monotonicity="yes", anonymity="yes", group_dsic="no", revenue_monotonicity="yes",
        non_bossiness="yes",  # with x units won the others get the best units - x bids of their own
    ),
    discriminatory,
)  # fmt: skip
