"""Proofs of code: regions, certificates, what is refuted, and where it gives up."""
