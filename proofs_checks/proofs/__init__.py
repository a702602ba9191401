"""Certificates: proofs that a small program without a solver checks, and what they prove of the catalogue's rules.

`prove` by id, `prove_mechanism` for code (tested against the formula first), `check` for any certificate from anyone.

>>> from proofs_checks.proofs import check, prove
>>> certificate = prove("ipfl-exact", "dsic-cost")
>>> certificate.formula, check(certificate)
("U - U' >= 0", [])
"""

from proofs_checks.evidence_errors import CertificateError
from proofs_checks.proofs.certificate import Certificate
from proofs_checks.proofs.proving import Proof, conformance, prove, prove_mechanism
from proofs_checks.proofs.theorems import THEOREMS, check

__all__ = ["THEOREMS", "Certificate", "CertificateError", "Proof", "check", "conformance", "prove", "prove_mechanism"]
