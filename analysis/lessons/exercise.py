"""Answers an exercise: runs the student's code in a process of its own, within limits, and says what came of it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, Any

from analysis.lessons.exercises import EXERCISES
from mechanism import UnknownNameError

SECONDS = 5.0
"""For the student's code to run and to answer first."""

MORE_SECONDS = 12.0
"""For the engine to question it after that: its budget of 2 s, and time to make a witness small."""

_START_SECONDS = 60.0  # for the interpreter and our packages, on a busy machine
_LONGEST = 20_000
_MOST_OUTPUT = 1 << 20


@dataclass(frozen=True)
class Answer:
    """What came of it. ``kind``: "right", "wrong" (it runs, and breaks a promise) or "error" (it does not run).

    ``headline`` one line; ``lines`` one per promise, and what the answer means.
    """

    kind: str
    headline: str
    lines: tuple[str, ...] = ()


def check(exercise: str, code: str, seconds: float = SECONDS) -> Answer:
    """Run the student's code as the rule of an exercise and return what came of it; never raises for what it does.

    The code runs in a new process with a limit on time, memory and the size of files; it is no prison: run only code
    that you would run.

    Raises
    ------
    UnknownNameError
        If there is no such exercise.
    """
    if exercise not in EXERCISES:
        raise UnknownNameError(f"unknown exercise {exercise!r}; known: {', '.join(EXERCISES)}")
    if len(code) > _LONGEST:
        return Answer("error", f"The code has more than {_LONGEST} characters; a rule needs about ten lines.")
    child = subprocess.Popen(
        # -P: a file in the student's folder that is called like one of ours is not imported
        [sys.executable, "-P", "-m", "analysis.lessons.exercise_process", exercise],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        return _conversation(child, code, seconds)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # and whatever it started
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        child.wait()


def _conversation(child: subprocess.Popen[str], code: str, seconds: float) -> Answer:
    lines: queue.Queue[str | None] = queue.Queue()
    assert child.stdin is not None
    assert child.stdout is not None
    threading.Thread(target=_listen, args=(child.stdout, lines), daemon=True).start()
    if (ready := _message(lines, _START_SECONDS)) is None or ready.get("stage") != "ready":
        return Answer("error", "The process for your code did not start; is the machine busy? Try once more.")
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(json.dumps(code))
        child.stdin.close()
    started = time.monotonic()
    told = _message(lines, seconds)
    if told is not None and told.get("stage") == "ran":
        told = _message(lines, MORE_SECONDS)
        late = f"Your rule took more than {MORE_SECONDS:g} s to be questioned"
    else:
        late = f"Your code did not answer within {seconds:g} s"
    if told is None:
        child.poll()
        if time.monotonic() - started < seconds and _ended(child):
            return Answer("error", "Your code ended its own process, or took more memory than it may (1 GiB).")
        return Answer("error", f"{late}: does a loop run for ever? Use array operations instead of loops over bids.")
    if told.get("stage") != "answer":
        return Answer("error", "Your code wrote into the channel of the answer; expected a rule that returns arrays.")
    return Answer(str(told["kind"]), str(told["headline"]), tuple(str(line) for line in told["lines"]))


def _ended(child: subprocess.Popen[str]) -> bool:
    try:
        child.wait(0.5)
    except subprocess.TimeoutExpired:
        return False
    return True


def _listen(pipe: IO[str], lines: queue.Queue[str | None]) -> None:
    """Pass on what the process says, line by line, and None at its end."""
    with contextlib.suppress(OSError, ValueError):
        while line := pipe.readline(_MOST_OUTPUT):
            lines.put(line)
    lines.put(None)


def _message(lines: queue.Queue[str | None], seconds: float) -> dict[str, Any] | None:
    try:
        line = lines.get(timeout=seconds)
        found = json.loads(line) if line is not None else None
    except (queue.Empty, ValueError):
        return None
    return found if isinstance(found, dict) else None
