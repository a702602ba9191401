"""Verdicts: prove what can be proved, search for what refutes the rest, and say how sure each answer is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism
from mechanism.errors import InvalidMechanismError
from mechanism.wording import count
from proofs_checks.evidence.agreeing import HINTED, agreed, expected, hints
from proofs_checks.evidence.exhaustive import exhausted_verdict
from proofs_checks.evidence.grounds import find_formula, find_proof, proved_code, proved_formula
from proofs_checks.evidence.randomised import randomised_verdict
from proofs_checks.evidence.statistics import bound_words, upper_share
from proofs_checks.evidence.verdict import Grade, Verdict, Verdicts
from proofs_checks.evidence.witness import Witness, name_of, replay
from proofs_checks.evidence_errors import OutOfTime
from proofs_checks.proofs.catalogued import not_catalogued
from proofs_checks.properties.expectation import BayesTruthful, Expected
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import properties
from proofs_checks.search.cases import Cases
from proofs_checks.search.examining import examine
from proofs_checks.search.grids import Grid, whole_grid
from proofs_checks.search.pacing import FAST, Pace, first_look
from proofs_checks.search.searching import Search
from proofs_checks.search.shrinking import shrink
from proofs_checks.symbolic.prove import CodeProof, CodeRefutation, GaveUp, prove_code

GRADES = ("auto", "searched", "exhausted", "proved")
"""What may be asked for: auto proves, else searches; the others do one thing only."""

CONFIDENCE = 0.99

_SHRINK_SECONDS = 3.0
_MOST_WHOLE = 1 << 16  # profiles of whole numbers that are exhausted though nobody asks for it
# Of the time that a property has:
_CODE_SHARE, _MOST_CODE = 0.4, 10.0  # share, and seconds at most, in which a proof of the code itself is looked for
_BESIDE_PROOF, _MOST_BESIDE = 0.25, 2.0  # the same, in which what is proved is searched: is this code the formula?
_BEFORE_HINTS = 0.3  # share in which bic is searched from nothing where a lie is known that refutes dsic
_MOST_OPEN = 0.05  # share of profiles of which a slow rule's search says nothing, above which it is no answer


Guard = Callable[[str | None, float], AbstractContextManager[None]]
"""Given a property's name (None: the first look) and its seconds, returns what is entered around its check."""


def unguarded(name: str | None, seconds: float) -> AbstractContextManager[None]:
    """Let the code run as long as it does, and its errors pass."""
    return nullcontext()


def verify(
    mechanism: DirectMechanism,
    ids: Iterable[str] | None = None,
    *,
    budget: float = 30.0,
    grade: str = "auto",
    seed: int = 0,
    probes: int | None = None,
    types: Grid | None = None,
    randomised: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    guard: Guard = unguarded,
) -> Verdicts:
    """Return a verdict for each property of a mechanism, in a list that a notebook shows as a table.

    `UnknownNameError` if an id is no property. `InvalidMechanismError` if the mechanism fails, is random, or returns
    wrong shapes or numbers; the message names the reports.

    Parameters
    ----------
    mechanism
        Anything with the protocol `DirectMechanism`, as `single_parameter` makes it.
    ids
        Properties by id, or variants by name (``split-proof=half``); by default all that apply, no variants. One that
        was asked for and does not apply is unknown, with why.
    budget
        Seconds for all of them together (at most three seconds over, for shrinking a witness, or a tenth, for following
        a lie to an expected gain). What is proved of the catalogue's own code is searched besides for a quarter of its
        share, two seconds at most.
    grade
        "auto": proof, else search; "searched", "exhausted" (a finite grid) or "proved" only.
    seed
        Which probes are drawn. The same seed makes the same probes in the same order.
    probes
        Stop each search after so many probes: then the result does not depend on the machine's speed.
    types
        Finitely many types and their chances: each property is exhausted on these, and nothing else is tried.
    randomised
        The mechanism may draw: what its reports come to on average is estimated, at a confidence.
    progress
        Called with (property, how many are done, how many there are).
    guard
        Entered around the first look at the mechanism and around each property: it may limit the time (a property whose
        guard raises `OutOfTime` is unknown) and say in its own words what fails.
    """
    if grade not in GRADES:
        raise InvalidMechanismError(f"grade is {grade!r}; expected one of {', '.join(GRADES)}")
    if types is not None and grade not in ("auto", "exhausted"):
        raise InvalidMechanismError(f"grade is {grade!r}; types that are given are exhausted: expected that, or auto")
    if randomised and (types is not None or grade not in ("auto", "searched")):
        raise InvalidMechanismError("a randomised mechanism is searched only: leave out grade and types")
    if not budget > 0.0:
        raise InvalidMechanismError(f"budget is {budget}; expected seconds > 0")
    deadline = time.perf_counter() + budget
    chosen = properties(ids, mechanism.space.names if hasattr(mechanism, "space") else ())
    with guard(None, budget):
        pace = check_mechanism(mechanism, seed, budget, randomised=randomised)
        if ids is None:
            chosen = [prop for prop in chosen if prop.missing(mechanism) is None]
    found: list[Verdict] = []
    beside = False
    for position, prop in enumerate(chosen):
        if progress is not None:
            progress(prop.name, position, len(chosen))
        started = time.perf_counter()
        kept = HINTED * budget if isinstance(prop, BayesTruthful) and hints(found) else 0.0
        share = pace.share(max(0.0, deadline - kept - started), len(chosen) - position, prop.least)
        if kept and not pace.slow(share):  # the lie that is known leads further than a search from nothing
            share *= _BEFORE_HINTS
        try:
            with guard(prop.name, share):
                found.append(verdict(mechanism, prop, share, grade, seed, probes, types, randomised, pace))
        except OutOfTime:
            spent = time.perf_counter() - started
            reason = f"not finished within {spent:.1f} s; give it a larger budget"
            found.append(_verdict(prop, started, Grade.UNKNOWN, None, {"reason": reason}))
        last = position + 1 == len(chosen)
        if hints(found) and (kept or (last and not beside)):
            beside = True  # a lie was known when bic was asked, or it came to be known later
            left = max(0.0, deadline - time.perf_counter())
            left = left + 0.1 * budget if last else min(kept, left)
            with suppress(OutOfTime), guard("bic", min(left, budget)):
                found = expected(mechanism, found, np.inf if probes is not None else left, seed)
    return Verdicts(agreed(mechanism, found))


def check_mechanism(
    mechanism: DirectMechanism, seed: int = 0, seconds: float = np.inf, *, randomised: bool = False
) -> Pace:
    """Ask a few hundred profiles of all kinds and refuse what cannot be verified; return its pace.

    `InvalidMechanismError` if the mechanism lacks a part, fails, is random, or its answers depend on the batch.
    """
    for name in ("space", "outcome", "utility", "payments"):
        if not hasattr(mechanism, name):
            raise InvalidMechanismError(
                f"{type(mechanism).__name__} has no {name!r}; expected a mechanism made by single_parameter, or an "
                "object with space, outcome, utility and payments (mechanism.DirectMechanism)"
            )
    rng = np.random.default_rng([seed, 1])
    profiles, pace = first_look(mechanism, rng, seconds)
    if len(profiles):
        examine(mechanism, rng, profiles, randomised=randomised)
    return pace


def verdict(
    mechanism: DirectMechanism,
    prop: Property,
    seconds: float,
    grade: str,
    seed: int,
    probes: int | None = None,
    types: Grid | None = None,
    randomised: bool = False,
    pace: Pace = FAST,
) -> Verdict:
    """Return the verdict on one property, within about ``seconds``: the first of these that gives one.

    1. It does not apply: unknown. A randomised rule is estimated. A grid that was asked for is exhausted.
    2. A proof of the code is looked for, then one of a formula that the code is held against.
    3. Without a proof, whole numbers are exhausted where they are few enough.
    4. A search, shorter beside a proof: what it (or the code's own proof) finds is shrunk, replayed and refutes.
    5. Nothing found: the proof, or that it was searched; unknown where too little was tried to say anything.
    """
    started = time.perf_counter()
    say = partial(_verdict, prop, started)
    if (reason := prop.missing(mechanism)) is not None:
        return say(Grade.UNKNOWN, None, {"reason": f"does not apply: {reason}"})
    if randomised:
        return randomised_verdict(mechanism, prop, seconds, seed, say, probes)
    unfinished = None
    if grade == "exhausted" or types is not None:
        unfinished = exhausted_verdict(mechanism, prop, seconds, say, types)
        if isinstance(unfinished, Verdict):
            return unfinished
        if types is not None:
            return say(Grade.UNKNOWN, None, {"reason": unfinished})
    slow = probes is None and pace.slow(seconds)
    if slow and pace.needs(prop.least) > seconds and not_catalogued(mechanism):
        return say(Grade.UNKNOWN, None, {"reason": pace.reason(prop.least)})
    proof, code, why, undecided = None, None, "", True
    if grade in ("auto", "proved"):
        code = None if prop.kind or slow else prove_code(mechanism, prop.name, min(_CODE_SHARE * seconds, _MOST_CODE))
        undecided = code is None or isinstance(code, GaveUp)
        if undecided and not (isinstance(code, GaveUp) and code.broken):
            proof, why = find_proof(mechanism, prop, seed)
        if grade == "proved" and proof is None and undecided:
            given_up = f"of the code: {code.reason}; of a formula: " if isinstance(code, GaveUp) else ""
            return say(Grade.UNKNOWN, None, {"reason": f"{given_up}{why}"})
    if grade == "auto" and proof is None and undecided and whole_grid(mechanism.space, np.nan, _MOST_WHOLE) is not None:
        found = exhausted_verdict(mechanism, prop, 0.5 * seconds, say)
        if isinstance(found, Verdict):
            return found
    search = Search(mechanism, prop, seed, pace=pace if slow else None)
    broken = code.case if isinstance(code, CodeRefutation) else None
    if broken is None:
        known = proof is not None or isinstance(code, CodeProof)
        search.run(started + (min(seconds * _BESIDE_PROOF, _MOST_BESIDE) if known else seconds), probes)
        broken = search.found
    if broken is not None:
        left = min(_SHRINK_SECONDS, max(0.0 if slow else 1.5, started + seconds - time.perf_counter()))
        witness = make_witness(mechanism, prop, broken, seed, left, pace)
        again = replay(witness, mechanism)
        if not again.reproduces:  # nobody is accused by an answer that is not given twice
            raise InvalidMechanismError(
                f"the answers of {prop.blamed} do not repeat: at reports {witness.to_dict()['before']}, asked again "
                f"for {prop.id}, {again.difference}; expected a rule without randomness or memory"
            )
        method = "search" if broken is search.found else "regions of the code"
        evidence = {"method": method, "tried": search.tried, "probes": search.probes}
        if find_formula(mechanism, prop) is not None:
            evidence["note"] = "the formula is proved, and this code is not that formula"
        return say(Grade.REFUTED, False, evidence, witness=witness)
    if isinstance(code, CodeProof):
        return say(Grade.PROVED, True, proved_code(mechanism, prop, code, search.tried))
    searched = _searched(search)
    bound = _bound(search, searched.get("share"))
    if proof is not None:
        return say(Grade.PROVED, True, proved_formula(mechanism, proof, {**searched, "bound": bound}))
    if unfinished is not None:
        tried = f"{count(search.tried)} tried besides, none found"
        return say(Grade.UNKNOWN, None, searched | {"reason": f"not exhausted: {unfinished}; {tried}"})
    if not search.tried:
        return say(Grade.UNKNOWN, None, {"reason": "no time was left to search for it; give it a larger budget"})
    if slow and searched.get("share", 0.0) > _MOST_OPEN:
        few = f"only {count(search.tried)} tried, on {search.uniform_profiles} profiles drawn, none found"
        reason = f"{few}: an answer takes {pace.single:.2g} s; give it a larger budget"
        return say(Grade.UNKNOWN, None, searched | {"reason": reason})
    if isinstance(code, GaveUp):
        searched["code"] = {"grade": "none", "agents": mechanism.space.agents, "words": f"not proved: {code.reason}"}
    return say(Grade.SEARCHED, True, searched, bound=bound)


def _verdict(
    prop: Property, started: float, grade: Grade, holds: bool | None, evidence: dict[str, Any], **more: Any
) -> Verdict:
    """Return the verdict in the property's words; ``started``: when its check began (`time.perf_counter`)."""
    words, spent = f"{prop.statement} [{prop.formula}]", time.perf_counter() - started
    return Verdict(prop.name, grade, holds, words, evidence, seconds=spent, **more)


def _searched(search: Search) -> dict[str, Any]:
    evidence: dict[str, Any] = {
        "method": "search: uniform, ties, corners, lattice, small boxes; reports uniform, at others', near, ends, "
        "scan; climbing",
        "tried": search.tried, "probes": search.probes, "uniform_profiles": search.uniform_profiles,
        "worst": search.worst if np.isfinite(search.worst) else None,
    }  # fmt: skip
    if search.uniform_profiles and not isinstance(search.prop, Expected):
        evidence |= {"confidence": CONFIDENCE, "share": upper_share(search.uniform_profiles, CONFIDENCE)}
    if search.exact_profiles:
        evidence["exact_best_responses"] = search.exact_profiles
    return evidence


def _bound(search: Search, share: float | None) -> str:
    if (told := search.prop.bound(search.tried, search.probes)) is not None:
        return told
    if share is None:
        return "no profile was drawn from the uniform prior: no statistical statement"
    return bound_words(CONFIDENCE, share, search.uniform_profiles)


def make_witness(
    mechanism: DirectMechanism,
    prop: Property,
    case: Cases,
    seed: int = 0,
    seconds: float = _SHRINK_SECONDS,
    pace: Pace = FAST,
) -> Witness:
    """Shrink a case that breaks a property, as far as there is time, and record it with what it gives."""
    smaller = mechanism
    with suppress(OutOfTime):
        smaller, case = shrink(mechanism, prop, case, np.random.default_rng([seed, 3]), seconds, pace)
    return Witness.of(smaller, prop, case, built=mechanism.space.agents, name=name_of(mechanism))
