"""The k-double auction."""

from __future__ import annotations

from functools import partial

from mechanism.auctions.ranking import Integers
from mechanism.auctions.two_sided import Book, DoubleAuction
from mechanism.direct import Floats
from mechanism.errors import InvalidMechanismError


def k_double_auction(agents: int = 4, k: float = 0.5) -> DoubleAuction:
    """Trade all pairs that gain, at a price between the last bid and the last ask that trade.

    1. Rank bids b_(1) >= b_(2) >= … and asks s_(1) <= s_(2) <= …; q = the largest number with b_(q) >= s_(q).
    2. The first q pairs trade at p = k b_(q) + (1-k) s_(q); buyers' money goes to sellers.

    Balanced and efficient at the reports, but the last pair moves the price: not truthful. With one pair and k = 1/2,
    uniform types, the linear equilibrium trades only if the buyer's value exceeds the cost by 1/4.

    >>> import numpy as np
    >>> deal = k_double_auction(2).outcome(np.array([[[0.8, 0], [0.4, 1]]]))
    >>> deal.allocation.tolist(), deal.payment.round(9).tolist()
    ([[1.0, -1.0]], [[0.6, -0.6]])

    Source: Chatterjee, Samuelson, Bargaining under incomplete information, 1983; Wilson, 1985.

    Raises
    ------
    InvalidMechanismError
        If k is outside [0, 1].
    """
    if not 0 <= k <= 1:
        raise InvalidMechanismError(f"k is {k}; expected a weight from 0 (the ask) to 1 (the bid)")
    return DoubleAuction("k-double-auction", partial(_clear, k), agents)


def _clear(k: float, book: Book) -> tuple[Integers, Floats, Floats]:
    q = book.trades
    price = k * book.bid(q - 1) + (1 - k) * book.ask(q - 1)
    return q, price, price
