"""Where in somebody's code an error arose, and what a rule that was written for one profile has to do instead."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

import mechanism

_HERE = str(Path(__file__).parents[1])
_OURS = tuple(folder + os.sep for folder in (os.path.dirname(str(mechanism.__file__)), _HERE))
_LIBRARIES = {"site-packages", "dist-packages"}

# How Python and NumPy complain where a whole column is taken for one number, or a row for one profile.
_FOR_ONE_PROFILE = (
    "truth value of an array",
    "only length-1 arrays",
    "only 0-dimensional arrays",
    "only integer scalar arrays",
    "setting an array element with a sequence",
    "could not be broadcast",
    "is out of bounds for axis",
    "inhomogeneous shape",
)


def place(error: BaseException) -> str:
    """Return " in rule.py, line 12" for the last line of somebody's own file that an error came through, else "".

    Their file is the first one outside of our packages that was entered: a line of a library that it called would not
    help.
    """
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    if not frames or _LIBRARIES & set(Path(frames[0].filename).parts):
        return ""
    file = frames[0].filename
    line = [f.lineno for f in frames if f.filename == file][-1]
    return f" in {Path(file).name}, line {line}"


def said(error: BaseException) -> str:
    """Return the kind of an error and the first line of what it says."""
    return (f"{type(error).__name__}: {error}".splitlines() or [""])[0][:200]


def for_one_profile(error: BaseException) -> bool:
    """Tell whether an error is one of those with which code for a single profile meets a batch."""
    return isinstance(error, ValueError | TypeError | IndexError) and any(w in str(error) for w in _FOR_ONE_PROFILE)


def advice(asked: Any, error: BaseException, shape: tuple[int, ...]) -> str:
    """Return what to do about an error of a rule that was asked reports of this shape, "" where nothing is known."""
    single = hasattr(asked, "rule")
    name = "bids" if single else "reports"
    if isinstance(error, ValueError) and "read-only" in str(error):
        return f"; copy {name} first: {name} = {name}.copy()"
    if for_one_profile(error):
        size = list(shape[:2] if single else shape)
        return f"; {name} is {size}, one row per profile: compute all rows at once"
    return ""
