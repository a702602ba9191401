"""A designed mechanism as a direct mechanism: look the reported types up in a table."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mechanism.design.spec import Spec
from mechanism.direct import Floats, Space


@dataclass(frozen=True, eq=False)
class Lottery:
    """Probabilities of the outcomes ``[batch, outcomes]`` and payments to the centre ``[batch, agents]``."""

    chances: Floats
    payment: Floats


@dataclass(frozen=True, eq=False)
class TableMechanism:
    """Types are reported by their position 0, 1, … in the specification; others are rounded to the nearest.

    ``chances`` float64 ``[T_1, …, T_n, outcomes]``, ``paid`` ``[T_1, …, T_n, agents]``. Utilities are
    expected ones over the lottery.
    """

    spec: Spec
    chances: Floats
    paid: Floats
    name: str = "designed"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        counts = np.array([len(agent.types) for agent in self.spec.agents], dtype=np.float64)
        space = Space(len(counts), ("type",), np.zeros(1), counts[:, None] - 1.0, np.asarray(True), np.asarray(True))
        object.__setattr__(self, "space", space)

    def _positions(self, profiles: Floats) -> list[NDArray[np.intp]]:
        """Return the reported type of each agent, ``[batch]`` each."""
        rounded = np.clip(np.rint(profiles[..., 0]), 0.0, self.space.high[:, 0]).astype(np.intp)
        return [rounded[..., i] for i in range(self.space.agents)]

    def _values(self, profiles: Floats) -> Floats:
        """Value of each outcome to each agent ``[batch, agents, outcomes]``."""
        rows = [
            np.array(agent.values, dtype=np.float64)[t]
            for agent, t in zip(self.spec.agents, self._positions(profiles), strict=True)
        ]
        return np.stack(rows, axis=-2)

    def outcome(self, reports: Floats) -> Lottery:
        """Answer ``[batch, agents, 1]``."""
        at = tuple(self._positions(reports))
        return Lottery(self.chances[at], self.paid[at])

    def utility(self, types: Floats, outcome: Lottery) -> Floats:
        """Return expected value less payment ``[batch, agents]``."""
        return np.asarray((self._values(types) * outcome.chances[..., None, :]).sum(axis=-1) - outcome.payment)

    def payments(self, outcome: Lottery) -> Floats:
        """What each pays the centre ``[batch, agents]``."""
        return outcome.payment

    def consequences(self, outcome: Lottery) -> Floats:
        """Chances of all outcomes, shared by all, and the own payment ``[batch, agents, outcomes + 1]``."""
        shared = np.repeat(outcome.chances[..., None, :], self.space.agents, axis=-2)
        return np.concatenate([shared, outcome.payment[..., None]], axis=-1)

    def welfare(self, types: Floats, outcome: Lottery) -> Floats:
        """Return the expected total value ``[batch]``."""
        return np.asarray((self._values(types).sum(axis=-2) * outcome.chances).sum(axis=-1))

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the value of the best outcome ``[batch]``."""
        return np.asarray(self._values(types).sum(axis=-2).max(axis=-1))
