"""Verdicts of one answer, made to agree: what refutes a consequence refutes the premise, and withdraws proofs.

Implications are those that properties state (`Property.follows`): bic follows from dsic, dsic from group-dsic, and so
on, transitively. A property that holds "so far" beside a refuted consequence is refuted by the same case where that
case breaks it too, else it is unknown. Properties that ask about the same cases are refuted by one that breaks them
all: every lie that refutes dsic is one ex post where values are private, and who loses by taking part loses in some
part. A witness against code of which a formula was proved says that the code is not that formula: no proof of the
formula is then one of the code, whichever property it is about.

And what refutes dsic is a hint for bic: an expected gain that a random search does not see is looked for beside it.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from mechanism.direct import DirectMechanism
from mechanism.errors import MarketProofError
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.witness import Witness, fitting, name_of
from proofs_checks.properties.expectation import BayesTruthful
from proofs_checks.properties.interim import interim_lie
from proofs_checks.properties.property import Property
from proofs_checks.properties.rational import Rational
from proofs_checks.properties.registry import premises, properties
from proofs_checks.properties.truthful import GroupTruthful, Truthful

HINTED = 0.4
"""Share of the time of a whole answer in which small expected gains are looked for beside a lie that pays."""

_KINDS = (Truthful | GroupTruthful, Rational)
"""Properties that ask about the same cases."""


def agreed(mechanism: DirectMechanism, found: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts, each with what the others take from it."""
    names = mechanism.space.names
    refuted = [v for v in found if v.holds is False]
    told = list(found)
    if any("note" in v.evidence for v in refuted):
        told = [_withdrawn(v) for v in told]
    for broken in refuted:  # grows by what they refute
        other = properties([broken.property], names)[0]
        denied = set(premises(other, names))
        for place, verdict in enumerate(told):
            if not verdict.holds:
                continue
            prop = properties([verdict.property], names)[0]
            if verdict.property in denied:
                told[place] = _denied(mechanism, verdict, prop, broken)
            elif any(isinstance(prop, kind) and isinstance(other, kind) for kind in _KINDS):
                told[place] = _also(mechanism, verdict, prop, broken) or verdict
            if told[place].holds is False:
                refuted.append(told[place])
    return told


def hints(found: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts that refute truthfulness by one case of a rule that does not draw."""
    told = [v for v in found if v.property.split("-")[0] == "dsic" and v.holds is False and v.witness is not None]
    return [v for v in told if v.witness is not None and "sampled" not in dict(v.witness.case.extra)]


def expected(mechanism: DirectMechanism, found: Sequence[Verdict], seconds: float, seed: int) -> list[Verdict]:
    """Return the verdicts, bic refuted where a lie that refutes dsic leads to an expected gain (`interim_lie`).

    Only where bic was searched without a find. ``seconds``: infinite, and nothing depends on the machine's speed.
    """
    return [_expected(mechanism, v, hints(found), seconds, seed) for v in found]


def _expected(
    mechanism: DirectMechanism, verdict: Verdict, told: Sequence[Verdict], seconds: float, seed: int
) -> Verdict:
    prop = properties([verdict.property], mechanism.space.names)[0]
    if verdict.grade is not Grade.SEARCHED or not verdict.holds or not isinstance(prop, BayesTruthful):
        return verdict
    started = time.perf_counter()
    for hint in told:
        assert hint.witness is not None
        asked = fitting(hint.witness, mechanism)
        case, pairs = interim_lie(asked, prop, hint.witness.case, seed, seconds / len(told))
        if case is None:
            continue
        witness = Witness.of(asked, prop, case, built=hint.witness.built, name=name_of(mechanism))
        if not witness.violation > 0.0 or witness.violation != witness.numbers.get("at_least", [witness.violation])[0]:
            continue  # nobody is accused by an answer that is not given twice
        method = f"beside the walls of the case that refutes {hint.property}"
        return replace(
            verdict, grade=Grade.REFUTED, holds=False, bound=None, witness=witness,
            evidence={"method": method, "tried": verdict.evidence["tried"], "pairs": pairs},
            seconds=verdict.seconds + time.perf_counter() - started,
        )  # fmt: skip
    return verdict


def _withdrawn(verdict: Verdict) -> Verdict:
    """Return a verdict without the proof that rests on a formula: what the search beside it says."""
    evidence = verdict.evidence
    if verdict.grade is not Grade.PROVED or evidence["code"]["grade"] == "proved":
        return verdict
    note = {"note": "the formula is proved, and this code is not that formula: another property was refuted"}
    return replace(
        verdict, grade=Grade.SEARCHED, evidence=evidence["searched"] | note, bound=evidence["searched"]["bound"]
    )


def _denied(mechanism: DirectMechanism, verdict: Verdict, prop: Property, broken: Verdict) -> Verdict:
    """Return the verdict on a premise of what was refuted: refuted by the same case, or unknown."""
    reason = f"{broken.property}, which follows from it, is refuted"
    unknown = replace(verdict, grade=Grade.UNKNOWN, holds=None, bound=None, evidence={"reason": reason})
    return _also(mechanism, verdict, prop, broken) or unknown


def _also(mechanism: DirectMechanism, verdict: Verdict, prop: Property, broken: Verdict) -> Verdict | None:
    """Return the verdict, refuted by the case that refutes another; None if that case does not break it."""
    witness = broken.witness
    if witness is None:
        return None
    try:
        held = fitting(witness, mechanism)
        if isinstance(prop, Truthful) and not prop.asks(held, witness.case):
            return None
        check = prop.check(held, witness.case)
    except (MarketProofError, ValueError, IndexError, KeyError):
        return None  # a case of another shape: it says nothing of this property by itself
    if check.holds:
        return None
    return replace(
        verdict, grade=Grade.REFUTED, holds=False, bound=None,
        witness=Witness.of(held, prop, check.case, built=witness.built, name=name_of(mechanism)),
        evidence={"method": f"the case that refutes {broken.property}", "tried": 1},
    )  # fmt: skip
