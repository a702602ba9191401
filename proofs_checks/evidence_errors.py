"""Errors about evidence that a user can cause."""

from mechanism.errors import MarketProofError


class WitnessError(MarketProofError, ValueError):
    """A witness that cannot be read, or does not fit the mechanism that it is replayed with."""


class OutOfTime(KeyboardInterrupt):
    """A limit on code was reached. An interrupt, not an `Exception`: code that catches all errors does not catch it."""


class CertificateError(MarketProofError, ValueError):
    """A text that is no certificate, or a proof that was asked for and is not kept."""
