"""Checks of properties on given markets, one file each; every one returns a `Check` with its worst violation."""

from proofs_checks.properties.anonymity import anonymity
from proofs_checks.properties.balance import budget_balance
from proofs_checks.properties.check import Check, scales
from proofs_checks.properties.efficiency import efficiency
from proofs_checks.properties.monotonicity import monotonicity
from proofs_checks.properties.rationality import ir
from proofs_checks.properties.truthfulness import dsic_cost

__all__ = ["Check", "anonymity", "budget_balance", "dsic_cost", "efficiency", "ir", "monotonicity", "scales"]
