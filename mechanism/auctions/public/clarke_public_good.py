"""Clarke's pivotal mechanism for a public good."""

import numpy as np

from mechanism.auctions.public.cost_sharing import CostSharing, all_served
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, TRUTHFUL, CatalogueEntry, truths


def clarke_public_good(agents: int = 3, cost: float | None = None) -> CostSharing:
    """Build a public good if it is worth its cost; who tips the decision pays what the others lose by it.

    Cost C is shared equally if it is built. Default C = n/2: the average agent is indifferent.

    1. Net values w_i = v_i - C/n, S = Σ w_i. Build if S >= 0 (a tie builds); it serves everybody.
    2. S_-i = S - w_i. Agent i is pivotal if the others alone would decide otherwise.
    3. If built, everyone pays its share C/n. A pivotal agent pays the tax |S_-i| on top, built or not.

    Truthful and efficient. Taxes are a surplus that nobody may get back; an agent with a low value loses when the good
    is built, and two agents that overstate together save each other's tax.

    >>> import numpy as np
    >>> mechanism = clarke_public_good(2, cost=1.0)
    >>> outcome = mechanism.outcome(np.array([[[0.9], [0.2]]]))
    >>> outcome.allocation.tolist(), mechanism.payments(outcome).round(9).tolist()
    ([[1.0, 1.0]], [[0.3, 0.0]])

    Source: Clarke, Multipart pricing of public goods, 1971; Green, Laffont, 1979; Mas-Colell, Whinston, Green, 23.C.
    """
    return CostSharing("clarke-public-good", _serve, all_served, agents, agents / 2 if cost is None else cost)


def _serve(values: Floats, cost: float) -> tuple[Floats, Floats]:
    share = cost / values.shape[-1]
    net = values - share
    total = net.sum(axis=-1, keepdims=True)
    others = total - net
    built = np.broadcast_to(total >= 0, values.shape)
    pivotal = built != (others >= 0)
    return built, share * built + np.where(pivotal, np.abs(others), 0.0)


ENTRY = CatalogueEntry(
    "clarke-public-good", "pivotal mechanism for a public good", "Clarke 1971",
    "a project that costs half a unit per agent, shared equally; a private value in [0, 1] per agent",
    truths(
        ir="no (who does not want it pays its share)", interim_ir="no", **TRUTHFUL, budget_balance="no (taxes)",
        weak_budget_balance="yes", efficiency="yes", **MONOTONE, anonymity="yes",
        non_bossiness="no (a report moves others' taxes)", group_dsic="no (overstating together)",
    ),
    clarke_public_good,
)  # fmt: skip
