"""Replay: ask the mechanism again, and compare every number of the witness with what comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mechanism.direct import DirectMechanism
from mechanism.errors import MarketProofError
from mechanism.market.rules.rule import Clearing
from proofs_checks.evidence.witness import Witness
from proofs_checks.evidence_errors import WitnessError
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.properties.split_merge import resized
from proofs_checks.search.given_markets import GivenMarkets

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

    What clears markets serves for a witness about a cleared market.

    Raises
    ------
    WitnessError
        If the witness does not fit the mechanism: other coordinates, agents, or types outside the bounds.
    UnknownNameError
        If no mechanism is given and the catalogue does not know the witness's.
    """
    prop = _property(witness)
    asked = _fitting(witness, _mechanism(witness, mechanism))
    if (reason := prop.missing(asked)) is not None:
        raise WitnessError(f"{prop.id} does not apply to this mechanism: {reason}")
    try:
        again = Witness.of(asked, prop, witness.case)
        amounts = {name: row for name, row in again.numbers.items() if not name.startswith("imports_")}
        tolerance = prop.tolerance(amounts)
    except MarketProofError:
        raise
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError, AssertionError) as error:
        raise WitnessError(f"the witness is incomplete: {type(error).__name__}: {str(error)[:100]}") from None
    difference = _difference(witness, again)
    if difference is None and witness.digest not in ("", witness.fingerprint()):
        difference = "the witness was changed after it was written, in what plays no part"
    if difference is None and not again.violation > tolerance:
        difference = f"{prop.id} holds there: the violation is {again.violation!r}"
    exact = difference is None and again.numbers == witness.numbers and again.violation == witness.violation
    return Replay(difference is None, exact, difference, again.violation, again.sentence)


def _property(witness: Witness) -> Property:
    prop = PROPERTY.get(witness.property)
    if prop is None:
        raise WitnessError(f"the witness is about {witness.property[:40]!r}; expected one of {', '.join(PROPERTY)}")
    known = prop.variant
    if set(witness.variant) != set(known) or any(type(witness.variant[k]) is not type(known[k]) for k in known):
        raise WitnessError(f"the witness has the parameters {sorted(witness.variant)}; expected {sorted(known)}")
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
    return GivenMarkets.over(clears, witness.agents, witness.terms.lam, witness.terms.law)


def _fitting(witness: Witness, mechanism: DirectMechanism) -> DirectMechanism:
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


def _difference(witness: Witness, again: Witness) -> str | None:
    """Return which number differs first by more than rounding, None if none does."""
    if set(again.numbers) != set(witness.numbers):
        return f"the witness holds {', '.join(sorted(witness.numbers))}; the replay {', '.join(sorted(again.numbers))}"
    room = TOLERANCE * max(1.0, *(abs(x) for row in again.numbers.values() for x in row))
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
