"""Voting on a line: single-peaked preferences, one decision, no money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mechanism.direct import Floats, Space

LINE = "a point in [0, 1]; a private peak, utility minus the distance to it, no payments"
"""The domain in words."""


@dataclass(frozen=True, eq=False)
class Vote:
    """Everyone reports the point it likes best; ``decide(peaks)`` returns the decision.

    Private ``peak`` in [0, 1]; U_i = -|x - peak_i|. There is nothing to stay out of, so taking part is not a question:
    utilities are losses by their unit and individual rationality does not apply. An outcome is x, float64 ``[batch]``.
    """

    name: str
    decide: Callable[[Floats], Floats]
    agents: int = 3
    role: str = "buyer"
    own: str = "peak"
    voluntary: bool = False
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", Space(self.agents, ("peak",), np.zeros(1), np.ones(1), called="voter"))

    def outcome(self, reports: Floats) -> Floats:
        """Decide ``[batch]`` on ``[batch, agents, 1]``."""
        return self.decide(reports[..., 0])

    def utility(self, types: Floats, outcome: Floats) -> Floats:
        """Return minus the distance from decision to peak ``[batch, agents]``."""
        return -np.abs(outcome[..., None] - types[..., 0])

    def payments(self, outcome: Floats) -> Floats:
        """Nobody pays: 0 ``[batch, agents]``."""
        return np.zeros((*outcome.shape, self.agents))

    def allocation(self, outcome: Floats) -> Floats:
        """Return the decision, the same for all ``[batch, agents]``: it never falls when a reported peak rises."""
        return np.repeat(outcome[..., None], self.agents, axis=-1)

    def consequences(self, outcome: Floats) -> Floats:
        """Return the decision for each agent ``[batch, agents, 1]``."""
        return self.allocation(outcome)[..., None]

    def welfare(self, types: Floats, outcome: Floats) -> Floats:
        """Return minus the total distance ``[batch]``."""
        return np.asarray(self.utility(types, outcome).sum(axis=-1))

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return minus the least total distance ``[batch]``: it is convex and broken at peaks, so a peak attains it."""
        peaks = types[..., 0]
        return np.asarray(-np.abs(peaks[..., :, None] - peaks[..., None, :]).sum(axis=-1).min(axis=-1))

    def resized(self, agents: int) -> Vote:
        """Return the same vote for another number of agents."""
        return Vote(self.name, self.decide, agents)
