"""Kelly's proportional share of one divisible resource."""

import numpy as np

from mechanism.auctions.auction import Auction
from mechanism.auctions.ranking import highest
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, CatalogueEntry, truths


def proportional_share(agents: int = 3) -> Auction:
    """Share one divisible unit in proportion to the bids; each pays its bid.

    1. Agent i receives x_i = b_i / Σ_j b_j (nobody receives anything if all bids are 0).
    2. It pays b_i. The price of a whole unit is therefore Σ_j b_j.

    Agents have linear values, U_i = v_i x_i - b_i, and an agent that tells the truth bids its value. It then loses
    by taking part: equilibrium bids lie far below the values. Not efficient (at best 3/4 of the optimum is assured
    in equilibrium).

    >>> proportional_share(2)([[0.25, 0.75]])
    (array([[0.25, 0.75]]), array([[0.25, 0.75]]))

    Source: Kelly, Charging and rate control for elastic traffic, 1997; Johari, Tsitsiklis, 2004.
    """
    return Auction(_rule, agents, name="proportional-share", optimum=highest, family=proportional_share)


def _rule(bids: Floats) -> tuple[Floats, Floats]:
    total = bids.sum(axis=-1, keepdims=True)
    return np.divide(bids, total, out=np.zeros(bids.shape), where=total > 0), bids


ENTRY = CatalogueEntry(
    "proportional-share", "shares in proportion to bids", "Kelly 1997, Johari, Tsitsiklis 2004",
    "one divisible unit; a private linear value in [0, 1] per agent, bid as it is",
    truths(
        ir="no", interim_ir="no", dsic="no", bic="no", **SELLING, efficiency="no", **MONOTONE, anonymity="yes",
        non_bossiness="yes", group_dsic="no",
    ),
    proportional_share,
)  # fmt: skip
