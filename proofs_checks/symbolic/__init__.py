"""Proofs of code: a rule is run on symbolic reports, and each of its regions decided in exact arithmetic."""
