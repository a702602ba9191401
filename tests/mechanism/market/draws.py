"""Random markets, and what they are worth by brute force over all sets."""

import itertools

import numpy as np

from mechanism import Market, Types
from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import market_mechanism
from tests.mechanism import oracle


def markets(seed: int, count: int, m: int, *, lam: float = 0.3) -> tuple[Types, Market]:
    """Markets of the default domain, ``count`` of them, differences up to 1."""
    rng = np.random.default_rng(seed)
    types = Types(rng.uniform(50, 1000, (count, m)), rng.uniform(0, 3, (count, m)), rng.uniform(0, 2e4, (count, m)))
    d = rng.uniform(0, 1, (count, m, m))
    d[:, np.arange(m), np.arange(m)] = 0
    return types, Market(d if lam else None, lam)


def profiles(seed: int, direct: MarketDirect, count: int, *, penalties: bool = True) -> np.ndarray:
    """Profiles drawn uniformly within the mechanism's bounds."""
    space = direct.space
    drawn = np.random.default_rng(seed).uniform(space.low, space.high, (count, *space.low.shape))
    if not penalties:
        drawn[..., 3:] = 0.0
    return drawn


def direct(name: str, agents: int = 4) -> MarketDirect:
    """A mechanism of the catalogue with its default domain."""
    return MarketDirect(market_mechanism(name), agents)


def one(size, cost, gain, pens=None) -> np.ndarray:
    """One profile ``[1, m, 3 + m]``."""
    m = len(size)
    rows = np.zeros((1, m, 3 + m))
    rows[0, :, 0], rows[0, :, 1], rows[0, :, 2] = size, cost, gain
    if pens is not None:
        rows[0, :, 3:] = pens
    return rows


def single(types: Types, market: Market, b: int | slice) -> tuple[Types, Market]:
    """Market b of a batch, on its own, or some of them."""
    d = market.differences
    return Types(types.size[b], types.cost[b], types.gain[b]), Market(None if d is None else d[b], market.lam)


def burden(types: Types, market: Market) -> np.ndarray:
    """w_ij of one market from the formula, with Python loops."""
    m = types.clients
    d = np.zeros((m, m)) if market.differences is None else market.differences
    return np.array(
        [
            [types.cost[j] + market.lam * d[i, j] * types.size[j] / types.size[i] for j in range(m)]
            for i in range(m)
        ]
    )  # fmt: skip


def best(types: Types, market: Market, i: int, without: tuple[int, ...] = ()) -> float:
    """W_i of the sellers except ``without``, over all sets."""
    pool = [j for j in range(types.clients) if j != i and j not in without]
    return oracle.best_value(types.gain[i], types.size[i], types.size, burden(types, market)[i], pool)


def subsets(items):
    """All subsets of some items."""
    items = list(items)
    return itertools.chain.from_iterable(itertools.combinations(items, r) for r in range(len(items) + 1))
