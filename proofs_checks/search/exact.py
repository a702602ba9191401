"""Exact best responses where a rule's break points are known: cost in the market's mechanisms."""

from __future__ import annotations

import numpy as np

from mechanism.direct import DirectMechanism
from mechanism.market.direct import MarketDirect
from proofs_checks.properties.property import Probe, Property, Rng
from proofs_checks.properties.truthful import Truthful
from proofs_checks.search import sampling
from proofs_checks.search.cases import deviating
from proofs_checks.search.lies import best_cost_lies

_EVERY = 4
_ROWS_PER_CLIENT = 64


def exact_probe(mechanism: DirectMechanism, prop: Property, rng: Rng, count: int, turn: int) -> Probe | None:
    """Return the best cost lie over a batch of markets, every fourth turn, or None where that is not the question.

    Others are truthful; each client's every break point is tried, so that no report of its cost is better.
    """
    if turn % _EVERY != 2 or type(mechanism) is not MarketDirect or mechanism.interdependent:
        return None
    if not (isinstance(prop, Truthful) and prop.coordinate == "cost"):
        return None
    space = mechanism.space
    way = ("uniform", "lattice", "ties", "corners", "boxes")[turn // _EVERY % 5]
    profiles = sampling.PROFILES[way](space, rng, max(4, count // (_ROWS_PER_CLIENT * space.agents)))
    lies = best_cost_lies(mechanism.mechanism, mechanism.types(profiles), mechanism.market(profiles))
    if not lies.exact:
        return None
    at, agent = lies.best()
    cost = space.index("cost")
    report = min(float(lies.report[at, agent]), float(space.high[agent, cost]))  # reports above the bound sell no more
    case = deviating(profiles[[at]], np.array([agent]), cost, np.array([report]))
    return Probe(case, float(prop.violation(mechanism, case).max()), lies.deviations, len(profiles))
