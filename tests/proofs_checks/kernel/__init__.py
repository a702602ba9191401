"""Tests of the proofs in Coq."""
