"""A small random search, independent of the verification package, for what a mechanism breaks.

Every check returns a number: the largest violation found, 0 or less if none.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Rng = np.random.Generator
SURE = 5.0  # standard errors that a claim about an expectation must clear


def profiles(mechanism: Any, count: int, rng: Rng, *, ties: bool = False) -> np.ndarray:
    """Draw ``[count, agents, k]``; with ``ties`` the numbers lie on a grid of twelfths, so that many are equal."""
    space = mechanism.space
    low, high = space.low, space.high
    drawn = rng.uniform(low, high, (count, *low.shape))
    return (
        low + (high - low) * np.round(12 * (drawn - low) / np.where(high > low, high - low, 1)) / 12 if ties else drawn
    )


def lies(mechanism: Any, types: np.ndarray, liars: np.ndarray, rng: Rng, *, ties: bool = False) -> np.ndarray:
    """Redraw the private numbers of the liars (bool ``[count, agents]``)."""
    redrawn = profiles(mechanism, len(types), rng, ties=ties)
    return np.where(liars[..., None] & mechanism.space.private, redrawn, types)


def one_each(count: int, agents: int, rng: Rng) -> np.ndarray:
    """One random agent per row, bool ``[count, agents]``."""
    return rng.integers(agents, size=count)[:, None] == np.arange(agents)


def worst_utility(mechanism: Any, count: int, rng: Rng, part: str | None = None) -> float:
    types = _mixed(mechanism, count, rng)
    outcome = mechanism.outcome(types)
    utility = mechanism.parts(types, outcome)[part] if part else mechanism.utility(types, outcome)
    return float(-utility.min())


def best_lie(mechanism: Any, count: int, rng: Rng) -> float:
    gains = []
    for ties in (False, True):
        types = profiles(mechanism, count, rng, ties=ties)
        liar = one_each(count, mechanism.space.agents, rng)
        reports = lies(mechanism, types, liar, rng, ties=ties)
        lying = mechanism.utility(types, mechanism.outcome(reports))
        gains.append((lying - mechanism.utility(types, mechanism.outcome(types)))[liar].max())
    return float(max(gains))


def best_coalition(mechanism: Any, count: int, rng: Rng) -> float:
    best = 0.0
    for ties in (False, True):
        types = profiles(mechanism, count, rng, ties=ties)
        liars = rng.random(types.shape[:2]) < 0.6
        reports = lies(mechanism, types, liars, rng, ties=ties)
        gain = mechanism.utility(types, mechanism.outcome(reports)) - mechanism.utility(types, mechanism.outcome(types))
        lowest = np.where(liars, gain, np.inf).min(axis=-1)
        highest = np.where(liars, gain, -np.inf).max(axis=-1)
        best = max(best, float(np.where(lowest >= -1e-12, highest, 0.0).max()))
    return best


def imbalance(mechanism: Any, count: int, rng: Rng) -> float:
    paid = mechanism.payments(mechanism.outcome(_mixed(mechanism, count, rng))).sum(axis=-1)
    return float(np.abs(paid).max())


def deficit(mechanism: Any, count: int, rng: Rng) -> float:
    return float(-mechanism.payments(mechanism.outcome(_mixed(mechanism, count, rng))).sum(axis=-1).min())


def welfare_lost(mechanism: Any, count: int, rng: Rng) -> float:
    types = _mixed(mechanism, count, rng)
    lost = mechanism.optimal_welfare(types) - mechanism.welfare(types, mechanism.outcome(types))
    assert lost.min() > -1e-9, "an optimum below what the mechanism reached is no optimum"
    return float(lost.max())


def fall_in_allocation(mechanism: Any, count: int, rng: Rng) -> float:
    assert mechanism.role == "buyer"
    own = mechanism.space.index(mechanism.own)
    low = _mixed(mechanism, count, rng)
    agent = one_each(count, mechanism.space.agents, rng)
    high = low.copy()
    top = np.broadcast_to(mechanism.space.high[..., own], agent.shape)[agent]
    high[agent, own] += rng.random(count) * (top - low[agent, own])
    change = mechanism.allocation(mechanism.outcome(low)) - mechanism.allocation(mechanism.outcome(high))
    return float(change[agent].max())


def worst_cycle(mechanism: Any, count: int, rng: Rng, length: int = 3) -> float:
    """Rochet: Σ_k v(t_k, x(t_k)) - v(t_k, x(t_k+1)) >= 0 around every cycle of one agent's types."""
    agent = one_each(count, mechanism.space.agents, rng)
    base = _mixed(mechanism, count, rng)
    types = [lies(mechanism, base, agent, rng) for _ in range(length)]
    outcomes = [mechanism.outcome(t) for t in types]
    total = np.zeros(agent.shape)
    for k, t in enumerate(types):
        for sign, outcome in ((1, outcomes[k]), (-1, outcomes[(k + 1) % length])):
            total += sign * (mechanism.utility(t, outcome) + mechanism.payments(outcome))
    return float(-total[agent].min())


def partiality(mechanism: Any, count: int, rng: Rng) -> float:
    types = profiles(mechanism, count, rng)
    order = rng.permuted(np.tile(np.arange(mechanism.space.agents), (count, 1)), axis=1)
    moved = np.take_along_axis(types, order[..., None], axis=1)
    before = mechanism.utility(types, mechanism.outcome(types))
    after = mechanism.utility(moved, mechanism.outcome(moved))
    return float(np.abs(after - np.take_along_axis(before, order, axis=1)).max())


def bossiness(mechanism: Any, count: int, rng: Rng) -> float:
    worst = 0.0
    for ties in (False, True):
        types = profiles(mechanism, count, rng, ties=ties)
        agent = one_each(count, mechanism.space.agents, rng)
        reports = lies(mechanism, types, agent, rng, ties=ties)
        before, after = (mechanism.consequences(mechanism.outcome(r)) for r in (types, reports))
        change = np.abs(after - before).max(axis=-1)
        worst = max(worst, float(np.where(change[agent] <= 1e-12, change.max(axis=-1), 0.0).max()))
    return worst


def expected_loss(mechanism: Any, count: int, rng: Rng) -> float:
    """How far the lowest expected utility of a type lies below 0, beyond sampling error."""
    worst = -np.inf
    for agent in range(mechanism.space.agents):
        for own in profiles(mechanism, 10, rng)[:, agent]:
            types = profiles(mechanism, count, rng)
            types[:, agent] = own
            worst = max(worst, _beyond(-mechanism.utility(types, mechanism.outcome(types))[:, agent]))
    return float(worst)


def expected_gain(mechanism: Any, count: int, rng: Rng) -> float:
    """The best expected gain of a lie when the others are truthful, beyond sampling error."""
    best = -np.inf
    for agent in range(mechanism.space.agents):
        for own, said in profiles(mechanism, 24, rng)[:, agent].reshape(12, 2, -1):
            types = profiles(mechanism, count, rng)
            types[:, agent] = own
            reports = types.copy()
            reports[:, agent] = np.where(mechanism.space.private[agent], said, own)
            truthful = mechanism.utility(types, mechanism.outcome(types))[:, agent]
            best = max(best, _beyond(mechanism.utility(types, mechanism.outcome(reports))[:, agent] - truthful))
    return float(best)


def _beyond(sample: np.ndarray) -> float:
    rare = 3 * max(1.0, np.ptp(sample)) / sample.size  # Bernstein's second term: what is rare may not have been seen
    return float(sample.mean() - SURE * sample.std(ddof=1) / np.sqrt(sample.size) - rare)


def _mixed(mechanism: Any, count: int, rng: Rng) -> np.ndarray:
    parts = [profiles(mechanism, count - count // 2, rng), profiles(mechanism, count // 2, rng, ties=True)]
    return np.concatenate(parts)


CHECKS: dict[str, Callable[[Any, int, Rng], float]] = {
    "ir": worst_utility,
    "ir-buyer": lambda mechanism, count, rng: worst_utility(mechanism, count, rng, "buyer"),
    "ir-seller": lambda mechanism, count, rng: worst_utility(mechanism, count, rng, "seller"),
    "interim-ir": lambda mechanism, count, rng: expected_loss(mechanism, count // 4, rng),
    "dsic": best_lie,
    "dsic-cost": best_lie,  # of those whose one private number is a cost
    "expost-cost": best_lie,
    "bic": lambda mechanism, count, rng: expected_gain(mechanism, count // 4, rng),
    "budget-balance": imbalance,
    "weak-budget-balance": deficit,
    "efficiency": welfare_lost,
    "monotonicity": fall_in_allocation,
    "cyclic-monotonicity": worst_cycle,
    "anonymity": partiality,
    "non-bossiness": bossiness,
    "group-dsic": best_coalition,
}
