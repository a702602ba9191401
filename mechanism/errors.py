"""The exceptions that this project raises on purpose; everything else is a bug."""

from collections.abc import Iterable
from pathlib import PurePath

LONGEST_VALUE = 60
"""Characters of a value that a message quotes."""


class MarketProofError(Exception):
    """Base of every deliberate error. The message is one line: what was wrong, what was expected, how to fix it."""


class InputError(MarketProofError, ValueError):
    """Something that the user gave is wrong: a file, a number, a name, an option."""


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


def one_line(text: object) -> str:
    """Return text as one printable line: control characters escaped, runs of white space made one space."""
    flat = " ".join(str(text).split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in flat)


def shown(value: object) -> str:
    """Return a value as a message quotes it: in quotes, on one line, and shortened unless it is a path."""
    text = one_line(value)
    whole = isinstance(value, PurePath) or len(text) <= LONGEST_VALUE
    return f"'{text}'" if whole else f"'{text[: LONGEST_VALUE - 1]}…'"


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
