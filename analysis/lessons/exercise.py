"""Answers an exercise: the student's code runs in a process of its own, within limits, and is judged in this one."""

from __future__ import annotations

import numpy as np

from analysis.lessons.exercises import EXERCISES, Exercise
from analysis.lessons.judging import Answer, judged
from analysis.lessons.student import StoppedError, Student, on_a_line, sentence
from mechanism import UnknownNameError
from mechanism.direct import SingleParameter
from mechanism.errors import InvalidMechanismError

SECONDS = 5.0
"""For the student's code to run and to answer first."""

MORE_SECONDS = 12.0
"""For all that it is asked after that."""

_LONGEST = 20_000


def check(exercise: str, code: str, seconds: float = SECONDS) -> Answer:
    """Run the student's code as the rule of an exercise and return what came of it; never raises for what it does.

    The code runs in a new process with a limit on time, memory and the size of files; it is no prison: run only code
    that you would run. It is judged in this process, by the numbers that it answers with and nothing else.

    Raises
    ------
    UnknownNameError
        If there is no such exercise.
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
            return Answer(answer.kind, answer.headline, (*answer.lines, told))
        return answer


def _asked(exercise: Exercise, student: Student, code: str, seconds: float) -> Answer:
    from proofs_checks.evidence.verify import check_mechanism

    mechanism = SingleParameter(
        student.rule, exercise.agents, 0.0, exercise.high, exercise.role, exercise.formula, exercise.optimum
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
        return Answer("error", sentence(str(error).replace(f"{exercise.formula} returned", "rule returned", 1)))
