"""Random markets with effective sizes, and the lies that are looked for in them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mechanism import Market, Types
from mechanism.market.accounting import account
from mechanism.market.clients import LARGEST, SMALLEST_SIZE
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import settled
from proofs_checks.search.random_markets import random_markets

_SHARES = (0.1, 0.25, 0.5, 0.9, 0.99, 1.0, 1.01, 1.1, 2.0, 4.0, 10.0)
"""What is said of a number, as a multiple of the truth."""


def effective_markets(kind: str, rng: np.random.Generator, count: int, clients: int) -> tuple[Types, Market]:
    """Draw markets of a kind of `random_markets`, with effective sizes ``[B, m, m]`` in four patterns in turn.

    Sizes as they are; each pair's own share of the size, from 0 to 1.5; the same, half of them nothing; two groups that
    bring each other nothing, and within a group 1, 1/2 or 1/4 of the size (ties).
    """
    types, market = random_markets(kind, rng, count, clients)
    shape = (count, clients, clients)
    free = rng.uniform(0.0, 1.5, shape)
    group = rng.integers(0, 2, (count, clients))
    within = np.where(group[:, :, None] == group[:, None, :], 2.0 ** -rng.integers(0, 3, shape), 0.0)
    share = np.choose(
        (np.arange(count) % 4)[:, None, None],
        [
            np.ones(shape),
            free,
            free * (rng.random(shape) > 0.5),
            within,
        ],
    )
    e = share * types.size[:, None, :]
    return types, Market(market.differences, market.lam, market.law, e)


def largest_lie(
    mechanism: Clearing,
    types: Types,
    market: Market,
    coordinates: Iterable[str],
    rng: np.random.Generator,
    lies: int,
    who: NDArray[np.bool_] | None = None,
) -> tuple[float, float]:
    """Return the most that a client gains by lying about these numbers at once, and the most that it is moved, money.

    The others are truthful. Each client of each market ``[B, m]`` tells ``lies`` lies: each number a multiple of the
    truth, another client's number, or 0 (the smallest for a size). ``who`` ``[B, m]``: whose lies count (default: all).
    """
    count, m = types.size.shape
    truth = account(types, settled(mechanism, mechanism.clear(types.truthful(), market), types), market).utility
    rows = np.arange(count)
    best = moved = 0.0
    for j in range(m):
        for _ in range(lies):
            told = {}
            for name in coordinates:
                array = np.array(getattr(types, name))
                multiple = array[:, j] * rng.choice(_SHARES, count)
                others = array[rows, rng.integers(0, m, count)]
                said = np.choose(rng.integers(0, 8, count), [others, others, 0.0 * others, *[multiple] * 5])
                array[:, j] = np.clip(said, SMALLEST_SIZE if name == "size" else 0.0, LARGEST)
                told[name] = array
            outcome = settled(mechanism, mechanism.clear(types.report(**told), market), types)
            change = account(types, outcome, market).utility[:, j] - truth[:, j]
            change = change if who is None else change[who[:, j]]
            best = max(best, float(change.max(initial=0.0)))
            moved = max(moved, float(np.abs(change).max(initial=0.0)))
    return best, moved
