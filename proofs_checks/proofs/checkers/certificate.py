"""A certificate: a statement and a proof of it that a small program without any solver can check."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proofs_checks.proofs.checkers.codec import CertificateError, decode, encode, parse, short
from proofs_checks.proofs.checkers.concavity import FallingReturns, TangentGap
from proofs_checks.proofs.checkers.derivation import Derivation
from proofs_checks.proofs.checkers.telescoping import Telescoping
from proofs_checks.proofs.checkers.trade import TradeProof

FORMAT = "marketproof-certificate-1"

Part = TangentGap | FallingReturns | Telescoping | Derivation | TradeProof
"""The kinds of proof; each stands beside its checker in the file named after it."""

KINDS: dict[str, type[Part]] = {
    "tangent-gap": TangentGap,
    "falling-returns": FallingReturns,
    "telescoping": Telescoping,
    "derivation": Derivation,
    "trade": TradeProof,
}
"""Kinds by the name that JSON uses."""


def kind_of(part: Part) -> str:
    """Return the name of a part's kind.

    Raises
    ------
    CertificateError
        If it is none of `KINDS`.
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

        Raises
        ------
        CertificateError
            If it is not JSON, too large, or any part of it is missing, unknown or of the wrong kind.
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
