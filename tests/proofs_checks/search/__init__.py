"""Tests of proofs_checks.search."""
