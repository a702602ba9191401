"""Verdicts on anybody's code: the budget holds whatever it does, and what it raises is one line."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from marketproof.exits import Interrupted
from marketproof.files.mechanism_files import Source, find_mechanism
from mechanism.direct import DirectMechanism
from mechanism.errors import InputError, shown
from mechanism.own_code import digest_of, is_own, neighbours
from proofs_checks.evidence.verdict import Verdict
from proofs_checks.evidence.verify import verify
from proofs_checks.evidence_errors import OutOfTime
from proofs_checks.properties.own_property import use_property
from proofs_checks.properties.registry import PROPERTY, VARIANTS
from proofs_checks.search.grids import Grid

_AGAIN = 1.0  # seconds: code that swallowed the first interruption gets another


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in the block after so many seconds.

    Works between two steps of Python, in the main thread of a POSIX system; elsewhere there is no limit.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01), _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


_OVER = 5.0  # seconds that one property may take beyond its share: shrinking a witness takes three
_END = 4.0  # seconds after the deadline at which nothing goes on
_LEAST = 1e-3  # seconds that are shared among the properties where loading took all of them
_FIRST = 10.0  # seconds at least for the first answers, whatever the budget: code may have to be compiled

OURS = 1e6
"""Seconds for the catalogue's code, which ends."""


def load_within(text: str, clients: int | None, seconds: float) -> tuple[Source, DirectMechanism]:
    """Return a mechanism that a command line names, and where it comes from; a file is executed, within a time.

    `InputError` or `UnknownNameError` or `InvalidMechanismError` if there is none of that name or number, or its file
    does not run to its end.
    """
    try:
        with time_limit(seconds):
            source = find_mechanism(text)
            return source, source.build(clients)
    except OutOfTime:
        raise InputError(f"{shown(text)} did not load within {seconds:g} s; does its file run for ever?") from None


def use_properties(texts: Sequence[str], seconds: float = OURS) -> dict[str, tuple[str, str]]:
    """Let properties of one's own be known; return the name and the digest of the code of each by what named it.

    ``texts``: of which some are ids of ours. `InputError` if a file does not run to its end within a time, does not
    hold a property, or if two bear one name.
    """
    files: dict[str, Path] = {}
    found = {}
    for text in texts:
        if text in PROPERTY or text in VARIANTS or not is_own(text, "property"):
            continue
        try:
            with time_limit(seconds):
                prop = use_property(text)
        except OutOfTime:
            raise InputError(f"{shown(text)} did not load within {seconds:g} s; does its file run for ever?") from None
        if files.setdefault(prop.id, prop.file).resolve() != prop.file.resolve():
            raise InputError(f"two properties are called {shown(prop.id)}; give one of their files another name")
        found[text] = prop.id, digest_of(prop.file, *neighbours().values())
    return found


@contextmanager
def first_answers(source: Source, seconds: float) -> Iterator[None]:
    """Limit the block that asks a file's mechanism for the first time, and say in one line what is wrong with it."""
    try:
        with source.explaining("fails on its first profiles"), time_limit(OURS if source.file is None else seconds):
            yield
    except OutOfTime:
        raise InputError(
            f"{source.name} did not answer its first profiles within {seconds:.0f} s; "
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
    types: Grid | None = None,
    randomised: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Verdict]:
    """Return a verdict for each property (default: all that apply); ``deadline`` is a time of `time.perf_counter`.

    As `proofs_checks.verify`; but a property whose check did not end in time is unknown, and witnesses bear the
    source's name. `UnknownNameError` if an id is no property. `InvalidMechanismError` or `InputError` if the mechanism
    fails, is random, or does not answer. `Interrupted` if the user stopped it.
    """
    done = 0

    def count(name: str, position: int, total: int) -> None:
        nonlocal done
        done = position
        if progress is not None:
            progress(name, position, total)

    @contextmanager
    def guard(name: str | None, share: float) -> Iterator[None]:
        left = deadline - time.perf_counter()
        if name is None:
            with first_answers(source, max(left, _FIRST)):
                yield
            return
        if left + _END <= 0.0:
            raise OutOfTime
        with source.explaining(f"fails when {name} is checked"), time_limit(min(share + _OVER, left + _END)):
            yield

    budget = max(deadline - time.perf_counter(), _LEAST)
    try:
        found = verify(
            mechanism,
            ids,
            budget=budget,
            grade=grade,
            seed=seed,
            types=types,
            randomised=randomised,
            progress=count,
            guard=guard,
        )
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted after {done} properties; nothing was written") from None
    if source.file is None:
        return found
    return [v if v.witness is None else replace(v, witness=replace(v.witness, mechanism=source.name)) for v in found]
