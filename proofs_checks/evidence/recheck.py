"""Verdicts from a file, held against what they rest on: nothing is believed because the file says it.

The words must be the property's, and the grade fit what was found (``refuted`` has a witness, no other grade has one).
*Refuted*: the witness is about this mechanism and property, sealed, and replays. *Proved*: the certificate of the code
is added up and the code run through its regions again, or the formula is on record and the catalogue's code agrees with
it; the verdict is then said again, and must be the same. *Searched*: bound and share follow from the counts.
*Exhausted*: the grid is one of this mechanism's, bound and counts follow from it. Searches and grids are gone through
again where that is asked for: the same probes, the same grid. No verdict stands beside one that denies it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mechanism.direct import DirectMechanism
from mechanism.errors import MarketProofError, UnknownNameError, shown
from mechanism.market.accounting import MONEY
from proofs_checks.evidence.exhaustive import Exhausted, exhaust, grid_named, said_of, whole
from proofs_checks.evidence.grounds import find_proof, proved_code, proved_formula
from proofs_checks.evidence.randomised import CONFIDENCE, randomised_verdict, sampled_bound
from proofs_checks.evidence.statistics import bound_words, upper_share
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.evidence_errors import WitnessError
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import premises, properties
from proofs_checks.properties.truthful import Truthful
from proofs_checks.search.grids import Grid
from proofs_checks.search.searching import Search

Told = Mapping[str, Any]

_MOST_COUNT, _MOST_SECONDS = 1 << 62, 3600
_KEYS = {"property", "grade", "holds", "statement", "evidence", "bound", "witness", "seconds"}
_GIVEN = " that was given"
_ABSENT = object()

REPEATED = ("the search was not repeated", "the samples were not drawn again", "the grid was not gone through again")
"""What is left of searches and grids where they are not to be repeated."""
GIVEN_TYPES = "what holds on types that were given, which this file does not hold; name theirs with --types"
OTHER_WORDS = "the witness's own words, which are not those that this version makes of its numbers"


@dataclass(frozen=True)
class Rechecked:
    """What came out of a verdict: why it does not stand (None: it does), what is ``left`` to work out ("": nothing)."""

    property: str
    grade: str
    wrong: str | None
    left: str = ""


@dataclass(frozen=True)
class About:
    """What the verdicts are about: the mechanism's name as the file says it, the code, for how many agents.

    ``build`` makes it for so many agents. ``seed``: of the searches, None where they and grids are not to be gone
    through again. ``types``: those that were given, where they were.
    """

    name: str
    build: Callable[[int | None], DirectMechanism]
    agents: int | None = None
    seed: int | None = None
    types: Grid | None = None

    @property
    def mechanism(self) -> DirectMechanism:
        """The mechanism, for its number of agents."""
        return self.build(self.agents)


def recheck(told: Any, about: About) -> tuple[str | None, str]:
    """Return what is wrong with one verdict as plain data (None: it stands), and what was not worked out again.

    `WitnessError` if it is no verdict.
    """
    if not isinstance(told, Mapping) or not isinstance(told.get("evidence"), Mapping) or not set(told) <= _KEYS:
        raise WitnessError(f"a verdict must be an object with {', '.join(sorted(_KEYS))}, and no more")
    try:
        grade = Grade(str(told.get("grade")))
    except ValueError:
        raise WitnessError(f"grade is {shown(told.get('grade'))}; expected one of {', '.join(Grade)}") from None
    holds, witness = told.get("holds"), told.get("witness")
    prop = _property(str(told.get("property")))
    statement = f"{prop.statement} [{prop.formula}]"
    if told.get("statement") != statement and not (
        grade is Grade.EXHAUSTED and str(told.get("statement")).startswith(f"{statement}, only with ")
    ):
        return "its statement is not that of the property", ""
    due = {Grade.REFUTED: False, Grade.UNKNOWN: None}.get(grade, True)
    if holds is not due:
        return f"graded {grade}, and says that it holds: {holds}", ""
    if (witness is not None) != (grade is Grade.REFUTED):
        return "refuted, and no witness" if witness is None else f"graded {grade} beside a witness that refutes it", ""
    if grade is Grade.UNKNOWN:
        return None, ""
    if grade is Grade.PROVED:
        return _proved(told, prop, about), ""
    check = {Grade.REFUTED: _refuted, Grade.SEARCHED: _searched, Grade.EXHAUSTED: _exhausted}[grade]
    return check(told, prop, about)


def contradictions(verdicts: list[Told]) -> Iterator[tuple[str, str]]:
    """Yield property and reason of each verdict that says yes where another refutes what it rests on."""
    refuted = {str(v.get("property")) for v in verdicts if v.get("grade") == Grade.REFUTED}
    for verdict in verdicts:
        name = str(verdict.get("property"))
        if verdict.get("grade") == Grade.PROVED:
            for other in sorted(refuted & {name, *_grounds(verdict["evidence"])}):
                yield name, f"proved, and {other}, on which it rests, is refuted in the same file"
        if verdict.get("holds") is True:
            for other in sorted(refuted - {name}):
                if name in _denied_by(other):
                    yield name, f"said to hold, and {other}, which follows from it, is refuted in the same file"


def _grounds(evidence: Told) -> set[str]:
    """Return the properties on which a proof rests."""
    code = evidence.get("code")
    certificate = code.get("certificate") if isinstance(code, Mapping) else None
    return {str(part.get("of")) for part in (evidence, certificate) if isinstance(part, Mapping)}


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


def _refuted(told: Told, prop: Property, about: About) -> tuple[str | None, str]:
    witness = Witness.from_dict(told["witness"])
    if witness.property != prop.id or witness.variant != prop.variant:
        return f"its witness is about another property, {witness.property} {witness.variant or ''}".rstrip(), ""
    if witness.mechanism.rpartition(":")[2] != about.name.rpartition(":")[2]:
        return f"its witness is about another mechanism, {shown(witness.mechanism)}", ""
    return rewitnessed(witness, None if witness.terms is not None else about.build(witness.built or witness.agents))[:2]


def rewitnessed(witness: Witness, mechanism: DirectMechanism | None) -> tuple[str | None, str, str]:
    """Return why a witness from a file proves nothing (None: it does), what is left of it, and what its numbers say.

    It must be sealed and replay; its own words may be an earlier version's, or anybody's.
    """
    if witness.digest != witness.fingerprint():
        return "its witness has no digest, or one of something else", "", ""
    again = replay(witness, mechanism)
    if not again.reproduces:
        return f"its witness does not replay: {again.difference}", "", ""
    return None, "" if witness.sentence == again.sentence else OTHER_WORDS, again.sentence


def _proved(told: Told, prop: Property, about: About) -> str | None:
    from proofs_checks.symbolic.prove import CodeProof, check_code_proof

    evidence, mechanism = told["evidence"], about.mechanism
    code, searched = evidence.get("code"), evidence.get("searched")
    certificate = code.get("certificate") if isinstance(code, Mapping) else None
    tried = _count(evidence.get("tried"))
    if isinstance(certificate, Mapping):
        if wrong := check_code_proof(mechanism, certificate):
            return f"its certificate does not hold here: {wrong[0]}"
        if certificate["property"] != prop.name:
            return f"its certificate is about {shown(certificate['property'])}"
        due = proved_code(mechanism, prop, CodeProof.of(certificate), tried)
    else:
        proof, why = find_proof(mechanism, prop, 0)
        if proof is None or not isinstance(searched, Mapping):
            return f"its certificate is missing, and no formula on record is proved here: {why}"
        due = proved_formula(mechanism, proof, {**searched, "tried": tried})
    due = json.loads(json.dumps(due))
    if isinstance(told_formula := evidence.get("formula"), Mapping) and told_formula.get("checked") == "recorded":
        due["formula"] = due["formula"] and due["formula"] | {"checked": "recorded"}  # Coq may have run here since
    odd = next((key for key in sorted({*due, *evidence}) if due.get(key, _ABSENT) != evidence.get(key, _ABSENT)), None)
    return None if odd is None else f"what it says of its {odd} is not what is proved here"


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_COUNT:
        raise WitnessError(f"a count in the evidence is {shown(value)}; expected a whole number")
    return value


def _searched(told: Told, prop: Property, about: About) -> tuple[str | None, str]:
    evidence, bound = told["evidence"], told.get("bound")
    if evidence.get("method") == "sampled":
        return _sampled(told, prop, about)
    tried, probes, drawn = (_count(evidence.get(key)) for key in ("tried", "probes", "uniform_profiles"))
    if not 0 < tried >= drawn:
        return f"searched, and {tried} tried, {drawn} of them drawn", ""
    share, due = evidence.get("share"), prop.bound(tried, probes)
    if share is not None:
        confidence = evidence.get("confidence")
        if not isinstance(share, float) or not isinstance(confidence, float):
            return "its share and confidence are no numbers", ""
        if not drawn or not 0.0 < confidence < 1.0 or not abs(upper_share(drawn, confidence) - share) <= 1e-9 * share:
            return f"its bound does not follow from its counts: {shown(share)} of {drawn} drawn", ""
        due = due or bound_words(confidence, share, drawn)
    elif due is None:
        due = bound if isinstance(bound, str) and bound.startswith("no profile was drawn") and not drawn else None
    if bound != due:
        return "what it says of its bound is not what its counts give", ""
    if about.seed is None:
        return None, REPEATED[0]
    search = Search(about.mechanism, prop, about.seed)
    search.run(time.perf_counter() + _MOST_SECONDS, probes)
    if search.found is not None:
        return "the same search finds a case that breaks it", ""
    if tried > search.tried or drawn > search.uniform_profiles:
        if search.probes < probes:
            return None, "the same search did not end within an hour, without a find"
        return f"the same search tries {search.tried}, {search.uniform_profiles} of them drawn", ""
    return None, ""


def _sampled(told: Told, prop: Property, about: About) -> tuple[str | None, str]:
    evidence = told["evidence"]
    asked, tried, radius = _count(evidence.get("confirmed")), _count(evidence.get("tried")), evidence.get("radius")
    due = sampled_bound(asked, tried, radius) if isinstance(radius, float) else None
    if not asked or evidence.get("confidence") != CONFIDENCE or told.get("bound") != due:
        return "what it says of its bound is not what its counts give", ""
    if about.seed is None or asked > _MOST_SECONDS:  # a candidate takes about a second
        return None, REPEATED[1]

    def say(grade: Grade, holds: bool | None, found: dict[str, Any], **more: Any) -> Verdict:
        return Verdict(prop.name, grade, holds, "", found, **more)

    again = randomised_verdict(about.mechanism, prop, math.inf, about.seed, say, asked)
    return ("as many samples drawn again refute it" if again.grade is Grade.REFUTED else None), ""


def _exhausted(told: Told, prop: Property, about: About) -> tuple[str | None, str]:
    evidence, mechanism = told["evidence"], about.mechanism
    given = _GIVEN in str(told.get("bound"))
    grid = about.types if given else grid_named(mechanism, prop, evidence.get("grid"), evidence.get("fixed"))
    if grid is None and given:
        ok = _count(evidence.get("profiles")) > 0 and evidence.get("grid") and "only with" not in told["statement"]
        return (None if ok else "exhausted, and no grid is named"), GIVEN_TYPES
    if grid is None:
        return f"it has no such grid: {shown(evidence.get('grid'))}, {shown(evidence.get('fixed'))} fixed", ""
    worst, exact, besides = evidence.get("worst"), evidence.get("exact") is True, evidence.get("besides")
    if not isinstance(worst, float | int) or not worst <= MONEY:
        return f"its worst violation is {shown(worst)}", ""
    result = Exhausted(
        prop.name, True, worst, 0.0 if exact else MONEY, exact, grid.profiles,
        grid.deviations if isinstance(prop, Truthful) else 0, grid.words(), None, whole(mechanism.space, grid),
    )  # fmt: skip
    due, statement, bound = said_of(
        prop, mechanism, result, grid, given=given, besides=None if besides is None else _count(besides)
    )
    if (evidence, told["statement"], told.get("bound")) != (due, statement, bound):
        return "what it says of its grid does not follow from it", ""
    if about.seed is None:
        return None, REPEATED[2]
    again = exhaust(mechanism, grid, prop)
    if not again.holds or again.exact is not exact or abs(again.worst - worst) > MONEY:
        return f"on the same grid {'it fails' if not again.holds else f'the worst is {again.worst:.3g}'}", ""
    return None, ""


def recheck_all(verdicts: Any, about: About) -> list[Rechecked]:
    """Return what came out of each verdict in a file.

    `WitnessError` if they are no verdicts, or a property has two.
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
            wrong, left = recheck(verdict, about)
        except MarketProofError as error:
            wrong, left = str(error), ""
        found.append(Rechecked(name, str(verdict.get("grade")), wrong or denied.get(name), left))
    return found
