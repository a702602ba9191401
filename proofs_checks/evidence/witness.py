"""Witnesses: a case in which a property fails, with all that it gives, ready to be replayed by anyone.

One class for every kind of mechanism. What is about a cleared market (a run's, one by hand) bears its public terms
besides: the weight of differences and the gain law.

Replay: the mechanism is asked again, and every number of the witness is compared with what comes out.
"""

from __future__ import annotations

import builtins
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mechanism.direct import DirectMechanism
from mechanism.errors import MarketProofError, shown
from mechanism.market.gains import law_to_dict
from mechanism.market.rules.rule import Clearing
from proofs_checks.evidence_errors import WitnessError
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import OWN, PROPERTY
from proofs_checks.properties.split_merge import resized
from proofs_checks.properties.truthful import about
from proofs_checks.search.cases import Cases, deviating
from proofs_checks.search.given_markets import GivenMarkets
from proofs_checks.search.sampled import Averaged, estimate

if TYPE_CHECKING:
    from mechanism import Market, Types
    from mechanism.market.gains import GainLaw

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
    ``people``: what the agents are called. ``digest``: of all else, as written; one that was read keeps what it had.
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
    people: tuple[str, ...] = ()

    @classmethod
    def of(cls, mechanism: DirectMechanism, prop: Property, case: Cases, *, built: int = 0, name: str = "") -> Witness:
        """Record a case as it is, with what it gives; ``name`` and ``built`` where the mechanism was resized."""
        numbers, terms, trades = prop.numbers(mechanism, case), None, {}
        sampled = mechanism.words if isinstance(mechanism, Averaged) else ""
        if isinstance(mechanism, GivenMarkets):
            terms, trades = Terms(mechanism.lam, mechanism.law), mechanism.trades(case)
        return cls(
            property=prop.id,
            mechanism=name or name_of(mechanism),
            names=mechanism.space.names,
            case=case,
            violation=float(prop.violation(mechanism, case).max()),
            numbers=numbers | trades,
            sentence=sampled + prop.sentence(mechanism, case, numbers),
            variant=prop.variant,
            built=built,
            terms=terms,
            people=tuple(mechanism.space.who(a) for a in range(case.types.shape[1])),
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
        'client b has cost 1.1; reporting cost 0.9 takes its utility from 0 to 1.9'
        """
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
        if self.people:  # witnesses of earlier versions have none
            plain["agents"] = list(self.people)
        if self.terms is not None:
            plain["market"] = {"lam": self.terms.lam, "law": law_to_dict(self.terms.law)}
        return plain

    @classmethod
    def from_dict(cls, data: Any) -> Witness:
        """Read what `to_dict` wrote, trusting nothing in it.

        `WitnessError` if any part is missing, unknown, of the wrong kind, of the wrong shape or not finite.
        """
        from proofs_checks.evidence.witness_file import read

        parts = read(data, FORMAT)
        terms = None if parts["terms"] is None else Terms(*parts["terms"])
        return cls(**(parts | {"terms": terms}))


def name_of(mechanism: DirectMechanism) -> str:
    """Return the name under which a catalogue lists the mechanism, else its own, shortly."""
    named = (getattr(mechanism, name, None) for name in ("listed_as", "name"))
    return str(next(filter(None, named), None) or type(mechanism).__name__)[:100]


def _digest(plain: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


MOST_DOUBT = 0.01
"""With which a witness about a rule that draws may be wrong."""

TOLERANCE = 1e-12
"""Relative to the amounts of the witness: another machine may add in another order, which moves the last bits."""


@dataclass(frozen=True)
class Replay:
    """What came out: does the property fail as the witness says (``reproduces``), and if not, where they differ.

    ``bitwise``: every number came out to the bit. ``sentence``: the witness in words, as they are now.
    """

    reproduces: bool
    bitwise: bool
    difference: str | None
    violation: float
    sentence: str


def replay(witness: Witness, mechanism: DirectMechanism | Clearing | None = None) -> Replay:
    """Recompute a witness with a mechanism (resized if the witness has fewer agents), by default the catalogue's.

    What clears markets serves for a witness about a cleared market. `WitnessError` if the witness does not fit the
    mechanism: other coordinates, agents, or types outside the bounds. `UnknownNameError` if no mechanism is given and
    the catalogue does not know the witness's.
    """
    prop = _property(witness)
    asked = fitting(witness, _mechanism(witness, mechanism))
    if (reason := prop.missing(asked)) is not None:
        raise WitnessError(f"{prop.id} does not apply to this mechanism: {reason}")
    radius = 0.0
    try:
        if (sampled := dict(witness.case.extra).get("sampled")) is not None:  # of a rule that draws
            calls, rows, seed, doubt = (float(x) for x in sampled[0])
            asked = Averaged(asked, int(calls), int(rows), int(seed))
            radius = estimate(prop, asked, witness.case, min(doubt, MOST_DOUBT))[1]
        again = Witness.of(asked, prop, witness.case)
        amounts = {name: row for name, row in again.numbers.items() if not name.startswith("imports_")}
        tolerance = prop.tolerance(amounts)
    except MarketProofError:
        raise
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError, AssertionError) as error:
        raise WitnessError(f"the witness is incomplete: {type(error).__name__}: {str(error)[:100]}") from None
    difference = _difference(witness, again, radius)
    if difference is None and witness.digest not in ("", witness.fingerprint()):
        difference = "the witness was changed after it was written, in what plays no part"
    if difference is None and not again.violation > tolerance + radius:
        difference = f"{prop.id} holds there: the violation is {again.violation!r}"
    exact = difference is None and again.numbers == witness.numbers and again.violation == witness.violation
    return Replay(difference is None, exact, difference, again.violation, again.sentence)


def _property(witness: Witness) -> Property:
    known = {**{p.id: p for name in witness.names for p in about(name)}, **PROPERTY, **OWN}
    prop = known.get(witness.property)
    if prop is None:
        if ":" in witness.property:
            raise WitnessError(
                f"the witness is about {shown(witness.property)}; name its code: --property FILE.py:NAME"
            )
        raise WitnessError(f"the witness is about {witness.property[:40]!r}; expected one of {', '.join(PROPERTY)}")
    kind = prop.variant
    if set(witness.variant) != set(kind) or any(type(witness.variant[k]) is not type(kind[k]) for k in kind):
        raise WitnessError(f"the witness has the parameters {sorted(witness.variant)}; expected {sorted(kind)}")
    return replace(prop, **witness.variant)


def _mechanism(witness: Witness, mechanism: DirectMechanism | Clearing | None) -> DirectMechanism:
    """Return what is to be asked: the one given, else the catalogue's; of a cleared market, on its terms."""
    from mechanism.catalogue import direct_mechanism
    from mechanism.market.mechanisms import market_mechanism

    if witness.terms is None:
        if mechanism is None:
            return direct_mechanism(witness.mechanism, witness.built or witness.agents)
        if not isinstance(mechanism, DirectMechanism):
            raise WitnessError("the witness is about a direct mechanism; expected one with space, outcome and utility")
        return mechanism
    if isinstance(mechanism, GivenMarkets):
        return mechanism
    clears = market_mechanism(witness.mechanism) if mechanism is None else mechanism
    if isinstance(clears, DirectMechanism):
        raise WitnessError("the witness is about a cleared market; expected a mechanism that clears markets")
    if witness.agents < 2:
        raise WitnessError("the witness is about a market of one client; expected two at least")
    terms, effective = witness.terms, "e_0" in witness.names
    return GivenMarkets.over(clears, witness.agents, terms.lam, terms.law, effective=effective)


def fitting(witness: Witness, mechanism: DirectMechanism) -> DirectMechanism:
    """Return the mechanism as the witness was held with it, resized if need be; `WitnessError` if it cannot be."""
    n, k = witness.case.types.shape[1:]
    for agents in (witness.built or n, n):
        if mechanism.space.agents != agents:
            other = resized(mechanism, agents)
            if other is None:
                raise WitnessError(f"the witness has {agents} agents, the mechanism {mechanism.space.agents}")
            mechanism = other
    space = mechanism.space
    if space.names != witness.names or space.k != k:
        raise WitnessError(f"the witness has {', '.join(witness.names)}; the mechanism has {', '.join(space.names)}")
    for array in (witness.case.types, witness.case.before, witness.case.after):
        if array is not None and ((array < space.low) | (array > space.high)).any():
            raise WitnessError("the witness holds a number outside the mechanism's bounds")
    return mechanism


def _difference(witness: Witness, again: Witness, radius: float) -> str | None:
    """Return which number differs first by more than rounding, or than two samples may; None if none does."""
    if set(again.numbers) != set(witness.numbers):
        return f"the witness holds {', '.join(sorted(witness.numbers))}; the replay {', '.join(sorted(again.numbers))}"
    room = 2.0 * radius + TOLERANCE * max(1.0, *(abs(x) for row in again.numbers.values() for x in row))
    for name, row in again.numbers.items():
        old = witness.numbers[name]
        if len(old) != len(row):
            return f"{name} has {len(old)} numbers in the witness, {len(row)} in the replay"
        for k, (a, b) in enumerate(zip(old, row, strict=True)):
            if abs(a - b) > room:
                return f"{name}[{k}] is {b!r}, the witness says {a!r}"
    if abs(again.violation - witness.violation) > room:
        return f"the violation is {again.violation!r}, the witness says {witness.violation!r}"
    return None
