"""The process in which a student's code runs: ``python -m analysis.lessons.exercise_process EXERCISE``.

It answers bids with what the student's rule returns, and judges nothing: whatever the code does in here, it can only
change those numbers. What is said of them is said by the process that asks (`student.Student`, `exercise`).
"""

import contextlib
import io
import json
import os
import struct
import sys
import traceback
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from analysis.lessons.exercises import EXERCISES, Exercise
from mechanism.direct import SingleParameter
from mechanism.errors import InvalidMechanismError

MEMORY = 1 << 30
"""Bytes that the student's code may use on top of what is loaded before it runs."""

HEAD = struct.Struct("<cQ")
"""Before every message in either direction: what it is, and how many bytes follow.

Asked: b"c" the code, b"b" bids float64 [rows, agents], b"p" what was printed. Told: b"r" ready, b"a" allocation and
payment one after the other, float64 [rows, agents] each (nothing after the code), b"e" what failed, b"p" the print.
"""

MOST_WORDS = 4000
"""Bytes of a message in words."""

_FILE = "<your code>"
_MOST_PRINTED = 400


class StudentError(Exception):
    """The student's code fails; the message is the line that helps."""


class _Printed(io.StringIO):
    """Keeps the beginning of what the code prints."""

    def write(self, text: str, /) -> int:
        """Keep it, up to a limit."""
        if self.tell() < _MOST_PRINTED:
            super().write(text[:_MOST_PRINTED])
        return len(text)


def load(exercise: Exercise, code: str) -> SingleParameter:
    """Run the code and return the rule that it defines, whose answers are checked for shape and finiteness.

    `StudentError` if the code fails or defines no rule, in one line that names the line of the code.
    """
    names: dict[str, Any] = {"np": np, "__name__": "student"}
    _guarded(lambda: exec(compile(code, _FILE, "exec"), names))
    rule = names.get("rule")
    if not callable(rule):
        raise StudentError("there is no function called rule; write def rule(bids): … return allocation, payment")
    return SingleParameter(lambda bids: _guarded(lambda: rule(bids)), exercise.agents, name="rule")


def respond(rule: SingleParameter, bids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return allocation and payment ``[rows, agents]``, float64.

    `StudentError` if the rule fails or returns something else; with the bids at which it does, if one row alone makes
    it.
    """
    try:
        return rule(bids)
    except StudentError as error:
        row = _culprit(rule, bids)
        raise StudentError(f"{error}{'' if row is None else f', at bids {np.round(row, 6).tolist()}'}") from None
    except InvalidMechanismError as error:
        raise StudentError(str(error)) from None


def _culprit(rule: SingleParameter, bids: np.ndarray) -> np.ndarray | None:
    """Return a row that fails, or None where its neighbours fail as well: then it is not the bids."""
    if all(_fails(rule, bids[k : k + 1]) for k in range(min(len(bids), 8))):
        return None
    while len(bids) > 1:
        half = len(bids) // 2
        bids = bids[:half] if _fails(rule, bids[:half]) else bids[half:]
    return bids[0] if _fails(rule, bids) else None


def _fails(rule: SingleParameter, bids: np.ndarray) -> bool:
    try:
        rule(bids)
    except (StudentError, InvalidMechanismError):
        return True
    return False


def _guarded(run: Callable[[], Any]) -> Any:
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


def serve(exercise: Exercise, asked: IO[bytes], told: IO[bytes]) -> None:
    """Answer messages until there are none: the code first, then bids."""

    def tell(kind: bytes, *parts: bytes) -> None:
        told.write(HEAD.pack(kind, sum(map(len, parts))) + b"".join(parts))
        told.flush()

    tell(b"r")
    printed, rule = _Printed(), None
    sys.stdout = printed
    while len(head := asked.read(HEAD.size)) == HEAD.size:
        kind, length = HEAD.unpack(head)
        data = asked.read(length)
        try:
            if kind == b"c":
                _limit()
                rule = load(exercise, json.loads(data))
                tell(b"a")
            elif kind == b"b" and rule is not None:
                bids = np.frombuffer(data).reshape(-1, exercise.agents)
                tell(b"a", *(np.ascontiguousarray(part).tobytes() for part in respond(rule, bids)))
            else:
                tell(b"p", printed.getvalue().encode("utf-8", "replace")[:MOST_WORDS])
        except StudentError as error:
            tell(b"e", str(error).encode("utf-8", "replace")[:MOST_WORDS])
        except MemoryError:
            tell(b"e", b"your code used more memory than it may (1 GiB)")


def main() -> None:
    """Answer for one exercise."""
    asked, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)  # what the code reads and writes must not look like a message
    os.dup2(null, 0)
    os.dup2(null, 1)
    serve(EXERCISES[sys.argv[1]], asked, told)


if __name__ == "__main__":
    main()
