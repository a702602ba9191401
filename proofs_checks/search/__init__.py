"""proofs_checks/search."""
