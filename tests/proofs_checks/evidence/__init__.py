"""Tests of proofs_checks.evidence."""
