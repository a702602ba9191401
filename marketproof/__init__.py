"""The command line, the round loop that couples learning to a mechanism, the recorder and the audit of a run.

>>> import marketproof
>>> run = marketproof.load("runs/NAME")  # doctest: +SKIP
>>> run.rounds, run.ledger, run.pandas("summary")  # doctest: +SKIP
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: the command line stays quick."""
    if name != "load":
        raise AttributeError(f"module 'marketproof' has no attribute {name!r}")
    from analysis.run.frames import load

    return load
