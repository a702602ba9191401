"""Certificates: proofs that a small program without a solver checks, and what they prove of the catalogue's rules.

`prove` by id, `prove_mechanism` for code (tested against the formula first), `check` for any certificate from anyone.

>>> from proofs_checks.proofs import check, prove
>>> certificate = prove("ipfl-exact", "dsic-cost")
>>> certificate.formula, check(certificate)
("U - U' >= 0", [])
"""

from proofs_checks.proofs.checkers.certificate import Certificate
from proofs_checks.proofs.checkers.checking import check
from proofs_checks.proofs.checkers.codec import CertificateError
from proofs_checks.proofs.finding.proving import Proof, conformance, prove, prove_mechanism
from proofs_checks.proofs.formulas.theorems import THEOREMS

__all__ = ["THEOREMS", "Certificate", "CertificateError", "Proof", "check", "conformance", "prove", "prove_mechanism"]
