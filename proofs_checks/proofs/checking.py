"""Checking a certificate: its words against what the parts prove, and every part by its own small checker."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

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
from proofs_checks.proofs.theorems import THEOREMS, with_exponent
from proofs_checks.proofs.trade import TradeProof, check_trade

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
