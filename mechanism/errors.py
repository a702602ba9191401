"""The exceptions that this project raises on purpose; everything else is a bug."""

from __future__ import annotations

from collections.abc import Iterable


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


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'dsic' or 'bic'?" for the (at most two) known names most like one, "" where none is."""
    from difflib import get_close_matches

    near = [repr(n) for n in get_close_matches(name[:100], list(known), n=2)]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def unknown(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Return the error that a name is none of the known ones: the nearest first, then all."""
    names = list(known)
    near = did_you_mean(name, names)
    return UnknownNameError(f"unknown {kind} {name!r}{f'{near} Known' if near else '; known'}: {', '.join(names)}")
