"""Play of a market in reported costs: recorded clearings as games, and best responses among all reports.

Two sellers that undercut each other by less and less never come to rest; so play itself is over finitely many levels
(`Play`), and what lies between them is looked at where play has come to. A client's utility depends on the costs of
others through what they report alone. Between two break points of its own report (`cost_breakpoints`), the
others' reports as they stand, nothing changes; so the break points, their close neighbours and the midpoints between
them hold a best response among all reports of the domain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mechanism.direct import Floats
from mechanism.errors import UnknownNameError
from mechanism.market.allocation.breakpoints import cost_breakpoints
from mechanism.market.direct import MarketDirect
from proofs_checks.play.game import Ints, Play
from proofs_checks.search.lies import LADDER, MULTIPLES, STEPS, around, rules

_MOST_POINTS = 1 << 10


@dataclass(frozen=True, eq=False)
class MarketPlay(Play):
    """Play of a market in its clients' reported costs.

    As `Play`; what is considered besides ``levels`` (default: multiples of the truth) are the break points that the
    others' present reports leave, at most ``points`` of them per client (then responses are not exact).
    """

    levels: ArrayLike | None = None
    coordinate: str | None = "cost"
    points: int = _MOST_POINTS

    def __post_init__(self) -> None:
        if self.levels is None:
            at = self.mechanism.space.index("cost")
            truth = np.asarray(self.types, dtype=np.float64).reshape(-1, *np.shape(self.types)[-2:])[..., at, None]
            low, high = (bound[:, at, None] for bound in (self.mechanism.space.low, self.mechanism.space.high))
            object.__setattr__(self, "levels", np.clip(truth * np.array(MULTIPLES + LADDER), low, high))
        super().__post_init__()

    def left(self, reports: Floats, games: Ints) -> Floats:
        """Return what each client could still gain ``[Q, m]`` by another report, where ``[Q, m]`` are reported."""
        before = self.utilities(reports, games)
        columns = []
        for agent in range(self.agents):
            said = self.candidates(reports, agent, games)
            columns.append(self.payoffs(reports, agent, said, games).max(axis=1) - before[:, agent])
        return np.maximum(np.stack(columns, axis=1), 0.0)

    @property
    def exact(self) -> bool:
        """Whether break points are known for the rule, so that responses are exact."""
        return rules(self._market.mechanism) in STEPS

    @property
    def _market(self) -> MarketDirect:
        assert isinstance(self.mechanism, MarketDirect)
        return self.mechanism

    def candidates(self, reports: Floats, agent: int, games: Ints) -> Floats:
        """Return the truth, the levels, and all break points with their surroundings ``[len(games), q]``."""
        options = self.options[games, agent]
        direct = self._market
        profiles = self.profiles(reports, games)
        profiles[:, agent] = self.types[games, agent]
        try:
            points = cost_breakpoints(
                rules(direct.mechanism)[0], direct.types(profiles).truthful(), direct.market(profiles)
            )[:, agent]
        except UnknownNameError:
            return options
        if points.shape[-1] > self.points:
            points = points[:, np.linspace(0, points.shape[-1] - 1, self.points).astype(int)]
        parts = [options, *around(options[:, :1], points)]
        low, high = direct.space.low[agent, self.at], direct.space.high[agent, self.at]
        return np.clip(np.concatenate(parts, axis=1), low, high)
