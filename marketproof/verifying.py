"""Verdicts on anybody's code: the budget holds whatever it does, and what it raises is one line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from marketproof.errors import InputError, Interrupted, shown
from marketproof.files.mechanism_files import Source, find_mechanism
from marketproof.files.time_limit import OutOfTime, time_limit
from mechanism.direct import DirectMechanism
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.verify import check_mechanism, shared_out, verdict
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import properties

_OVER = 5.0  # seconds that one property may take beyond its share: shrinking a witness takes three
_END = 4.0  # seconds after the deadline at which nothing goes on
_FIRST = 10.0  # seconds at least for the first answers, whatever the budget: code may have to be compiled

OURS = 1e6
"""Seconds for the catalogue's code, which ends."""


def load_within(text: str, clients: int | None, seconds: float) -> tuple[Source, DirectMechanism]:
    """Return a mechanism that a command line names, and where it comes from; a file is executed, within a time.

    Raises
    ------
    InputError, UnknownNameError, InvalidMechanismError
        If there is none of that name or number, or its file does not run to its end.
    """
    try:
        with time_limit(seconds):
            source = find_mechanism(text)
            return source, source.build(clients)
    except OutOfTime:
        raise InputError(f"{shown(text)} did not load within {seconds:g} s; does its file run for ever?") from None


@contextmanager
def first_answers(source: Source, seconds: float) -> Iterator[None]:
    """Limit the block that asks a file's mechanism for the first time, and say in one line what is wrong with it."""
    try:
        with source.blamed("fails on its first profiles"), time_limit(OURS if source.file is None else seconds):
            yield
    except OutOfTime:
        raise InputError(
            f"{source.name} did not answer a few hundred profiles within {seconds:.0f} s; "
            "expected a rule that answers a whole batch at once and ends"
        ) from None


def verify_within(
    source: Source,
    mechanism: DirectMechanism,
    ids: Sequence[str] | None,
    *,
    deadline: float,
    grade: str,
    seed: int,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Verdict]:
    """Return a verdict for each property (default: all that apply); ``deadline`` is a time of `time.perf_counter`.

    As `proofs_checks.verify`; but a property whose check did not end in time is unknown, and witnesses bear the
    source's name.

    Raises
    ------
    UnknownNameError
        If an id is no property.
    InvalidMechanismError, InputError
        If the mechanism fails, is random, or does not answer.
    Interrupted
        If the user stopped it.
    """
    asked = properties(ids)
    done: list[Verdict] = []
    try:
        chosen = _applicable(source, mechanism, asked, ids is None, deadline, seed)
        for prop, share in shared_out(chosen, deadline, progress):
            done.append(_one(source, mechanism, prop, share, deadline, grade, seed))
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted after {len(done)} properties; nothing was written") from None
    return done


def _applicable(
    source: Source, mechanism: DirectMechanism, asked: list[Property], every: bool, deadline: float, seed: int
) -> list[Property]:
    """Look at the mechanism, and return what is to be checked: of all properties those that apply."""
    with first_answers(source, max(deadline - time.perf_counter(), _FIRST)):
        check_mechanism(mechanism, seed)
        return [p for p in asked if p.missing(mechanism) is None] if every else asked


def _one(
    source: Source, mechanism: DirectMechanism, prop: Property, share: float, deadline: float, grade: str, seed: int
) -> Verdict:
    started = time.perf_counter()
    left = deadline + _END - started
    try:
        if left <= 0.0:
            raise OutOfTime
        with source.blamed(f"fails when {prop.name} is checked"), time_limit(min(share + _OVER, left)):
            found = verdict(mechanism, prop, share, grade, seed)
    except OutOfTime:
        spent = time.perf_counter() - started
        reason = f"not finished within {spent:.1f} s; give more with --budget"
        words = f"{prop.statement} [{prop.formula}]"
        return Verdict(prop.name, Grade.UNKNOWN, None, words, {"reason": reason}, seconds=spent)
    if found.witness is None or source.file is None:
        return found
    return replace(found, witness=replace(found.witness, mechanism=source.name))
