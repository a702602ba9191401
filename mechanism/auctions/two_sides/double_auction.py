"""Double auctions: buyers and sellers of one unit each, and the order book that both classic rules start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from mechanism.auctions.ranking import Integers, ascending, descending
from mechanism.direct import Deal, Floats, Space, UnitWorth
from mechanism.errors import InvalidMechanismError

TWO_SIDES = "buyers and sellers of one unit, half each; a private value or cost in [0, 1], the side is public"
"""The domain in words."""

LOW, HIGH = 0.0, 1.0


@dataclass(frozen=True, eq=False)
class Book:
    """The two sides of a market in order.

    ``bids`` falling, ``asks`` rising, both ``[batch, agents + 1]`` and filled up with LOW and HIGH; ``bidder`` and
    ``asker`` ``[batch, agents]``: the rank of each agent on that side, ``agents`` if it is on the other side;
    ``trades`` ``[batch, 1]``: the largest q with the q-th bid no lower than the q-th ask.
    """

    bids: Floats
    asks: Floats
    bidder: Integers
    asker: Integers
    trades: Integers

    def bid(self, place: Integers) -> Floats:
        """Return the bid at a place counted from 0, ``[batch, 1]``."""
        return np.take_along_axis(self.bids, np.maximum(place, 0), axis=-1)

    def ask(self, place: Integers) -> Floats:
        """Return the ask at a place counted from 0, ``[batch, 1]``."""
        return np.take_along_axis(self.asks, np.maximum(place, 0), axis=-1)


Clearing = Callable[[Book], tuple[Integers, Floats, Floats]]


@dataclass(frozen=True, eq=False)
class DoubleAuction(UnitWorth):
    """Buyers that want one unit and sellers that own one; ``clearing`` says how many trade and at which prices.

    A type is a private ``value`` in [0, 1] (a seller's is its cost) and the public ``side``, 0 buyer or 1 seller. The
    first half of the agents, rounded up, buys. The allocation is what changes hands, +1 bought, -1 sold, so that both
    sides have utility value · allocation - payment and a higher value never lowers the allocation.

    1. Bids are ranked from the highest, asks from the lowest, ties by the lowest index.
    2. q = the largest number with b_(q) >= s_(q) (equal numbers trade).
    3. ``clearing(book)`` returns how many of the best pairs trade, what buyers pay and what sellers receive, each
       ``[batch, 1]``.
    """

    name: str
    clearing: Clearing
    agents: int = 4
    role: str = "buyer"
    own: str = "value"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        if self.agents < 2:
            raise InvalidMechanismError("a double auction needs at least two agents: one buyer and one seller")
        side = (np.arange(self.agents) >= (self.agents + 1) // 2).astype(float)
        low, high = np.stack([np.full(self.agents, LOW), side], -1), np.stack([np.full(self.agents, HIGH), side], -1)
        called = tuple("seller" if sells else "buyer" for sells in side)
        private, whole = np.array([True, False]), np.array([False, True])
        space = Space(self.agents, ("value", "side"), low, high, private, whole, called=called)
        object.__setattr__(self, "space", space)

    def outcome(self, reports: Floats) -> Deal:
        """Answer ``[batch, agents, 2]`` (value, side): net units and net payment of each agent."""
        book = order_book(reports)
        pairs, buyers_pay, sellers_get = self.clearing(book)
        buys, sells = book.bidder < pairs, book.asker < pairs
        return Deal(buys.astype(float) - sells, buys * buyers_pay - sells * sellers_get)

    def parts(self, types: Floats, outcome: Deal) -> dict[str, Floats]:
        """Utility by role, 0 for agents that do not have it."""
        utility, seller = self.utility(types, outcome), types[..., 1] > 0.5
        return {"buyer": np.where(seller, 0.0, utility), "seller": np.where(seller, utility, 0.0)}

    def optimal_welfare(self, types: Floats) -> Floats:
        """Σ_k max(0, b_(k) - s_(k)) ``[batch]``: every pair that gains trades."""
        book = order_book(types)
        return np.asarray(np.maximum(book.bids - book.asks, 0.0).sum(axis=-1))

    def permuted(self, profiles: Floats, order: ArrayLike) -> Floats:
        """Relabel: agent q of the result is agent order[q] of ``profiles``, and its side goes along with its value.

        That is what anonymity means here. A side is public and part of a type: buyers may be relabelled among buyers,
        sellers among sellers, and it plays no part which places in the list the buyers have.
        """
        return np.asarray(profiles[..., np.asarray(order), :])

    def resized(self, agents: int) -> DoubleAuction:
        """Return the same rule for another number of agents, half of them buyers."""
        return DoubleAuction(self.name, self.clearing, agents)


def order_book(reports: Floats) -> Book:
    """Sort bids and asks ``[batch, agents, 2]`` and count the pairs that gain by trading."""
    value, seller = reports[..., 0], reports[..., 1] > 0.5
    raw_bids, raw_asks = np.where(seller, -np.inf, value), np.where(seller, value, np.inf)
    down, up = descending(raw_bids), ascending(raw_asks)
    bids, asks = np.take_along_axis(raw_bids, down, axis=-1), np.take_along_axis(raw_asks, up, axis=-1)
    trades = (bids >= asks).sum(axis=-1, keepdims=True)  # bids fall and asks rise: the gains come first
    n = value.shape[-1]
    return Book(
        bids=_filled(bids, LOW),
        asks=_filled(asks, HIGH),
        bidder=np.where(seller, n, np.argsort(down, axis=-1)),
        asker=np.where(seller, np.argsort(up, axis=-1), n),
        trades=trades,
    )


def _filled(ranked: Floats, bound: float) -> Floats:
    padded = np.concatenate([ranked, np.full((*ranked.shape[:-1], 1), bound)], axis=-1)
    return np.where(np.isfinite(padded), padded, bound)
