"""Says what holds of a student's rule: the engine's verdicts, what it reaches, and what that means, in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.lessons.exercises import Exercise
from analysis.lessons.lattice import spread
from mechanism.direct import SingleParameter
from mechanism.wording import letters
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.verify import verify

_BUDGET, _PROBES = 2.0, 24


@dataclass(frozen=True)
class Answer:
    """What came of it. ``kind``: "right", "wrong" (it runs, and breaks a promise) or "error" (it does not run).

    ``headline`` one line; ``lines`` one per promise, and what the answer means.
    """

    kind: str
    headline: str
    lines: tuple[str, ...] = ()


_MEANING = {
    "dsic": "nobody gains by a lie, whatever the others say",
    "bic": "nobody gains by a lie on average over the others",
    "ir": "nobody who tells the truth loses by taking part",
    "interim-ir": "nobody who tells the truth loses on average by taking part",
    "efficiency": "who values it most gets it",
    "weak-budget-balance": "nobody has to pay in from outside",
}


def judged(exercise: Exercise, mechanism: SingleParameter) -> Answer:
    """Question the rule: the exercise's properties by the engine, its goal on evenly spread profiles.

    Raises
    ------
    InvalidMechanismError
        If the rule fails while it is questioned.
    """
    bids = spread(exercise.agents, exercise.high)
    allocation, payment = mechanism(bids)
    complaint = exercise.goal(bids, allocation, payment) if exercise.goal is not None else ""
    remark = exercise.remark(bids, allocation, payment) if exercise.remark is not None and not complaint else ""
    verdicts = verify(mechanism, exercise.properties, budget=_BUDGET, probes=_PROBES)
    return worded(exercise, verdicts, complaint, remark)


def worded(exercise: Exercise, verdicts: Sequence[Verdict], complaint: str = "", remark: str = "") -> Answer:
    """Return the answer to an exercise: what is broken first, then what is not reached, then how sure the rest is."""
    broken = [v for v in verdicts if v.holds is False]
    lines = [_line(exercise, verdict) for verdict in verdicts]
    if complaint:
        lines.append(f"Not reached: {complaint}.")
    if broken:
        return Answer("wrong", f"The smallest case against your rule: {_case(exercise, broken[0])}.", tuple(lines))
    if complaint:
        return Answer("wrong", f"Every promise holds so far, but {complaint}.", tuple(lines))
    if remark:
        lines.append(remark)
    proved = [v for v in verdicts if v.grade is Grade.PROVED]
    names = ", ".join(v.property for v in proved)
    how = f"proved (of the formula with which your code agreed on {_samples(proved)} profiles)" if proved else ""
    if len(proved) == len(verdicts):
        return Answer("right", f"Right, and {how}: {names}.", tuple(lines))
    searched = ", ".join(v.property for v in verdicts if v.grade is not Grade.PROVED)
    lines.append("“Nothing found” is a search, not a proof: a case could hide where the engine did not look.")
    begun = f"Right: {names} {how}; for" if proved else "Right: for"
    return Answer("right", f"{begun} {searched} nothing was found against your rule.", tuple(lines))


def _samples(verdicts: Sequence[Verdict]) -> int:
    return min(int(v.evidence.get("conformance_samples", 0)) for v in verdicts)


def _case(exercise: Exercise, verdict: Verdict) -> str:
    said = verdict.witness.sentence if verdict.witness is not None else verdict.property
    return in_roles(said, exercise.roles)


def in_roles(text: str, roles: Sequence[tuple[str, str]]) -> str:
    """Return a sentence of the engine with the agents by their roles: "b has value 1" as "the seller has cost 1".

    ``roles``: of each agent, who it is and what its number is called; without any the sentence stays as it is.
    """
    if not roles:
        return text
    named_as = [letters(k) for k in range(len(roles))]
    number = "value"

    def named(found: re.Match[str]) -> str:
        nonlocal number
        if found[0] == "value":
            return number
        who, number = roles[named_as.index(found[0])]
        return f"the {who}"

    return re.sub(rf"\b({'|'.join(named_as)})(?= has |: )|\bvalue\b", named, text)


def _line(exercise: Exercise, verdict: Verdict) -> str:
    name = f"{verdict.property} ({_MEANING.get(verdict.property, verdict.statement)})"
    if verdict.holds is False:
        return f"{name}: broken; {_case(exercise, verdict)}."
    if verdict.grade is Grade.PROVED:
        agreed = f"your code agreed with the formula proved on {_samples([verdict])} profiles"
        return f"{name}: proved for all bids; {agreed}."
    if verdict.holds is None:
        return f"{name}: not decided ({verdict.evidence.get('reason', '')})."
    return f"{name}: nothing found in {verdict.evidence.get('tried', 0)} tries."
