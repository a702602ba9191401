"""Mechanisms small enough to be worked out by hand, each with or without one property."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.auctions.auction import Auction
from mechanism.direct import Floats, SingleParameter, Space
from mechanism.market.direct import COORDINATES
from proofs_checks.search.cases import Cases, deviating
from proofs_checks.search.lies import BestReports


def winner(bids: Floats) -> NDArray[np.bool_]:
    """Return the highest bidder of each row, ties to the lowest index."""
    return np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]


def pay_bid(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """First price."""
    return winner(bids), winner(bids) * bids


def pay_second(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Second price."""
    return winner(bids), winner(bids) * np.sort(bids, axis=1)[:, -2:-1]


def pay_all(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Everybody pays its bid."""
    return winner(bids), bids


def thinning(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Each of n pays 1 / n²."""
    return 0.0 * bids, 0.0 * bids + 1.0 / bids.shape[1] ** 2


def nothing(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Nobody gets or pays anything."""
    return 0.0 * bids, 0.0 * bids


def gift(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Hand everybody a quarter: the centre loses n/4."""
    return 0.0 * bids, 0.0 * bids - 0.25


def to_the_lowest(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Give the item away to the lowest bidder."""
    return winner(-bids), 0.0 * bids


def falling(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Give less to those who ask for more."""
    return 1.0 - bids, 0.0 * bids


def to_the_first(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Give the item away to agent 0."""
    got = np.zeros(bids.shape)
    got[:, 0] = 1.0
    return got, 0.0 * bids


def posted(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Sell to everybody above one half, at one half."""
    return bids > 0.5, 0.5 * (bids > 0.5)


def one_pie(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Pay every name an equal part of 1: two names have more of it."""
    return 0.0 * bids, 0.0 * bids - 1.0 / bids.shape[1]


def coin(bids: Floats) -> tuple[ArrayLike, ArrayLike]:
    """Whoever reports over one half pays or wins 1, as the next agent's report falls: fair under the uniform prior."""
    toss = np.where(np.roll(bids, 1, axis=1) < 0.5, 1.0, -1.0)
    return 0.0 * bids, toss * (bids > 0.5)


def auction(rule: Any, agents: int = 2, *, optimum: bool = False) -> Auction:
    """Return a rule over values in [0, 1] that can be had for any number of agents."""
    best = (lambda bids: bids.max(axis=1)) if optimum else None
    return Auction(rule, agents, name=rule.__name__, optimum=best, family=lambda n: auction(rule, n, optimum=optimum))


@dataclass(frozen=True, eq=False)
class Flat:
    """Values in [0, 1] that matter to nobody, constant roles and payments.

    ``buyer``, ``seller``: what each agent has in either role. ``fee``: what each name pays. ``each``: its payoff where
    coalitions are compared; pairs could have ``pair``, larger coalitions three times ``each``.
    """

    agents: int = 2
    buyer: float = 0.0
    seller: float = 0.0
    fee: float = 0.0
    each: float = 1.0 / 3.0
    pair: float = 0.0
    name: str = "flat"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", Space(self.agents, ("value",), np.asarray(0.0), np.asarray(1.0)))

    def outcome(self, reports: Floats) -> Floats:
        return np.zeros(reports.shape[:2])

    def utility(self, types: Floats, outcome: Floats) -> Floats:
        return outcome + self.buyer + self.seller - self.fee

    def payments(self, outcome: Floats) -> Floats:
        return outcome + self.fee

    def parts(self, types: Floats, outcome: Floats) -> dict[str, Floats]:
        return {"buyer": outcome + self.buyer, "seller": outcome + self.seller}

    def resized(self, agents: int) -> Flat:
        return Flat(agents, self.buyer, self.seller, self.fee, self.each, self.pair)

    def merge(self, types: Floats, a: int, b: int, cost_rule: str) -> Floats:
        return np.delete(types, b, axis=1)

    def payoffs(self, types: Floats, outcome: Floats) -> Floats:
        return outcome + self.each

    def coalition_value(self, types: Floats, members: Any) -> Floats:
        return np.full(len(types), self.pair if len(members) == 2 else 3.0 * self.each)


@dataclass(frozen=True, eq=False)
class Told:
    """Size, cost and gain in [0, 4] each; everybody is handed what it reports of the coordinates in ``paid``."""

    paid: tuple[str, ...] = ()
    name: str = "told"
    agents: int = 2
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        names = ("size", "cost", "gain")
        object.__setattr__(self, "space", Space(self.agents, names, np.asarray(0.0), np.asarray(4.0)))

    def outcome(self, reports: Floats) -> Floats:
        return np.asarray(reports[..., [self.space.index(x) for x in self.paid]].sum(axis=-1))

    def utility(self, types: Floats, outcome: Floats) -> Floats:
        return outcome

    def payments(self, outcome: Floats) -> Floats:
        return -outcome


@dataclass(frozen=True, eq=False)
class Product:
    """Two agents, one number in [0.5, 2] each. z = r_a r_b is built, and both want the product of the *true* numbers.

    U = -(z - θ_a θ_b)²: the truth is best when the other tells it, and is not when the other lies.
    """

    coordinate: str = "gain"
    name: str = "product"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", Space(2, (self.coordinate,), np.asarray(0.5), np.asarray(2.0)))

    @property
    def interdependent(self) -> tuple[str, ...]:
        return (self.coordinate,)

    def outcome(self, reports: Floats) -> Floats:
        return np.asarray(reports[..., 0].prod(axis=-1))

    def utility(self, types: Floats, outcome: Floats) -> Floats:
        off = outcome - types[..., 0].prod(axis=-1)
        return np.repeat(-(off**2)[:, None], 2, axis=1)

    def payments(self, outcome: Floats) -> Floats:
        return np.zeros((len(outcome), 2))


@dataclass(frozen=True, eq=False)
class Table:
    """Agent 0 has one of R ranks and the utility ``table[rank, report]``; agent 1 has nothing to do with it."""

    table: Floats
    name: str = "table"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        high = np.array([[len(self.table) - 1.0], [0.0]])
        private = np.array([[True], [False]])
        object.__setattr__(self, "space", Space(2, ("rank",), np.asarray(0.0), high, private, np.array([True])))

    def outcome(self, reports: Floats) -> NDArray[np.intp]:
        return np.rint(reports[:, 0, 0]).astype(np.intp)

    def utility(self, types: Floats, outcome: NDArray[np.intp]) -> Floats:
        own = self.table[np.rint(types[:, 0, 0]).astype(np.intp), outcome]
        return np.stack([own, 0.0 * own], axis=1)

    def payments(self, outcome: NDArray[np.intp]) -> Floats:
        return np.zeros((len(outcome), 2))


def rows(*numbers: Any) -> Floats:
    """Return one profile ``[1, n, k]``: a number or a row of numbers per agent."""
    return np.array([np.atleast_1d(x) for x in numbers], dtype=np.float64)[None]


def plain(*numbers: Any, **extra: Any) -> Cases:
    """Return a case without alternatives: everybody tells the truth."""
    types = rows(*numbers)
    return Cases(types, types.copy(), extra=tuple((name, np.array([x])) for name, x in extra.items()))


def moved(types: Floats, agent: int, *reports: Any, before: Floats | None = None, extra: Any = ()) -> Cases:
    """Return a case in which one agent reports otherwise (several reports: a cycle)."""
    reported = types if before is None else before
    after = np.repeat(reported[:, None], len(reports), axis=1)
    after[0, :, agent] = [np.atleast_1d(r) for r in reports]
    who = np.zeros(types.shape[:2], dtype=np.bool_)
    who[0, agent] = True
    return Cases(types.copy(), reported.copy(), after, who, extra)


def winners(bids: Floats) -> Floats:
    """One at the highest bid, ties to the lowest index."""
    return np.asarray(np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None], dtype=np.float64)


def second(bids: Floats) -> Floats:
    """The second highest bid, a column."""
    return np.sort(bids, axis=1)[:, -2:-1]


def made(rule, agents=3, name="rule", **more) -> SingleParameter:
    """A mechanism from a function of bids."""
    return SingleParameter(rule, agents, name=name, **more)


def with_corner(volume: float, agents: int = 3, name: str = "cornered") -> SingleParameter:
    """A second-price auction in which the winner pays a tenth of its own bid more when all bids lie in one box."""
    side = volume ** (1.0 / agents)

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        box = ((bids > 0.37) & (bids < 0.37 + side)).all(axis=1)[:, None]
        return winners(bids), winners(bids) * (second(bids) + 0.1 * box * bids)

    return made(rule, agents, name)


def each_lie(profiles: Floats, lies: BestReports) -> Cases:
    """Return F · m cases: each client of each market ``[F, m, 3 + m]`` alone tells the lie that was found for it."""
    count, m, _ = profiles.shape
    agent = np.tile(np.arange(m), count)
    return deviating(np.repeat(profiles, m, axis=0), agent, COORDINATES.index(lies.coordinate), lies.report.ravel())


def cost_steps(profiles: Floats, steps: int = 8) -> Cases:
    """Return F · m · ``steps`` cases: each client alone goes from one reported cost to the next higher one.

    From 0 to twice the truth, to 1 at least, in equal steps: where no step breaks monotonicity, no two costs do.
    """
    count, m, _ = profiles.shape
    cost = COORDINATES.index("cost")
    ladder = np.maximum(1.0, 2.0 * profiles[..., cost])[..., None] * np.linspace(0.0, 1.0, steps + 1)
    agent = np.tile(np.repeat(np.arange(m), steps), count)
    start = np.repeat(profiles, m * steps, axis=0)
    start[np.arange(len(start)), agent, cost] = ladder[..., :-1].ravel()
    return deviating(start, agent, cost, ladder[..., 1:].ravel())


def relabelled_as(profiles: Floats, order: Floats) -> Cases:
    """Return one case per market ``[F, m, 3 + m]``: new client q is old client ``order[q]``."""
    return Cases(profiles, profiles, extra=(("order", np.broadcast_to(np.asarray(order), profiles.shape[:2])),))
