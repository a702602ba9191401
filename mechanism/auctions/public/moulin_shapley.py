"""The Moulin–Shapley mechanism: equal shares of one fixed cost."""

import numpy as np

from mechanism.auctions.public.cost_sharing import CostSharing, all_served
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, TRUTHFUL, VOLUNTARY, CatalogueEntry, truths


def moulin_shapley(agents: int = 3, cost: float = 1.0) -> CostSharing:
    """Serve the largest set whose members all accept an equal share of the cost.

    1. Start with S = all agents.
    2. Drop every agent with v_i < C/|S| (an agent that is indifferent stays); repeat until nobody leaves.
    3. Each i in S is served and pays C/|S|; the others neither get nor pay anything.

    The equal share is the Shapley value of the fixed cost and rises when agents leave (cross-monotonic): truthful, even
    for coalitions, and the cost is covered exactly. Not efficient: a project worth more than C may not be built.

    >>> import numpy as np
    >>> mechanism = moulin_shapley(3)
    >>> outcome = mechanism.outcome(np.array([[[0.9], [0.6], [0.3]]]))
    >>> outcome.allocation.tolist(), outcome.price.tolist()
    ([[1.0, 1.0, 0.0]], [[0.5, 0.5, 0.0]])

    Source: Moulin, Incremental cost sharing, 1999; Moulin, Shenker, Strategyproof sharing of submodular costs, 2001.
    """
    return CostSharing("moulin-shapley", _serve, all_served, agents, cost)


def _serve(values: Floats, cost: float) -> tuple[Floats, Floats]:
    served = np.ones(values.shape, dtype=bool)
    price = np.zeros((*values.shape[:-1], 1))
    for _ in range(values.shape[-1] + 1):  # each pass drops somebody or is the last
        price = cost / np.maximum(served.sum(axis=-1, keepdims=True), 1)
        served = served & (values >= price)
    return served, served * price


ENTRY = CatalogueEntry(
    "moulin-shapley", "equal shares of a fixed cost", "Moulin 1999, Moulin, Shenker 2001",
    "a service of fixed cost 1, to whom it serves shared equally; a private value in [0, 1] per agent",
    truths(
        **VOLUNTARY, **TRUTHFUL, budget_balance="yes (the cost is covered)", weak_budget_balance="yes",
        efficiency="no", **MONOTONE, anonymity="yes",
        group_dsic="yes",  # cross-monotonic shares, the indifferent are served
        non_bossiness="yes",  # the largest set that accepts does not move while i is in it, or out of it
    ),
    moulin_shapley,
)  # fmt: skip
