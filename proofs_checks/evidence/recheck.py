"""Verdicts from a file, held against what they rest on: nothing is believed because the file says it.

What must fit: the words are the property's; the grade fits what was found (``refuted`` has a witness, no other grade
has one; ``unknown`` says neither yes nor no). *Refuted*: the witness is about this mechanism and property, has the
digest of what it says, and replays. *Proved*: a certificate that adds up, about this property or one that it follows
from, and a mechanism that agrees with its formula on random cases, or whose code runs through the certificate's
regions. *Searched*: bound and share follow from the counts. *Exhausted*: it names its grid and how many profiles it
has. A search and a grid are not gone through again: that is what ``verify`` does. No verdict stands beside one that
denies it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism
from mechanism.errors import MarketProofError, UnknownNameError, shown
from proofs_checks.evidence.statistics import upper_share
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.verify import bound_words
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.evidence_errors import WitnessError
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import premises, properties

Build = Callable[[int | None], DirectMechanism]
"""Makes the mechanism that the verdicts are about, for so many agents."""

_SAMPLES = 100
_MOST_COUNT = 1 << 62


def recheck(verdict: Any, mechanism: str, build: Build) -> str | None:
    """Return what is wrong with one verdict as plain data, None if it stands; ``mechanism``: whose the file says it is.

    Raises
    ------
    WitnessError
        If it is no verdict.
    """
    if not isinstance(verdict, Mapping) or not isinstance(verdict.get("evidence"), Mapping):
        raise WitnessError("a verdict must be an object with property, grade, holds, statement, evidence and witness")
    try:
        grade = Grade(str(verdict.get("grade")))
    except ValueError:
        raise WitnessError(f"grade is {shown(verdict.get('grade'))}; expected one of {', '.join(Grade)}") from None
    name, holds, told = str(verdict.get("property")), verdict.get("holds"), verdict.get("witness")
    prop = _property(name)
    if verdict.get("statement") != f"{prop.statement} [{prop.formula}]":
        return "its statement is not that of the property"
    due = {Grade.REFUTED: False, Grade.UNKNOWN: None}.get(grade, True)
    if holds is not due:
        return f"graded {grade}, and says that it holds: {holds}"
    if (told is not None) != (grade is Grade.REFUTED):
        return "refuted, and no witness" if told is None else f"graded {grade} beside a witness that refutes it"
    check = {Grade.REFUTED: _refuted, Grade.PROVED: _proved, Grade.SEARCHED: _searched, Grade.EXHAUSTED: _exhausted}
    return check[grade](verdict, prop, mechanism, build) if grade in check else None


def contradictions(verdicts: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield property and reason of each verdict that says yes where another refutes what it rests on."""
    refuted = {str(v.get("property")) for v in verdicts if v.get("grade") == Grade.REFUTED}
    for verdict in verdicts:
        name = str(verdict.get("property"))
        if verdict.get("grade") == Grade.PROVED:
            resting = {str(c.get("of", c.get("property"))) for c in _certificates(verdict["evidence"])} | {name}
            for other in sorted(refuted & resting):
                yield name, f"proved, and {other}, on which it rests, is refuted in the same file"
        if verdict.get("holds") is True:
            for other in sorted(refuted - {name}):
                if name in _denied_by(other):
                    yield name, f"said to hold, and {other}, which follows from it, is refuted in the same file"


def _denied_by(name: str) -> set[str]:
    """Return what does not hold if this property does not; of one that is unknown `recheck` says so."""
    try:
        return set(premises(_property(name), _coordinate(name)))
    except UnknownNameError:
        return set()


def _coordinate(name: str) -> list[str]:
    """Return the private number that a property's name names, if it does."""
    return [name.partition("-")[2]] if name.startswith(("dsic-", "expost-")) else []


def _property(name: str) -> Property:
    return properties([name], _coordinate(name))[0]


def _refuted(verdict: Mapping[str, Any], prop: Property, mechanism: str, build: Build) -> str | None:
    witness = Witness.from_dict(verdict["witness"])
    if witness.property != prop.id or witness.variant != prop.variant:
        return f"its witness is about another property, {witness.property} {witness.variant or ''}".rstrip()
    if witness.mechanism.rpartition(":")[2] != mechanism.rpartition(":")[2]:
        return f"its witness is about another mechanism, {shown(witness.mechanism)}"
    if witness.digest != witness.fingerprint():
        return "its witness has no digest, or one of something else"
    again = replay(witness, None if witness.terms is not None else build(witness.built or witness.agents))
    return None if again.reproduces else f"its witness does not replay: {again.difference}"


def _certificates(evidence: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return every certificate in the evidence, of the formula or of the code; {} for one that should be there."""
    told = [evidence.get("certificate")] if evidence.get("method") == "certificate" or "certificate" in evidence else []
    if "code" in evidence:
        told.append(evidence["code"].get("certificate") if isinstance(evidence["code"], Mapping) else None)
    return [part if isinstance(part, Mapping) else {} for part in told]


def _proved(verdict: Mapping[str, Any], prop: Property, mechanism: str, build: Build) -> str | None:
    from proofs_checks.proofs.certificate import Certificate
    from proofs_checks.proofs.kernel_record import kernel_theorem
    from proofs_checks.proofs.proving import conformance
    from proofs_checks.proofs.theorems import check
    from proofs_checks.symbolic.prove import check_code_proof

    evidence = verdict["evidence"]
    certificates = _certificates(evidence)
    if not all(certificates) or not certificates:
        return "proved, and a certificate is missing in its evidence"
    if isinstance(theorem := evidence.get("formula"), Mapping):
        known = kernel_theorem(str(theorem.get("mechanism")), str(theorem.get("property")))
        if known is None or json.loads(json.dumps({"by": "kernel", **known.to_dict()})) != theorem:
            return "the theorem that it rests on is not the one on record"
    for told in certificates:
        if told.get("property") not in (prop.id, prop.name, *prop.follows):
            return f"its certificate is about {shown(told.get('property'))}, from which it does not follow"
        if "regions" in told:
            agents = told.get("agents")
            wrong = check_code_proof(build(agents if isinstance(agents, int) else None), told)
        else:
            certificate = Certificate.from_json(told)
            wrong = check(certificate) or conformance(
                certificate.mechanism, build(None), np.random.default_rng(0), samples=_SAMPLES
            )  # fmt: skip
        if wrong:
            return f"its certificate does not hold here: {wrong[0]}"
    return None


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_COUNT:
        raise WitnessError(f"a count in the evidence is {shown(value)}; expected a whole number")
    return value


def _searched(verdict: Mapping[str, Any], prop: Property, mechanism: str, build: Build) -> str | None:
    evidence, bound = verdict["evidence"], verdict.get("bound")
    tried, probes, drawn = (_count(evidence.get(key)) for key in ("tried", "probes", "uniform_profiles"))
    if not 0 < tried >= drawn:
        return f"searched, and {tried} tried, {drawn} of them drawn"
    share, due = evidence.get("share"), prop.bound(tried, probes)
    if share is not None:
        confidence = evidence.get("confidence")
        if not isinstance(share, float) or not isinstance(confidence, float):
            return "its share and confidence are no numbers"
        if not drawn or not 0.0 < confidence < 1.0 or abs(upper_share(drawn, confidence) - share) > 1e-9 * share:
            return f"its bound does not follow from its counts: {shown(share)} of {drawn} drawn"
        due = due or bound_words(confidence, share, drawn)
    elif due is None:
        due = bound if isinstance(bound, str) and bound.startswith("no profile was drawn") and not drawn else None
    return None if bound == due else "what it says of its bound is not what its counts give"


def _exhausted(verdict: Mapping[str, Any], prop: Property, mechanism: str, build: Build) -> str | None:
    evidence = verdict["evidence"]
    if not (isinstance(evidence.get("grid"), str) and evidence["grid"] and verdict.get("bound")):
        return "exhausted, and no grid is named"
    return None if _count(evidence.get("profiles")) > 0 else "exhausted, and no profile was looked at"


def recheck_all(verdicts: Any, mechanism: str, build: Build) -> list[tuple[str, str, str | None]]:
    """Return property, grade and what is wrong (None: it stands) of each verdict in a file.

    Raises
    ------
    WitnessError
        If they are no verdicts, or a property has two.
    """
    if not isinstance(verdicts, list) or not verdicts:
        raise WitnessError("verdicts must be a list of objects, as 'marketproof verify --json' writes it")
    plain = [verdict for verdict in verdicts if isinstance(verdict, Mapping)]
    names = [str(verdict.get("property")) for verdict in plain]
    if len(set(names)) < len(verdicts):
        raise WitnessError("verdicts must be objects, one for each property: these are none, or of several files")
    denied = dict(contradictions([v for v in plain if isinstance(v.get("evidence"), Mapping)]))
    found = []
    for name, verdict in zip(names, plain, strict=True):
        try:
            wrong = recheck(verdict, mechanism, build)
        except MarketProofError as error:
            wrong = str(error)
        found.append((name, str(verdict.get("grade")), wrong or denied.get(name)))
    return found
