"""What many tests check in the same words: an error of one line, the memory that is taken, a fresh interpreter."""

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def refused(error: type[Exception], match: str = "", *words: str) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """What stands inside is refused with this error: one line that matches and in which all of these words stand."""
    with pytest.raises(error, match=match or None) as caught:
        yield caught
    line = str(caught.value)
    assert "\n" not in line
    assert all(word in line for word in words), line


@contextmanager
def memory_below(size: int) -> Iterator[None]:
    """What stands inside never holds this many bytes at once."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size


def fresh(code: str) -> str:
    """Return what an interpreter of its own prints for this code, which must not fail, errors included."""
    # by PYTHONPATH, not by the current folder: other tests run commands that keep that out of the path
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
