"""Auctions of several equal units to agents that want up to two: what uniform and discriminatory prices share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mechanism.auctions.ranking import descending, hand_out
from mechanism.direct import Deal, Floats, Space, UnitWorth
from mechanism.errors import InvalidMechanismError

TWO_UNITS = "two equal units; agents want up to two, private worths in [0, 1], the larger counts first"
"""The domain in words."""

Pricing = Callable[[Floats, Floats, Floats], Floats]


@dataclass(frozen=True, eq=False)
class MultiUnitAuction(UnitWorth):
    """Sell ``units`` equal units; the highest marginal bids win, ``pricing`` says what winners pay.

    A type is two numbers in [0, 1], what its units are worth to the agent: the larger counts as the value of the first
    unit, the smaller as the value of the second (marginal values never rise; every pair of numbers is a valid type).

    1. All 2n marginal bids are ranked, ties by the lowest agent, its first unit before its second.
    2. The first ``units`` of them win one unit each.
    3. Payments are ``pricing(bids, won, losing)``: marginal bids and won units ``[batch, agents, 2]``, the highest
       losing bid ``[batch, 1]``.
    """

    name: str
    pricing: Pricing
    agents: int = 3
    units: int = 2
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        if self.units < 1:
            raise InvalidMechanismError(f"{self.units} units to sell; expected at least one")
        space = Space(self.agents, ("worth one", "worth two"), np.zeros(2), np.ones(2), called="bidder")
        object.__setattr__(self, "space", space)

    def outcome(self, reports: Floats) -> Deal:
        """Answer ``[batch, agents, 2]``: units won and payment of each agent."""
        bids = _marginal(reports)
        flat = bids.reshape(*bids.shape[:-2], -1)
        order = descending(flat)
        won = hand_out(order, (np.arange(flat.shape[-1]) < self.units).astype(float)).reshape(bids.shape)
        if self.units < flat.shape[-1]:
            losing = np.take_along_axis(flat, order[..., self.units, None], axis=-1)
        else:
            losing = np.zeros((*flat.shape[:-1], 1))
        return Deal(won.sum(axis=-1), self.pricing(bids, won, losing))

    def _worth(self, types: Floats, outcome: Deal) -> Floats:
        """Worth of the units that each wins ``[batch, agents]``."""
        return np.asarray((_marginal(types) * (outcome.allocation[..., None] > np.arange(2))).sum(axis=-1))

    def optimal_welfare(self, types: Floats) -> Floats:
        """Sum of the highest marginal values ``[batch]``, as many as there are units."""
        flat = np.sort(types.reshape(*types.shape[:-2], -1), axis=-1)
        return np.asarray(flat[..., ::-1][..., : self.units].sum(axis=-1))

    def resized(self, agents: int) -> MultiUnitAuction:
        """Return the same units for another number of agents."""
        return MultiUnitAuction(self.name, self.pricing, agents, self.units)


def _marginal(types: Floats) -> Floats:
    """Return the marginal values ``[..., agents, 2]``, the larger first."""
    return np.sort(types, axis=-1)[..., ::-1]
