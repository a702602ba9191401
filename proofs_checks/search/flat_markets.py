"""Markets of any batch axes as one row of markets, and how many of them are cleared at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism import Market, Types
from mechanism.market.gains import GainLaw

Array = NDArray[np.float64]

BYTES: int = 1 << 28
"""Memory for one batch of clearings, bytes."""


def rules(mechanism: object) -> tuple[str, str]:
    """Return the ids of a mechanism's allocation and payment rule, empty where it does not name them."""
    return str(getattr(mechanism, "allocation", "")), str(getattr(mechanism, "payment", ""))


def chunk_rows(clients: int) -> int:
    """Return how many clearings of this many clients fit into `BYTES` (outputs and intermediates, eight matrices)."""
    return max(1, BYTES // (64 * clients * clients))


@dataclass(frozen=True, eq=False)
class FlatMarkets:
    """A batch of markets with one batch axis: F markets of m clients.

    ``size cost gain`` float64 ``[F, m]`` (true types), ``differences`` ``[F or 1, m, m]`` or None, ``batch`` the axes
    that were flattened.
    """

    size: Array
    cost: Array
    gain: Array
    differences: Array | None
    lam: float
    law: GainLaw
    batch: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of markets F."""
        return int(self.size.shape[0])

    @property
    def clients(self) -> int:
        """Number of clients m."""
        return int(self.size.shape[1])

    def types(self, rows: NDArray[np.intp] | slice) -> Types:
        """Return the true types of some markets, ``[len(rows), m]``."""
        return Types(self.size[rows], self.cost[rows], self.gain[rows])

    def market(self, rows: NDArray[np.intp] | slice) -> Market:
        """Return the public data of some markets."""
        if self.differences is None or len(self.differences) == 1:
            return Market(None if self.differences is None else self.differences[0], self.lam, self.law)
        return Market(self.differences[rows], self.lam, self.law)


def flatten(types: Types, market: Market) -> FlatMarkets:
    """Return the markets with their leading axes broadcast and flattened to one."""
    m = types.clients
    d = market.differences
    batch = np.broadcast_shapes(types.batch, market.batch)
    count = int(np.prod(batch, dtype=np.int64))
    size, cost, gain = (np.broadcast_to(a, (*batch, m)).reshape(count, m) for a in (types.size, types.cost, types.gain))
    if d is not None:
        shared = int(np.prod(d.shape[:-2], dtype=np.int64)) == 1
        d = d.reshape(1, m, m) if shared else np.broadcast_to(d, (*batch, m, m)).reshape(count, m, m)
    return FlatMarkets(size, cost, gain, d, market.lam, market.law, batch)
