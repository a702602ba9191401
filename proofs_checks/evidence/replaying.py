"""Replay: ask the mechanism again, and compare every number of the witness with what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from mechanism.direct import DirectMechanism
from mechanism.errors import MarketProofError
from proofs_checks.errors import WitnessError
from proofs_checks.evidence.verdict import DirectWitness
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.properties.split_merge import resized

TOLERANCE = 1e-12
"""Relative to the amounts of the witness: another machine may add in another order, which moves the last bits."""


@dataclass(frozen=True)
class DirectReplay:
    """What came out: does the property fail as the witness says (``reproduces``), and if not, where they differ.

    ``bitwise``: every number came out to the bit.
    """

    reproduces: bool
    bitwise: bool
    difference: str | None
    violation: float
    sentence: str


def replay_direct(witness: DirectWitness, mechanism: DirectMechanism) -> DirectReplay:
    """Recompute a witness with the mechanism that it is about (resized if it has fewer agents).

    Raises
    ------
    WitnessError
        If the witness does not fit the mechanism: other coordinates, agents, or types outside the bounds.
    """
    prop = _property(witness)
    fitting = _fitting(witness, mechanism)
    if (reason := prop.missing(fitting)) is not None:
        raise WitnessError(f"{prop.id} does not apply to this mechanism: {reason}")
    try:
        numbers = prop.numbers(fitting, witness.case)
        violation = float(prop.violation(fitting, witness.case).max())
        sentence = prop.sentence(fitting, witness.case, numbers)
    except MarketProofError:
        raise
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError, AssertionError) as error:
        raise WitnessError(f"the witness is incomplete: {type(error).__name__}: {str(error)[:100]}") from None
    difference = _difference(witness, numbers, violation, sentence)
    if difference is None and witness.digest not in ("", witness.fingerprint()):
        difference = "the witness was changed after it was written, in numbers that play no part"
    fails = violation > prop.tolerance(numbers)
    if difference is None and not fails:
        difference = f"{prop.id} holds there: the violation is {violation!r}"
    exact = difference is None and numbers == witness.numbers and violation == witness.violation
    return DirectReplay(difference is None, exact, difference, violation, sentence)


def _property(witness: DirectWitness) -> Property:
    from dataclasses import replace

    prop = PROPERTY.get(witness.property)
    if prop is None:
        raise WitnessError(f"the witness is about {witness.property[:40]!r}; expected one of {', '.join(PROPERTY)}")
    known = prop.variant
    if set(witness.variant) != set(known) or any(type(witness.variant[k]) is not type(known[k]) for k in known):
        raise WitnessError(f"the witness has the parameters {sorted(witness.variant)}; expected {sorted(known)}")
    return replace(prop, **witness.variant)


def _fitting(witness: DirectWitness, mechanism: DirectMechanism) -> DirectMechanism:
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
    arrays = (witness.case.types, witness.case.before, witness.case.after)
    for array in arrays:
        if array is not None and ((array < space.low) | (array > space.high)).any():
            raise WitnessError("the witness holds a number outside the mechanism's bounds")
    return mechanism


def _difference(witness: DirectWitness, numbers: dict[str, list[float]], violation: float, sentence: str) -> str | None:
    if set(numbers) != set(witness.numbers):
        return f"the witness holds {', '.join(sorted(witness.numbers))}; the replay {', '.join(sorted(numbers))}"
    amounts = [abs(x) for row in numbers.values() for x in row]
    room = TOLERANCE * max(1.0, *amounts)
    for name, row in numbers.items():
        old = witness.numbers[name]
        if len(old) != len(row):
            return f"{name} has {len(old)} numbers in the witness, {len(row)} in the replay"
        for k, (a, b) in enumerate(zip(old, row, strict=True)):
            if abs(a - b) > room:
                return f"{name}[{k}] is {b!r}, the witness says {a!r}"
    if abs(violation - witness.violation) > room:
        return f"the violation is {violation!r}, the witness says {witness.violation!r}"
    if sentence != witness.sentence:
        return f"the witness reads otherwise: {sentence}"
    return None
