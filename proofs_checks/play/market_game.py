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
from mechanism.market.clients import LARGEST, Market, Types
from mechanism.market.direct import MarketDirect
from mechanism.market.gains import GainLaw, SqrtGain
from mechanism.market.rules.rule import Clearing
from proofs_checks.play.game import Ints, Play
from proofs_checks.search.cost_lies import BESIDE, LADDER, MULTIPLES
from proofs_checks.search.flat_markets import rules

_MOST_POINTS = 1 << 10


@dataclass(frozen=True, eq=False)
class RecordedMarket(MarketDirect):
    """A market as it was recorded: the public columns of a profile are the differences d_ij, weighed by ``lam``."""

    lam: float = 0.0

    def market(self, profiles: Floats) -> Market:
        """Return the public data of profiles."""
        d = profiles[..., 3:]
        return Market(d if d.any() else None, self.lam, self.law)


def recorded_market(
    mechanism: Clearing, types: Types, market: Market, law: GainLaw | None = None
) -> tuple[RecordedMarket, Floats]:
    """Return recorded clearings ``[R, m]`` as a direct mechanism and its true profiles ``[R, m, 3 + m]``."""
    m = types.clients
    d = np.zeros((m, m)) if market.differences is None else market.differences
    numbers = np.stack([types.size, types.cost, types.gain], axis=-1)
    profiles = np.concatenate([numbers, np.broadcast_to(d, (*numbers.shape[:-1], m))], axis=-1)
    high = np.full(3, LARGEST)
    direct = RecordedMarket(
        mechanism, m, (1e-9, 0.0, 0.0), high, 2.0, SqrtGain() if law is None else law, lam=market.lam
    )
    return direct, profiles.reshape(-1, m, 3 + m)


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
        allocation, payment = rules(self._market.mechanism)
        return allocation in ("threshold", "threshold-skip", "exact", "milp", "full") and payment in (
            "marginal", "clarke", "two-sided", "none",
        )  # fmt: skip

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
        truth = options[:, :1]
        edges = np.sort(np.concatenate([np.zeros_like(truth), points, truth], axis=1), axis=1)
        parts = [options, points, *(points * (1.0 + off) for off in BESIDE)]
        parts += [0.5 * (edges[:, 1:] + edges[:, :-1]), 1.5 * edges[:, -1:] + 1e-3]
        low, high = direct.space.low[agent, self.at], direct.space.high[agent, self.at]
        return np.clip(np.concatenate(parts, axis=1), low, high)
