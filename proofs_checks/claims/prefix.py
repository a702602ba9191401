"""The steps of the argument about the reference rule (the prefix lemma, the order, equal sizes), each by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import Outcome, objective, total_data
from mechanism.market.allocation.selection import optimal_objective, thresholds
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.mechanisms import market_mechanism
from mechanism.tolerance import MONEY
from proofs_checks.claims.claim import Claim
from proofs_checks.claims.sweeps import Array, swept
from proofs_checks.properties.property import Rng

_ROUND = 1e-9

Own = tuple[NDArray[np.intp], slice, NDArray[np.intp]]


@swept("above-size", -1e-15, "relative excess of n_j over x_j")
def _above_size(types: Types, market: Market, rng: Rng) -> Array:
    x = thresholds(types.truthful(), market)
    others = ~np.eye(types.clients, dtype=np.bool_) & (types.gain[..., :, None] > 0)
    return np.where(others, (types.size[..., None, :] - x) / types.size[..., None, :], -np.inf)


@swept("last", 0.0, "relative excess of the final total data over x_j")
def _last(types: Types, market: Market, rng: Rng) -> Array:
    x = thresholds(types.truthful(), market)
    taken = market_mechanism("ipfl").clear(types.truthful(), market).imports
    held = total_data(types.size, taken)
    return np.where(taken, held[..., :, None] / np.where(taken, x, 1.0) - 1.0, -np.inf)


def _raised(types: Types, rng: Rng) -> tuple[Reports, Own]:
    """Raise one client's cost at random in each market; return the reports and where its column is, ``[B, m]``."""
    rows = np.arange(types.batch[0])
    agent = rng.integers(0, types.clients, len(rows))
    cost = types.cost.copy()
    cost[rows, agent] = cost[rows, agent] * rng.choice((1.0, 1.01, 1.3, 2.0), len(rows)) + rng.exponential(0.2)
    return types.report(cost=cost), (rows, slice(None), agent)


@swept("raised threshold", _ROUND, "relative rise of x_j")
def _raised_threshold(types: Types, market: Market, rng: Rng) -> Array:
    dearer, own = _raised(types, rng)
    x, y = (thresholds(reports, market)[own] for reports in (types.truthful(), dearer))
    finite = np.isfinite(x)
    return np.where(finite, np.where(finite, y, 1.0) / np.where(finite & (x > 0), x, 1.0) - 1.0, -np.inf)


def _both(types: Types, market: Market, rng: Rng) -> tuple[Outcome, Outcome, Own]:
    """Return the outcomes before and after one client of each market raises its cost, and where its column is."""
    dearer, own = _raised(types, rng)
    rule = market_mechanism("ipfl")
    return rule.clear(types.truthful(), market), rule.clear(dearer, market), own


@swept("raised sales", _ROUND, "sales that a dearer report adds")
def _raised_sales(types: Types, market: Market, rng: Rng) -> Array:
    before, after, own = _both(types, market, rng)
    return np.asarray(after.imports[own] & ~before.imports[own], dtype=np.float64)


@swept("raised price", _ROUND, "rise of the price")
def _raised_price(types: Types, market: Market, rng: Rng) -> Array:
    before, after, own = _both(types, market, rng)
    taken = before.imports[own] & after.imports[own]
    return np.where(taken, after.prices[own] - before.prices[own], -np.inf)


@swept(
    "equal", MONEY, "relative loss of the rule", "random markets of equal sizes, against exact selection",
    kinds=("equal-sizes", "ties", "paper_shared"),
)  # fmt: skip
def _equal_sizes(types: Types, market: Market, rng: Rng) -> Array:
    best = optimal_objective(types.truthful(), market)[0]
    got = objective(types, market_mechanism("ipfl").clear(types.truthful(), market).imports, market)
    return np.asarray((best - got) / np.maximum(1.0, best))


@swept("identity", MONEY, "relative distance of V_lambda from SW less penalties")
def _welfare(types: Types, market: Market, rng: Rng) -> Array:
    taken = market_mechanism("ipfl-exact").clear(types.truthful(), market).imports
    gain = market.law.value(types.gain, types.size, total_data(types.size, taken)).sum(axis=-1)
    welfare = gain - (taken * types.cost[..., None, :]).sum(axis=(-1, -2))
    penalties = (taken * market.penalties(types.size)).sum(axis=(-1, -2))
    return np.asarray(np.abs(objective(types, taken, market) - (welfare - penalties)) / np.maximum(1.0, welfare))


_1, _2, _3 = (f"theory, the authors' rule, {n}" for n in range(1, 4))

CLAIMS = (
    Claim("objective-identity", "theory, notation", "V_lambda = SW less the penalties of the imports.", True, _welfare),
    Claim("rule-last-threshold", _1, "Every accepted threshold exceeds the final total data N.", True, _last),
    Claim("prefix-threshold", _2, "Raising w_j lowers x_j.", True, _raised_threshold),
    Claim("prefix-sales", _2, "A seller that raises its cost sells to nobody to whom it did not sell.", True,
          _raised_sales),
    Claim("prefix-price", _2, "Taken both times, a seller that raises its cost is paid no more.", True,
          _raised_price),
    Claim("rule-above-size", _3, "x_j > n_j always: a big seller's threshold is above its size.", True, _above_size),
    Claim("rule-equal-sizes", _3, "With equal sizes the greedy set is optimal.", True, _equal_sizes),
)  # fmt: skip
"""Lemmas of the reference rule."""
