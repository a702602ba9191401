"""Certificates: theorems that Coq's kernel has checked of the catalogue's rules, and trade on grids, added up.

`prove` by id, `prove_mechanism` for code (tested against the formula first), `check` for any certificate from anyone.

>>> from proofs_checks.proofs import check, prove
>>> certificate = prove("ipfl-exact", "dsic-cost")
>>> certificate.parts[0].theorem, check(certificate)
('ipfl_exact_cost', [])
"""

from proofs_checks.evidence_errors import CertificateError
from proofs_checks.proofs.certificate import Certificate
from proofs_checks.proofs.proving import Proof, conformance, prove, prove_mechanism
from proofs_checks.proofs.theorems import THEOREMS, check

__all__ = ["THEOREMS", "Certificate", "CertificateError", "Proof", "check", "conformance", "prove", "prove_mechanism"]
