"""Uniform-price auction of equal units."""

import numpy as np

from mechanism.auctions.units.multi_unit import TWO_UNITS, MultiUnitAuction
from mechanism.direct import Floats
from mechanism.entry import SELLING, VOLUNTARY, CatalogueEntry, truths


def uniform_price(agents: int = 3, units: int = 2) -> MultiUnitAuction:
    """Sell equal units to the highest marginal bids, every unit at the highest losing bid.

    Each agent wants up to two units (see `MultiUnitAuction`).

    1. The highest ``units`` of the 2n marginal bids win, ties by the lowest agent.
    2. Every unit sold costs the highest losing bid (0 if all bids win).

    With one unit wanted per agent this price would be truthful. With two, an agent's bid for its second unit may be the
    losing bid that sets the price of its first: it gains by bidding less there (demand reduction).

    >>> import numpy as np
    >>> deal = uniform_price(2).outcome(np.array([[[0.9, 0.6], [0.8, 0.1]]]))
    >>> deal.allocation.tolist(), deal.payment.tolist()
    ([[1.0, 1.0]], [[0.6, 0.6]])

    Source: Ausubel, Cramton, Demand reduction and inefficiency in multi-unit auctions, 2002; Krishna, 12.1 and 13.4.
    """
    return MultiUnitAuction("uniform-price", _price, agents, units)


def _price(bids: Floats, won: Floats, losing: Floats) -> Floats:
    return np.asarray(won.sum(axis=-1) * losing)


ENTRY = CatalogueEntry(
    "uniform-price", "uniform-price auction at the highest losing bid", "Ausubel, Cramton 2002", TWO_UNITS,
    truths(
        **VOLUNTARY, dsic="no (demand reduction)", bic="no (demand reduction)", **SELLING, efficiency="yes",
        cyclic_monotonicity="yes",  # an efficient rule: the pivot payments make it truthful
        anonymity="yes", non_bossiness="no (a losing bid sets the price)", group_dsic="no",
        revenue_monotonicity="yes",
    ),
    uniform_price,
)  # fmt: skip
