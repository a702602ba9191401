"""HiGHS as this project asks it: exact, on one thread, silent."""

import os
import sys
from functools import cache
from typing import Any


@cache
def _greet() -> None:
    """Let HiGHS print its banner, which it does once per process whatever its options say, to nowhere."""
    import highspy

    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # no standard output: nothing to keep clean
        highspy.Highs()
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def exact_solver(**options: Any) -> Any:
    """Return PuLP's HiGHS with both gaps zero (its default relative gap is not), for one solution after another.

    ``options``: further options of HiGHS by name.
    """
    import pulp

    _greet()
    return pulp.HiGHS(msg=False, gapRel=0.0, gapAbs=0.0, threads=1, **options)
