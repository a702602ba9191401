"""Generalised second-price auction of ad positions."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from mechanism.auctions.auction import Auction
from mechanism.auctions.ranking import descending, hand_out
from mechanism.auctions.units.positions import CLICKS, best_clicks, by_rank, click_rates
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, VOLUNTARY, CatalogueEntry, truths


def gsp(agents: int = 3, rates: Sequence[float] | None = None) -> Auction:
    """Sell positions in the order of bids; each pays the next bid per click.

    The private number is the value of a click; the allocation is the number of clicks.

    1. Agents are ranked by falling bid, ties by the lowest index; rank k gets position k with α_k clicks.
    2. Rank k pays the bid of rank k+1 for each click: α_k b_(k+1), with b = 0 below the last.

    Looks like the second-price auction but is not truthful once there are two positions: bidding less may leave a
    lower position at a much lower price.

    >>> gsp(3)([[0.4, 1.0, 0.8]])
    (array([[0.25, 1.  , 0.5 ]]), array([[0. , 0.8, 0.2]]))

    ``rates``: clicks α_0 >= α_1 >= … of the positions; default 1, 1/2, 1/4, …, one position per agent.

    Source: Edelman, Ostrovsky, Schwarz, Internet advertising and the generalized second-price auction, 2007;
    Varian, Position auctions, 2007.
    """
    clicks = click_rates(rates, agents)
    family, optimum = partial(gsp, rates=clicks), partial(best_clicks, clicks)
    return Auction(partial(_rule, clicks), agents, name="gsp", optimum=optimum, family=family)


def _rule(rates: tuple[float, ...], bids: Floats) -> tuple[Floats, Floats]:
    clicks = by_rank(rates, bids.shape[-1])
    order = descending(bids)
    ranked = np.take_along_axis(bids, order, axis=-1)
    following = np.concatenate([ranked[..., 1:], np.zeros_like(ranked[..., :1])], axis=-1)
    return hand_out(order, clicks), hand_out(order, clicks * following)


ENTRY = CatalogueEntry(
    "gsp", "generalised second-price auction of positions", "Edelman, Ostrovsky, Schwarz 2007", CLICKS,
    truths(
        **VOLUNTARY, dsic="no (bidding less)",
        # overtaking a bid near one's value earns nothing more and loses the cheap position below
        bic="no (bidding less)", **SELLING, efficiency="yes", **MONOTONE, anonymity="yes", non_bossiness="no",
        group_dsic="no",
    ),
    gsp,
)  # fmt: skip
