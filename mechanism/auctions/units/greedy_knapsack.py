"""The truthful greedy knapsack auction."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mechanism.auctions.ranking import Integers, descending
from mechanism.direct import Deal, Floats, Space, UnitWorth
from mechanism.entry import MONOTONE, SELLING, TRUTHFUL, VOLUNTARY, CatalogueEntry, truths
from mechanism.errors import InvalidMechanismError


@dataclass(frozen=True, eq=False)
class GreedyKnapsack(UnitWorth):
    """Sell room in a knapsack greedily by value per size, at critical values.

    Each agent has an item with a private ``value`` in [0, 1] and a public ``size`` in [0.1, 1]; the capacity is public.

    1. Consider the agents by falling density v_i/s_i, ties by the lowest index.
    2. Accept each item that still fits, skip those that do not.
    3. An accepted i pays its critical value. Run 1–2 without i up to the first j after which i would not fit any
       more: i pays s_i · v_j/s_j, the lowest value that puts it just ahead of j; 0 if it always fits.

    Monotone (a higher value moves an item forward, where more room is left) with critical payments, hence truthful.
    Not efficient: a small dense item may shut out a large one.

    Densities 1.2, 1 and 0.6: the first and third fit. Without the first, the second (density 1) would be taken and
    leave no room for it, so it pays 0.5 · 1; the third fits in any case.

    >>> import numpy as np
    >>> auction = GreedyKnapsack(3)
    >>> deal = auction.outcome(np.array([[[0.6, 0.5], [0.6, 0.6], [0.3, 0.5]]]))
    >>> deal.allocation.tolist(), deal.payment.round(9).tolist()
    ([[1.0, 0.0, 1.0]], [[0.5, 0.0, 0.0]])

    Source: Lehmann, O'Callaghan, Shoham, Truth revelation in approximately efficient combinatorial auctions, 2002;
    Mu'alem, Nisan, 2008; Nisan et al., Algorithmic Game Theory, 11.2.
    """

    agents: int = 3
    capacity: float = 1.0
    name: str = "greedy-knapsack"
    role: str = "buyer"
    own: str = "value"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.capacity) and self.capacity > 0):
            raise InvalidMechanismError(f"the capacity is {self.capacity}; expected a finite number above 0")
        low, high, private = np.array([0.0, 0.1]), np.array([1.0, 1.0]), np.array([True, False])
        space = Space(self.agents, ("value", "size"), low, high, private, called="bidder")
        object.__setattr__(self, "space", space)

    @property
    def _room(self) -> float:
        return self.capacity * (1 + 1e-12)  # sizes that add up to the capacity fit in whatever order they are added

    def outcome(self, reports: Floats) -> Deal:
        """Answer ``[batch, agents, 2]`` (value, size); the sizes are taken as the truth that they are."""
        value, size = reports[..., 0], reports[..., 1]
        order = descending(value / size)
        allocation = np.zeros(value.shape)
        used = np.zeros(value.shape[:-1])
        for k in range(self.agents):
            item = order[..., k, None]
            room = np.take_along_axis(size, item, axis=-1)[..., 0]
            fits = used + room <= self._room
            np.put_along_axis(allocation, item, fits[..., None].astype(float), axis=-1)
            used = used + fits * room
        prices = [self._critical(i, value, size, order) for i in range(self.agents)]
        return Deal(allocation, np.where(allocation > 0, np.stack(prices, axis=-1), 0.0))

    def _critical(self, i: int, value: Floats, size: Floats, order: Integers) -> Floats:
        """Return the lowest value ``[batch]`` with which i is accepted (0 if it always fits)."""
        price = np.zeros(value.shape[:-1])
        used = np.zeros(value.shape[:-1])
        fitted = np.ones(value.shape[:-1], dtype=bool)
        for k in range(self.agents):
            item = order[..., k, None]
            other = item[..., 0] != i
            room = np.take_along_axis(size, item, axis=-1)[..., 0]
            used = used + (other & (used + room <= self._room)) * room
            fits = used + size[..., i] <= self._room
            density = np.take_along_axis(value, item, axis=-1)[..., 0] / room
            price = np.where(fitted & ~fits, size[..., i] * density, price)
            fitted = fits
        return price

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the best total value ``[batch]`` of items that fit together, over all 2ⁿ sets."""
        best = np.zeros(types.shape[:-2])
        for code in range(1, 2**self.agents):
            chosen = [i for i in range(self.agents) if code >> i & 1]
            total = types[..., chosen, :].sum(axis=-2)
            best = np.where(total[..., 1] <= self._room, np.maximum(best, total[..., 0]), best)
        return best

    def resized(self, agents: int) -> GreedyKnapsack:
        """Return the same knapsack for another number of agents."""
        return GreedyKnapsack(agents, self.capacity)


ENTRY = CatalogueEntry(
    "greedy-knapsack", "greedy knapsack auction, critical payments",
    "Lehmann, O'Callaghan, Shoham 2002; Mu'alem, Nisan 2008",
    "room 1 in a knapsack; a private value in [0, 1], a public size in [0.1, 1] per agent",
    truths(
        **VOLUNTARY, **TRUTHFUL, **SELLING, efficiency="no", **MONOTONE, anonymity="yes (a size goes with its agent)",
        non_bossiness="no", group_dsic="no",
    ),
    GreedyKnapsack,
)  # fmt: skip
