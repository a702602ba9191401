"""What the catalogue says of one mechanism, and the properties that it speaks about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mechanism.direct import DirectMechanism, Floats

PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "ir": "no agent that tells the truth loses by taking part: U_i(θ) >= 0, whatever the others report",
        "ir-buyer": "no buyer that tells the truth loses: what it gains is worth at least what it pays",
        "ir-seller": "no seller that tells the truth loses: what it receives covers its cost",
        "interim-ir": "no agent expects to lose by taking part, the others' types drawn from the prior",
        "dsic": "no agent gains by any false report, whatever the others report: U_i(θ_i, r_-i) >= U_i(r_i, r_-i)",
        "dsic-cost": "no client gains by a false report of its cost, whatever the others report",
        "dsic-gain": "no client gains by a false report of its gain parameter, whatever the others report",
        "dsic-size": "no client gains by a false report of its number of samples, whatever the others report",
        "expost-cost": "no client gains by a false report of its cost when the others tell the truth",
        "expost-gain": "no client gains by a false report of its gain parameter when the others tell the truth",
        "expost-size": "no client gains by a false report of its number of samples when the others tell the truth",
        "expost": "no agent gains by any false report when the others tell the truth",
        "bic": "no agent expects to gain by a false report, the others truthful and drawn from the prior",
        "budget-balance": "what all pay and receive sums to zero",
        "weak-budget-balance": "the centre loses nothing: payments to it sum to at least zero",
        "efficiency": "the allocation is worth as much as any feasible one, at the reported types",
        "monotonicity": "a buyer that reports more gets no less; a seller that asks more sells no more",
        "cyclic-monotonicity": "no cycle of reports has negative length (Rochet): some payments make the rule truthful",
        "anonymity": "relabelling the agents relabels the outcome",
        "non-bossiness": "an agent that changes nothing for itself changes nothing for anyone",
        "group-dsic": "no coalition can report so that none of it loses and one gains, without side payments",
        "split-proof": "no agent gains by taking part as two",
        "merge-proof": "no two agents gain by taking part as one",
        "revenue-monotonicity": "one bidder more never lowers what the centre receives",
        "core": "no coalition could do better on its own",
    }
)
"""Properties by id, each in words (definitions with their variants: docs/properties.md)."""


@dataclass(frozen=True)
class KnownEquilibrium:
    """An equilibrium in strategies that a source states for the declared domain and the uniform prior on its bounds.

    ``report(types, agents, agent)``: what that agent reports at types of its own private number, an array of the same
    shape; not a number where the source leaves the report free. ``words(agents)``: the same in words. ``source``: where
    it is stated. ``only``: the one number of agents that it holds for (None: any).
    """

    report: Callable[[Floats, int, int], Floats]
    words: Callable[[int], str]
    source: str
    only: int | None = None

    def holds(self, agents: int) -> bool:
        """Tell whether it is stated for that number of agents."""
        return self.only is None or self.only == agents


def truth(source: str) -> KnownEquilibrium:
    """Return the equilibrium in which everybody reports its type."""
    return KnownEquilibrium(lambda types, agents, agent: types, lambda agents: "everybody reports the truth", source)


@dataclass(frozen=True)
class CatalogueEntry:
    """One mechanism of the catalogue.

    ``truths`` maps the ids of `PROPERTIES` to what theory says: "yes…" or "no…", a short condition may follow; a
    property that is missing does not apply or nothing is known. ``build(agents)`` makes the mechanism for verification
    with its declared default domain, for at least ``fewest`` agents. ``equilibrium``: what strategic play is known to
    come to there.
    """

    id: str
    title: str
    citation: str
    domain: str
    truths: Mapping[str, str]
    build: Callable[[int], DirectMechanism]
    agents: int = 3
    fewest: int = 2
    equilibrium: KnownEquilibrium | None = None

    def known_equilibrium(self, agents: int) -> KnownEquilibrium | None:
        """Return the equilibrium that is known for so many agents: the stated one, or the truth where that is one.

        Under a rule that is truthful in expectation over the prior ("bic") the truth is an equilibrium by definition.
        """
        if self.equilibrium is not None:
            return self.equilibrium if self.equilibrium.holds(agents) else None
        return truth(self.citation) if self.truths.get("bic") == "yes" else None


def truths(**known: str) -> Mapping[str, str]:
    """Return a read-only map of truths, keyword ``dsic_cost`` for the property ``dsic-cost``.

    `KeyError` if a name is no property: a misspelt truth would never be checked.
    """
    named = {name.replace("_", "-"): truth for name, truth in known.items()}
    if unknown := [name for name in named if name not in PROPERTIES]:
        raise KeyError(f"no such property: {', '.join(unknown)}")
    return MappingProxyType(named)


VOLUNTARY = {"ir": "yes", "interim_ir": "yes"}
TRUTHFUL = {"dsic": "yes", "bic": "yes"}
MONOTONE = {"monotonicity": "yes", "cyclic_monotonicity": "yes"}
SELLING = {"budget_balance": "no (revenue)", "weak_budget_balance": "yes"}
UNPAID = {"budget_balance": "yes (no payments)", "weak_budget_balance": "yes"}
BALANCED = {"budget_balance": "yes", "weak_budget_balance": "yes"}
"""Truths that go together, for `truths`."""
