"""Something that costs money and serves agents: what the public good and cost sharing have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mechanism.direct import Floats, Space
from mechanism.errors import InvalidMechanismError


@dataclass(frozen=True, eq=False)
class Service:
    """Who is served (1 or 0), what each pays in all, ``[batch, agents]``; what the centre spends, ``[batch]``."""

    allocation: Floats
    price: Floats
    cost: Floats


Serving = Callable[[Floats, float], tuple[Floats, Floats]]


@dataclass(frozen=True, eq=False)
class CostSharing:
    """A project with one fixed cost; ``serving(values, cost)`` says whom it serves and what each pays.

    Private ``value`` in [0, 1] of being served; U_i = v_i · served_i - price_i. The centre spends ``cost`` if anybody
    is served. `payments` are prices less an equal part of that cost for everyone served: they sum to what the centre
    is left with, so balance means that the cost is covered exactly.
    ``feasible(values, cost)``: the best value of the project less its cost, ``[batch]``.
    """

    name: str
    serving: Serving
    feasible: Callable[[Floats, float], Floats]
    agents: int = 3
    cost: float = 1.0
    role: str = "buyer"
    own: str = "value"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.cost) and self.cost >= 0):
            raise InvalidMechanismError(f"the cost is {self.cost}; expected a finite number of at least 0")
        object.__setattr__(self, "space", Space(self.agents, ("value",), np.zeros(1), np.ones(1), called="user"))

    def outcome(self, reports: Floats) -> Service:
        """Answer ``[batch, agents, 1]``."""
        served, price = self.serving(reports[..., 0], self.cost)
        return Service(served.astype(float), price, np.where(served.any(axis=-1), self.cost, 0.0))

    def utility(self, types: Floats, outcome: Service) -> Floats:
        """Value if served, less the price ``[batch, agents]``."""
        return types[..., 0] * outcome.allocation - outcome.price

    def payments(self, outcome: Service) -> Floats:
        """Prices less the equal parts of the cost ``[batch, agents]``: they sum to what the centre keeps."""
        count = outcome.allocation.sum(axis=-1)
        part = np.divide(outcome.cost, count, out=np.zeros(count.shape), where=count > 0)
        return outcome.price - part[..., None] * outcome.allocation

    def allocation(self, outcome: Service) -> Floats:
        """1 where served, else 0 ``[batch, agents]``."""
        return outcome.allocation

    def consequences(self, outcome: Service) -> Floats:
        """Service and price of each agent ``[batch, agents, 2]``."""
        return np.stack([outcome.allocation, outcome.price], axis=-1)

    def welfare(self, types: Floats, outcome: Service) -> Floats:
        """Values served less the cost ``[batch]``."""
        return np.asarray((types[..., 0] * outcome.allocation).sum(axis=-1) - outcome.cost)

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the best value less cost ``[batch]``; nothing is built where that is negative."""
        return np.maximum(0.0, self.feasible(types[..., 0], self.cost))

    def resized(self, agents: int) -> CostSharing:
        """Return the same project, at the same cost, for another number of agents."""
        return CostSharing(self.name, self.serving, self.feasible, agents, self.cost)


def all_served(values: Floats, cost: float) -> Floats:
    """Total value of serving everybody, less the cost ``[...]``: the best project, since values are not negative."""
    return np.asarray(values.sum(axis=-1) - cost)
