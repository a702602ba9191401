"""proofs_checks."""
