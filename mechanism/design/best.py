"""The best mechanism of a specification, what each promise costs, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mechanism.design.programme import Demand, Programme, all_profiles, build, chance, payment
from mechanism.design.solve import Infeasible, Optimum, maximise
from mechanism.design.spec import Spec
from mechanism.design.system import check_bound, check_infeasible, check_point
from mechanism.design.table import TableMechanism
from mechanism.space import Floats
from mechanism.wording import number


@dataclass(frozen=True)
class Price:
    """The dual of one demand: ``value`` is what one unit of money less demanded adds to the objective; ``words``."""

    demand: Demand
    value: Fraction
    words: str


@dataclass(frozen=True, eq=False)
class Designed(Optimum):
    """The best mechanism: the optimum of its programme, ``value`` the expected objective.

    Its ``point`` holds ``chances`` by (profile, outcome) and ``payments`` by (profile, agent) name; `tables` and
    `mechanism` give arrays. ``prices``: the demands that bind, dearest first.
    """

    spec: Spec
    prices: tuple[Price, ...]

    def tables(self) -> tuple[Floats, Floats]:
        """Return chances ``[T_1, …, T_n, outcomes]`` and payments ``[T_1, …, T_n, agents]``."""
        counts = tuple(len(agent.types) for agent in self.spec.agents)
        zero = Fraction(0)
        profiles = all_profiles(self.spec)
        chances = [[self.point.get(chance(p, x), zero) for x in range(len(self.spec.outcomes))] for p in profiles]
        paid = [[self.point.get(payment(p, i), zero) for i in range(len(counts))] for p in profiles]
        return (
            np.array(chances, dtype=np.float64).reshape(*counts, -1),
            np.array(paid, dtype=np.float64).reshape(*counts, -1),
        )

    def mechanism(self) -> TableMechanism:
        """Return the mechanism, ready for verification."""
        return TableMechanism(self.spec, *self.tables(), name=self.spec.title)

    def sentences(self) -> tuple[str, ...]:
        """Return what was found and what the promises cost, in words."""
        how = "proved optimal in fractions" if self.exact else f"optimal up to rounding: {self.errors[0]}"
        first = f"the best expected {_GOAL[self.spec.objective]} is {_money(self.value)}, {how}"
        return first, *(price.words for price in self.prices)


@dataclass(frozen=True, eq=False)
class Impossible:
    """No mechanism keeps all promises: the demands, times ``multipliers``, add up to 0 >= something positive."""

    spec: Spec
    multipliers: Mapping[str, Fraction]
    clash: tuple[Price, ...]

    def sentences(self) -> tuple[str, ...]:
        """Return the clash in words."""
        named = "; ".join(price.words for price in self.clash)
        return (f"no mechanism keeps all of these promises; together they contradict each other: {named}",)


def design(spec: Spec) -> Designed | Impossible:
    """Return the mechanism of a specification with the largest objective, or the proof that there is none.

    HiGHS solves (gap zero); feasibility, optimality and impossibility are then checked in fractions without it.
    `SolverError` if the objective has no bound (revenue without rationality) or no answer can be confirmed.
    """
    programme = build(spec)
    found = maximise(programme.system, programme.objective)
    if isinstance(found, Infeasible):
        clash = _prices(programme, found.multipliers, lambda spec, row, y: f"{y} times {_demand(spec, row)}")
        return Impossible(spec, found.multipliers, clash)
    prices = _prices(programme, found.multipliers, _cost)
    return Designed(**vars(found), spec=spec, prices=prices)


def check_design(answer: Designed | Impossible) -> list[str]:
    """Check an answer again in fractions, from its specification alone; return what is wrong, empty if proved."""
    programme = build(answer.spec)
    if isinstance(answer, Impossible):
        return check_infeasible(programme.system, answer.multipliers)
    value = sum((c * answer.point.get(u, Fraction(0)) for u, c in programme.objective.items()), Fraction(0))
    wrong = [] if value == answer.value else [f"the objective is {value}, not {answer.value}"]
    wrong += check_point(programme.system, answer.point)
    return wrong + check_bound(programme.system, programme.objective, answer.value, answer.multipliers)


_GOAL = {"revenue": "revenue", "welfare": "welfare", "linear": "objective"}


def _prices(programme: Programme, multipliers: Mapping[str, Fraction], words: object) -> tuple[Price, ...]:
    found = []
    for name, value in multipliers.items():
        demand = programme.demands[int(name)]
        if demand.kind != "lottery":
            found.append(Price(demand, value, words(programme.spec, demand, value)))  # type: ignore[operator]
    return tuple(sorted(found, key=lambda price: (-abs(price.value), price.words)))


def _cost(spec: Spec, demand: Demand, value: Fraction) -> str:
    goal = _GOAL[spec.objective]
    change = f"would {'raise' if value > 0 else 'lower'} the expected {goal} by {_money(abs(value))}"
    if demand.kind == "incentive":
        return f"letting {_demand(spec, demand)} fail by one unit {change}"
    return f"relaxing {_demand(spec, demand)} by one unit {change}"


def _demand(spec: Spec, demand: Demand) -> str:
    """Return what a row asks, in words."""
    if demand.kind == "budget":
        types = ", ".join(agent.types[t] for agent, t in zip(spec.agents, demand.profile, strict=False))
        where = f" at types {types}" if demand.profile else " on average"
        return f"{'balance of payments' if spec.budget == 'exact' else 'no deficit'}{where}"
    agent = spec.agents[demand.agent]
    others = [i for i in range(len(spec.agents)) if i != demand.agent]
    against = ""
    if demand.profile and others:
        said = ", ".join(f"{spec.agents[i].name} says {spec.agents[i].types[demand.profile[i]]}" for i in others)
        against = f" when {said}"
    who = f"{agent.name} at its type {agent.types[demand.type]}"
    if demand.kind == "rationality":
        return f"individual rationality of {who}{against}"
    return f"truthfulness of {who} against saying {agent.types[demand.report]}{against}"


def _money(value: Fraction) -> str:
    """Return a fraction and, unless whole, its decimal."""
    return str(value) if value.denominator == 1 else f"{value} ({number(float(value))})"
