"""Answers an exercise: the student's code runs in a process of its own, within limits, and is judged in this one.

What is said of it are the engine's verdicts, what it reaches on evenly spread profiles, and what that means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.lessons.exercises import EXERCISES, Exercise
from analysis.lessons.student import StoppedError, Student, on_a_line, sentence
from mechanism import UnknownNameError
from mechanism.direct import SingleParameter
from mechanism.errors import InvalidMechanismError
from proofs_checks.evidence.verdict import Verdict
from proofs_checks.evidence.verify import check_mechanism, verify

SECONDS = 5.0
"""For the student's code to run and to answer first."""

MORE_SECONDS = 12.0
"""For all that it is asked after that."""

_LONGEST = 20_000
_BUDGET = 2.0

POINTS = 40_000
"""How many points: a jump of a rule at 0.42, 0.425 or 1/2 lies between two of them."""

_GENERATOR = 17_653  # of the best 1 % of 2809 by P_2 in two to four dimensions, the one whose revenues err least


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


def check(exercise: str, code: str, seconds: float = SECONDS) -> Answer:
    """Run the student's code as the rule of an exercise and return what came of it; never raises for what it does.

    The code runs in a new process with a limit on time, memory and the size of files; it is no prison: run only code
    that you would run. It is judged in this process, by the numbers that it answers with and nothing else.
    `UnknownNameError` if there is no such exercise.
    """
    if exercise not in EXERCISES:
        raise UnknownNameError(f"unknown exercise {exercise!r}; known: {', '.join(EXERCISES)}")
    if len(code) > _LONGEST:
        return Answer("error", f"The code has more than {_LONGEST} characters; a rule needs about ten lines.")
    with Student(EXERCISES[exercise]) as student:
        answer = _asked(EXERCISES[exercise], student, code, seconds)
        if printed := student.printed().strip():
            first = on_a_line(printed.splitlines()[0][:80])
            told = f"Your code printed “{first}”: the answer does not see it, only what rule returns."
            return replace(answer, lines=(*answer.lines, told))
        return answer


def _asked(exercise: Exercise, student: Student, code: str, seconds: float) -> Answer:
    mechanism = SingleParameter(
        student.rule, exercise.agents, 0.0, exercise.high, exercise.role, "rule", exercise.optimum, exercise.called
    )
    try:
        student.begin(code, seconds)
        mechanism(np.random.default_rng(1).uniform(0.0, exercise.high, (7, exercise.agents)))  # the plainest question
        check_mechanism(mechanism)
        student.allow(MORE_SECONDS, f"Your rule took more than {MORE_SECONDS:g} s to be questioned")
        return judged(exercise, mechanism)
    except StoppedError as error:
        return Answer("error", str(error))
    except InvalidMechanismError as error:
        if student.stopped is not None:  # the engine says in its own words that an answer failed to come
            return Answer("error", str(student.stopped))
        return Answer("error", sentence(str(error)))


def spread(agents: int, high: float) -> NDArray[np.float64]:
    """Return `POINTS` profiles ``[POINTS, agents]`` in [0, high]: the shifted rank-1 lattice (k g^j mod n + s_j) / n.

    A lattice rule of Korobov's kind (Sloan and Joe, Lattice Methods for Multiple Integration, 1994): each agent alone
    runs through n equal cells, at a place s_j = (2j + 1) / (2 agents) in the cell of its own, so that no two agents
    tie. Means of revenue and of gains from trade of two agents, which jump at a reserve or at a price, are right to
    5e-5, where 4000 drawn profiles were off by 6e-3.
    """
    k = np.arange(POINTS)
    columns = [(k * pow(_GENERATOR, j, POINTS)) % POINTS + (2 * j + 1) / (2 * agents) for j in range(agents)]
    return np.asarray(high * np.stack(columns, axis=1) / POINTS)


def judged(exercise: Exercise, mechanism: SingleParameter) -> Answer:
    """Question the rule: the exercise's properties by the engine, its goal on evenly spread profiles.

    `InvalidMechanismError` if the rule fails while it is questioned.
    """
    bids = spread(exercise.agents, exercise.high)
    allocation, payment = mechanism(bids)
    complaint = exercise.goal(bids, allocation, payment) if exercise.goal is not None else ""
    remark = exercise.remark(bids, allocation, payment) if exercise.remark is not None and not complaint else ""
    try:
        verdicts = verify(mechanism, exercise.properties, budget=_BUDGET)
    except InvalidMechanismError:
        if not complaint:
            raise
        return Answer("wrong", f"Not reached: {complaint}.")  # what hands out too much beats the declared optimum
    return worded(exercise, verdicts, complaint, remark)


def worded(exercise: Exercise, verdicts: Sequence[Verdict], complaint: str = "", remark: str = "") -> Answer:
    """Return the answer to an exercise: what is broken first, then what is not reached, then how sure the rest is."""
    broken = [v for v in verdicts if v.holds is False]
    lines = [_line(exercise, verdict) for verdict in verdicts]
    if complaint:
        lines.append(f"Not reached: {complaint}.")
    if broken:
        return Answer("wrong", f"The smallest case against your rule: {_case(broken[0])}.", tuple(lines))
    if complaint:
        return Answer("wrong", f"Every promise holds so far, but {complaint}.", tuple(lines))
    if remark:
        lines.append(remark)
    searched = ", ".join(v.property for v in verdicts if v.holds)
    undecided = ", ".join(v.property for v in verdicts if v.holds is None)
    lines.append("“Nothing found” is a search, not a proof: a case could hide where the engine did not look.")
    told = f"Right: for {searched or 'no promise'} nothing was found against your rule"
    return Answer("right", told + (f"; not decided: {undecided}." if undecided else "."), tuple(lines))


def _case(verdict: Verdict) -> str:
    return verdict.witness.sentence if verdict.witness is not None else verdict.property


def _line(exercise: Exercise, verdict: Verdict) -> str:
    name = f"{verdict.property} ({_MEANING.get(verdict.property, verdict.statement)})"
    if verdict.holds is False:
        return f"{name}: broken; {_case(verdict)}."
    if verdict.holds is None:
        return f"{name}: not decided ({verdict.evidence.get('reason', '')})."
    return f"{name}: nothing found in {verdict.evidence.get('tried', 0)} tries."
