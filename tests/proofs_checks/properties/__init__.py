"""Tests of proofs_checks.properties."""
