"""Errors about evidence that a user can cause."""

from __future__ import annotations

from mechanism.errors import MarketProofError


class WitnessError(MarketProofError, ValueError):
    """A witness that cannot be read, or does not fit the mechanism that it is replayed with."""
