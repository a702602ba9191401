"""The statements that certificates prove, in words that a proof cannot change, and the check of a certificate.

Its words are held against what the parts prove, and every part is checked by its own small checker.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from mechanism.entry import PROPERTIES
from proofs_checks.evidence_errors import CertificateError
from proofs_checks.proofs.certificate import Certificate, Part, kind_of
from proofs_checks.proofs.derivation import Derivation, check_derivation
from proofs_checks.proofs.lemmas import (
    FallingReturns,
    TangentGap,
    Telescoping,
    check_falling_returns,
    check_tangent_gap,
    check_telescoping,
)
from proofs_checks.proofs.problems import PROBLEMS
from proofs_checks.proofs.trade import TradeProof, check_trade

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


Claim = tuple[str, str, str, str, str, tuple[str, ...]]


def check(certificate: Certificate) -> list[str]:
    """Return what is wrong with a certificate, one message per failed condition; empty: its statement is proved.

    Trusts no solver, floats nowhere: integers and fractions only, of a size that JSON may bring.
    """
    try:
        # a part made in Python may hold anything, and NaN passes every comparison: checked is what JSON can say
        certificate = Certificate.from_json(certificate.to_dict())
        claim, keys = _due(certificate)
    except CertificateError as error:
        return [str(error)]
    wrong = [
        f"{name} is not what the parts prove; expected {expected!r}"
        for name, said, expected in zip(
            ("mechanism", "property", "statement", "formula", "scope", "assumptions"),
            certificate.claim, claim, strict=True,
        )
        if said != expected
    ]  # fmt: skip
    found = [key_of(part) for part in certificate.parts]
    if found != keys:
        wrong.append(f"the parts are {found}; expected {keys}")
    for part in certificate.parts:
        wrong += [f"{' '.join(key_of(part)).strip()}: {error}" for error in _check_part(part)]
    return wrong


def key_of(part: Part) -> tuple[str, str]:
    """Return (kind, name) of a part: what a theorem asks for."""
    name = ""
    if isinstance(part, Derivation):
        name = part.problem
    elif isinstance(part, TangentGap):
        name = f"{part.p}/{part.q}"
    return kind_of(part), name


def _check_part(part: Part) -> list[str]:
    try:
        return _wrong_with(part)
    except ValueError as error:  # Python writes no number of more than 4300 digits, and a message may hold one
        return [f"cannot be checked: {str(error)[:100]}"]


def _wrong_with(part: Part) -> list[str]:
    if isinstance(part, Derivation):
        problem = PROBLEMS.get(part.problem)
        return ["no such problem"] if problem is None else check_derivation(part, problem)
    if isinstance(part, TangentGap):
        return check_tangent_gap(part)
    if isinstance(part, FallingReturns):
        return check_falling_returns(part)
    return check_telescoping(part) if isinstance(part, Telescoping) else check_trade(part)


def _due(certificate: Certificate) -> tuple[Claim, list[tuple[str, str]]]:
    """Return the claim that a certificate's parts are about, and the parts that it needs."""
    if len(certificate.parts) == 1 and not isinstance(certificate.parts[0], Derivation):
        return claim_of(certificate.parts[0]), [key_of(certificate.parts[0])]
    theorem = THEOREMS.get((certificate.mechanism, certificate.property))
    if theorem is None:
        raise CertificateError(
            f"no theorem is kept about {certificate.property[:40]!r} of {certificate.mechanism[:40]!r}"
        )
    for part in certificate.parts:
        if isinstance(part, TangentGap):
            theorem = with_exponent(theorem, part.p, part.q)
    claim = (theorem.mechanism, theorem.property, theorem.statement, theorem.formula, theorem.scope)
    return (*claim, theorem.assumptions), list(theorem.parts)


def claim_of(part: Part) -> Claim:
    """Return the claim of a proof that stands alone: trade on a grid.

    Raises
    ------
    CertificateError
        If the part proves a lemma.
    """
    if not isinstance(part, TradeProof):
        raise CertificateError("this part proves a lemma, not a statement of its own")
    incentive, rationality, balance = part.incentive, part.rationality, part.balance
    verb = {"possible": "some rule has", "impossible": "no rule has"}.get(part.answer, "?")
    return (
        "efficient bilateral trade",
        f"{incentive}, {rationality} ir, {balance} budget balance",
        f"{verb} all of: trade exactly where value exceeds cost, {incentive}, {rationality} individual rationality, "
        f"{balance} budget balance",
        "see the rows of trade_system",
        f"values {_list(part.values)} and costs {_list(part.costs)}, independent and uniform",
        (),
    )


def _list(entries: Iterable[Fraction | str]) -> str:
    return ", ".join(str(entry) for entry in entries)
