"""Vickrey–Clarke–Groves auction of ad positions."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from mechanism.auctions.auction import Auction
from mechanism.auctions.ranking import descending, hand_out
from mechanism.auctions.units.positions import CLICKS, best_clicks, by_rank, click_rates
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, TRUTHFUL, VOLUNTARY, CatalogueEntry, truths


def vcg_positions(agents: int = 3, rates: Sequence[float] | None = None) -> Auction:
    """Sell positions in the order of bids; each pays what its presence costs the others.

    The private number is the value of a click; the allocation is the number of clicks.

    1. Agents are ranked by falling bid, ties by the lowest index; rank k gets position k with α_k clicks.
    2. Without rank k everyone below moves one position up, so rank k pays p_k = Σ_{j>k} (α_{j-1} - α_j) b_(j).
       It is computed from below: p_k = p_{k+1} + (α_k - α_{k+1}) b_(k+1).

    >>> vcg_positions(3)([[0.4, 1.0, 0.8]])
    (array([[0.25, 1.  , 0.5 ]]), array([[0. , 0.5, 0.1]]))

    ``rates``: clicks α_0 >= α_1 >= … of the positions; default 1, 1/2, 1/4, …, one position per agent.

    Source: Vickrey, 1961; Clarke, 1971; Groves, 1973; Varian, Position auctions, 2007.
    """
    clicks = click_rates(rates, agents)
    family, optimum = partial(vcg_positions, rates=clicks), partial(best_clicks, clicks)
    return Auction(partial(_rule, clicks), agents, name="vcg-positions", optimum=optimum, family=family)


def _rule(rates: tuple[float, ...], bids: Floats) -> tuple[Floats, Floats]:
    clicks = by_rank(rates, bids.shape[-1])
    order = descending(bids)
    ranked = np.take_along_axis(bids, order, axis=-1)
    externality = -np.diff(clicks) * ranked[..., 1:]  # what rank k+1 loses by not being one position higher
    prices = np.zeros(ranked.shape)
    prices[..., :-1] = np.cumsum(externality[..., ::-1], axis=-1)[..., ::-1]
    return hand_out(order, clicks), hand_out(order, prices)


ENTRY = CatalogueEntry(
    "vcg-positions", "VCG auction of positions", "Vickrey 1961, Clarke 1971, Groves 1973", CLICKS,
    truths(
        **VOLUNTARY, **TRUTHFUL, **SELLING, efficiency="yes", **MONOTONE, anonymity="yes", non_bossiness="no",
        group_dsic="no",
    ),
    vcg_positions,
)  # fmt: skip
