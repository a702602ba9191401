"""A student's rule in a process of its own, as a function of bids: bounded in time, memory and what it may say."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

import numpy as np
from numpy.typing import NDArray

from analysis.lessons.exercise_process import HEAD, MOST_WORDS
from analysis.lessons.exercises import Exercise
from mechanism.errors import InvalidMechanismError

_START_SECONDS = 60.0  # for the interpreter and our packages, on a busy machine
_PRINT_SECONDS = 1.0


class StoppedError(InvalidMechanismError):
    """The student's code does not answer bids: it fails, or takes too long; the message is the line that helps."""


class Student:
    """The process that runs a student's code. ``left``: seconds that it may still take, all its answers together.

    The code can do in its process what it likes: all that is taken from it is numbers, as many as were asked for, or
    a short text. It is no prison: run only code that you would run.
    """

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.left = _START_SECONDS
        self.late = "The process for your code did not start; is the machine busy? Try once more."
        self.stopped: StoppedError | None = None
        self._child = subprocess.Popen(
            # -P: a file in the student's folder that is called like one of ours is not imported
            [sys.executable, "-P", "-m", "analysis.lessons.exercise_process", exercise.id],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, start_new_session=True,
        )  # fmt: skip
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._to, self._from = self._child.stdin.fileno(), self._child.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    def __enter__(self) -> Student:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)  # and whatever it started
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._child.wait()

    def begin(self, code: str, seconds: float) -> None:
        """Run the code; it and the answers that follow may take ``seconds`` together.

        `StoppedError` if it fails or does not end.
        """
        self._told(b"r", 0)
        self.allow(seconds, f"Your code did not answer within {seconds:g} s")
        self._ask(b"c", json.dumps(code).encode(), 0)

    def allow(self, seconds: float, late: str) -> None:
        """Give its next answers ``seconds`` together; ``late`` says what it did if that is not enough."""
        self.left = seconds
        self.late = f"{late}: does a loop run for ever? Use array operations instead of loops over bids."

    def rule(self, bids: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the allocation and the payment that the code answers bids ``[rows, agents]`` with, unchecked.

        `StoppedError` if it fails, ends, takes too long, or has done so before.
        """
        data = np.ascontiguousarray(bids).tobytes()
        allocation, payment = np.frombuffer(self._ask(b"b", data, 2 * len(data))).reshape(2, *bids.shape)
        return allocation, payment

    def printed(self) -> str:
        """Return the beginning of what the code printed; "" if it does not say."""
        if self._child.poll() is not None or self.left <= 0.0:
            return ""
        self.stopped, self.left = None, _PRINT_SECONDS
        try:
            self._write(HEAD.pack(b"p", 0))
            return self._told(b"p", MOST_WORDS, exact=False).decode("utf-8", "replace")
        except StoppedError:
            return ""

    def _ask(self, kind: bytes, data: bytes, expected: int) -> bytes:
        if self.stopped is not None:
            raise self.stopped
        self._write(HEAD.pack(kind, len(data)) + data)
        return self._told(b"a", expected)

    def _told(self, wanted: bytes, most: int, *, exact: bool = True) -> bytes:
        kind, length = HEAD.unpack(self._read(HEAD.size))
        if kind == b"e" and length <= MOST_WORDS:
            raise self._stop(sentence(self._read(length).decode("utf-8", "replace")))
        if kind != wanted or length > most or (exact and length != most):
            self.left = 0.0
            raise self._stop("Your code wrote into the channel of the answer; expected a rule that returns arrays.")
        return self._read(length)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(self._to, select.POLLOUT)
            try:
                rest = rest[os.write(self._to, rest[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._ended() from None

    def _read(self, count: int) -> bytes:
        parts, got = [], 0
        while got < count:
            self._wait(self._from, select.POLLIN)
            try:
                part = os.read(self._from, min(count - got, 1 << 20))
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            if not part:
                raise self._ended()
            parts.append(part)
            got += len(part)
        return b"".join(parts)

    def _wait(self, pipe: int, event: int) -> None:
        """Wait until the pipe is ready, or its other end is closed; what that takes is taken from what is left."""
        began = time.monotonic()
        poll = select.poll()
        poll.register(pipe, event)
        ready = self.left > 0.0 and poll.poll(1000.0 * self.left)
        self.left -= time.monotonic() - began
        if not ready:
            self.left = 0.0
            raise self._stop(self.late)

    def _ended(self) -> StoppedError:
        return self._stop("Your code ended its own process, or took more memory than it may (1 GiB).")

    def _stop(self, said: str) -> StoppedError:
        self.stopped = StoppedError(said)
        return self.stopped


def on_a_line(text: str) -> str:
    """Return a text without line ends and characters that do not print."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def sentence(text: object) -> str:
    """Return a text as one sentence of at most 400 characters, on one line."""
    flat = on_a_line(str(text))[:400]
    return f"{flat[:1].upper()}{flat[1:]}{'' if flat.endswith('.') else '.'}"
