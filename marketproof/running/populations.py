"""Who takes part: traders, buyers, sellers, attackers, free-riders and liars, and who is there in which round.

A population is chosen by ``--population NAME`` or a task's ``[population]``; what is drawn (who is what, who leaves)
comes from streams of the seed, so that every method of a run meets the same participants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.market import HARMFUL, ROLES
from learning.adversaries import HONEST
from learning.streams import stream
from mechanism.market.clients import Reports, Types
from mechanism.market.settling import FEWEST
from mechanism.space import Floats

Flags = NDArray[np.bool_]

BENIGN = tuple(role for role in ROLES if role not in HARMFUL)
"""Roles whose accuracy and utility count in a summary (paper: means over benign clients)."""

AWAY = 1e11
"""Cost at which those who are not there stand in a round's record: above any gain, well within what a market takes.

No clearing of a run asks for it (`mechanism.market.settling`): readers of a record that clear everybody do."""

STINGY = 1000.0
"""Cost of a buyer's model in the inclusive market: nobody buys from it (paper)."""


@dataclass(frozen=True)
class Population:
    """One kind of population: its summary, shares of roles, conduct, lie, and what it changes in a task.

    ``roles`` lists (role, share of the clients); who is left over is honest, or a trader where there are traders.
    ``conduct`` is what attackers or free-riders upload (see `learning.adversaries`). ``lie`` is what liars multiply by
    the section's factor, "all" for each of their three numbers. ``leaves``: "" nobody, "strict" who has a negative
    utility, "chance" such a one by chance. ``called``: the part of the clients who take part in a round, drawn anew for
    each; the section's share replaces it. ``settings`` go over the task's: keys with dots, and ``gain`` a factor of
    the task's.
    """

    summary: str
    roles: tuple[tuple[str, float], ...] = ()
    conduct: str = HONEST
    lie: str = ""
    leaves: str = ""
    called: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inclusive(self) -> bool:
        """Whether clients differ in what they want of the market."""
        return any(role == "trader" for role, _ in self.roles)

    @property
    def changes(self) -> str:
        """What it changes in a task, in words; "-" for nothing."""
        factors = {"gain": "market.gain"}
        told = [f"{factors[k]} × {v:g}" if k in factors else f"{k} = {v:g}" for k, v in self.settings.items()]
        return ", ".join(told) or "-"


_INCLUSIVE: dict[str, Any] = {"data.clients": 12, "split.beta": 1.0, "market.lam": 1.0, "market.eta": 5.0, "gain": 100}

POPULATIONS: dict[str, Population] = {
    "benign": Population("everybody trains, reports the truth and stays"),
    "inclusive": Population(
        "traders, buyers who price themselves out of selling, and sellers who want no model, a third each",
        (("trader", 1 / 3), ("buyer", 1 / 3), ("seller", 1 / 3)),
        settings=_INCLUSIVE,
    ),
    "inclusive-attacked": Population(
        "as inclusive, a quarter each, with attackers who sell shuffled parameters",
        (("trader", 1 / 4), ("buyer", 1 / 4), ("seller", 1 / 4), ("attacker", 1 / 4)),
        conduct="shuffle",
        settings=_INCLUSIVE,
    ),
    "attackers-shuffle": Population("20 % upload their parameters in random order", (("attacker", 0.2),), "shuffle"),
    "attackers-flip": Population("20 % upload their parameters with flipped signs", (("attacker", 0.2),), "flip"),
    "attackers-scaled": Population("20 % upload ten times the step that they made", (("attacker", 0.2),), "scaled"),
    "attackers-same": Population("20 % upload the same number everywhere", (("attacker", 0.2),), "same"),
    "attackers-labels": Population("20 % train on labels in reverse order", (("attacker", 0.2),), "labels"),
    "attackers-backdoor": Population("20 % train a trigger for class 0", (("attacker", 0.2),), "backdoor"),
    "free-riders-ones": Population("20 % do not train and upload ones", (("free-rider", 0.2),), "ones"),
    "free-riders-noise": Population("20 % do not train and upload noise", (("free-rider", 0.2),), "noise"),
    "liars-cost": Population("10 % report twice their cost", (("liar", 0.1),), lie="cost"),
    "liars-size": Population("10 % report twice their samples", (("liar", 0.1),), lie="size"),
    "liars-gain": Population("10 % report twice their gain parameter", (("liar", 0.1),), lie="gain"),
    "liars-all": Population("10 % report twice their cost, samples and gain parameter", (("liar", 0.1),), lie="all"),
    "dropout-strict": Population("who has a negative utility leaves for good", leaves="strict"),
    "dropout-probabilistic": Population("who has a negative utility leaves with probability 1/2", leaves="chance"),
    "arrivals": Population("one client comes late, one leaves, and one leaves and comes back"),
    "sampled": Population("in each round a tenth of the clients takes part, drawn anew", called=0.1),
}
"""Every population by its name."""


@dataclass(frozen=True, eq=False)
class Participants:
    """A population drawn for one seed: ``roles`` of m clients, and what follows for training and reports."""

    population: Population
    roles: tuple[str, ...]
    factor: float

    @property
    def conduct(self) -> tuple[str, ...]:
        """What each client uploads; empty if all are honest."""
        strange = [role in HARMFUL for role in self.roles]
        if not any(strange):
            return ()
        return tuple(self.population.conduct if odd else HONEST for odd in strange)

    @property
    def codes(self) -> NDArray[np.uint8]:
        """Roles as numbers of `ROLES`, uint8 [m]."""
        return np.array([ROLES.index(role) for role in self.roles], dtype=np.uint8)

    def types(self, sizes: NDArray[Any], cost: tuple[float, float], gain: tuple[float, float], seed: int) -> Types:
        """Return the true types: measured sizes; costs and gains drawn from the task's ranges, by role.

        Where there are traders, C and K are the upper ends: traders and buyers have K_i ~ U[K/2, K], traders
        c_i ~ U[C/2, C], buyers c_i = 1000; sellers and attackers have 0 of both; a free-rider costs itself nothing.
        """
        m = len(self.roles)
        if self.population.inclusive:
            cost, gain = (cost[1] / 2, cost[1]), (gain[1] / 2, gain[1])
        costs, gains = uniform(seed, "market-cost", m, *cost), uniform(seed, "market-gain", m, *gain)
        role = np.array(self.roles)
        costs = np.where(role == "buyer", STINGY, costs)
        nothing = np.isin(role, ["seller", "attacker"])
        costs = np.where(nothing | (role == "free-rider"), 0.0, costs)
        return Types(np.asarray(sizes, dtype=np.float64), costs, np.where(nothing, 0.0, gains))

    def reports(self, types: Types) -> Reports:
        """Return what everybody says: the truth, but liars multiply what they lie about by the factor."""
        truth, times = types.truthful(), np.where(np.array(self.roles) == "liar", self.factor, 1.0)
        return truth.replace(**{name: getattr(truth, name) * times for name in lied_about(self.population.lie)})


def lied_about(lie: str) -> tuple[str, ...]:
    """Return the names of the numbers that a population's ``lie`` is about."""
    return ("cost", "size", "gain") if lie == "all" else (lie,) if lie else ()


def uniform(seed: int, purpose: str, clients: int, low: float, high: float) -> Floats:
    """Return one uniform number in [low, high] per client, float64 [m]; client k's follows from (seed, purpose, k)."""
    draws = [stream(seed, purpose, 0, client).random() for client in range(clients)]
    return np.asarray(low + (high - low) * np.array(draws))


def draw(name: str, share: float, factor: float, clients: int, seed: int) -> Participants:
    """Return the participants of a population; ``share`` > 0 replaces the share of its first role."""
    population = POPULATIONS[name]
    parts = list(population.roles)
    if share and parts and not population.inclusive:
        parts = [(parts[0][0], share)]
    order = stream(seed, "population").permutation(clients)
    roles = ["trader" if population.inclusive else "honest"] * clients
    begin = total = 0.0
    for role, part in parts:
        total += part
        end = round(total * clients) if population.inclusive else max(1, round(total * clients))
        for client in order[int(begin) : int(end)]:
            roles[client] = role
        begin = end
    return Participants(population, tuple(roles), factor)


def unplayable(name: str, share: float, factor: float, clients: int) -> str:
    """Return in one line why such participants cannot play, "" if they can."""
    if factor == 0.0 and "size" in lied_about(POPULATIONS[name].lie):
        return "population.factor is 0, and no client can say that it has no samples; take a factor above 0"
    if not np.isin(draw(name, share, factor, clients, 0).roles, BENIGN).any():
        return (
            f"population.share is {share:g}: of {clients} clients none is left whose accuracy and utility count; "
            "take a smaller share"
        )
    return ""


def away(clients: Types | Reports, present: Flags) -> tuple[Floats, Floats, Floats]:
    """Return size, cost and gain as a round records them: who is not there wants nothing and is priced out."""
    return (
        np.asarray(clients.size),
        np.where(present, clients.cost, AWAY),
        np.where(present, clients.gain, 0.0),
    )


class Attendance:
    """Who is there in which round: a schedule, and who left because it did not pay.

    ``schedule`` lists (client, first round, last round; 0: to the end) of the intervals in which a client is there; who
    is not named is always there. ``called``: the part of all clients who are called in a round, at least two of them,
    drawn anew for each; who is called and not there is not replaced.
    """

    def __init__(
        self,
        leaves: str,
        chance: float,
        schedule: Sequence[Sequence[int]],
        clients: int,
        seed: int,
        called: float = 1.0,
    ) -> None:
        self._leaves, self._chance, self._seed = leaves, chance, seed
        self._called = min(clients, max(FEWEST, round(called * clients)))
        self._schedule = [tuple(int(k) for k in entry) for entry in schedule]
        self._gone = np.zeros(clients, dtype=bool)

    def present(self, number: int) -> Flags:
        """Return who takes part in round ``number``, bool [m]."""
        here = ~self._gone
        if self._called < len(here):
            order = stream(self._seed, "called", number).permutation(len(here))
            here[order[self._called :]] = False
        for client in {entry[0] for entry in self._schedule}:
            intervals = [(first, last) for who, first, last in self._schedule if who == client]
            here[client] &= any(first <= number and (not last or number <= last) for first, last in intervals)
        return here

    def decide(self, number: int, present: Flags, utility: Floats, tolerance: float) -> Flags:
        """Return who leaves for good after round ``number``, by its utility [m], bool [m]; `leave` makes it so."""
        if not self._leaves:
            return np.zeros_like(present)
        unhappy: Flags = present & (utility < -tolerance)
        if self._leaves == "strict":
            return unhappy
        draws = [stream(self._seed, "dropout-of-the-market", number, k).random() for k in range(len(unhappy))]
        return unhappy & (np.array(draws) < self._chance)

    def leave(self, gone: Flags) -> None:
        """Let these clients be gone from the next round on."""
        self._gone |= gone


def usual_schedule(clients: int, rounds: int) -> list[list[int]]:
    """Return the schedule of population "arrivals": thirds of the rounds for three clients, fewer where there are not.

    The last client comes after a third, the one before it leaves after two thirds, the one before that is away in the
    middle third.
    """
    third = max(1, rounds // 3)
    later, early = third + 1, max(third, rounds - third)
    entries = [[clients - 1, later, 0], [clients - 2, 1, early], [clients - 3, 1, third], [clients - 3, early + 1, 0]]
    return [entry for entry in entries if entry[0] >= 0]
