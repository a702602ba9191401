"""The process in which a student's code runs: ``python -m analysis.lessons.exercise_process EXERCISE``.

Reads the code as JSON from standard input, writes one line of JSON at each stage: ready, ran, answer.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from typing import Any

import numpy as np

from analysis.lessons.exercises import EXERCISES, Exercise, spread
from mechanism.direct import SingleParameter
from mechanism.errors import InvalidMechanismError
from proofs_checks.engine.verdict import Verdict
from proofs_checks.engine.verify import check_mechanism, verify
from proofs_checks.evidence import Grade

MEMORY = 1 << 30
"""Bytes that the student's code may use on top of what is loaded before it runs."""

_FILE = "<your code>"
_BUDGET, _PROBES = 2.0, 24
_MOST_PRINTED = 10_000


class StudentError(Exception):
    """The student's code fails; the message is the line that helps."""


class _Printed(io.StringIO):
    """Keeps the beginning of what the code prints."""

    def write(self, text: str, /) -> int:
        """Keep it, up to a limit."""
        if self.tell() < _MOST_PRINTED:
            super().write(text[:_MOST_PRINTED])
        return len(text)


def answer(exercise: Exercise, code: str, ran: Any = lambda: None) -> dict[str, Any]:
    """Run the code as the exercise's rule, question it, and return kind, headline and lines."""
    real, printed = sys.stdout, _Printed()
    sys.stdout = printed
    try:
        mechanism = _mechanism(exercise, code)
        mechanism(np.random.default_rng(1).uniform(0.0, exercise.high, (7, exercise.agents)))  # the plainest question
        check_mechanism(mechanism)
        ran()
        complaint = _complaint(exercise, mechanism)
        told = _judged(exercise, verify(mechanism, exercise.properties, budget=_BUDGET, probes=_PROBES), complaint)
    except (StudentError, InvalidMechanismError) as error:
        said = str(error).replace(f"{exercise.formula} returned", "rule returned", 1)
        told = {"kind": "error", "headline": _sentence(said), "lines": []}
    except MemoryError:
        told = {"kind": "error", "headline": "Your code used more memory than it may (1 GiB).", "lines": []}
    finally:
        sys.stdout = real
    if printed.getvalue().strip():
        first = printed.getvalue().strip().splitlines()[0][:80]
        told["lines"].append(f"Your code printed “{first}”: the answer does not see it, only what rule returns.")
    return told


def _mechanism(exercise: Exercise, code: str) -> SingleParameter:
    names: dict[str, Any] = {"np": np, "__name__": "student"}
    _guarded(lambda: exec(compile(code, _FILE, "exec"), names))
    rule = names.get("rule")
    if not callable(rule):
        raise StudentError("there is no function called rule; write def rule(bids): … return allocation, payment")

    def guarded(bids: np.ndarray) -> Any:
        return _guarded(lambda: rule(bids))

    return SingleParameter(
        guarded, exercise.agents, 0.0, exercise.high, exercise.role, exercise.formula, exercise.optimum
    )


def _guarded(run: Any) -> Any:
    try:
        return run()
    except (MemoryError, StudentError):
        raise
    except SyntaxError as error:
        raise StudentError(f"line {error.lineno}: Python cannot read it ({error.msg})") from None
    except SystemExit:
        raise StudentError("your code calls exit; let rule return allocation and payment instead") from None
    except BaseException as error:
        at = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _FILE]
        where = f"line {at[-1]}: " if at else ""
        said = f": {str(error).splitlines()[0][:200]}" if str(error) else ""
        raise StudentError(f"{where}your code raises {type(error).__name__}{said}") from None


def _complaint(exercise: Exercise, mechanism: SingleParameter) -> str:
    if exercise.goal is None:
        return ""
    bids = spread(exercise.agents, exercise.high)
    allocation, payment = mechanism(bids)
    return exercise.goal(bids, allocation, payment)


_MEANING = {
    "dsic": "nobody gains by a lie, whatever the others say",
    "bic": "nobody gains by a lie on average over the others",
    "ir": "nobody who tells the truth loses by taking part",
    "interim-ir": "nobody who tells the truth loses on average by taking part",
    "efficiency": "who values it most gets it",
    "weak-budget-balance": "nobody has to pay in from outside",
}


def _judged(exercise: Exercise, verdicts: list[Verdict], complaint: str) -> dict[str, Any]:
    broken = [v for v in verdicts if v.holds is False]
    lines = [_line(verdict) for verdict in verdicts]
    moral = [exercise.moral] if exercise.moral else []
    if complaint:
        lines.append(f"Not reached: {complaint}.")
    if broken:
        witness = broken[0].witness
        said = witness.sentence if witness is not None else broken[0].property
        return {"kind": "wrong", "headline": f"The smallest case against your rule: {said}.", "lines": lines}
    if complaint:
        return {"kind": "wrong", "headline": f"Every promise holds so far, but {complaint}.", "lines": lines}
    proved = [v.property for v in verdicts if v.grade is Grade.PROVED]
    if len(proved) == len(verdicts):
        seen = min(v.evidence.get("conformance_samples", 0) for v in verdicts)
        how = f" (of the formula with which your code agreed on {seen} profiles)" if seen else ""
        return {"kind": "right", "headline": f"Right, and proved{how}: {', '.join(proved)}.", "lines": lines + moral}
    lines += moral
    lines.append("“Nothing found” is a search, not a proof: a case could hide where the engine did not look.")
    searched = ", ".join(v.property for v in verdicts if v.grade is not Grade.PROVED)
    begun = f"Right: {', '.join(proved)} proved; for" if proved else "Right: for"
    return {"kind": "right", "headline": f"{begun} {searched} nothing was found against your rule.", "lines": lines}


def _line(verdict: Verdict) -> str:
    name = f"{verdict.property} ({_MEANING.get(verdict.property, verdict.statement)})"
    if verdict.holds is False:
        said = verdict.witness.sentence if verdict.witness is not None else ""
        return f"{name}: broken; {said}."
    if verdict.grade is Grade.PROVED:
        samples = verdict.evidence.get("conformance_samples", 0)
        return f"{name}: proved for all bids; your code agreed with the formula proved on {samples} profiles."
    if verdict.holds is None:
        return f"{name}: not decided ({verdict.evidence.get('reason', '')})."
    return f"{name}: nothing found in {verdict.evidence.get('tried', 0)} tries."


def _sentence(text: str) -> str:
    flat = " ".join(text.split())[:400]
    return f"{flat[:1].upper()}{flat[1:]}{'' if flat.endswith('.') else '.'}"


def _limit() -> None:
    """Bound what the code may take: memory beyond what is loaded, no files, processor time."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    try:
        with open("/proc/self/statm") as status:
            loaded = int(status.read().split()[0]) * resource.getpagesize()
    except OSError:
        loaded = 4 << 30
    for what, most in (
        (resource.RLIMIT_AS, loaded + MEMORY),
        (resource.RLIMIT_FSIZE, 1 << 20),
        (resource.RLIMIT_CPU, 60),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # not every system has every limit
            resource.setrlimit(what, (most, most))


def main() -> None:
    """Answer one exercise."""
    channel = os.fdopen(os.dup(1), "w")  # what the code writes to file 1 must not look like an answer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def tell(**message: Any) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    exercise = EXERCISES[sys.argv[1]]
    tell(stage="ready")
    code = json.loads(sys.stdin.read())
    _limit()
    tell(stage="answer", **answer(exercise, code, lambda: tell(stage="ran")))


if __name__ == "__main__":
    main()
