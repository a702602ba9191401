"""The game that a mechanism makes of true types: every agent chooses what to report of one of its numbers.

Complete information: types are fixed and known. B profiles are played side by side, each a game of its own, so that one
call of the mechanism answers all of them.

Of a market in reported costs: two sellers that undercut each other by less and less never come to rest; so play itself
is over finitely many levels (`Play`), and what lies between them is looked at where play has come to (`MarketPlay`). A
client's utility depends on the costs of others through what they report alone. Between two break points of its own
report (`cost_breakpoints`), the others' reports as they stand, nothing changes; so the break points, their close
neighbours and the midpoints between them hold a best response among all reports of the domain.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.direct import DirectMechanism, Floats, Space
from mechanism.errors import InvalidMechanismError, UnknownNameError
from mechanism.market.allocation.breakpoints import LADDER, MULTIPLES, STEPS, around, cost_breakpoints
from mechanism.market.direct import MarketDirect
from proofs_checks.search.cases import answer, utilities
from proofs_checks.search.lies import rules

Ints = NDArray[np.intp]

LEVELS = 33
"""Reports per agent on the default grid, the truth not counted."""

CHUNK = 1 << 14
"""Profiles answered in one call."""


def own_coordinate(mechanism: DirectMechanism, name: str | None = None) -> int:
    """Return which number the agents choose a report of: the named one, the mechanism's own, or the first private.

    `InvalidMechanismError` if there is no such number, or nobody may misreport it.
    """
    space = mechanism.space
    private: NDArray[np.bool_] = np.asarray(space.private.any(axis=0))
    if not private.any():
        raise InvalidMechanismError("agents have no private number: there is nothing to play")
    if name is None:
        name = getattr(mechanism, "own", None)
        if name not in space.names or not private[space.index(name)]:
            name = space.names[int(np.argmax(private))]
    where = space.index(name)
    if not private[where]:
        known = ", ".join(n for n, free in zip(space.names, private, strict=True) if free)
        raise InvalidMechanismError(f"{name} is public: nobody may misreport it; private are {known}")
    return where


def even_levels(space: Space, coordinate: int, points: int = LEVELS) -> Floats:
    """Return evenly spaced reports ``[agents, points]`` from low to high (whole numbers where only these are taken)."""
    low, high = space.low[:, coordinate, None], space.high[:, coordinate, None]
    levels = low + (high - low) * np.linspace(0.0, 1.0, points)
    return np.asarray(np.rint(levels) if space.integer[coordinate] else levels)


@dataclass(frozen=True, eq=False)
class Play:
    """Games of complete information.

    ``types`` ``[B, n, k]`` (or ``[n, k]``): true profiles. ``levels``: reports to choose among besides the truth,
    ``[n, L]`` or ``[B, n, L]`` (default: an even grid). ``coordinate``: the number that is reported, by name (default:
    the mechanism's own); all others are reported truthfully. ``truth`` ``[B, n]`` is that number; ``options``
    ``[B, n, 1 + L]`` are the reports, the truth first. An agent that may not misreport it has the truth only.
    """

    mechanism: DirectMechanism
    types: Floats
    levels: ArrayLike | None = None
    coordinate: str | None = None
    at: int = field(init=False)
    truth: Floats = field(init=False)
    options: Floats = field(init=False)

    def __post_init__(self) -> None:
        space = self.mechanism.space
        types = np.array(self.types, dtype=np.float64)
        types = types[None] if types.ndim == 2 else types
        if types.ndim != 3 or types.shape[1:] != (space.agents, space.k) or not len(types):
            raise InvalidMechanismError(
                f"types have shape {list(types.shape)}; expected [games, {space.agents}, {space.k}]"
            )
        at = own_coordinate(self.mechanism, self.coordinate)
        grid = even_levels(space, at) if self.levels is None else np.asarray(self.levels, dtype=np.float64)
        truth = types[..., at]
        grid = np.broadcast_to(grid, (len(types), space.agents, grid.shape[-1]))
        options = np.concatenate([truth[..., None], grid], axis=-1)
        options = np.where(space.private[:, at, None], options, truth[..., None])
        for name, value in (("types", types), ("at", at), ("truth", truth), ("options", options)):
            object.__setattr__(self, name, value)

    @property
    def games(self) -> int:
        """Number of games B."""
        return int(self.types.shape[0])

    @property
    def agents(self) -> int:
        """Number of agents n."""
        return int(self.types.shape[1])

    def profiles(self, reports: Floats, games: Ints | None = None) -> Floats:
        """Return reported profiles ``[B, n, k]`` in which the number is reported as ``[B, n]`` says.

        ``games``: which game each row belongs to (default: row b is game b).
        """
        full = self.types.copy() if games is None else self.types[games]
        full[..., self.at] = reports
        return full

    def utilities(self, reports: Floats, games: Ints | None = None) -> Floats:
        """Return true utilities ``[B, n]`` when ``[B, n]`` is reported."""
        types = self.types if games is None else self.types[games]
        found = [
            utilities(self.mechanism, true, answer(self.mechanism, said))
            for true, said in zip(chunks(types), chunks(self.profiles(reports, games)), strict=True)
        ]
        return np.concatenate(found)

    def payoffs(self, reports: Floats, agent: int, candidates: Floats, games: Ints | None = None) -> Floats:
        """Return the agent's utility ``[B, q]`` of each candidate ``[B, q]``, the others reporting ``[B, n]``."""
        rows, q = candidates.shape
        said = np.repeat(reports, q, axis=0)
        said[:, agent] = candidates.reshape(-1)
        which = np.arange(rows) if games is None else games
        return self.utilities(said, np.repeat(which, q))[:, agent].reshape(rows, q)

    def candidates(self, reports: Floats, agent: int, games: Ints) -> Floats:
        """Return the reports ``[len(games), q]`` that the agent considers, the truth first; here always the same."""
        return self.options[games, agent]


def chunks(rows: Floats) -> list[Floats]:
    """Return rows in parts of at most `CHUNK`."""
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


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
