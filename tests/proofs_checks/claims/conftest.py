"""One run of every claim, by probes and not by seconds, for all tests here."""

import pytest

from proofs_checks.claims import CLAIMS, ClaimResult, run_claims


@pytest.fixture(scope="session")
def results() -> dict[str, ClaimResult]:
    """Every claim's result by id."""
    return {result.claim.id: result for result in run_claims(CLAIMS, budget=3000.0, probes=4)}
