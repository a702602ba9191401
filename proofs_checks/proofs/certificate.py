"""A certificate: a statement, and what proves it: a theorem that Coq's kernel checked, or numbers that are added up.

As JSON it is frozen dataclasses of integers, fractions and strings, read back with suspicion.
"""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from mechanism.reading import once
from proofs_checks.evidence_errors import CertificateError
from proofs_checks.proofs.kernel_record import KernelProof
from proofs_checks.proofs.trade import TradeProof

MOST_TEXT = 32 * 2**20
MOST_ROWS = 200_000
MOST_WORDS = 20_000
_FRACTION = re.compile(r"-?[0-9]{1,1000}(/[1-9][0-9]{0,999})?", re.ASCII)


def encode(value: object) -> Any:
    """Return a dataclass, tuple, fraction, integer or string as plain JSON values; fractions as "p/q"."""
    if is_dataclass(value):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [encode(entry) for entry in value]
    return str(value) if isinstance(value, Fraction) else value


def decode(kind: Any, value: object, what: str) -> Any:
    """Return ``value`` as the declared type: int, str, Fraction, bool, tuple of these, or a dataclass of such fields.

    `CertificateError` at the first part that is of another kind, missing, unknown or too large; the message names it.
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

    `CertificateError` if it is anything else, or too long.
    """
    if len(text) > MOST_TEXT:
        raise CertificateError(f"the certificate is longer than {MOST_TEXT} characters; expected less")
    try:
        return json.loads(text, object_pairs_hook=once, parse_float=_no_float, parse_constant=_no_float)
    except CertificateError:
        raise
    except (ValueError, RecursionError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise CertificateError(f"the certificate is no JSON ({said}); expected one object") from None


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


FORMAT = "marketproof-certificate-1"

Part = KernelProof | TradeProof
"""The kinds of proof."""

KINDS: dict[str, type[Part]] = {"kernel": KernelProof, "trade": TradeProof}
"""Kinds by the name that JSON uses."""


def kind_of(part: Part) -> str:
    """Return the name of a part's kind.

    `CertificateError` if it is none of `KINDS`.
    """
    for name, kind in KINDS.items():
        if type(part) is kind:
            return name
    raise CertificateError(f"a part is a {type(part).__name__[:40]}; expected one of {', '.join(KINDS)}")


@dataclass(frozen=True)
class Certificate:
    """What is claimed, for what, under which assumptions, and the parts that prove it.

    ``mechanism`` and ``property`` are ids where the catalogue has them. ``statement`` and ``scope`` are words,
    ``formula`` the statement as it is proved. The words are not free: `check` compares them with what the parts show.
    """

    mechanism: str
    property: str
    statement: str
    formula: str
    scope: str
    assumptions: tuple[str, ...]
    parts: tuple[Part, ...]

    @builtins.property
    def claim(self) -> tuple[object, ...]:
        """All but the proof: two certificates prove the same statement exactly when their claims are equal."""
        return self.mechanism, self.property, self.statement, self.formula, self.scope, self.assumptions

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; fractions are strings."""
        table = {"format": FORMAT, **encode(self)}
        table["parts"] = [{"kind": kind_of(part), "proof": encode(part)} for part in self.parts]
        return table

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes | Mapping[str, Any]) -> Certificate:
        """Read what `to_json` wrote (or its dictionary), trusting nothing in it; reading proves nothing, `check` does.

        `CertificateError` if it is not JSON, too large, or any part of it is missing, unknown or of the wrong kind.
        """
        table = text if isinstance(text, Mapping) else parse(text)
        names = ["format", "mechanism", "property", "statement", "formula", "scope", "assumptions", "parts"]
        if not isinstance(table, Mapping) or set(table) != set(names):
            raise CertificateError(f"the certificate is {short(table)}; expected an object with {', '.join(names)}")
        if table["format"] != FORMAT:
            raise CertificateError(f"the certificate has format {short(table['format'])}; expected {FORMAT!r}")
        words: dict[str, str] = {name: decode(str, table[name], name) for name in names[1:6]}
        assumptions = decode(tuple[str, ...], table["assumptions"], "assumptions")
        parts = table["parts"]
        if not isinstance(parts, list) or not 0 < len(parts) <= 20:
            raise CertificateError(f"parts is {short(parts)}; expected a list of 1 to 20")
        return cls(assumptions=assumptions, parts=tuple(_part(entry, k) for k, entry in enumerate(parts)), **words)


def _part(entry: object, k: int) -> Part:
    if not isinstance(entry, Mapping) or set(entry) != {"kind", "proof"}:
        raise CertificateError(f"parts[{k}] is {short(entry)}; expected an object with kind, proof")
    kind = entry["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise CertificateError(f"parts[{k}].kind is {short(kind)}; expected one of {', '.join(KINDS)}")
    proof: Part = decode(KINDS[kind], entry["proof"], f"parts[{k}].proof")
    return proof
