"""Every statement of the paper and of theory.md that can be checked, as an executable claim with its verdict.

>>> from proofs_checks.claims import run_claims
>>> [result] = run_claims(["rule-gain-example"])
>>> result.verdict.holds, result.agrees
(True, 'agrees')
"""

from proofs_checks.claims.all_claims import CLAIMS, run_claims
from proofs_checks.claims.claim import Claim, ClaimResult, ClaimVerdict, Context

__all__ = ["CLAIMS", "Claim", "ClaimResult", "ClaimVerdict", "Context", "run_claims"]
