"""Witnesses: a case in which a property fails, with all that it gives, ready to be replayed by anyone.

One class for every kind of mechanism. What is about a cleared market (a run's, one by hand) bears its public terms
besides: the weight of differences and the gain law.
"""

from __future__ import annotations

import builtins
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mechanism.market.gains import law_to_dict
from proofs_checks.search.cases import Cases, deviating
from proofs_checks.search.given_markets import GivenMarkets

if TYPE_CHECKING:
    from mechanism import Market, Types
    from mechanism.direct import DirectMechanism
    from mechanism.market.gains import GainLaw
    from mechanism.market.rules.rule import Clearing
    from proofs_checks.properties.property import Property

FORMAT = "marketproof-direct-witness-1"


@dataclass(frozen=True)
class Terms:
    """What is public in a cleared market beside its differences: their weight ``lam`` and the gain law."""

    lam: float
    law: GainLaw


@dataclass(frozen=True, eq=False)
class Witness:
    """One case that breaks a property, with what it gives.

    ``violation``: by how much (money, or units of allocation for monotonicity). ``numbers``: what the check computed
    on the way, by name. ``variant``: the property's parameters. ``built``: for how many agents the mechanism was built
    before it was resized to those of the case (what is sold may depend on it); default as many as the case has.
    ``terms``: of the market that it is about, where that was given; the case's public columns are then its differences.
    ``digest``: of everything else, as it was written; a witness that was read keeps the one that it came with.
    """

    property: str
    mechanism: str
    names: tuple[str, ...]
    case: Cases
    violation: float
    numbers: dict[str, list[float]]
    sentence: str
    variant: dict[str, Any] = field(default_factory=dict)
    built: int = 0
    terms: Terms | None = None
    digest: str = ""

    @classmethod
    def of(cls, mechanism: DirectMechanism, prop: Property, case: Cases, *, built: int = 0, name: str = "") -> Witness:
        """Record a case as it is, with what it gives; ``name`` and ``built`` where the mechanism was resized."""
        numbers, terms, trades = prop.numbers(mechanism, case), None, {}
        if isinstance(mechanism, GivenMarkets):
            terms, trades = Terms(mechanism.lam, mechanism.law), mechanism.trades(case)
        return cls(
            property=prop.id,
            mechanism=name or name_of(mechanism),
            names=mechanism.space.names,
            case=case,
            violation=float(prop.violation(mechanism, case).max()),
            numbers=numbers | trades,
            sentence=prop.sentence(mechanism, case, numbers),
            variant=prop.variant,
            built=built,
            terms=terms,
        )

    @classmethod
    def of_lie(
        cls, mechanism: Clearing, types: Types, market: Market, client: int, coordinate: str, report: float
    ) -> Witness:
        """Record what happens in one market ``[m]`` when a client alone says ``report`` for its cost, gain or size.

        Whether it pays or not; a mechanism with two stages is settled on the truth.

        >>> from mechanism import Market, Types, market_mechanism
        >>> types = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])
        >>> Witness.of_lie(market_mechanism("ipfl"), types, Market(), 1, "cost", 0.9).sentence
        'b has cost 1.1; reporting cost 0.9 takes its utility from 0 to 1.9'
        """
        from proofs_checks.properties.registry import PROPERTY

        rule, profiles = GivenMarkets.of(mechanism, types, market)
        case = deviating(profiles, np.array([client]), rule.space.index(coordinate), np.array([report]))
        return cls.of(rule, PROPERTY[f"dsic-{coordinate}"], case)

    @builtins.property
    def agents(self) -> int:
        """How many agents the case has."""
        return int(self.case.types.shape[1])

    def fingerprint(self) -> str:
        """Return the digest of what the witness says now: SHA-256 of its JSON with sorted keys."""
        return _digest(self._plain())

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, numbers and strings, ready for JSON."""
        plain = self._plain()
        return {**plain, "digest": self.digest or _digest(plain)}

    def _plain(self) -> dict[str, Any]:
        case = self.case
        after = None if case.after is None else case.after[0].tolist()
        plain = {
            "format": FORMAT,
            "property": self.property,
            "mechanism": self.mechanism,
            "variant": self.variant,
            "names": list(self.names),
            "types": case.types[0].tolist(),
            "before": case.before[0].tolist(),
            "after": after[0] if after is not None and len(after) == 1 else after,
            "deviators": None if case.deviators is None else np.flatnonzero(case.deviators[0]).tolist(),
            "extra": {name: array[0].tolist() for name, array in case.extra},
            "built": self.built or self.agents,
            "violation": self.violation,
            "numbers": self.numbers,
            "sentence": self.sentence,
        }
        if self.terms is None:
            return plain
        return {**plain, "market": {"lam": self.terms.lam, "law": law_to_dict(self.terms.law)}}

    @classmethod
    def from_dict(cls, data: Any) -> Witness:
        """Read what `to_dict` wrote, trusting nothing in it.

        Raises
        ------
        WitnessError
            If any part is missing, unknown, of the wrong kind, of the wrong shape or not finite.
        """
        from proofs_checks.evidence.witness_file import read

        parts = read(data, FORMAT)
        terms = None if parts["terms"] is None else Terms(*parts["terms"])
        return cls(**(parts | {"terms": terms}))


def name_of(mechanism: DirectMechanism) -> str:
    """Return the mechanism's name, shortly."""
    return str(getattr(mechanism, "name", None) or type(mechanism).__name__)[:100]


def _digest(plain: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
