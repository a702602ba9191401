"""A limit in seconds on code that is not ours, and that may never end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

from proofs_checks.evidence_errors import OutOfTime

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
