"""The exceptions that this project raises on purpose; everything else is a bug."""

from __future__ import annotations


class MarketProofError(Exception):
    """Base of every deliberate error. The message is one line: what was wrong, what was expected, how to fix it."""


class InvalidMarketError(MarketProofError, ValueError):
    """Numbers that are no market: outside the domain, of the wrong shape, not finite."""


class UnknownNameError(MarketProofError, KeyError):
    """A mechanism, method, task, property or population that the catalogue does not hold."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SolverError(MarketProofError, RuntimeError):
    """A solver stopped without the exact answer that was asked of it."""


class InvalidMechanismError(MarketProofError, ValueError):
    """A mechanism that breaks its contract: wrong shape, not finite, random, or failing on some reports."""
