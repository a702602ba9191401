"""The statements that certificates prove, in words that a proof cannot change."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, replace

from mechanism.entry import PROPERTIES
from proofs_checks.proofs.problems import PROBLEMS

SQRT = "the paper's gain law sqrt(K/n) - sqrt(K/x)"
_MARKET = (
    "one clearing; every number of clients; all sizes > 0, costs >= 0, gain parameters K >= 0, differences in [0, 2] "
    "and λ >= 0"
)
_EXACT = "; selection solved exactly (gap 0): a gap ε of an importer may cost up to 2ε"
DELIVERED = "; for data that is there as reported"
"""Said in the scope of what compares a buyer's true gain: others that overstate their data make a buyer lose."""

_GIVEN = "; the differences are given: that uploading other models moves them, or later rounds, is not covered"
_LAW = f"; {SQRT}"

PartKey = tuple[str, str]
"""(kind, name): which part a theorem needs; the name is a derivation's problem, or the part's lemma."""

_CONCAVE: tuple[PartKey, ...] = (("tangent-gap", "1/2"), ("falling-returns", ""))
_TELESCOPE: tuple[PartKey, ...] = (*_CONCAVE, ("telescoping", ""))


@dataclass(frozen=True)
class Theorem:
    """What is shown of which mechanism, by which parts in this order; the last derivation shows ``formula``."""

    mechanism: str
    property: str
    rule: str
    scope: str
    parts: tuple[PartKey, ...]

    @builtins.property
    def statement(self) -> str:
        """The property of the rule, in words."""
        return f"{self.rule}: {PROPERTIES[self.property]}"

    @builtins.property
    def formula(self) -> str:
        """The goal of the last part."""
        return PROBLEMS[self.parts[-1][1]].goal

    @builtins.property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions and definitions of all derivations, as they are used, each once."""
        found: dict[str, None] = {}
        for kind, name in self.parts:
            if kind == "derivation":
                for axiom in PROBLEMS[name].axioms.values():
                    if not axiom.source.startswith("lemma"):
                        case = f" [{axiom.case}]" if axiom.case else ""
                        found[f"{axiom.source}: {axiom.words}: {axiom.claim}{case}"] = None
        return tuple(found)


def _derivation(*problems: str) -> tuple[PartKey, ...]:
    return tuple(("derivation", name) for name in problems)


def _theorem(mechanism: str, prop: str, rule: str, scope: str, *parts: PartKey) -> Theorem:
    return Theorem(mechanism, prop, rule, scope, parts)


_IPFL = "falling thresholds, stop at the first failure, marginal payments"
_EXACT_MARGINAL = "exact selection, marginal payments"
_CLARKE = "exact selection, critical-value payments"
_POSTED = "posted prices that no report moves, each importer's best set among the willing sellers"

_MARKETS = (
    ("ipfl", _IPFL, "marginal-buyer", "threshold-seller", ""),
    ("exact-marginal", _EXACT_MARGINAL, "marginal-buyer", "exact-marginal-seller", _EXACT),
    ("ipfl-exact", _CLARKE, "clarke-buyer", "clarke-seller", _EXACT),
)

_ANY = "; any gain law"


def _market_theorems() -> list[Theorem]:
    found = []
    for name, rule, buyer, seller, solved in _MARKETS:
        lemmas, law = (_CONCAVE, _LAW) if seller == "threshold-seller" else ((), _ANY)
        scope = _MARKET + _LAW + solved + DELIVERED
        found += [
            _theorem(name, "ir-buyer", rule, scope, *_TELESCOPE, *_derivation(buyer)),
            _theorem(name, "ir-seller", rule, _MARKET + law + solved, *lemmas, *_derivation(seller)),
            _theorem(name, "ir", rule, scope, *_TELESCOPE, *_derivation(buyer, seller, "both-roles")),
            _theorem(name, "budget-balance", rule, _MARKET + _ANY, *_derivation("bilateral-balance")),
        ]
    exact = _MARKET + _ANY + _EXACT
    posted = _MARKET + _ANY + "; prices fixed in advance or computed from verified public data" + _EXACT
    return [
        *found,
        _theorem("ipfl-exact", "dsic-cost", _CLARKE, exact + _GIVEN, *_derivation("clarke-truth")),
        _theorem("ipfl-exact", "efficiency", _CLARKE, exact, *_derivation("separable-optimum")),
        _theorem("exact-marginal", "efficiency", _EXACT_MARGINAL, exact, *_derivation("separable-optimum")),
        _theorem("posted-price", "ir-buyer", _POSTED, posted + DELIVERED, *_derivation("posted-buyer")),
        _theorem("posted-price", "ir-seller", _POSTED, posted, *_derivation("posted-seller")),
        _theorem(
            "posted-price",
            "ir",
            _POSTED,
            posted + DELIVERED,
            *_derivation("posted-buyer", "posted-seller", "both-roles"),
        ),
        _theorem("posted-price", "dsic-cost", _POSTED, posted + _GIVEN, *_derivation("posted-truth-cost")),
        _theorem("posted-price", "dsic-gain", _POSTED, posted + DELIVERED + _GIVEN, *_derivation("posted-truth-gain")),
        _theorem("posted-price", "budget-balance", _POSTED, posted, *_derivation("bilateral-balance")),
    ]


_CRITICAL = {
    "second-price": "the highest bid wins and pays the highest other bid",
    "second-price-reserve": "the highest bid at or above the reserve wins and pays the larger of reserve and next bid",
    "posted-price-single": "the first agent willing to pay a fixed price gets the object for it",
    "myerson": "the highest virtual value at or above 0 wins and pays the lowest value that would still win",
    "greedy-knapsack": "greedy packing by value, monotone, each winner pays its critical value",
}
_PIVOT = {
    "vcg-positions": "the best assignment of positions, Clarke payments",
    "vcg-combinatorial": "the best allocation of bundles, Clarke payments",
    "clarke-public-good": "the decision of largest reported value, Clarke payments",
}


def _classic_theorems() -> list[Theorem]:
    critical = "every number of agents, all values, all reports of the others, ties broken either way by a fixed rule"
    pivot = "every number of agents, any finite set of outcomes that no report changes, all values"
    found = []
    for name, rule in _CRITICAL.items():
        found += [
            _theorem(name, "dsic", rule, critical, *_derivation("critical-truth")),
            _theorem(name, "ir", rule, critical, *_derivation("critical-ir")),
        ]
    for name, rule in _PIVOT.items():
        found += [
            _theorem(name, "dsic", rule, pivot, *_derivation("pivot-truth")),
            _theorem(name, "efficiency", rule, pivot, *_derivation("pivot-efficiency")),
            _theorem(name, "weak-budget-balance", rule, pivot, *_derivation("pivot-budget")),
        ]
        if name != "clarke-public-good":  # whose values may be negative
            found.append(_theorem(name, "ir", rule, pivot + " >= 0", *_derivation("pivot-ir")))
    return found


def with_exponent(theorem: Theorem, p: int, q: int) -> Theorem:
    """Return a theorem about the square-root law as one about the law with exponent p/q."""
    if (p, q) == (1, 2):
        return theorem
    law = f"the gain law (K/n)^({p}/{q}) - (K/x)^({p}/{q})"
    parts = tuple((kind, f"{p}/{q}") if kind == "tangent-gap" else (kind, name) for kind, name in theorem.parts)
    return replace(theorem, scope=theorem.scope.replace(SQRT, law), parts=parts)


THEOREMS: dict[tuple[str, str], Theorem] = {
    (t.mechanism, t.property): t for t in [*_market_theorems(), *_classic_theorems()]
}
"""By (mechanism id, property id)."""
