"""The steps of the argument about the reference rule (the prefix lemma, the order, equal sizes), each by itself."""

from __future__ import annotations

import numpy as np

from mechanism.market import market_mechanism, objective, optimal_objective, thresholds, total_data
from mechanism.tolerance import MONEY
from proofs_checks.claims.claim import Claim, ClaimVerdict, Context
from proofs_checks.claims.sweeps import Array, Batch, searched, sweep

_ROUND = 1e-9


def _above_size(context: Context) -> ClaimVerdict:
    def measure(batch: Batch) -> Array:
        types, market = batch
        x = thresholds(types.truthful(), market)
        others = ~np.eye(types.clients, dtype=np.bool_) & (types.gain[..., :, None] > 0)
        return np.where(others, (types.size[..., None, :] - x) / types.size[..., None, :], -np.inf)

    seen = sweep(context, "above-size", measure)
    return searched(seen, -1e-15, "relative excess of n_j over x_j")


def _last(context: Context) -> ClaimVerdict:
    def measure(batch: Batch) -> Array:
        types, market = batch
        x = thresholds(types.truthful(), market)
        taken = market_mechanism("ipfl").clear(types.truthful(), market).imports
        held = total_data(types.size, taken)
        return np.where(taken, held[..., :, None] / np.where(taken, x, 1.0) - 1.0, -np.inf)

    return searched(sweep(context, "last", measure), 0.0, "relative excess of the final total data over x_j")


def _raised(name: str, context: Context) -> ClaimVerdict:
    """Raise one client's cost at random and look at its thresholds, its predecessors or its prices."""
    rng = context.rng(f"raised {name}")

    def measure(batch: Batch) -> Array:
        types, market = batch
        rows, m = np.arange(types.batch[0]), types.clients
        agent = rng.integers(0, m, len(rows))
        cost = types.cost.copy()
        cost[rows, agent] = cost[rows, agent] * rng.choice((1.0, 1.01, 1.3, 2.0), len(rows)) + rng.exponential(0.2)
        low, high = types.truthful(), types.report(cost=cost)
        x, y = thresholds(low, market), thresholds(high, market)
        rule = market_mechanism("ipfl")
        before, after = rule.clear(low, market), rule.clear(high, market)
        own = rows, slice(None), agent
        if name == "threshold":
            finite = np.isfinite(x[own])
            return np.where(
                finite, np.where(finite, y[own], 1.0) / np.where(finite & (x[own] > 0), x[own], 1.0) - 1.0, -np.inf
            )
        if name == "sales":
            return np.asarray(after.imports[own] & ~before.imports[own], dtype=np.float64)
        both = before.imports[own] & after.imports[own]
        return np.where(both, after.prices[own] - before.prices[own], -np.inf)

    what = {
        "threshold": "relative rise of x_j", "sales": "sales that a dearer report adds", "price": "rise of the price",
    }[name]  # fmt: skip
    return searched(sweep(context, f"raised {name}", measure), _ROUND, what)


def _equal_sizes(context: Context) -> ClaimVerdict:
    def measure(batch: Batch) -> Array:
        types, market = batch
        best = optimal_objective(types.truthful(), market)[0]
        got = objective(types, market_mechanism("ipfl").clear(types.truthful(), market).imports, market)
        return np.asarray((best - got) / np.maximum(1.0, best))

    seen = sweep(context, "equal", measure, kinds=("equal-sizes", "ties", "paper_shared"))
    return searched(seen, MONEY, "relative loss of the rule", "random markets of equal sizes, against exact selection")


def _welfare(context: Context) -> ClaimVerdict:
    def measure(batch: Batch) -> Array:
        types, market = batch
        taken = market_mechanism("ipfl-exact").clear(types.truthful(), market).imports
        gain = market.law.value(types.gain, types.size, total_data(types.size, taken)).sum(axis=-1)
        welfare = gain - (taken * types.cost[..., None, :]).sum(axis=(-1, -2))
        penalties = (taken * market.penalties(types.size)).sum(axis=(-1, -2))
        return np.asarray(np.abs(objective(types, taken, market) - (welfare - penalties)) / np.maximum(1.0, welfare))

    return searched(sweep(context, "identity", measure), MONEY, "relative distance of V_lambda from SW less penalties")


_1, _2, _3 = (f"theory, the authors' rule, {n}" for n in range(1, 4))

CLAIMS = (
    Claim("objective-identity", "theory, notation", "V_lambda = SW less the penalties of the imports.", True, _welfare),
    Claim("rule-last-threshold", _1, "Every accepted threshold exceeds the final total data N.", True, _last),
    Claim("prefix-threshold", _2, "Raising w_j lowers x_j.", True, lambda c: _raised("threshold", c)),
    Claim("prefix-sales", _2, "A seller that raises its cost sells to nobody to whom it did not sell.", True,
          lambda c: _raised("sales", c)),
    Claim("prefix-price", _2, "Taken both times, a seller that raises its cost is paid no more.", True,
          lambda c: _raised("price", c)),
    Claim("rule-above-size", _3, "x_j > n_j always: a big seller's threshold is above its size.", True, _above_size),
    Claim("rule-equal-sizes", _3, "With equal sizes the greedy set is optimal.", True, _equal_sizes),
)  # fmt: skip
"""Lemmas of the reference rule."""
