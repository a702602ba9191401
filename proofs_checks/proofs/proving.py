"""From ids to certificates, and from a mechanism's code to a verdict that says what is proved and what only tested.

Trade on grids is decided by a solver (HiGHS); what it finds is checked apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from mechanism.design.solve import Infeasible, maximise
from mechanism.errors import SolverError
from mechanism.market.direct import MarketDirect
from mechanism.market.gains import GainLaw, PowerGain, SqrtGain, TableGain
from proofs_checks.evidence_errors import CertificateError
from proofs_checks.proofs.auction_conformance import CLASSICS, CRITICAL_ONLY, classic_conformance
from proofs_checks.proofs.certificate import Certificate
from proofs_checks.proofs.kernel_record import DELIVERED, KernelTheorem, kernel_theorem
from proofs_checks.proofs.market_conformance import declared_cases, declared_conformance, market_conformance
from proofs_checks.proofs.theorems import THEOREMS, certificate_of, check, claim_of
from proofs_checks.proofs.trade import TradeProof, trade_system

MARKETS = ("ipfl", "exact-marginal", "ipfl-exact", "posted-price")
"""Market mechanisms whose code is held against the formula."""


@dataclass(frozen=True)
class Proof:
    """The answer to "prove this property of this mechanism".

    ``certificate`` is None where there is no proof; ``words`` says why, or what exactly is proved. ``samples``: how
    many random cases the code agreed with the certificate's formula on (a test: agreement elsewhere is not proved).
    """

    certificate: Certificate | None
    words: str
    samples: int = 0


def prove(mechanism_id: str, property_id: str, *, law: GainLaw | None = None) -> Certificate | None:
    """Return a certificate of a property of a catalogue mechanism's *formula*, or None if no proof is kept.

    ``law``: the gain law of a market (default the paper's); a theorem that rests on what a law does is said only of
    laws that are known to do it: power laws, and where only their start matters, tables.
    """
    theorem = kernel_theorem(mechanism_id, property_id)
    return None if theorem is None or not _covers(theorem, law or SqrtGain()) else certificate_of(theorem)


def _covers(theorem: KernelTheorem, law: GainLaw) -> bool:
    power = type(law) in (PowerGain, SqrtGain)  # a subclass may compute otherwise
    if theorem.law == "square root":
        return power and law.exponent == 0.5  # type: ignore[attr-defined]
    return theorem.law == "any" or power or (theorem.law == "from zero" and type(law) is TableGain)


def conformance(formula: str, mechanism: Any, rng: np.random.Generator, samples: int = 200) -> list[str]:
    """Return how a mechanism's code departs from the formula of that name in the catalogue; empty if nowhere seen.

    ``mechanism``: a market mechanism, its `MarketDirect`, or a direct mechanism; ``samples`` random cases are compared
    with an independent computation. Cheap; a test, not a proof. Errors that the mechanism raises are departures.
    """
    try:
        if formula in MARKETS and type(mechanism) is MarketDirect:  # a subclass may account otherwise
            return declared_conformance(mechanism, formula, rng, samples)
        if formula in MARKETS:
            if hasattr(mechanism, "space"):
                raise TypeError("a direct mechanism of a market must be a MarketDirect, whose accounting is known")
            return market_conformance(mechanism, formula, rng, samples, SqrtGain())
        return classic_conformance(mechanism, formula, rng, samples)
    except Exception as error:  # a user's code may raise anything, and then it does not compute the formula
        said = (str(error).splitlines() or [""])[0][:200]
        return [f"the mechanism cannot be tested, {type(error).__name__}: {said}"]


def formula_of(mechanism: Any, property_id: str) -> Proof:
    """Return a certificate of the formula that a mechanism's name and parameters stand for; else why there is none.

    Nothing is asked of the code. The name is ``id`` or ``name``, underscores read as hyphens (a rule written as
    ``def second_price``).
    """
    name = str(getattr(mechanism, "id", None) or getattr(mechanism, "name", ""))[:100].replace("_", "-")
    law = mechanism.law if type(mechanism) is MarketDirect else None
    certificate = prove(name, property_id, law=law)
    if certificate is None:
        under = f" under the gain law {law.name!r}" if law is not None and (name, property_id) in THEOREMS else ""
        return Proof(None, f"no proof is kept of {property_id} of {name or 'a mechanism without name'}{under}")
    if DELIVERED in certificate.scope and "size" in getattr(mechanism, "interdependent", ()):
        return Proof(None, f"{property_id} is proved only for {DELIVERED}; here others' data may differ from reports")
    return Proof(certificate, f"proved of the formula by Coq's kernel, {certificate.statement} ({certificate.scope})")


Conforms = Callable[[str, Any, np.random.Generator, int], list[str]]
"""Tests code against a formula, as `conformance` does."""


def prove_mechanism(
    mechanism: Any,
    property_id: str,
    *,
    rng: np.random.Generator | None = None,
    samples: int = 200,
    conforms: Conforms = conformance,
) -> Proof:
    """Return the certificate of `formula_of` for a mechanism *object* whose code computes that formula.

    Conformance is tested first, on ``samples`` random cases; a mechanism that departs from the formula anywhere among
    them gets no certificate but the reason.
    """
    proof = formula_of(mechanism, property_id)
    certificate = proof.certificate
    if certificate is None:
        return proof
    if certificate.mechanism not in (*MARKETS, *CLASSICS):
        return Proof(None, f"{certificate.statement} But this code is not held against the formula: no test is kept")
    if departures := conforms(certificate.mechanism, mechanism, rng or np.random.default_rng(0), samples):
        return Proof(None, f"the code is not the formula that is proved: {departures[0]}")
    tested = declared_cases(mechanism, samples) if type(mechanism) is MarketDirect else samples
    critical = certificate.mechanism in CRITICAL_ONLY
    part = " as far as the proof needs it, winning and paying by a critical value," if critical else ""
    words = f"{proof.words}; that the code computes this formula{part} is tested on {tested} random cases, not proved"
    return Proof(certificate, words, tested)


def trade_certificate(
    values: Sequence[Fraction | int | str],
    costs: Sequence[Fraction | int | str],
    *,
    incentive: str = "bic",
    rationality: str = "interim",
    balance: str = "ex-ante",
) -> Certificate:
    """Decide whether efficient trade on a grid can be truthful, rational and balanced, with a proof either way.

    `CertificateError` if the grid or a word is not one of `TradeProof`'s, or the answer cannot be confirmed in
    fractions.
    """
    v, c = tuple(Fraction(x) for x in values), tuple(Fraction(x) for x in costs)
    system = trade_system(v, c, incentive, rationality, balance)
    try:
        found = maximise(system, {})
    except SolverError as error:
        raise CertificateError(f"the grid could not be decided: {error}") from None
    numbers = found.multipliers if isinstance(found, Infeasible) else found.point
    answer = "impossible" if isinstance(found, Infeasible) else "possible"
    part = TradeProof(v, c, incentive, rationality, balance, answer, tuple(sorted(numbers.items())))
    certificate = Certificate(*claim_of(part), parts=(part,))
    if wrong := check(certificate):
        raise CertificateError(f"what was found proves nothing: {wrong[0]}")
    return certificate
