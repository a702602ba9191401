"""The statements that certificates prove, in words that a certificate cannot change, and the check of a certificate.

A certificate of a rule refers to a theorem of the record: what is checked is that the record, which comes with the
program, holds that theorem of these sources under these words; the proof itself is checked by Coq, by ``make kernel``.
A certificate of trade on a grid holds numbers, which are put into the rows or added up in fractions.
"""

from collections.abc import Iterable
from fractions import Fraction

from proofs_checks.evidence_errors import CertificateError
from proofs_checks.proofs.certificate import Certificate, Part
from proofs_checks.proofs.kernel_record import CELLS, KernelProof, KernelTheorem, kernel_theorem, reference
from proofs_checks.proofs.trade import TradeProof, check_trade

Claim = tuple[str, str, str, str, str, tuple[str, ...]]


def certificate_of(theorem: KernelTheorem) -> Certificate:
    """Return the certificate that refers to a theorem."""
    return Certificate(*_claim(theorem), parts=(reference(theorem),))


def _claim(theorem: KernelTheorem) -> Claim:
    words = f"{theorem.mechanism}, {theorem.property}: {theorem.words}"
    axioms = tuple(f"axiom of Coq's standard library: {name}" for name in theorem.assumptions)
    return theorem.mechanism, theorem.property, words, theorem.coq, theorem.scope, axioms


def check(certificate: Certificate) -> list[str]:
    """Return what is wrong with a certificate, one message per failed condition; empty: its statement is proved.

    Trusts no solver, floats nowhere: integers and fractions only, of a size that JSON may bring.
    """
    try:
        # a part made in Python may hold anything, and NaN passes every comparison: checked is what JSON can say
        certificate = Certificate.from_json(certificate.to_dict())
        if len(certificate.parts) != 1:
            return [f"it has {len(certificate.parts)} parts; expected 1"]
        part = certificate.parts[0]
        claim, wrong = _due(certificate, part)
    except CertificateError as error:
        return [str(error)]
    except ValueError as error:  # Python writes no number of more than 4300 digits, and a message may hold one
        return [f"cannot be checked: {str(error)[:100]}"]
    return wrong + [
        f"{name} is not what is proved; expected {expected!r}"
        for name, said, expected in zip(
            ("mechanism", "property", "statement", "formula", "scope", "assumptions"),
            certificate.claim, claim, strict=True,
        )
        if said != expected
    ]  # fmt: skip


def _due(certificate: Certificate, part: Part) -> tuple[Claim, list[str]]:
    """Return the claim that the part proves, and what is wrong with the part."""
    if isinstance(part, TradeProof):
        return claim_of(part), check_trade(part)
    theorem = kernel_theorem(certificate.mechanism, certificate.property)
    if theorem is None:
        raise CertificateError(
            f"no theorem is kept about {certificate.property[:40]!r} of {certificate.mechanism[:40]!r}"
        )
    due = reference(theorem)
    wrong = [] if part == due else ["it refers to another theorem, or to another state of the proofs, than the record"]
    return _claim(theorem), wrong


def claim_of(part: TradeProof) -> Claim:
    """Return the claim of a proof about trade on a grid."""
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


THEOREMS = CELLS
"""Cells of the catalogue that a theorem proves, by (mechanism id, property id)."""

__all__ = ["THEOREMS", "KernelProof", "certificate_of", "check", "claim_of"]
