"""The linear programme of a specification: probabilities of outcomes and payments, for every profile of types."""

import itertools
from dataclasses import dataclass
from fractions import Fraction

from mechanism.design.spec import Spec
from mechanism.design.system import Row, System

Profile = tuple[int, ...]
"""One type per agent, by position."""


@dataclass(frozen=True)
class Demand:
    """What a row of the programme asks: ``kind`` "rationality", "incentive", "budget" or "lottery" (probabilities).

    ``agent`` and its true ``type``, the ``report`` that it must not prefer, by position; ``profile`` where the row is
    about one profile of (the other) reports. -1 and () where they play no part.
    """

    kind: str
    agent: int = -1
    type: int = -1
    report: int = -1
    profile: Profile = ()


@dataclass(frozen=True)
class Programme:
    """``max objective`` over ``system``; ``demands[k]`` is what row k asks, its name being ``str(k)``."""

    spec: Spec
    system: System
    objective: dict[str, Fraction]
    demands: tuple[Demand, ...]


def chance(profile: Profile, outcome: int) -> str:
    """Return the name of the unknown: probability of an outcome at a profile of reports."""
    return f"x {','.join(map(str, profile))} {outcome}"


def payment(profile: Profile, agent: int) -> str:
    """Return the name of the unknown: what an agent pays at a profile of reports."""
    return f"t {','.join(map(str, profile))} {agent}"


def all_profiles(spec: Spec) -> list[Profile]:
    """Return the profiles of types, the last agent's moving fastest."""
    return list(itertools.product(*(range(len(agent.types)) for agent in spec.agents)))


def weight(spec: Spec, profile: Profile, *, without: int = -1) -> Fraction:
    """Return the prior of a profile, of the other agents' part, given its type, if one is left out."""
    if (joint := spec.correlated) is not None:
        own = sum(share for p, share in joint.items() if without >= 0 and p[without] == profile[without])
        return joint.get(profile, Fraction(0)) / (own or 1)
    total = Fraction(1)
    for i, (agent, t) in enumerate(zip(spec.agents, profile, strict=True)):
        if i != without:
            total *= agent.prior[t]
    return total


def build(spec: Spec) -> Programme:
    """Write a specification out.

    Lottery: probabilities are not negative and sum to 1. Rationality: value less payment is at least 0, at each profile
    (ex-post) or on average over the others' prior (interim). Incentive: telling the truth is at least as good as each
    other report, against each profile of others (dsic) or on average (bic). Budget: payments sum to at least 0 (weak)
    or to 0 (exact), at each profile (ex-post) or on average (ex-ante).
    """
    rows: list[tuple[Demand, dict[str, Fraction], str, Fraction]] = []
    one, zero = Fraction(1), Fraction(0)
    profiles = all_profiles(spec)
    for p in profiles:
        names = [chance(p, x) for x in range(len(spec.outcomes))]
        rows.append((Demand("lottery", profile=p), dict.fromkeys(names, one), "=", one))
        rows += [(Demand("lottery", profile=p), {name: one}, ">=", zero) for name in names]
    for i, agent in enumerate(spec.agents):
        for t in range(len(agent.types)):
            against = [p for p in profiles if p[i] == t]  # others' reports, beside i's true type
            if spec.rationality == "ex-post":
                rows += [(Demand("rationality", i, t, profile=p), _utility(spec, i, t, p), ">=", zero) for p in against]
            elif spec.rationality == "interim":
                rows.append((Demand("rationality", i, t), _average(spec, i, t, t, against), ">=", zero))
            for report in range(len(agent.types)):
                if report == t or spec.incentive == "none":
                    continue
                for group in [[p] for p in against] if spec.incentive == "dsic" else [against]:
                    terms = _average(spec, i, t, t, group, conditional=len(group) == 1)
                    for name, c in _average(spec, i, t, report, group, conditional=len(group) == 1).items():
                        terms[name] = terms.get(name, zero) - c
                    where = group[0] if spec.incentive == "dsic" else ()
                    rows.append((Demand("incentive", i, t, report, where), terms, ">=", zero))
    if spec.budget != "none":
        relation = "=" if spec.budget == "exact" else ">="
        each = {p: {payment(p, i): one for i in range(len(spec.agents))} for p in profiles}
        if spec.budget_when == "ex-post":
            rows += [(Demand("budget", profile=p), terms, relation, zero) for p, terms in each.items()]
        else:
            terms = {name: weight(spec, p) for p, paid in each.items() for name in paid}
            rows.append((Demand("budget"), terms, relation, zero))
    system = tuple(Row(str(k), terms, relation, bound) for k, (_, terms, relation, bound) in enumerate(rows))
    return Programme(spec, system, _objective(spec), tuple(demand for demand, *_ in rows))


def _utility(spec: Spec, i: int, true: int, p: Profile) -> dict[str, Fraction]:
    """Agent i's utility at a profile of reports when its type is ``true``: expected value less payment."""
    terms = {chance(p, x): v for x, v in enumerate(spec.agents[i].values[true]) if v}
    return {**terms, payment(p, i): Fraction(-1)}


def _average(
    spec: Spec, i: int, true: int, said: int, against: list[Profile], *, conditional: bool = False
) -> dict[str, Fraction]:
    """Average utility over the others' profiles when i says ``said``; ``conditional``: of one profile, weight 1."""
    terms: dict[str, Fraction] = {}
    for p in against:
        share = Fraction(1) if conditional else weight(spec, p, without=i)
        reported = (*p[:i], said, *p[i + 1 :])
        for name, c in _utility(spec, i, true, reported).items():
            terms[name] = terms.get(name, Fraction(0)) + share * c
    return terms


def _objective(spec: Spec) -> dict[str, Fraction]:
    """Return the expected objective over the prior, by unknown."""
    n = len(spec.agents)
    zeros = (Fraction(0),) * n
    on_outcomes, on_payments, on_utilities = (Fraction(0),) * len(spec.outcomes), zeros, zeros
    if spec.objective == "revenue":
        on_payments = (Fraction(1),) * n
    elif spec.objective == "welfare":  # utilities and what the centre keeps: payments cancel
        on_payments = on_utilities = (Fraction(1),) * n
    elif spec.linear is not None:
        on_outcomes, on_payments = spec.linear.outcomes, spec.linear.payments
        on_utilities = spec.linear.utilities
    terms: dict[str, Fraction] = {}
    for p in all_profiles(spec):
        share = weight(spec, p)
        for x, worth in enumerate(on_outcomes):
            values = sum((w * a.values[t][x] for w, a, t in zip(on_utilities, spec.agents, p, strict=True)), worth)
            terms[chance(p, x)] = share * values
        for i in range(n):
            terms[payment(p, i)] = share * (on_payments[i] - on_utilities[i])
    return {name: c for name, c in terms.items() if c}
