"""Shares of random markets, by the name of their distribution: who lies, what the optimum is missed by.

And the best *overstatement* of a cost: the exact best response, reports below the truth made the truth.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mechanism.market.accounting import MONEY, Outcome, objective
from mechanism.market.allocation.selection import optimal_objective
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import Clearing
from proofs_checks.claims.claim import COMPUTED, ClaimVerdict, Context
from proofs_checks.claims.examples import catalogue
from proofs_checks.claims.sweeps import Batch, Floats, searched, sweep
from proofs_checks.evidence.statistics import share_interval
from proofs_checks.evidence.verdict import Grade
from proofs_checks.properties.property import Rng
from proofs_checks.search import sampling
from proofs_checks.search.lies import best_reports
from proofs_checks.search.lines import Lines, utility_table
from proofs_checks.search.random_markets import KINDS, random_markets

CLIENTS = (3, 4, 5)
_MARKETS = 100
_PROFILES, _LEVELS = 200, 24

Table = dict[str, dict[str, float]]


def _by_kind(context: Context, name: str, measure: Any) -> Table:
    """Measure `_MARKETS` markets of every kind and every number of clients; keys "kind, m clients"."""
    found = {}
    for kind in KINDS:
        for m in CLIENTS:
            rng = context.rng(f"{name} {kind} {m}")
            found[f"{kind}, {m} clients"] = measure(random_markets(kind, rng, _MARKETS, m))
    return found


def _range(table: Table, key: str) -> tuple[float, float, str, str]:
    low, high = min(table, key=lambda k: table[k][key]), max(table, key=lambda k: table[k][key])
    return table[low][key], table[high][key], low, high


def _told(table: Table, key: str, low: float, high: float, what: str) -> ClaimVerdict:
    """Return the verdict that a share is between ``low`` and ``high`` whatever the distribution, in words.

    It fails where a confidence interval (99 %) of one distribution lies outside.
    """
    outside = {k: v for k, v in table.items() if not (v["low"] <= high and v["high"] >= low)}
    smallest, largest, first, last = _range(table, key)
    words = f"{what}: from {smallest:.2f} ({first}) to {largest:.2f} ({last}); name the distribution"
    evidence = {"method": f"{_MARKETS} markets of each distribution", "by_distribution": table}
    if not outside:
        return ClaimVerdict(True, Grade.SEARCHED, evidence, None, words)
    worst = max(outside, key=lambda k: max(low - outside[k][key], outside[k][key] - high))
    return ClaimVerdict(False, Grade.REFUTED, evidence, {"distribution": worst, **outside[worst]}, words)


def _share(found: int, count: int) -> dict[str, float]:
    low, high = share_interval(found, count, 0.99)
    return {"share": found / count, "low": low, "high": high}


def _mean(values: Any) -> dict[str, float]:
    mean, error = float(np.mean(values)), 2.58 * float(np.std(values)) / len(values) ** 0.5
    return {"mean": mean, "low": mean - error, "high": mean + error, "worst": float(np.min(values))}


def lies_by_kind(context: Context) -> ClaimVerdict:
    """Whether between a seventh and a fifth of random markets of 3 to 5 clients hold a lie about a cost."""

    def measure(batch: Any) -> dict[str, float]:
        lies = best_reports(market_mechanism("ipfl"), *batch)
        scale = np.maximum(1.0, np.abs(lies.utility_lying))
        return _share(int((lies.gain > MONEY * scale).any(axis=-1).sum()), _MARKETS)

    table = _by_kind(context, "lies", measure)
    return _told(table, "share", 1 / 7, 1 / 5, "share of markets in which a false cost pays (exact best responses)")


def _optimal(batch: Any, mechanism: Clearing) -> tuple[Any, Any]:
    """Return which markets are cleared optimally, and the ratios to the optimum where it is positive."""
    types, market = batch
    best = optimal_objective(types.truthful(), market)[0]
    got = objective(types, mechanism.clear(types.truthful(), market).imports, market)
    return got >= best - MONEY * np.maximum(1.0, best), (got / np.where(best > MONEY, best, 1.0))[best > MONEY]


def optimal_by_kind(context: Context) -> ClaimVerdict:
    """Whether the reference rule is optimal in about 87 % of random markets."""

    def measure(batch: Any) -> dict[str, float]:
        return _share(int(_optimal(batch, market_mechanism("ipfl"))[0].sum()), _MARKETS)

    return _told(_by_kind(context, "optimal", measure), "share", 0.82, 0.92, "share of markets cleared optimally")


def ratio_by_kind(context: Context, mechanism: Clearing, low: float, high: float) -> ClaimVerdict:
    """Whether the mean ratio to the optimum lies between two numbers whatever the distribution."""
    table = _by_kind(context, "ratio", lambda batch: _mean(_optimal(batch, mechanism)[1]))
    return _told(table, "mean", low, high, "mean ratio of the objective to the optimum")


def worst_ratio(context: Context) -> ClaimVerdict:
    """Whether the worst ratio of the reference rule is 0."""
    table = _by_kind(context, "ratio", lambda batch: _mean(_optimal(batch, market_mechanism("ipfl"))[1]))
    worst = _range(table, "worst")
    evidence = {"method": f"{_MARKETS} markets of each distribution", "by_distribution": table}
    words = f"the worst ratio among {_MARKETS} markets of each distribution is {worst[0]:.3g} ({worst[2]})"
    return ClaimVerdict(worst[0] <= MONEY, COMPUTED, evidence, None, words)


def skipping_lifts(context: Context, skip: Clearing) -> ClaimVerdict:
    """Whether going on after a failure gives at least the mean ratio of stopping, in every distribution."""
    stop = _by_kind(context, "ratio", lambda batch: _mean(_optimal(batch, market_mechanism("ipfl"))[1]))
    on = _by_kind(context, "ratio", lambda batch: _mean(_optimal(batch, skip)[1]))
    lower = [k for k in on if on[k]["mean"] < stop[k]["mean"] - MONEY]
    lift = {k: {"stopping": stop[k]["mean"], "going on": on[k]["mean"]} for k in on}
    best = max(lift, key=lambda k: lift[k]["going on"] - lift[k]["stopping"])
    words = f"most in {best}: from {lift[best]['stopping']:.3f} to {lift[best]['going on']:.3f}"
    evidence = {"method": f"{_MARKETS} markets of each distribution, the same for both", "by_distribution": lift}
    if lower:
        return ClaimVerdict(False, Grade.REFUTED, evidence, {"distribution": lower[0], **lift[lower[0]]}, words)
    return ClaimVerdict(True, Grade.SEARCHED, evidence, None, words)


def lying_share(context: Context, coordinate: str) -> ClaimVerdict:
    """Whether a false ``coordinate`` pays in most random markets of four clients (the engine's default bounds)."""
    mechanism = catalogue("ipfl")
    rng = context.rng(f"share {coordinate}")
    profiles = sampling.uniform(mechanism.space, rng, _PROFILES)
    m = mechanism.agents
    repeated, agent = np.repeat(profiles, m, axis=0), np.tile(np.arange(m), _PROFILES)
    movable = np.array(mechanism.space.names) == coordinate
    own = repeated[np.arange(len(agent)), agent][:, None]
    half = _LEVELS // 2
    lies = [sampling.reports(mechanism.space, rng, repeated, agent, half, movable, way) for way in ("uniform", "ends")]
    lines = Lines(repeated, repeated, agent, np.concatenate([own, *lies], axis=1))
    table = utility_table(mechanism, lines, truths=1)[:, 0]
    gain = (table.max(axis=1) - table[:, 0]).reshape(_PROFILES, m)
    found = int((gain.max(axis=1) > MONEY * np.maximum(1.0, np.abs(table).max())).sum())
    share = _share(found, _PROFILES)
    evidence = {"method": f"{_PROFILES} uniform profiles of {m} clients, {2 * half} reports of each", **share}
    words = (
        f"at least {found} of {_PROFILES} random markets of {m} clients hold a false {coordinate} that pays "
        f"(99 % interval {share['low']:.2f} to {share['high']:.2f}; more reports could only find more)"
    )
    return ClaimVerdict(share["low"] > 0.5, Grade.SEARCHED, evidence, None, words)


@dataclass(frozen=True, eq=False)
class Floored:
    """A mechanism that hears no cost below the truth: under it the best lie is the best overstatement.

    ``truth`` ``[m]``: the costs, the same in every market of the batch, so that each report is held to its own.
    """

    inner: Clearing
    truth: Floats

    @property
    def id(self) -> str:
        """The mechanism's own."""
        return self.inner.id

    @property
    def allocation(self) -> str:
        """The mechanism's own: its break points are the same above the truth."""
        return self.inner.allocation

    @property
    def payment(self) -> str:
        """The mechanism's own."""
        return self.inner.payment

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Clear with every cost at least the true one."""
        return self.inner.clear(reports.replace(cost=np.maximum(reports.cost, self.truth)), market)


def overstating(mechanism: Clearing, context: Context, name: str) -> ClaimVerdict:
    """Say whether overstating a cost ever paid in random markets, by exact best responses where they are known."""
    exact: list[bool] = []
    tried = 0

    def same_costs(batch: Batch) -> Batch:
        types, market = batch
        return Types(types.size, np.broadcast_to(types.cost[0], types.cost.shape), types.gain), market

    def gains(types: Types, market: Market, rng: Rng) -> Floats:
        nonlocal tried
        lies = best_reports(Floored(mechanism, types.cost[0]), types, market)
        exact.append(lies.exact)
        tried += lies.deviations
        scale = np.maximum(1.0, np.maximum(np.abs(lies.utility_truthful), np.abs(lies.utility_lying)))
        return np.asarray(lies.gain / scale)

    seen = sweep(context, name, gains, prepare=same_costs)
    seen.tried = tried
    how = "exact best overstatement of every client" if all(exact) else "break points and a ladder of overstatements"
    return searched(seen, MONEY, "relative gain of the best overstatement", how)
