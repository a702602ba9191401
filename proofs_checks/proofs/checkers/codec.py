"""Frozen dataclasses of integers, fractions and strings as JSON, read back with suspicion."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from mechanism.errors import MarketProofError

MOST_TEXT = 32 * 2**20
MOST_ROWS = 200_000
MOST_WORDS = 20_000
_FRACTION = re.compile(r"-?[0-9]{1,1000}(/[1-9][0-9]{0,999})?", re.ASCII)


class CertificateError(MarketProofError, ValueError):
    """A text that is no certificate, or a proof that was asked for and is not kept."""


def encode(value: object) -> Any:
    """Return a dataclass, tuple, fraction, integer or string as plain JSON values; fractions as "p/q"."""
    if is_dataclass(value):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [encode(entry) for entry in value]
    return str(value) if isinstance(value, Fraction) else value


def decode(kind: Any, value: object, what: str) -> Any:
    """Return ``value`` as the declared type: int, str, Fraction, bool, tuple of these, or a dataclass of such fields.

    Raises
    ------
    CertificateError
        At the first part that is of another kind, missing, unknown or too large; the message names it.
    """
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        names = list(hints)
        if not isinstance(value, Mapping) or set(value) != set(names):
            raise CertificateError(f"{what} is {short(value)}; expected an object with exactly {', '.join(names)}")
        return kind(**{name: decode(hints[name], value[name], f"{what}.{name}") for name in names})
    if get_origin(kind) is tuple:
        return _sequence(get_args(kind), value, what)
    if kind is Fraction:
        if not isinstance(value, str) or not _FRACTION.fullmatch(value):
            raise CertificateError(f'{what} is {short(value)}; expected a fraction written as "p" or "p/q"')
        return Fraction(value)
    if type(value) is not kind:  # bool is not int here
        raise CertificateError(f"{what} is {short(value)}; expected {kind.__name__}")
    if isinstance(value, str) and len(value) > MOST_WORDS:
        raise CertificateError(f"{what} is longer than {MOST_WORDS} characters; expected a short text")
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields, by name."""
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _sequence(kinds: tuple[Any, ...], value: object, what: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > MOST_ROWS:
        raise CertificateError(f"{what} is {short(value)}; expected a list of at most {MOST_ROWS}")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(decode(kinds[0], entry, f"{what}[{k}]") for k, entry in enumerate(value))
    if len(kinds) != len(value):
        raise CertificateError(f"{what} holds {len(value)} entries; expected {len(kinds)}")
    return tuple(decode(kind, entry, f"{what}[{k}]") for k, (kind, entry) in enumerate(zip(kinds, value, strict=True)))


def parse(text: str | bytes) -> Any:
    """Parse JSON whose fields are named once and whose numbers are integers.

    Raises
    ------
    CertificateError
        If it is anything else, or too long.
    """
    if len(text) > MOST_TEXT:
        raise CertificateError(f"the certificate is longer than {MOST_TEXT} characters; expected less")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_float=_no_float, parse_constant=_no_float)
    except CertificateError:
        raise
    except (ValueError, RecursionError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise CertificateError(f"the certificate is no JSON ({said}); expected one object") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise CertificateError("the certificate names a field twice; expected each once")
    return table


def _no_float(text: str) -> float:
    raise CertificateError(f"the certificate holds the number {text[:40]}; expected integers and fractions only")


def short(value: object) -> str:
    """Return what was found, short and on one line."""
    if isinstance(value, str):
        return repr(value[:40])
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**20 else "a large integer"
    return f"a {type(value).__name__}"
